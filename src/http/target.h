// The path and query of a request. Pure functions.
#pragma once

#include <string>
#include <string_view>

#include "api/transaction.h"
#include "base/result.h"

namespace asbb::http {

// The first piece between slashes of "/a/{b}" or "/a/x", which loses it; until the path is empty.
[[nodiscard]] std::string_view take_segment(std::string_view& path);

// "%2F" -> "/". invalid: a '%' without two hex digits, or a result with control characters.
[[nodiscard]] Result<std::string> percent_decode(std::string_view text, bool plus_is_blank = false);

// The part before the '?'.
[[nodiscard]] std::string_view path_of(std::string_view target);

// What follows the '?', decoded; a parameter without '=' has an empty value.
[[nodiscard]] Result<api::QueryParameters> parse_query(std::string_view target);

}  // namespace asbb::http
