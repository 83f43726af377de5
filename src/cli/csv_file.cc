#include "cli/csv_file.h"

namespace asbb::cli {
namespace {

class CsvReader {
 public:
  explicit CsvReader(std::string_view text) : text_(text) {}

  Result<std::vector<CsvRow>> read() {
    std::vector<CsvRow> rows;
    while (at_ < text_.size()) {
      CsvRow row;
      row.line = line_;
      if (auto done = read_row(row.cells); !done) return tl::unexpected(done.error());
      const bool is_empty = row.cells.size() == 1 && row.cells.front().empty();
      if (!is_empty) rows.push_back(std::move(row));
    }
    return rows;
  }

 private:
  [[nodiscard]] bool is_row_end() const {
    return at_ >= text_.size() || text_[at_] == '\n' || text_[at_] == '\r';
  }

  Result<void> read_row(std::vector<std::string>& cells) {
    for (;;) {
      std::string cell;
      const bool is_quoted = at_ < text_.size() && text_[at_] == '"';
      if (is_quoted) {
        if (auto done = read_quoted(cell); !done) return done;
      } else {
        while (!is_row_end() && text_[at_] != ',') cell += text_[at_++];
      }
      cells.push_back(std::move(cell));
      if (is_row_end()) break;
      if (text_[at_] != ',') {
        return fail(ErrorKind::invalid,
                    "line " + std::to_string(line_) + ": text behind a closing quote");
      }
      ++at_;
    }
    if (at_ < text_.size() && text_[at_] == '\r') ++at_;
    if (at_ < text_.size() && text_[at_] == '\n') ++at_;
    ++line_;
    return {};
  }

  Result<void> read_quoted(std::string& cell) {
    const std::int64_t begun = line_;
    for (++at_; at_ < text_.size(); ++at_) {
      if (text_[at_] == '\n') ++line_;
      if (text_[at_] != '"') {
        cell += text_[at_];
        continue;
      }
      const bool is_doubled = at_ + 1 < text_.size() && text_[at_ + 1] == '"';
      ++at_;
      if (!is_doubled) return {};
      cell += '"';
    }
    return fail(ErrorKind::invalid,
                "line " + std::to_string(begun) + ": a quote that is never closed");
  }

  const std::string_view text_;
  std::size_t at_ = 0;
  std::int64_t line_ = 1;
};

}  // namespace

Result<std::vector<CsvRow>> read_csv(std::string_view text) {
  constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
  if (text.starts_with(byte_order_mark)) text.remove_prefix(byte_order_mark.size());
  if (text.find('\0') != std::string_view::npos) {
    return fail(ErrorKind::invalid, "the file is no text: it has a NUL in it");
  }
  return CsvReader(text).read();
}

}  // namespace asbb::cli
