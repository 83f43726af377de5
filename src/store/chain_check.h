// What does not fit in a chain of entries, and where: fed with the rows of a database or the lines
// of an archive in their order, it tells an edited, inserted, deleted and moved entry apart as far
// as the keyed values prove it. It knows the key, so what it is content with was written by
// somebody who had it. It does not see a cut tail: that takes heads kept elsewhere (store/heads.h)
// or tables (ledger/auditor.h). One owner, one thread; no I/O; memory does not grow with entries.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "store/chain.h"

namespace asbb::store {

struct ChainFinding {
  std::int64_t sequence = 0;  // of the first entry that is concerned
  std::string text;           // a sentence
};

inline constexpr std::size_t chain_findings_max = 100;

class ChainCheck {
 public:
  explicit ChainCheck(const ChainKey& key) : key_(key) {}

  // The next entry as it is numbered there, with its stored record and chain value.
  void add(std::int64_t number, std::string_view record, const ChainValue& chain);

  // The same, and each column against the record.
  void add(const ChainedEntry& chained);

  // After the last one: the first chain_findings_max findings, in order of entry.
  [[nodiscard]] std::vector<ChainFinding> finish();

  [[nodiscard]] std::int64_t last_number() const { return last_; }
  [[nodiscard]] const ChainValue& head() const { return previous_; }  // as it is stored

 private:
  // Entries first to last carry the records of first + shift to last + shift.
  struct Moved {
    std::int64_t first = 0;
    std::int64_t last = 0;
    std::int64_t shift = 0;
  };

  void say(std::int64_t sequence, std::string text);
  void note_number(std::int64_t number);
  void note_record_number(std::int64_t number, std::int64_t own);
  void note_chain(std::int64_t number, std::string_view record, const ChainValue& chain,
                  bool is_excused);
  void end_broken(const char* what);
  void say_moved();

  const ChainKey key_;
  std::vector<ChainFinding> findings_;
  std::vector<Moved> moved_;
  std::int64_t last_ = 0;
  ChainValue previous_{};    // stored with the last entry
  ChainValue intact_{};      // of the last entry that held
  bool was_moved_ = false;   // the last entry's record belongs elsewhere
  std::int64_t broken_ = 0;  // the first entry of a stretch that does not hold; 0: none
};

}  // namespace asbb::store
