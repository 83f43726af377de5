// The rows of the in-memory store with their indexes. write() is a transaction: it refuses what the
// SQL schema refuses and then leaves everything as it was. Not synchronised; the store locks.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <unordered_map>

#include "store/store.h"

namespace asbb::store {

class MemoryRows {
 public:
  // broken: a row breaks a constraint; nothing is written.
  [[nodiscard]] Result<void> write(const Batch& batch);
  void forget_answers(Instant before);

  [[nodiscard]] Snapshot snapshot(Instant answers_since) const;
  // The queries are checked ones.
  [[nodiscard]] std::vector<HoldRecord> find(const HoldQuery& query) const;
  [[nodiscard]] std::vector<ChainedEntry> find(const EntryQuery& query) const;

 private:
  // What takes back the last put; run in reverse order.
  using Undo = std::vector<std::function<void()>>;

  // Each says which constraint the row breaks, or nothing when it is in its place.
  [[nodiscard]] const char* put(const ledger::Account& row, Undo& undo);
  [[nodiscard]] const char* put(const ledger::Budget& row, Undo& undo);
  [[nodiscard]] const char* put(const ledger::PartitionLimit& row, Undo& undo);
  [[nodiscard]] const char* put(const ledger::Hold& row, Undo& undo);
  [[nodiscard]] const char* put(const ledger::Share& row, Undo& undo);
  [[nodiscard]] const char* put(const ledger::PriceVersion& row, Undo& undo);
  [[nodiscard]] const char* put(const ledger::ConversionRate& row, Undo& undo);
  [[nodiscard]] const char* put(const ledger::RememberedAnswer& row, Undo& undo);
  [[nodiscard]] const char* put(const ChainedEntry& row, Undo& undo);
  template <typename Row>
  [[nodiscard]] const char* put_all(const std::vector<Row>& rows, Undo& undo);
  [[nodiscard]] const char* put_batch(const Batch& batch, Undo& undo);
  [[nodiscard]] const char* missing_reference(const Batch& batch) const;
  [[nodiscard]] bool is_request_taken(const ledger::Hold& hold) const;
  void add_indexes(const ledger::Hold& hold);
  void remove_indexes(const ledger::Hold& hold);
  [[nodiscard]] HoldRecord record(ledger::HoldId id) const;

  std::map<ledger::AccountId, ledger::Account> accounts_;
  std::unordered_map<std::string, ledger::AccountId> account_names_;
  std::map<ledger::BudgetId, ledger::Budget> budgets_;
  std::map<ledger::LimitId, ledger::PartitionLimit> limits_;
  std::map<std::pair<ledger::BudgetId, std::string>, ledger::LimitId> limit_names_;
  std::map<ledger::HoldId, ledger::Hold> holds_;
  std::set<ledger::HoldId> open_holds_;
  std::unordered_map<std::string, std::set<ledger::HoldId>> request_holds_;
  std::map<std::pair<std::string, std::int64_t>, std::set<ledger::HoldId>> job_holds_;
  std::map<ledger::ShareId, ledger::Share> shares_;
  std::map<std::pair<ledger::HoldId, ledger::ShareKey>, ledger::ShareId> share_keys_;
  std::map<std::int64_t, ledger::PriceVersion> prices_;
  std::map<std::int64_t, ledger::ConversionRate> rates_;
  std::map<std::string, ledger::RememberedAnswer> answers_;
  std::vector<ChainedEntry> entries_;
};

// The constraint of the SQL schema that the row breaks by itself; nothing when it breaks none.
[[nodiscard]] const char* broken_rule(const ledger::Account& account);
[[nodiscard]] const char* broken_rule(const ledger::Budget& budget);
[[nodiscard]] const char* broken_rule(const ledger::PartitionLimit& limit);
[[nodiscard]] const char* broken_rule(const ledger::Hold& hold);
[[nodiscard]] const char* broken_rule(const ledger::Share& share);
[[nodiscard]] const char* broken_rule(const ledger::PriceVersion& prices);
[[nodiscard]] const char* broken_rule(const ledger::ConversionRate& rate);
[[nodiscard]] const char* broken_rule(const ledger::RememberedAnswer& answer);
[[nodiscard]] const char* broken_rule(const ChainedEntry& entry);

}  // namespace asbb::store
