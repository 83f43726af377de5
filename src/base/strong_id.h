// Numbers that name things, kept apart by type: a BudgetId never passes for a HoldId. 0 means
// "none".
#pragma once

#include <compare>
#include <cstdint>
#include <functional>

namespace asbb {

template <typename Tag>
struct StrongId {
  std::int64_t value = 0;
  constexpr auto operator<=>(const StrongId&) const = default;
  [[nodiscard]] constexpr bool is_set() const { return value != 0; }
};

}  // namespace asbb

template <typename Tag>
struct std::hash<asbb::StrongId<Tag>> {
  std::size_t operator()(asbb::StrongId<Tag> id) const noexcept {
    return std::hash<std::int64_t>{}(id.value);
  }
};
