#include "store/verify.h"

#include <map>

#include "ledger/record.h"
#include "store/verify_rows.h"

namespace asbb::store {
namespace {

constexpr std::int64_t page_size = 5'000;

ledger::AuditFigures figures(Micros limit, Micros held, Micros used) {
  return {limit.count(), held.count(), used.count()};
}

void believe_hold(const ledger::Hold& hold, const std::vector<const ledger::Share*>& shares,
                  ledger::AuditTables& tables) {
  for (std::size_t i = 0; i < hold.parts.size(); ++i) {
    Micros held = hold.parts[i].unopened;
    for (const ledger::Share* share : shares) {
      if (share->status == ledger::ShareStatus::open && i < share->held.size()) {
        held += share->held[i];
      }
    }
    if (!held.is_zero()) {
      tables.open_holds[{hold.id.value, hold.parts[i].unit}] = held.count();
    }
  }
}

// Up to the first row of the page that cannot be read, which it names; its number.
Result<std::int64_t> read_one_by_one(Store& store, EntryQuery query, LedgerCheck& check) {
  query.count_max = 1;
  for (const std::int64_t bound = query.before_sequence;; ++query.after_sequence) {
    const std::int64_t number = query.after_sequence + 1;
    if (number >= bound) return number;
    query.before_sequence = number + 1;
    const auto entries = store.entries(query);
    if (entries) {
      for (const ChainedEntry& chained : *entries) check.add(chained);
    } else if (entries.error().kind == ErrorKind::broken) {
      check.say("Entry " + std::to_string(number) +
                " was edited: it cannot be read: " + entries.error().message + ".");
      return number;
    } else {
      return tl::unexpected(entries.error());
    }
  }
}

// Whether something was written about the hold since the entries end.
Result<bool> has_changed_since(Store& store, ledger::HoldId hold, std::int64_t entries) {
  EntryQuery query;
  query.after_sequence = entries;
  query.hold = hold.value;
  query.count_max = 1;
  const auto found = store.entries(query);
  if (!found) return tl::unexpected(found.error());
  return !found->empty();
}

// Closed holds are in no snapshot. What a service has written about one since is not looked at.
Result<void> check_closed_holds(Store& store, const Believed& believed, LedgerCheck& check) {
  for (HoldQuery query{ledger::HoldId{1}, "", "", 0}; query.id.value <= believed.holds;
       ++query.id.value) {
    const auto found = store.find_holds(query);
    if (!found) return tl::unexpected(found.error());
    for (const HoldRecord& record : *found) {
      if (record.hold.status != ledger::HoldStatus::closed) continue;
      const auto changed = has_changed_since(store, record.hold.id, believed.entries);
      if (!changed) return tl::unexpected(changed.error());
      if (*changed) continue;
      std::vector<const ledger::Share*> shares;
      for (const ledger::Share& share : record.shares) shares.push_back(&share);
      ledger::AuditRows rows;
      add_rows(record.hold, shares, rows);
      check.compare_hold(record.hold.id.value, rows);
    }
  }
  return {};
}

}  // namespace

Believed believed_of(const Snapshot& snapshot) {
  Believed believed;
  believed.entries = snapshot.counters.entry;
  for (const ledger::Budget& budget : snapshot.budgets) {
    believed.tables.budgets[budget.id.value] = figures(budget.limit, budget.held, budget.used);
  }
  for (const ledger::PartitionLimit& limit : snapshot.limits) {
    auto& row = believed.tables.limits[limit.id.value];
    row = figures(limit.limit.value_or(Micros()), limit.held, limit.used);
    if (!limit.limit) row.limit_micros.reset();
  }
  std::map<std::int64_t, std::vector<const ledger::Share*>> shares;
  for (const ledger::Share& share : snapshot.shares) shares[share.hold.value].push_back(&share);
  for (const ledger::Hold& hold : snapshot.holds) {
    believe_hold(hold, shares[hold.id.value], believed.tables);
    add_rows(hold, shares[hold.id.value], believed.tables.hold_rows[hold.id.value]);
  }
  add_rows(snapshot, believed.tables.rows);
  believed.holds = snapshot.counters.hold;
  return believed;
}

void LedgerCheck::compare_hold(std::int64_t id, const ledger::AuditRows& rows) {
  for (ledger::AuditProblem& found : auditor_.compare_hold(id, rows)) {
    if (differences_.size() < verdict_problems_max) differences_.push_back(std::move(found));
  }
}

void LedgerCheck::count(std::int64_t number, std::string_view record, const ChainValue& chain) {
  ++entries_;
  heads_.add(number, chain);
  auditor_.add(record);
}

void LedgerCheck::add(const ChainedEntry& chained) {
  chain_.add(chained);
  count(chained.entry.sequence, chained.record, chained.chain);
}

void LedgerCheck::add(std::int64_t number, std::string_view record, const ChainValue& chain) {
  chain_.add(number, record, chain);
  count(number, record, chain);
}

Verdict LedgerCheck::finish(const Believed* believed) {
  Verdict verdict;
  verdict.entries = entries_;
  verdict.head = to_hex(chain_.head());
  auto& problems = verdict.problems;
  for (ChainFinding& finding : chain_.finish()) problems.push_back(std::move(finding.text));
  problems.insert(problems.end(), said_.begin(), said_.end());
  const std::int64_t last = chain_.last_number();
  for (std::string& sentence : heads_.finish(last)) problems.push_back(std::move(sentence));
  if (believed != nullptr && last < believed->entries) {
    problems.push_back("The database ends at entry " + std::to_string(last) +
                       " and the service has written " + std::to_string(believed->entries) +
                       ": the tail from entry " + std::to_string(last + 1) + " on is cut.");
  }
  for (const ledger::AuditProblem& found : auditor_.finish().problems) {
    const bool is_of_one = found.sequence > 0;
    problems.push_back((is_of_one ? "Entry " + std::to_string(found.sequence) + ": " : "") +
                       found.text + ".");
  }
  const bool entries_fit = problems.empty();
  if (believed != nullptr) {
    auto differences = auditor_.compare(believed->tables);
    differences.insert(differences.end(), differences_.begin(), differences_.end());
    if (entries_fit && !differences.empty()) {
      problems.push_back("Entries 1 to " + std::to_string(last) +
                         " hold, but the tables say otherwise: the tail after entry " +
                         std::to_string(last) + " is cut, or a table was edited.");
    }
    for (const ledger::AuditProblem& found : differences) problems.push_back(found.text + ".");
  }
  if (problems.size() > verdict_problems_max) {
    const std::size_t more = problems.size() - verdict_problems_max;
    problems.resize(verdict_problems_max);
    problems.push_back("And " + std::to_string(more) + " more.");
  }
  return verdict;
}

Result<Verdict> verify_ledger(Store& store, const ChainKey& key, const Believed& believed,
                              KnownHeads heads) {
  LedgerCheck check(key, std::move(heads));
  EntryQuery query;
  query.count_max = page_size;
  query.before_sequence = believed.entries + 1;
  for (;;) {
    const auto entries = store.entries(query);
    if (!entries && entries.error().kind != ErrorKind::broken) {
      return tl::unexpected(entries.error());
    }
    if (!entries) {
      const auto passed = read_one_by_one(store, query, check);
      if (!passed) return tl::unexpected(passed.error());
      query.after_sequence = *passed;
      if (*passed >= believed.entries) break;
      continue;
    }
    for (const ChainedEntry& chained : *entries) check.add(chained);
    if (static_cast<std::int64_t>(entries->size()) < page_size) break;
    query.after_sequence = entries->back().entry.sequence;
  }
  const auto checked = check_closed_holds(store, believed, check);
  if (!checked) return tl::unexpected(checked.error());
  return check.finish(&believed);
}

std::map<std::string, std::string> record_facts(std::string_view record) {
  const std::size_t format_end = record.find('\n');
  if (format_end == std::string_view::npos) return {};
  auto facts = ledger::read_record(record.substr(format_end + 1));
  return facts ? std::move(*facts) : std::map<std::string, std::string>{};
}

}  // namespace asbb::store
