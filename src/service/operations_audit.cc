// /audit: the entries as they are proved, and the check of the whole ledger against what the
// service believes.
#include "service/operations.h"
#include "service/transaction_view.h"
#include "store/verify.h"

namespace asbb::service {
namespace {

// Copies, so that the lock is not held while entries are read.
store::Believed read_book(const ledger::Book& book) {
  store::Snapshot copied;
  copied.counters = book.counters();
  for (const auto& [version, prices] : book.prices()) copied.prices.push_back(prices);
  for (const auto& [version, rate] : book.rates()) copied.rates.push_back(rate);
  for (const ledger::Account* account : book.accounts()) {
    copied.accounts.push_back(*account);
    for (const ledger::Budget* budget : book.budgets_of(account->id)) {
      copied.budgets.push_back(*budget);
      for (const auto* limit : book.limits_of(budget->id)) copied.limits.push_back(*limit);
    }
  }
  for (const ledger::Hold* hold : book.open_holds()) {
    copied.holds.push_back(*hold);
    for (const ledger::Share* share : book.shares_of(hold->id)) copied.shares.push_back(*share);
  }
  return store::believed_of(copied);
}

}  // namespace

Reply<std::vector<api::AuditEntry>> Operations::audit_entries(const Caller& caller,
                                                              const api::AuditQuery& query) const {
  if (!caller.may_read) return not_allowed(caller);
  store::EntryQuery page;
  page.after_sequence = query.after;
  page.count_max = query.limit;
  const auto entries = with_.committer.store().entries(page);
  if (!entries) return problem(entries.error());
  std::vector<api::AuditEntry> out;
  out.reserve(entries->size());
  with_.committer.read([&](const ledger::Book& book) {
    for (const store::ChainedEntry& chained : *entries) {
      const bool pending = is_pending(book, chained.entry);
      out.push_back({transaction_view(chained.entry, pending), chained.entry.budget.value,
                     chained.record, store::to_hex(chained.chain)});
    }
  });
  return out;
}

Reply<api::AuditReport> Operations::verify_audit(const Caller& caller) const {
  if (!caller.may_read) return not_allowed(caller);
  auto heads = store::read_heads(options_.head_file);
  if (!heads) return problem(heads.error());
  const store::Believed believed = with_.committer.read(read_book);
  const auto verdict =
      store::verify_ledger(with_.committer.store(), audit_key_, believed, std::move(*heads));
  if (!verdict) return problem(verdict.error());
  return api::AuditReport{verdict->ok(), verdict->entries, verdict->problems, verdict->head};
}

}  // namespace asbb::service
