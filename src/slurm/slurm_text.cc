#include "slurm/slurm_text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <span>

namespace asbb::slurm {
namespace {

tl::unexpected<Error> not_a_duration(std::string_view text) {
  return fail(ErrorKind::invalid,
              "'" + excerpt(text) +
                  "' is not a time: write minutes, M:S, H:M:S, D-H, D-H:M, D-H:M:S or UNLIMITED.");
}

bool equals_upper(std::string_view text, std::string_view upper) {
  return std::equal(text.begin(), text.end(), upper.begin(), upper.end(), [](char a, char b) {
    return (a >= 'a' && a <= 'z' ? static_cast<char>(a - 'a' + 'A') : a) == b;
  });
}

// Seconds of the numbers, each with its weight; nothing when a number is not one or out of range.
std::optional<std::int64_t> weighted_sum(const std::vector<std::string_view>& parts,
                                         std::span<const std::int64_t> weights) {
  std::int64_t sum = 0;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const auto number = parse_count(parts[i]);
    if (!number || *number > max_duration_seconds) {
      return std::nullopt;
    }
    sum += *number * weights[i];
  }
  return sum;
}

std::optional<std::int64_t> binary_factor(char suffix) {
  switch (suffix) {
    case 'k':
    case 'K':
      return std::int64_t{1} << 10;
    case 'm':
    case 'M':
      return std::int64_t{1} << 20;
    case 'g':
    case 'G':
      return std::int64_t{1} << 30;
    case 't':
    case 'T':
      return std::int64_t{1} << 40;
    case 'p':
    case 'P':
      return std::int64_t{1} << 50;
    default:
      return std::nullopt;
  }
}

std::optional<std::int64_t> parse_gres_count(std::string_view text) {
  std::int64_t factor = 1;
  if (!text.empty()) {
    if (const auto found = binary_factor(text.back())) {
      factor = *found;
      text.remove_suffix(1);
    }
  }
  const auto number = parse_count(text);
  std::int64_t product = 0;
  if (!number || __builtin_mul_overflow(*number, factor, &product)) {
    return std::nullopt;
  }
  return product;
}

// Pieces between commas that are not inside parentheses: "gpu:a100:2(S:0,1),license".
std::vector<std::string_view> split_outside_parentheses(std::string_view text) {
  std::vector<std::string_view> pieces;
  int depth = 0;
  std::size_t begin = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    depth += text[i] == '(' ? 1 : 0;
    depth -= text[i] == ')' ? 1 : 0;
    if (text[i] == ',' && depth == 0) {
      pieces.push_back(text.substr(begin, i - begin));
      begin = i + 1;
    }
  }
  pieces.push_back(text.substr(begin));
  return pieces;
}

std::optional<Gres> parse_one_gres(std::string_view piece) {
  piece = piece.substr(0, piece.find('('));
  const auto parts = split(piece, ':');
  if (parts.size() > 3 || parts.front().empty()) {
    return std::nullopt;
  }
  Gres gres{std::string(parts.front()), "", 1};
  if (parts.size() == 1) {
    return gres;
  }
  const auto count = parse_gres_count(parts.back());
  if (parts.size() == 3) {
    gres.type = parts[1];
    if (!count || gres.type.empty()) {
      return std::nullopt;
    }
  } else if (!count) {  // "gpu:a100": a type alone counts one
    gres.type = parts[1];
    return gres.type.empty() ? std::nullopt : std::optional(gres);
  }
  gres.count = *count;
  return gres;
}

}  // namespace

std::optional<std::int64_t> parse_count(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || text.front() == '-' || error != std::errc{} ||
      end != text.data() + text.size()) {
    return std::nullopt;
  }
  return value;
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> pieces;
  std::size_t begin = 0;
  for (std::size_t at = text.find(separator); at != std::string_view::npos;
       at = text.find(separator, begin)) {
    pieces.push_back(text.substr(begin, at - begin));
    begin = at + 1;
  }
  pieces.push_back(text.substr(begin));
  return pieces;
}

std::string excerpt(std::string_view text) {
  std::string result(text.substr(0, 80));
  for (char& c : result) {
    if (static_cast<unsigned char>(c) < ' ' || c == '\x7f') {
      c = '?';
    }
  }
  return text.size() > 80 ? result + "..." : result;
}

Result<std::int64_t> parse_duration_seconds(std::string_view text) {
  if (equals_upper(text, "UNLIMITED") || equals_upper(text, "INFINITE")) {
    return unlimited;
  }
  static constexpr std::array<std::int64_t, 3> minutes_seconds{60, 1, 0};
  static constexpr std::array<std::int64_t, 3> hours_minutes_seconds{3600, 60, 1};
  constexpr std::int64_t seconds_per_day = 86'400;
  std::int64_t days = 0;
  const std::size_t dash = text.find('-');
  std::string_view clock = text;
  if (dash != std::string_view::npos) {
    const auto number = parse_count(text.substr(0, dash));
    if (!number || *number > max_duration_seconds / seconds_per_day) {
      return not_a_duration(text);
    }
    days = *number;
    clock = text.substr(dash + 1);
  }
  const auto parts = split(clock, ':');
  if (parts.size() > 3) {
    return not_a_duration(text);
  }
  const bool from_hours = dash != std::string_view::npos || parts.size() == 3;
  const auto seconds = weighted_sum(parts, from_hours ? hours_minutes_seconds : minutes_seconds);
  if (!seconds || days * seconds_per_day + *seconds > max_duration_seconds) {
    return not_a_duration(text);
  }
  return days * seconds_per_day + *seconds;
}

Result<std::int64_t> parse_duration_minutes(std::string_view text) {
  const auto seconds = parse_duration_seconds(text);
  if (!seconds || *seconds == unlimited) {
    return seconds;
  }
  return (*seconds + 59) / 60;
}

Result<std::vector<Gres>> parse_gres(std::string_view text) {
  std::vector<Gres> result;
  if (text.empty() || text == "(null)" || text == "N/A") {
    return result;
  }
  for (const std::string_view piece : split_outside_parentheses(text)) {
    auto gres = parse_one_gres(piece);
    if (!gres) {
      return fail(ErrorKind::invalid, "'" + excerpt(text) + "' is not a GRES list.");
    }
    result.push_back(std::move(*gres));
  }
  return result;
}

}  // namespace asbb::slurm
