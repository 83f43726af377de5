// The path and query of a request. Pure functions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/transaction.h"
#include "base/result.h"

namespace asbb::http {

// "/a/{b}" and "/a/x" alike, in pieces without the slashes; "/" has none.
[[nodiscard]] std::vector<std::string_view> segments_of(std::string_view path);

// "%2F" -> "/". invalid: a '%' without two hex digits, or a result with control characters.
[[nodiscard]] Result<std::string> percent_decode(std::string_view text, bool plus_is_blank = false);

// The part before the '?'.
[[nodiscard]] std::string_view path_of(std::string_view target);

// What follows the '?', decoded; a parameter without '=' has an empty value.
[[nodiscard]] Result<api::QueryParameters> parse_query(std::string_view target);

}  // namespace asbb::http
