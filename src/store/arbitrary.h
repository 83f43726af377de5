// Random batches that fit what was committed before, and a plain model to compare a store with.
// Tests only; called inside a rapidcheck property.
#pragma once

#include <map>

#include "store/store.h"

namespace asbb::store {

// What was committed, kept in the plainest way there is.
struct Model {
  std::map<ledger::AccountId, ledger::Account> accounts;
  std::map<ledger::BudgetId, ledger::Budget> budgets;
  std::map<ledger::LimitId, ledger::PartitionLimit> limits;
  std::map<ledger::HoldId, ledger::Hold> holds;
  std::map<ledger::ShareId, ledger::Share> shares;
  std::map<std::int64_t, ledger::PriceVersion> prices;
  std::map<std::int64_t, ledger::ConversionRate> rates;
  std::map<std::string, ledger::RememberedAnswer> answers;
  std::vector<ChainedEntry> entries;

  void apply(const Batch& batch);
  [[nodiscard]] Snapshot snapshot(Instant answers_since) const;
  [[nodiscard]] std::vector<ledger::Share> shares_of(ledger::HoldId hold) const;
  [[nodiscard]] std::vector<ChainedEntry> find(const EntryQuery& query) const;
  [[nodiscard]] bool is_open(ledger::HoldId id) const;
};

// A batch of new and changed rows that breaks no constraint on top of the model.
[[nodiscard]] Batch arbitrary_batch(const Model& model);

// A page query whose filters often hit something of the model.
[[nodiscard]] EntryQuery arbitrary_query(const Model& model);

// Any bytes: quotes, newlines, NUL, text that is no UTF-8.
[[nodiscard]] std::string arbitrary_text();

[[nodiscard]] bool is_same(const Snapshot& left, const Snapshot& right);
[[nodiscard]] bool is_same(const std::vector<ChainedEntry>& left,
                           const std::vector<ChainedEntry>& right);

}  // namespace asbb::store
