#include "slurm/account_limits.h"

#include <algorithm>

#include "base/text.h"
#include "slurm/slurm_text.h"

namespace asbb::slurm {
namespace {

constexpr std::int64_t largest_count = 1'000'000'000'000'000;

// "10G" -> 10240, "512M" and "512" -> 512, in MB as Slurm counts memory.
std::optional<std::int64_t> memory_mb(std::string_view text) {
  if (text.empty()) return std::nullopt;
  const std::string_view units = "MGTP";
  std::int64_t factor = 1;
  if (const auto unit = units.find(text.back()); unit != std::string_view::npos) {
    for (std::size_t step = 0; step < unit; ++step) factor *= 1024;
    text.remove_suffix(1);
  }
  const auto amount = parse_micros(text);
  if (!amount || amount->is_negative()) return std::nullopt;
  return mul_div(amount->count(), factor, 1'000'000, Rounding::half_even);
}

Result<Limit> not_a_limit(std::string_view text, const std::string& expected) {
  return fail(ErrorKind::invalid, in_quotes(text) + " is not allowed; expected is " + expected);
}

Result<Limit> parse_tres(std::string_view text) {
  const std::string expected = "a list such as cpu=64,gres/gpu=4";
  Limit limit;
  for (const std::string_view one : split(text, ',')) {
    const std::size_t mark = one.find('=');
    if (mark == std::string_view::npos || mark == 0) return not_a_limit(text, expected);
    const std::string name = to_lower(one.substr(0, mark));
    const std::string_view number = one.substr(mark + 1);
    if (name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789/_:.-") != std::string::npos ||
        limit.contains(name)) {
      return not_a_limit(text, expected);
    }
    const auto count = name == "mem" ? memory_mb(number) : parse_count(number, largest_count);
    if (!count) return not_a_limit(text, expected);
    limit[name] = *count;
  }
  return limit;
}

}  // namespace

const std::vector<LimitName>& limit_names() {
  static const std::vector<LimitName> names{
      {"MaxJobs", LimitKind::count},       {"MaxSubmitJobs", LimitKind::count},
      {"MaxWall", LimitKind::minutes},     {"MaxTRES", LimitKind::tres},
      {"MaxTRESPerNode", LimitKind::tres}, {"MaxTRESMins", LimitKind::tres},
      {"GrpJobs", LimitKind::count},       {"GrpSubmitJobs", LimitKind::count},
      {"GrpWall", LimitKind::minutes},     {"GrpTRES", LimitKind::tres},
      {"GrpTRESMins", LimitKind::tres},    {"GrpTRESRunMins", LimitKind::tres}};
  return names;
}

const LimitName* find_limit(std::string_view name) {
  for (const LimitName& one : limit_names()) {
    if (to_lower(one.name) == to_lower(name)) return &one;
  }
  return nullptr;
}

Result<Limit> parse_limit(LimitKind kind, std::string_view text) {
  if (text.empty() || text == "-1") return Limit{};
  if (kind == LimitKind::tres) return parse_tres(text);
  if (kind == LimitKind::count) {
    const auto count = parse_count(text, 1'000'000'000);
    if (!count) return not_a_limit(text, "a whole number from 0 to 1000000000");
    return Limit{{"", *count}};
  }
  const auto minutes = parse_duration_minutes(text);
  if (!minutes) return not_a_limit(text, "minutes, or a time such as 1-00:00:00");
  if (*minutes == unlimited) return Limit{};
  return Limit{{"", *minutes}};
}

std::string to_text(const Limit& limit) {
  std::string text;
  for (const auto& [tres, count] : limit) {
    text += (text.empty() ? "" : ",") + (tres.empty() ? "" : tres + "=") + std::to_string(count);
  }
  return text;
}

std::string to_setting(const Limit& limit, const Limit& was) {
  Limit all = limit;
  for (const auto& [tres, count] : was) all.try_emplace(tres, -1);
  return to_text(all);
}

Limit scaled(const Limit& limit, Micros factor) {
  __extension__ using Wide = __int128;
  Limit out;
  for (const auto& [tres, count] : limit) {
    const Wide product = static_cast<Wide>(count) * factor.count() / 1'000'000;
    const auto largest = static_cast<Wide>(largest_count);
    const auto result = static_cast<std::int64_t>(std::min(product, largest));
    out[tres] = count > 0 ? std::max<std::int64_t>(1, result) : 0;
  }
  return out;
}

}  // namespace asbb::slurm
