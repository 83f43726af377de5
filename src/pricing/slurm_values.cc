#include "pricing/slurm_values.h"

#include <array>
#include <vector>

#include "pricing/text.h"

namespace asbb::pricing {
namespace {

constexpr std::int64_t seconds_per_minute = 60;
constexpr std::int64_t seconds_per_hour = 3600;
constexpr std::int64_t seconds_per_day = 86'400;
constexpr std::int64_t largest_seconds = max_time_limit_minutes * seconds_per_minute;
constexpr std::int64_t array_size_max = 4'000'001;  // slurm.conf(5), MaxArraySize
constexpr std::size_t array_text_max = 100'000;
constexpr std::int64_t repeats_max = 4;  // bounds the work that one request can cause

// Seconds of "D-H", "D-H:M", "D-H:M:S", "H:M:S", "M:S" or "M"; nothing when it is none of these or
// out of range.
std::optional<std::int64_t> read_time(std::string_view text) {
  const std::size_t dash = text.find('-');
  std::int64_t days = 0;
  if (dash != std::string_view::npos) {
    const auto read = read_count(text.substr(0, dash), largest_seconds / seconds_per_day);
    if (!read) return std::nullopt;
    days = *read;
    text.remove_prefix(dash + 1);
  }
  const auto parts = split(text, ':');
  if (parts.size() > 3) return std::nullopt;
  std::vector<std::int64_t> numbers;
  for (const std::string_view part : parts) {
    const auto number = read_count(part, largest_seconds);
    if (!number) return std::nullopt;
    numbers.push_back(*number);
  }
  // What the numbers count, by how many there are.
  constexpr std::array<std::int64_t, 3> after_days = {seconds_per_hour, seconds_per_minute, 1};
  const std::size_t first = dash != std::string_view::npos ? 0 : (parts.size() == 3 ? 0 : 1);
  std::int64_t seconds = days * seconds_per_day;
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const std::int64_t unit = after_days[first + i];
    if (numbers[i] > (largest_seconds - seconds) / unit) return std::nullopt;
    seconds += numbers[i] * unit;
  }
  return seconds;
}

std::string two_digits(std::int64_t number) {
  return (number < 10 ? "0" : "") + std::to_string(number);
}

tl::unexpected<Error> bad_time(std::string_view text, const std::string& why) {
  return fail(ErrorKind::invalid,
              quoted(text) + " is not a time: " + why +
                  "minutes, minutes:seconds, hours:minutes:seconds, days-hours, days-hours:minutes "
                  "or days-hours:minutes:seconds is expected");
}

tl::unexpected<Error> bad_array(std::string_view text, const std::string& why) {
  return fail(ErrorKind::invalid, quoted(text) + " is not an array: " + why, "array");
}

struct ArrayRange {
  std::int64_t first = 0;
  std::int64_t last = 0;
  std::int64_t step = 1;
  [[nodiscard]] std::int64_t count() const { return (last - first) / step + 1; }
};

// "7", "1-10", "1-10:2", each maybe with "%5" (how many run at once, which costs nothing).
Result<ArrayRange> read_array_range(std::string_view whole, std::string_view element,
                                    std::int64_t limit) {
  const std::string allowed =
      "indices such as 0-9, 1-9:2 or 1,5,7 are expected, with %N at the end for how many run at "
      "once";
  const std::size_t percent = element.find('%');
  if (percent != std::string_view::npos) {
    if (!read_count(element.substr(percent + 1), array_size_max)) return bad_array(whole, allowed);
    element = element.substr(0, percent);
  }
  std::string_view step_text = "1";
  const std::size_t colon = element.find(':');
  if (colon != std::string_view::npos) {
    step_text = element.substr(colon + 1);
    element = element.substr(0, colon);
  }
  const std::size_t dash = element.find('-');
  if (colon != std::string_view::npos && dash == std::string_view::npos) {
    return bad_array(whole, allowed);
  }
  const std::string_view last_text =
      dash == std::string_view::npos ? element : element.substr(dash + 1);
  const auto first = read_count(element.substr(0, dash), max_time_limit_minutes);
  const auto last = read_count(last_text, max_time_limit_minutes);
  const auto step = read_count(step_text, max_time_limit_minutes);
  if (!first || !last || !step) return bad_array(whole, allowed);
  if (*step == 0 || *step >= limit)
    return bad_array(whole,
                     "the step must be at least 1 and less "
                     "than " +
                         std::to_string(limit));
  if (*last < *first) return bad_array(whole, "a range must not run backwards");
  if (*last >= limit) {
    return bad_array(whole, "index " + std::to_string(*last) +
                                " is too large; MaxArraySize allows up to " +
                                std::to_string(limit - 1));
  }
  return ArrayRange{*first, *last, *step};
}

}  // namespace

