// Tables of stable words for enums: one place that both writes and reads them.
#pragma once

#include <array>
#include <optional>
#include <string_view>
#include <utility>

#include "base/assert.h"

namespace asbb::ledger {

template <typename Enum, std::size_t count>
using Words = std::array<std::pair<Enum, const char*>, count>;

template <typename Enum, std::size_t count>
const char* word_of(const Words<Enum, count>& words, Enum value) {
  for (const auto& [known, word] : words) {
    if (known == value) return word;
  }
  ASBB_ASSERT(false && "an enum value without a word");
  return "";
}

template <typename Enum, std::size_t count>
std::optional<Enum> value_of(const Words<Enum, count>& words, std::string_view text) {
  for (const auto& [known, word] : words) {
    if (text == word) return known;
  }
  return std::nullopt;
}

}  // namespace asbb::ledger
