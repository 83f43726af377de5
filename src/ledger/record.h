// The canonical text of an entry: "key=value" lines in a fixed order, values percent-escaped. It is
// what the chain is computed over and what an archive verifies, the same in every database. Pure.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "ledger/types.h"

namespace asbb::ledger {

class RecordWriter {
 public:
  RecordWriter& add(std::string_view key, std::string_view value);
  RecordWriter& add(std::string_view key, std::int64_t value);
  [[nodiscard]] std::string text() const { return text_; }

 private:
  std::string text_;
};

// Every line of a record, unescaped. Lines that are not "key=value" make it fail.
[[nodiscard]] Result<std::map<std::string, std::string>> read_record(std::string_view text);

// Everything of the entry, in order; format version 1 ("asbb1" is its first line).
[[nodiscard]] std::string canonical_record(const Entry& entry);

// The inverse of canonical_record.
[[nodiscard]] Result<Entry> parse_canonical_record(std::string_view text);

}  // namespace asbb::ledger
