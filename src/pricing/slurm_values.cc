#include "pricing/slurm_values.h"

#include <vector>

#include "base/slurm_units.h"
#include "base/text.h"
#include "pricing/tres.h"

namespace asbb::pricing {
namespace {

constexpr std::int64_t seconds_per_minute = 60;
constexpr std::int64_t array_size_max = 4'000'001;  // slurm.conf(5), MaxArraySize
constexpr std::size_t array_text_max = 100'000;
constexpr std::int64_t repeats_max = 4;  // bounds the work that one request can cause

std::string two_digits(std::int64_t number) {
  return (number < 10 ? "0" : "") + std::to_string(number);
}

tl::unexpected<Error> bad_time(std::string_view text, const std::string& why) {
  return fail(ErrorKind::invalid,
              in_quotes(text) + " is not a time: " + why +
                  "minutes, minutes:seconds, hours:minutes:seconds, days-hours, days-hours:minutes "
                  "or days-hours:minutes:seconds is expected");
}

tl::unexpected<Error> bad_array(std::string_view text, const std::string& why) {
  return fail(ErrorKind::invalid, in_quotes(text) + " is not an array: " + why, "array");
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
    if (!parse_count(element.substr(percent + 1), array_size_max)) return bad_array(whole, allowed);
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
  const auto first = parse_count(element.substr(0, dash), max_time_limit_minutes);
  const auto last = parse_count(last_text, max_time_limit_minutes);
  const auto step = parse_count(step_text, max_time_limit_minutes);
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
  if (is_slurm_unlimited(text)) return TimeLimit{0, true};
  const auto seconds = parse_slurm_time_s(text, max_time_limit_minutes * seconds_per_minute);
  if (!seconds) return bad_time(text, "");
  if (*seconds == 0) return bad_time(text, "0 asks Slurm for no limit at all; ");
  return TimeLimit{(*seconds + seconds_per_minute - 1) / seconds_per_minute, false};
}

std::string to_string(TimeLimit limit) {
  if (limit.unlimited) return "UNLIMITED";
  const std::int64_t days = limit.minutes / (24 * 60);
  const std::int64_t hours = limit.minutes / 60 % 24;
  return (days > 0 ? std::to_string(days) + "-" : "") + two_digits(hours) + ":" +
         two_digits(limit.minutes % 60) + ":00";
}

Result<std::int64_t> parse_memory_mb(std::string_view text) {
  const auto size = parse_slurm_memory_mb(text, max_memory_mb);
  if (!size) {
    return fail(ErrorKind::invalid,
                in_quotes(text) +
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
    if (!rest.empty() && (!throttle || !parse_count(rest.substr(1), array_size_max))) {
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