Result<TimeLimit> parse_time_limit(std::string_view text) {
  const std::string lower = to_lower(text.substr(0, 16));
  if (lower == "unlimited" || lower == "infinite") return TimeLimit{0, true};
  const auto seconds = read_time(text);
  if (!seconds) return bad_time(text, "");
  if (*seconds == 0) return bad_time(text, "0 asks Slurm for no limit at all; ");
  return TimeLimit{(*seconds + seconds_per_minute - 1) / seconds_per_minute, false};
}

Result<std::int64_t> parse_duration_seconds(std::string_view text) {
  const auto seconds = read_time(text);
  if (!seconds) return bad_time(text, "");
  return *seconds;
}

std::string to_string(TimeLimit limit) {
  if (limit.unlimited) return "UNLIMITED";
  const std::int64_t days = limit.minutes / (24 * 60);
  const std::int64_t hours = limit.minutes / 60 % 24;
  return (days > 0 ? std::to_string(days) + "-" : "") + two_digits(hours) + ":" +
         two_digits(limit.minutes % 60) + ":00";
}

Result<std::int64_t> parse_memory_mb(std::string_view text) {
  const auto size = read_size_mb(text, true);
  if (!size) {
    return fail(ErrorKind::invalid,
                quoted(text) +
                    " is not a memory size: a number with K, M, G or T is expected, "
                    "such as 4000M or 64GB; without a letter it is MB");
  }
  return *size;
}

Result<std::int64_t> count_array_tasks(std::string_view text,
                                       std::optional<std::int64_t> max_array_size) {
  const std::int64_t limit = max_array_size.value_or(array_size_max);
  if (limit <= 0) return bad_array(text, "MaxArraySize is 0: this cluster takes no arrays");
  if (limit > array_size_max) return bad_array(text, "MaxArraySize is out of Slurm's range");
  if (text.size() > array_text_max) return bad_array(text, "the text is too long");
  std::string_view list = text;
  // squeue prints pending arrays in brackets; sbatch takes them too, and "[1-9]%2".
  if (!list.empty() && list.front() == '[') {
    const std::size_t close = list.find(']');
    if (close == std::string_view::npos) return bad_array(text, "a bracket is not closed");
    const std::string_view rest = list.substr(close + 1);
    const bool throttle = !rest.empty() && rest.front() == '%';
    if (!rest.empty() && (!throttle || !read_count(rest.substr(1), array_size_max))) {
      return bad_array(text, "only %N may follow the bracket");
    }
    list = list.substr(1, close - 1);
  }
  std::vector<ArrayRange> ranges;
  std::int64_t named = 0;
  for (const std::string_view element : split(list, ',')) {
    const auto range = read_array_range(text, element, limit);
    if (!range) return tl::unexpected(range.error());
    ranges.push_back(*range);
    named += range->count();
    if (named > limit * repeats_max) return bad_array(text, "its ranges overlap too often");
  }
  if (ranges.size() == 1) return ranges.front().count();
  std::vector<bool> chosen(static_cast<std::size_t>(limit), false);
  std::int64_t count = 0;
  for (const ArrayRange& range : ranges) {
    for (std::int64_t index = range.first; index <= range.last; index += range.step) {
      const auto at = static_cast<std::size_t>(index);
      if (!chosen[at]) ++count;
      chosen[at] = true;
    }
  }
  return count;
}

}  // namespace asbb::pricing
