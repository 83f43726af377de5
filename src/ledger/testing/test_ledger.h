// A ledger for tests: a book, its auditor, and a clock that the test moves. Each command is
// decided, adopted, audited, and the whole book is checked for what must always hold. For tests
// only.
#pragma once

#include <string>
#include <vector>

#include "ledger/auditor.h"
#include "ledger/ledger.h"

namespace asbb::ledger::testing {

inline constexpr Instant epoch{1'750'000'000'000'000};  // 2025-06-15, a moment to count from

constexpr Micros usd(std::int64_t whole) {
  return Micros(whole * 1'000'000);
}

// The first thing found in the book that must never be; empty when there is none.
[[nodiscard]] std::string broken_rule(const Book& book);

// What is to be carried over by that moment and was not: "budget 3: 0.5"; empty when nothing is.
[[nodiscard]] std::string left_to_carry(const Book& book, Instant at);

// The book's figures as tables of a database, for Auditor::compare.
[[nodiscard]] AuditTables tables_of(const Book& book);

class TestLedger {
 public:
  // Without a request id; a test failure when a rule breaks.
  Outcome run(Action action);
  Outcome run(Action action, const std::string& request_id, const std::string& digest = "body");
  Outcome run(const Command& command);

  // An active account with one budget of USD that is in force from the epoch for 1000 hours.
  AccountId account(const std::string& name, Micros limit, const std::string& parent = {});
  // The hold's id; a test failure when it is refused.
  HoldId hold(const std::string& account, Micros amount, std::int64_t task_count = 1);

  [[nodiscard]] const Budget& budget(const std::string& account, std::size_t index = 0) const;
  [[nodiscard]] const PartitionLimit& limit(const std::string& account,
                                            const std::string& partition) const;
  [[nodiscard]] const Hold& hold(HoldId id) const { return *book.hold(id); }
  // Entries written by the last command.
  [[nodiscard]] const std::vector<Entry>& last_entries() const { return last_entries_; }
  [[nodiscard]] std::vector<Entry> entries_of(EntryType type) const;

  Book book;
  Auditor auditor;
  Instant now = epoch;

 private:
  void carry_over();
  Outcome decide_and_audit(const Command& command);

  Instant carried_until_;
  std::vector<Entry> entries_;
  std::vector<Entry> last_entries_;
};

// Commands with what most tests want.
[[nodiscard]] NewBudget budget_of(Micros limit, Instant start = epoch,
                                  Instant end = epoch + hours(1000));
[[nodiscard]] PlaceHold place(const std::string& account, Micros amount,
                              std::int64_t task_count = 1);
[[nodiscard]] ShareKey job(std::int64_t job_id, std::int64_t task = -1, std::int64_t run = 0);
[[nodiscard]] ShareKey external(const std::string& id);
[[nodiscard]] SettleShare settle(HoldId hold, const ShareKey& key, Micros actual,
                                 bool requeued = false);
[[nodiscard]] BindHold bind(HoldId hold, std::int64_t job_id);

}  // namespace asbb::ledger::testing
