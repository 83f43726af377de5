// The check of a whole ledger: the chain and the numbering (store/chain_check.h), the columns of
// each entry against its record, heads written down elsewhere (store/heads.h), the auditor's second
// opinion, and its figures against the tables. `asbb audit verify` runs it inside a service, on a
// database that no service has open, and on an archive. Blocking; it writes nothing.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "ledger/auditor.h"
#include "store/chain_check.h"
#include "store/heads.h"
#include "store/store.h"

namespace asbb::store {

// What the tables say at one moment, and how many entries made it so.
struct Believed {
  ledger::AuditTables tables;
  std::int64_t entries = 0;
  std::int64_t holds = 0;  // placed so far, those in no table included
};

// Uses all of it but the remembered answers.
[[nodiscard]] Believed believed_of(const Snapshot& snapshot);

struct Verdict {
  std::int64_t entries = 0;
  std::string head;                   // of the chain, 64 hex digits
  std::vector<std::string> problems;  // sentences; at most verdict_problems_max and their number
  [[nodiscard]] bool ok() const { return problems.empty(); }
};

inline constexpr std::size_t verdict_problems_max = 100;

// Fed entry by entry, in order.
class LedgerCheck {
 public:
  LedgerCheck(const ChainKey& key, KnownHeads heads) : chain_(key), heads_(std::move(heads)) {}

  // A row of a database.
  void add(const ChainedEntry& chained);
  // A line of an archive.
  void add(std::int64_t number, std::string_view record, const ChainValue& chain);
  // A hold that is in no snapshot, once all its entries were added.
  void compare_hold(std::int64_t id, const ledger::AuditRows& rows);
  // What else was found while reading, as a sentence.
  void say(std::string sentence) { said_.push_back(std::move(sentence)); }

  // `believed` is nullptr where there are no tables.
  [[nodiscard]] Verdict finish(const Believed* believed);

 private:
  void count(std::int64_t number, std::string_view record, const ChainValue& chain);

  ChainCheck chain_;
  HeadCheck heads_;
  ledger::Auditor auditor_;
  std::vector<std::string> said_;
  std::vector<ledger::AuditProblem> differences_;
  std::int64_t entries_ = 0;
};

// Every entry of the store up to `believed.entries`, in pages. A row that cannot be read as an
// entry is a problem like others; an error is that the store cannot be asked.
[[nodiscard]] Result<Verdict> verify_ledger(Store& store, const ChainKey& key,
                                            const Believed& believed, KnownHeads heads);

// What a canonical record says, by key and unescaped; empty when it is none.
[[nodiscard]] std::map<std::string, std::string> record_facts(std::string_view record);

}  // namespace asbb::store
