#include "service/trial_store.h"

#include <algorithm>
#include <utility>

namespace asbb::service {
namespace {

void put_share(std::vector<ledger::Share>& shares, const ledger::Share& share) {
  const auto known = std::find_if(shares.begin(), shares.end(),
                                  [&](const ledger::Share& other) { return other.id == share.id; });
  if (known == shares.end()) {
    shares.push_back(share);
  } else {
    *known = share;
  }
}

bool is_sought(const store::HoldQuery& query, const ledger::Hold& hold) {
  if (query.id.is_set()) return hold.id == query.id;
  if (!query.request_id.empty()) return hold.request_id == query.request_id;
  return hold.job && hold.job->cluster == query.cluster && hold.job->job_id == query.job_id;
}

}  // namespace

Result<void> TrialStore::own(int /*wait_ms*/) {
  return {};
}

Result<store::Snapshot> TrialStore::load(Instant /*answers_since*/) {
  return book_;
}

Result<void> TrialStore::commit(const store::Batch& batch) {
  const std::lock_guard lock(mutex_);
  for (const ledger::Hold& hold : batch.holds) {
    const auto [known, is_new] = holds_.try_emplace(hold.id);
    if (is_new) {
      for (const ledger::Share& share : book_.shares) {
        if (share.hold == hold.id) known->second.shares.push_back(share);
      }
    }
    known->second.hold = hold;
  }
  for (const ledger::Share& share : batch.shares) {
    const auto known = holds_.find(share.hold);
    if (known != holds_.end()) put_share(known->second.shares, share);
  }
  for (const store::ChainedEntry& one : batch.entries) tried_.push_back(one.entry);
  return {};
}

Result<std::vector<store::HoldRecord>> TrialStore::find_holds(const store::HoldQuery& query) {
  auto found = behind_.find_holds(query);
  if (!found) return found;
  const std::lock_guard lock(mutex_);
  for (const auto& [id, record] : holds_) {
    const auto same = std::find_if(found->begin(), found->end(),
                                   [&](const auto& other) { return other.hold.id == id; });
    if (same != found->end()) {
      *same = record;
    } else if (is_sought(query, record.hold)) {
      found->push_back(record);
    }
  }
  return found;
}

Result<std::vector<store::ChainedEntry>> TrialStore::entries(const store::EntryQuery& query) {
  return behind_.entries(query);
}

Result<void> TrialStore::forget_answers(Instant /*before*/) {
  return {};
}

Result<void> TrialStore::rewrite() {
  return {};
}

Result<void> TrialStore::ping() {
  return behind_.ping();
}

std::vector<ledger::Entry> TrialStore::tried() const {
  const std::lock_guard lock(mutex_);
  return tried_;
}

store::Snapshot snapshot_of(const ledger::Book& book) {
  store::Snapshot out;
  for (const ledger::Account* account : book.accounts()) {
    out.accounts.push_back(*account);
    for (const ledger::Budget* budget : book.budgets_of(account->id)) {
      out.budgets.push_back(*budget);
      for (const ledger::PartitionLimit* limit : book.limits_of(budget->id)) {
        out.limits.push_back(*limit);
      }
    }
  }
  for (const ledger::Hold* hold : book.open_holds()) {
    out.holds.push_back(*hold);
    for (const ledger::Share* share : book.shares_of(hold->id)) out.shares.push_back(*share);
  }
  for (const auto& [version, prices] : book.prices()) out.prices.push_back(prices);
  for (const auto& [version, rate] : book.rates()) out.rates.push_back(rate);
  out.counters = book.counters();
  return out;
}

}  // namespace asbb::service
