// The "Key=value Key=value ..." lines of scontrol -o, whose values may hold blanks ("OS=Linux 6.1
// #1 SMP"): a word without '=' belongs to the value before it, and the first value of a key counts.
// A reader of typed values that remembers what it could not read. Pure; views into the line.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "slurm/slurm_text.h"

namespace asbb::slurm {

using KeyValues = std::map<std::string_view, std::string, std::less<>>;

[[nodiscard]] KeyValues parse_key_values(std::string_view line);

// "Key   = value" lines of `scontrol show config`.
[[nodiscard]] KeyValues parse_config_lines(std::string_view text);

class ValueReader {
 public:
  explicit ValueReader(const KeyValues& values) : values_(values) {}

  [[nodiscard]] bool has(std::string_view key) const { return values_.contains(key); }
  // Empty when missing, "(null)", "N/A" or "NONE".
  [[nodiscard]] std::string text(std::string_view key) const;
  // Text up to the first blank, digits only. Missing or not a number is a problem.
  std::int64_t count(std::string_view key);
  std::int64_t count_or(std::string_view key, std::int64_t missing);
  // UNLIMITED is `unlimited`, missing too.
  std::int64_t limit(std::string_view key);
  // A duration in minutes, a plain number taken as minutes; empty for NONE and missing.
  std::optional<std::int64_t> minutes(std::string_view key);
  // Megabytes; UNLIMITED and missing are empty.
  std::optional<std::int64_t> memory_mb(std::string_view key);
  bool yes(std::string_view key) const { return text(key) == "YES"; }
  // Words between commas; empty for ALL, missing, "(null)".
  [[nodiscard]] std::vector<std::string> list(std::string_view key) const;

  void reject(std::string_view key);
  [[nodiscard]] const std::string& problem() const { return problem_; }

 private:
  const KeyValues& values_;
  std::string problem_;
};

}  // namespace asbb::slurm
