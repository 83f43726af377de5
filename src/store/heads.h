// Heads of the chain that were written down outside the database: "SEQUENCE HEAD TIME", a line
// each, in a file that only grows. A ledger that was cut, or written anew by somebody who has the
// key, differs from them. Functions without state; one process appends to a file.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "store/store.h"

namespace asbb::store {

struct KnownHead {
  std::int64_t sequence = 0;  // how many entries there were
  std::string head;           // 64 hex digits
  std::string time;           // RFC 3339, UTC
  bool operator==(const KnownHead&) const = default;
};

struct KnownHeads {
  std::vector<KnownHead> heads;       // in order of their lines
  std::vector<std::string> problems;  // lines that cannot be read, as sentences
  std::string missing_file;           // the file that should be there
};

[[nodiscard]] std::string head_line(const KnownHead& head);  // without a line's end

// None for an empty path. A last line that has no end counts as not yet written. A file that is
// missing is no error here: HeadCheck says so when there are entries whose heads it should have.
[[nodiscard]] Result<KnownHeads> read_heads(const std::string& path);

// Appends one line in one write and returns when it is on the disk. The file is made with mode
// 0640; a symbolic link is refused.
[[nodiscard]] Result<void> append_head(const std::string& path, const KnownHead& head);

// Compares entries as they come with what was written down.
class HeadCheck {
 public:
  explicit HeadCheck(KnownHeads known);

  void add(std::int64_t sequence, const ChainValue& chain);

  // Sentences; `last` is the number of the last entry.
  [[nodiscard]] std::vector<std::string> finish(std::int64_t last);

 private:
  KnownHeads known_;  // by sequence
  std::size_t next_ = 0;
  bool is_changed_ = false;  // said of the first head that differs: the later ones follow
};

}  // namespace asbb::store
