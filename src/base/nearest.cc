#include "base/nearest.h"

#include <algorithm>
#include <cstddef>

namespace asbb {
namespace {

constexpr std::size_t compared_max = 64;

// Damerau's distance with each letter in one swap at most.
std::size_t slips_between(std::string_view one, std::string_view other) {
  const std::size_t width = other.size() + 1;
  std::vector<std::size_t> table((one.size() + 1) * width);
  const auto at = [&](std::size_t i, std::size_t j) -> std::size_t& {
    return table[i * width + j];
  };
  for (std::size_t i = 0; i <= one.size(); ++i) at(i, 0) = i;
  for (std::size_t j = 0; j <= other.size(); ++j) at(0, j) = j;
  for (std::size_t i = 1; i <= one.size(); ++i) {
    for (std::size_t j = 1; j <= other.size(); ++j) {
      const std::size_t replaced = at(i - 1, j - 1) + (one[i - 1] == other[j - 1] ? 0 : 1);
      std::size_t& best = at(i, j);
      best = std::min({at(i - 1, j) + 1, at(i, j - 1) + 1, replaced});
      const bool is_swap =
          i > 1 && j > 1 && one[i - 1] == other[j - 2] && one[i - 2] == other[j - 1];
      if (is_swap) best = std::min(best, at(i - 2, j - 2) + 1);
    }
  }
  return at(one.size(), other.size());
}

}  // namespace

std::string nearest_word(std::string_view word, const std::vector<std::string>& known) {
  constexpr std::size_t letters_for_a_slip = 3;
  if (word.size() > compared_max) return {};
  const std::string* best = nullptr;
  std::size_t least = std::max<std::size_t>(1, word.size() / letters_for_a_slip) + 1;
  for (const std::string& one : known) {
    if (one.size() > compared_max) continue;
    const std::size_t slips = slips_between(word, one);
    if (slips >= least) continue;
    least = slips;
    best = &one;
  }
  return best == nullptr ? std::string() : *best;
}

}  // namespace asbb
