// Rows for people (a table of aligned columns, 80 wide where it can be) and for programs (CSV).
// Text that came from users is made harmless for a terminal. Plain values; not thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/money.h"
#include "base/time.h"

namespace asbb::cli {

inline constexpr std::size_t table_width = 80;
inline constexpr std::size_t job_least = 16;  // a cut id names another job; a program's own is long

enum class Align {
  left,
  right,
  decimal  // on the decimal point
};

struct Column {
  std::string title;  // "LIMIT (USD)"
  std::string key;    // of the CSV header: "limit"
  Align align = Align::left;
  bool may_shrink = false;  // its text may be cut, marked by "~", when the table is too wide
  std::size_t least = 8;    // but not to less
};

// 80, or what the terminal has where standard output is a wider one.
[[nodiscard]] std::size_t output_width();

class Table {
 public:
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

  // As many cells as columns.
  void add(std::vector<std::string> cells);
  [[nodiscard]] bool is_empty() const { return rows_.empty(); }

  // Header and rows, each line ended by '\n', no trailing blanks.
  [[nodiscard]] std::string text(std::size_t width = output_width()) const;
  // Whether no line of it is longer.
  [[nodiscard]] bool fits(std::size_t width = output_width()) const;
  // RFC 4180, with the keys as its header. A cell that a spreadsheet would run gets a "'" in front.
  [[nodiscard]] std::string csv() const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

// An amount that may not be known: "-" for people, empty for programs.
[[nodiscard]] std::string shown(const std::optional<Micros>& amount);
[[nodiscard]] std::string exact(const std::optional<Micros>& amount);

// Control characters, and bytes that are not UTF-8, as '?'.
[[nodiscard]] std::string harmless(std::string_view text);
// The same, but line ends stay.
[[nodiscard]] std::string harmless_lines(std::string_view text);

// "2025-01-31 12:00:05", UTC.
[[nodiscard]] std::string to_second_text(Instant at);

// "12.5 %" of a whole; "-" when the whole is not positive.
[[nodiscard]] std::string to_share(Micros part, Micros whole);

}  // namespace asbb::cli
