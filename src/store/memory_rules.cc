// The CHECK constraints of migrations/sqlite, in words of C++.
#include <set>

#include "store/memory_rows.h"

namespace asbb::store {
namespace {

bool is_amount(Micros amount) {
  return !amount.is_negative() && amount <= max_amount;
}

bool is_never_negative(ledger::EntryType type) {
  return type != ledger::EntryType::adjustment;
}

}  // namespace

const char* broken_rule(const ledger::Account& account) {
  if (account.id.value <= 0) return "an account's id counts from 1";
  if (account.name.empty()) return "an account has a name";
  if (account.parent == account.id) return "an account is not its own parent";
  if (account.hold_factor_millionths.value_or(0) < 0) return "a factor is not negative";
  return nullptr;
}

const char* broken_rule(const ledger::Budget& budget) {
  if (budget.id.value <= 0) return "a budget's id counts from 1";
  if (!budget.account.is_set()) return "a budget has an account";
  if (budget.unit.empty()) return "a budget has a unit";
  if (budget.end <= budget.start) return "a budget ends after it starts";
  if (!is_amount(budget.limit) || !is_amount(budget.credit_limit)) return "a limit is out of range";
  if (budget.carry_over_millionths < 0 || budget.carry_over_millionths > ledger::carry_all) {
    return "a budget carries over a part of what is left";
  }
  if (budget.carried.is_negative() || budget.carried_in.is_negative())
    return "what was carried over is not negative";
  if (budget.held.is_negative()) return "what a budget holds is not negative";
  if (budget.used.is_negative()) return "what a budget has used is not negative";
  return nullptr;
}

const char* broken_rule(const ledger::PartitionLimit& limit) {
  if (limit.id.value <= 0) return "a limit's id counts from 1";
  if (!limit.budget.is_set()) return "a limit has a budget";
  if (limit.partition.empty()) return "a limit has a partition";
  if (!is_amount(limit.limit.value_or(Micros()))) return "a limit is out of range";
  if (limit.held.is_negative()) return "what a limit holds is not negative";
  if (limit.used.is_negative()) return "what a limit has used is not negative";
  return nullptr;
}

const char* broken_rule(const ledger::Hold& hold) {
  if (hold.id.value <= 0) return "a hold's id counts from 1";
  if (!hold.account.is_set()) return "a hold has an account";
  if (hold.task_count < 1) return "a hold has at least one task";
  if (hold.tasks_opened < 0 || hold.tasks_opened > hold.task_count) {
    return "a hold opens no more tasks than it has";
  }
  if (hold.open_shares < 0 || hold.pending_runs < 0) return "a hold's counts are not negative";
  if (hold.status == ledger::HoldStatus::closed && hold.open_shares > 0) {
    return "a closed hold has no open share";
  }
  std::set<std::string> units;
  for (const ledger::HoldPart& part : hold.parts) {
    if (part.unit.empty() || !units.insert(part.unit).second) return "the units of parts differ";
    if (!part.budget.is_set()) return "a part has a budget";
    if (part.estimate.is_negative() || part.granted.is_negative() || part.unopened.is_negative()) {
      return "the amounts of a part are not negative";
    }
    if (part.price_version < 0) return "price versions are not negative";
  }
  return nullptr;
}

const char* broken_rule(const ledger::Share& share) {
  if (share.id.value <= 0) return "a share's id counts from 1";
  if (!share.hold.is_set()) return "a share has a hold";
  if (share.key.task < -1 || share.key.run < 0) return "a share's task and run count from 0";
  for (const Micros held : share.held) {
    if (held.is_negative()) return "what a share holds is not negative";
  }
  if (share.actual.is_negative() || share.charged.is_negative() || share.overrun.is_negative() ||
      share.released.is_negative()) {
    return "the amounts of a settlement are not negative";
  }
  if (share.refunded.is_negative() || share.refunded > share.actual) {
    return "a refund is at most what was charged";
  }
  return nullptr;
}

const char* broken_rule(const ledger::PriceVersion& prices) {
  return prices.version > 0 ? nullptr : "price versions count from 1";
}

const char* broken_rule(const ledger::ConversionRate& rate) {
  if (rate.version <= 0) return "conversion rates count from 1";
  if (rate.from_unit.empty() || rate.to_unit.empty()) return "a conversion rate has two units";
  if (rate.from_unit == rate.to_unit) return "the units of a conversion rate differ";
  return rate.rate <= Micros() ? "a conversion rate is above 0" : nullptr;
}

const char* broken_rule(const ledger::RememberedAnswer& answer) {
  return answer.request_id.empty() ? "an answer has a request id" : nullptr;
}

const char* broken_rule(const ChainedEntry& chained) {
  if (chained.record.empty()) return "an entry has its record";
  if (chained.entry.amount.is_negative() && is_never_negative(chained.entry.type)) {
    return "an amount of its type is not negative";
  }
  return nullptr;
}

}  // namespace asbb::store
