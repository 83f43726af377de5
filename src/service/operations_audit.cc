// /audit/verify: every entry is read again; the chain, the records and the sums must agree with
// what the service believes.
#include "ledger/auditor.h"
#include "ledger/record.h"
#include "service/operations.h"

namespace asbb::service {
namespace {

constexpr std::int64_t page_size = 5'000;
constexpr std::size_t problems_max = 100;

// What the book says at one moment, and how many entries made it so.
struct Believed {
  ledger::AuditTables tables;
  std::int64_t entries = 0;
};

ledger::AuditFigures figures(Micros limit, Micros held, Micros used) {
  return {limit.count(), held.count(), used.count()};
}

Believed read_book(const ledger::Book& book) {
  Believed believed;
  believed.entries = book.counters().entry;
  for (const ledger::Account* account : book.accounts()) {
    for (const ledger::Budget* budget : book.budgets_of(account->id)) {
      believed.tables.budgets[budget->id.value] =
          figures(budget->limit, budget->held, budget->used);
      for (const ledger::PartitionLimit* limit : book.limits_of(budget->id)) {
        auto& row = believed.tables.limits[limit->id.value];
        row = figures(limit->limit.value_or(Micros()), limit->held, limit->used);
        if (!limit->limit) row.limit_micros.reset();
      }
    }
  }
  for (const ledger::Hold* hold : book.open_holds()) {
    for (std::size_t i = 0; i < hold->parts.size(); ++i) {
      Micros held = hold->parts[i].unopened;
      for (const ledger::Share* share : book.shares_of(hold->id)) {
        if (share->status == ledger::ShareStatus::open) held += share->held[i];
      }
      if (!held.is_zero()) {
        believed.tables.open_holds[{hold->id.value, hold->parts[i].unit}] = held.count();
      }
    }
  }
  return believed;
}

// The chain and the columns of each entry against its stored record.
class ChainCheck {
 public:
  ChainCheck(const store::ChainKey& key, std::vector<std::string>& problems)
      : key_(key), problems_(problems) {}

  void add(const store::ChainedEntry& chained) {
    ++entries_;
    const std::string number = std::to_string(chained.entry.sequence);
    if (chained.entry.sequence != entries_) {
      say("Entry " + number + " stands where entry " + std::to_string(entries_) + " is expected.");
      entries_ = chained.entry.sequence;
    }
    head_ = store::chain_next(key_, head_, chained.record);
    if (head_ != chained.chain) {
      say("The chain breaks at entry " + number + ": it, or one before it, was changed.");
      head_ = chained.chain;
    }
    if (ledger::canonical_record(chained.entry) != chained.record) {
      say("The columns of entry " + number + " do not say what its record says.");
    }
  }

  [[nodiscard]] std::int64_t entries() const { return entries_; }
  [[nodiscard]] std::string head() const { return store::to_hex(head_); }

 private:
  void say(std::string sentence) {
    if (problems_.size() < problems_max) problems_.push_back(std::move(sentence));
  }

  const store::ChainKey& key_;
  std::vector<std::string>& problems_;
  std::int64_t entries_ = 0;
  store::ChainValue head_{};
};

}  // namespace

Reply<api::AuditReport> Operations::verify_audit(const Caller& caller) const {
  if (!caller.may_read) return not_allowed(caller);
  const Believed believed = with_.committer.read(read_book);
  api::AuditReport report;
  ChainCheck chain(audit_key_, report.problems);
  ledger::Auditor auditor;
  store::EntryQuery query;
  query.count_max = page_size;
  query.before_sequence = believed.entries + 1;
  for (;;) {
    const auto entries = with_.committer.store().entries(query);
    if (!entries) return problem(entries.error());
    for (const store::ChainedEntry& chained : *entries) {
      chain.add(chained);
      auditor.add(chained.record);
    }
    if (static_cast<std::int64_t>(entries->size()) < page_size) break;
    query.after_sequence = entries->back().entry.sequence;
  }
  report.entries = chain.entries();
  report.head = chain.head();
  if (report.entries != believed.entries) {
    report.problems.push_back("The database has " + std::to_string(report.entries) +
                              " entries where the ledger counts " +
                              std::to_string(believed.entries) + ": a tail is missing.");
  }
  for (const ledger::AuditProblem& found : auditor.finish().problems) {
    report.problems.push_back("Entry " + std::to_string(found.sequence) + ": " + found.text);
  }
  for (const ledger::AuditProblem& found : auditor.compare(believed.tables)) {
    report.problems.push_back(found.text);
  }
  report.ok = report.problems.empty();
  return report;
}

}  // namespace asbb::service
