#include "slurm/key_values.h"

#include <algorithm>

#include "base/text.h"

namespace asbb::slurm {
namespace {

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r");
  if (first == std::string_view::npos) {
    return {};
  }
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

}  // namespace

KeyValues parse_key_values(std::string_view line) {
  KeyValues values;
  std::string* last = nullptr;
  for (const std::string_view word : split(line, ' ')) {
    const std::size_t equals = word.find('=');
    if (equals != std::string_view::npos && equals > 0) {
      const auto [place, is_new] =
          values.try_emplace(word.substr(0, equals), word.substr(equals + 1));
      last = is_new ? &place->second : nullptr;
    } else if (last != nullptr && !word.empty()) {
      *last += ' ';
      *last += word;
    }
  }
  return values;
}

KeyValues parse_config_lines(std::string_view text) {
  KeyValues values;
  for (const std::string_view line : split(text, '\n')) {
    const std::size_t equals = line.find('=');
    if (equals != std::string_view::npos) {
      values.try_emplace(trimmed(line.substr(0, equals)), trimmed(line.substr(equals + 1)));
    }
  }
  return values;
}

std::string ValueReader::text(std::string_view key) const {
  const auto found = values_.find(key);
  if (found == values_.end() || found->second == "(null)" || found->second == "N/A" ||
      found->second == "NONE") {
    return {};
  }
  return found->second;
}

std::int64_t ValueReader::count(std::string_view key) {
  const std::string value = text(key);
  const auto number = parse_count(std::string_view(value).substr(0, value.find(' ')));
  if (!number) {
    reject(key);
  }
  return number.value_or(0);
}

std::int64_t ValueReader::count_or(std::string_view key, std::int64_t missing) {
  return text(key).empty() ? missing : count(key);
}

std::int64_t ValueReader::limit(std::string_view key) {
  const std::string value = text(key);
  return value.empty() || value == "UNLIMITED" ? unlimited : count(key);
}

std::optional<std::int64_t> ValueReader::minutes(std::string_view key) {
  const std::string value = text(key);
  if (value.empty()) {
    return std::nullopt;
  }
  const auto parsed = parse_duration_minutes(value.substr(0, value.find(' ')));
  if (!parsed) {
    reject(key);
    return std::nullopt;
  }
  return *parsed;
}

std::optional<std::int64_t> ValueReader::memory_mb(std::string_view key) {
  const std::string value = text(key);
  if (value.empty() || value == "UNLIMITED") {
    return std::nullopt;
  }
  return count(key);
}

std::vector<std::string> ValueReader::list(std::string_view key) const {
  const std::string value = text(key);
  std::vector<std::string> words;
  if (value.empty() || value == "ALL") {
    return words;
  }
  for (const std::string_view word : split(value, ',')) {
    words.emplace_back(word);
  }
  return words;
}

void ValueReader::reject(std::string_view key) {
  if (problem_.empty()) {
    const auto found = values_.find(key);
    problem_ = found == values_.end() ? std::string(key) + " is missing"
                                      : std::string(key) + " is " + in_quotes(found->second);
  }
}

}  // namespace asbb::slurm
