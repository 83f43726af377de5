// Lengths of time as people write them, in settings and on command lines. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"

namespace asbb::config {

// "24h", "90s", "1h30m", "2500ms", "7d"; at least 1 ms, at most 10 years.
[[nodiscard]] std::optional<Span> parse_span(std::string_view text);
[[nodiscard]] std::string to_text(Span span);

}  // namespace asbb::config
