#include "slurm/slurm_text.h"

#include "base/slurm_units.h"
#include "base/text.h"

namespace asbb::slurm {
namespace {

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

Result<std::int64_t> parse_duration_seconds(std::string_view text) {
  if (is_slurm_unlimited(text)) {
    return unlimited;
  }
  const auto seconds = parse_slurm_time_s(text, max_duration_seconds);
  if (!seconds) {
    return fail(ErrorKind::invalid,
                in_quotes(text) +
                    " is not a time: write minutes, M:S, H:M:S, D-H, D-H:M, D-H:M:S or UNLIMITED.");
  }
  return *seconds;
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
      return fail(ErrorKind::invalid, in_quotes(text) + " is not a GRES list.");
    }
    result.push_back(std::move(*gres));
  }
  return result;
}

}  // namespace asbb::slurm
