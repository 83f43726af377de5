#include "slurm/delimited.h"

#include <array>
#include <cstdio>
#include <limits>
#include <random>

#include "base/text.h"
#include "slurm/slurm_text.h"

namespace asbb::slurm {
namespace {

constexpr std::int64_t latest_unix_seconds = 253'402'300'799;  // the end of the year 9999

bool is_none(std::string_view text) {
  return text.empty() || text == "(null)" || text == "N/A" || text == "NA" ||
         text == "None assigned";
}

bool is_no_time(std::string_view text) {
  return is_none(text) || text == "Unknown" || text == "None" || text == "NONE";
}

bool is_no_limit(std::string_view text) {
  return text.empty() || text == "Partition_Limit" || text == "NOT_SET" || text == "N/A";
}

}  // namespace

std::string make_separator() {
  std::random_device random;
  std::array<char, 20> text{};
  const int length = std::snprintf(text.data(), text.size(), "\x1f%08x%08x", random(), random());
  return {text.data(), static_cast<std::size_t>(length)};
}

DelimitedText cut_records(std::string_view text, std::string_view separator, std::size_t columns) {
  DelimitedText result;
  const std::string record_end = std::string(separator) + "\n";
  while (!text.empty()) {
    std::vector<std::string_view> fields;
    fields.reserve(columns);
    std::size_t begin = 0;
    while (fields.size() < columns) {
      const std::size_t end = text.find(separator, begin);
      if (end == std::string_view::npos) {
        break;
      }
      fields.push_back(text.substr(begin, end - begin));
      begin = end + separator.size();
    }
    if (fields.size() == columns && text.substr(begin, 1) == "\n") {
      result.records.push_back(std::move(fields));
      text.remove_prefix(begin + 1);
      continue;
    }
    const std::size_t stop = text.find(record_end);
    const std::size_t length =
        stop == std::string_view::npos ? text.size() : stop + record_end.size();
    result.problems.push_back(
        "A record is cut short or has other columns: " + in_quotes(text.substr(0, length)) + ".");
    text.remove_prefix(length);
  }
  return result;
}

std::string FieldReader::text(std::size_t column) {
  return is_none(fields_[column]) ? std::string{} : std::string(fields_[column]);
}

std::int64_t FieldReader::count(std::size_t column) {
  const auto number = parse_count(fields_[column]);
  if (!number) {
    reject(column);
  }
  return number.value_or(0);
}

std::int64_t FieldReader::optional_count(std::size_t column) {
  return is_none(fields_[column]) ? 0 : count(column);
}

std::uint32_t FieldReader::user_id(std::size_t column) {
  const std::int64_t number = count(column);
  if (number > std::numeric_limits<std::uint32_t>::max()) {
    reject(column);
    return 0;
  }
  return static_cast<std::uint32_t>(number);
}

std::optional<Instant> FieldReader::optional_time(std::size_t column) {
  if (is_no_time(fields_[column])) {
    return std::nullopt;
  }
  return time(column);
}

Instant FieldReader::time(std::size_t column) {
  const std::int64_t seconds = count(column);
  if (seconds > latest_unix_seconds) {
    reject(column);
    return {};
  }
  return Instant::from_unix_seconds(seconds);
}

std::int64_t FieldReader::duration_seconds(std::size_t column) {
  const auto seconds = parse_duration_seconds(fields_[column]);
  if (!seconds || *seconds == unlimited) {
    reject(column);
    return 0;
  }
  return *seconds;
}

std::int64_t FieldReader::limit_minutes(std::size_t column) {
  if (is_no_limit(fields_[column])) {
    return unlimited;
  }
  const auto minutes = parse_duration_minutes(fields_[column]);
  if (!minutes) {
    reject(column);
    return unlimited;
  }
  return *minutes;
}

void FieldReader::reject(std::size_t column) {
  if (problem_.empty()) {
    problem_ = std::string(names_[column]) + " is " + in_quotes(fields_[column]);
  }
}

}  // namespace asbb::slurm
