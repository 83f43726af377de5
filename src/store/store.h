// The port to the database: dumb and durable. The rules are the ledger's; a store loads rows,
// appends entries and writes balances, all of a batch in one transaction or nothing of it. One
// service owns a database at a time: own() takes a lock and a fencing epoch, and every commit
// checks the epoch. commit(), archive() and own() are called by the committer's thread alone;
// find_hold(), entries() and ping() may be called from any thread at any time.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "ledger/book.h"
#include "ledger/types.h"

namespace asbb::store {

// HMAC-SHA-256 over the previous value and the entry's canonical record (store/chain.h).
using ChainValue = std::array<std::uint8_t, 32>;

struct ChainedEntry {
  ledger::Entry entry;
  std::string record;  // ledger::canonical_record(entry)
  ChainValue chain{};
};

// Everything one commit writes: rows as they are afterwards (insert or replace by id), new entries.
// An answer that replaces one to the same request id is not older than that.
struct Batch {
  std::vector<ledger::Account> accounts;
  std::vector<ledger::Budget> budgets;
  std::vector<ledger::PartitionLimit> limits;
  std::vector<ledger::Hold> holds;
  std::vector<ledger::Share> shares;
  std::vector<ledger::PriceVersion> prices;
  std::vector<ledger::ConversionRate> rates;
  std::vector<ledger::RememberedAnswer> answers;
  std::vector<ChainedEntry> entries;  // sequences follow the last committed one without a gap
};

// What the committer needs in memory: all accounts, budgets, limits, prices and rates, the open
// holds with all their shares, the answers remembered since `answers_since`, the numbering, and the
// chain's head.
struct Snapshot {
  std::vector<ledger::Account> accounts;
  std::vector<ledger::Budget> budgets;
  std::vector<ledger::PartitionLimit> limits;
  std::vector<ledger::Hold> holds;
  std::vector<ledger::Share> shares;
  std::vector<ledger::PriceVersion> prices;
  std::vector<ledger::ConversionRate> rates;
  std::vector<ledger::RememberedAnswer> answers;
  ledger::Counters counters;
  ChainValue chain_head{};  // all zero before the first entry
};

struct HoldRecord {
  ledger::Hold hold;
  std::vector<ledger::Share> shares;
};

// Which hold is sought; exactly one way is used: by id, by request id, or by (cluster, job id) in
// which case the newest submission comes last.
struct HoldQuery {
  ledger::HoldId id;
  std::string request_id;
  std::string cluster;
  std::int64_t job_id = 0;
};

// A page of entries in order of sequence. Empty strings and unset values do not filter.
struct EntryQuery {
  std::int64_t after_sequence = 0;
  std::int64_t before_sequence = 0;  // 0: no bound
  bool newest_first = false;
  std::int64_t count_max = 1000;  // 1 to 100'000
  std::string account;
  std::string job_id;  // a Slurm job id in decimal, or an external id
  std::int64_t hold = 0;
  bool of_open_holds = false;            // costs what is open now, however many entries there are
  std::vector<ledger::EntryType> types;  // empty: all
  std::optional<Instant> from;           // at >= from
  std::optional<Instant> until;          // at < until
};

class Store {
 public:
  Store() = default;
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;
  virtual ~Store() = default;

  // Takes the lock (waiting up to wait_ms) and a new epoch. unavailable: another service owns it.
  [[nodiscard]] virtual Result<void> own(int wait_ms) = 0;

  [[nodiscard]] virtual Result<Snapshot> load(Instant answers_since) = 0;

  // Durable when it returns. unavailable or broken: definitely nothing was written (disk full,
  // constraint). unknown_outcome: it may have been; stop and reload. denied: the epoch is not ours
  // any more.
  [[nodiscard]] virtual Result<void> commit(const Batch& batch) = 0;

  [[nodiscard]] virtual Result<std::vector<HoldRecord>> find_holds(const HoldQuery& query) = 0;
  [[nodiscard]] virtual Result<std::vector<ChainedEntry>> entries(const EntryQuery& query) = 0;

  // Drops remembered answers from before `before`. Entries are never dropped.
  [[nodiscard]] virtual Result<void> forget_answers(Instant before) = 0;

  // Moves the oldest entries, of before `before` and at most `count_max` (1 or more), to where they
  // are out of the way of new ones; never the last one. entries() gives them as ever. How many were
  // moved; a store without such a place moves none. Errors as forget_answers(): nothing is lost
  // either way.
  [[nodiscard]] virtual Result<std::int64_t> archive(Instant before, std::int64_t count_max);

  // Writes what is there once more: whether a commit would work now. Errors as forget_answers().
  [[nodiscard]] virtual Result<void> rewrite() = 0;

  // Entries may have times before those of earlier ones: somebody said that a clock which was far
  // ahead is right now. Before the first start.
  void let_time_go_back() { time_goes_back_ = true; }
  [[nodiscard]] bool time_goes_back() const { return time_goes_back_; }

  [[nodiscard]] virtual Result<void> ping() = 0;

 private:
  bool time_goes_back_ = false;
};

// The last entry; nothing where there is none.
[[nodiscard]] Result<std::optional<ChainedEntry>> newest_entry(Store& store);

}  // namespace asbb::store
