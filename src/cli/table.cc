#include "cli/table.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>

#include "base/assert.h"
#include "base/text.h"
#include "base/utf8.h"

namespace asbb::cli {
namespace {

constexpr std::size_t gap = 2;

std::string replace_controls(std::string_view text, bool keep_lines) {
  std::string out;
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    const std::string_view sequence = text.substr(0, std::max<std::size_t>(length, 1));
    if (keep_lines && (sequence == "\n" || sequence == "\t")) {
      out += sequence;
    } else if (length == 0 || is_utf8_control(sequence)) {
      out += '?';
    } else {
      out += sequence;
    }
    text.remove_prefix(sequence.size());
  }
  return out;
}

std::string pad(const std::string& text, std::size_t width, bool right) {
  const std::size_t length = utf8_characters(text);
  const std::string blanks(width > length ? width - length : 0, ' ');
  return right ? blanks + text : text + blanks;
}

std::size_t places_of(const std::string& number) {
  const auto point = number.find('.');
  return point == std::string::npos ? 0 : number.size() - point;
}

// Gives every decimal of a column the same number of places, with blanks where it has fewer.
void align_points(std::vector<std::vector<std::string>>& rows, std::size_t column) {
  std::size_t places = 0;
  for (const auto& row : rows) places = std::max(places, places_of(row[column]));
  for (auto& row : rows) {
    if (!row[column].empty()) row[column].append(places - places_of(row[column]), ' ');
  }
}

std::string csv_cell(const std::string& text) {
  std::string cell = text;
  const bool is_number = cell.find_first_not_of("0123456789.-") == std::string::npos;
  if (!cell.empty() && !is_number &&
      std::string_view("=+-@\t\r").find(cell[0]) != std::string::npos) {
    cell.insert(0, 1, '\'');
  }
  if (cell.find_first_of("\",\r\n") == std::string::npos) return cell;
  std::string out = "\"";
  for (const char c : cell) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + "\"";
}

}  // namespace

void Table::add(std::vector<std::string> cells) {
  ASBB_ASSERT(cells.size() == columns_.size());
  rows_.push_back(std::move(cells));
}

std::size_t output_width() {
  winsize found{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &found) != 0) return table_width;
  return std::max<std::size_t>(table_width, found.ws_col);
}

std::string Table::text(std::size_t width) const {
  auto rows = rows_;
  for (auto& row : rows) {
    for (std::string& cell : row) cell = harmless(cell);
  }
  std::vector<std::size_t> widths;
  std::size_t total = 0;
  for (std::size_t c = 0; c < columns_.size(); ++c) {
    if (columns_[c].align == Align::decimal) align_points(rows, c);
    std::size_t widest = utf8_characters(columns_[c].title);
    for (const auto& row : rows) widest = std::max(widest, utf8_characters(row[c]));
    widths.push_back(widest);
    total += widest + (c == 0 ? 0 : gap);
  }
  while (total > width) {  // takes from the widest column that may shrink
    std::size_t victim = columns_.size();
    for (std::size_t c = 0; c < columns_.size(); ++c) {
      const std::size_t least = std::max(columns_[c].least, utf8_characters(columns_[c].title));
      if (!columns_[c].may_shrink || widths[c] <= least) continue;
      if (victim == columns_.size() || widths[c] > widths[victim]) victim = c;
    }
    if (victim == columns_.size()) break;
    --widths[victim];
    --total;
  }
  std::string out;
  const auto line = [&](const auto& cell_of) {
    std::string made;
    for (std::size_t c = 0; c < columns_.size(); ++c) {
      if (c != 0) made.append(gap, ' ');
      made += pad(utf8_shortened(cell_of(c), widths[c], "~"), widths[c],
                  columns_[c].align != Align::left);
    }
    made.erase(made.find_last_not_of(' ') + 1);
    out += made + "\n";
  };
  line([&](std::size_t c) { return columns_[c].title; });
  for (const auto& row : rows) line([&](std::size_t c) { return row[c]; });
  return out;
}

bool Table::fits(std::size_t width) const {
  const std::string lines = text(width);
  const auto all = split(lines, '\n');
  return std::all_of(all.begin(), all.end(),
                     [&](std::string_view line) { return utf8_characters(line) <= width; });
}

std::string Table::csv() const {
  std::string out;
  for (std::size_t c = 0; c < columns_.size(); ++c) out += (c == 0 ? "" : ",") + columns_[c].key;
  out += "\r\n";
  for (const auto& row : rows_) {
    for (std::size_t c = 0; c < row.size(); ++c) out += (c == 0 ? "" : ",") + csv_cell(row[c]);
    out += "\r\n";
  }
  return out;
}

std::string shown(const std::optional<Micros>& amount) {
  return amount ? to_display(*amount) : "-";
}

std::string exact(const std::optional<Micros>& amount) {
  return amount ? to_decimal(*amount) : "";
}

std::string harmless(std::string_view text) {
  return replace_controls(text, false);
}

std::string harmless_lines(std::string_view text) {
  return replace_controls(text, true);
}

std::string to_second_text(Instant at) {
  std::string text = to_rfc3339(Instant::from_unix_seconds(at.unix_seconds()));
  text[10] = ' ';
  text.pop_back();
  return text;
}

std::string to_share(Micros part, Micros whole) {
  if (whole <= Micros(0)) return "-";
  const auto permille = mul_div(part.count(), 1000, whole.count(), Rounding::half_even);
  if (!permille) return "-";
  const std::int64_t value = *permille;
  const std::int64_t size = value < 0 ? -value : value;
  return (value < 0 ? "-" : "") + std::to_string(size / 10) + "." + std::to_string(size % 10) +
         " %";
}

}  // namespace asbb::cli
