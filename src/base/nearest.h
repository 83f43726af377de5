// The known word that a misspelt one most likely stands for. Pure; any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace asbb {

// Letters that are added, left out, replaced or swapped are counted; more than one in three of the
// word's are no slip. "" when nothing is near; of several that are as near, the first.
[[nodiscard]] std::string nearest_word(std::string_view word,
                                       const std::vector<std::string>& known);

}  // namespace asbb
