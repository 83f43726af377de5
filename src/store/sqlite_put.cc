#include "store/sqlite_put.h"

#include <optional>

namespace asbb::store::sqlite {

namespace {

std::string joined(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? "" : ",") + name;
  return out;
}

}  // namespace

AccountRow::AccountRow(const ledger::Account& named)
    : account(&named), aliases(joined(named.aliases)), owners(joined(named.owners)) {}

HoldPartRow::HoldPartRow(ledger::HoldId of, std::int64_t place, const ledger::HoldPart& written)
    : hold(of.value), number(place), part(&written), legs(ledger::to_string(written.legs)) {}

Statement& put(Statement& statement, const AccountRow& row) {
  const ledger::Account& account = *row.account;
  return statement.put(account.id.value)
      .put(account.name)
      .put(row.aliases)
      .put(row.owners)
      .put(account.display_name)
      .put(account.description)
      .put_or_null(account.parent.value)
      .put(to_string(account.status))
      .put(account.hold_factor_millionths)
      .put(std::int64_t{account.may_convert})
      .put(account.created_at.microseconds)
      .put(account.updated_at.microseconds);
}

Statement& put(Statement& statement, const ledger::Budget& budget) {
  return statement.put(budget.id.value)
      .put(budget.account.value)
      .put(budget.unit)
      .put(budget.start.microseconds)
      .put(budget.end.microseconds)
      .put(budget.limit.count())
      .put(budget.held.count())
      .put(budget.used.count())
      .put(budget.credit_limit.count())
      .put(budget.carry_over_millionths)
      .put(budget.carried.count())
      .put(budget.carried_in.count())
      .put(budget.created_at.microseconds)
      .put(budget.updated_at.microseconds);
}

Statement& put(Statement& statement, const ledger::PartitionLimit& limit) {
  std::optional<std::int64_t> most;
  if (limit.limit) most = limit.limit->count();
  return statement.put(limit.id.value)
      .put(limit.budget.value)
      .put(limit.partition)
      .put(most)
      .put(limit.held.count())
      .put(limit.used.count())
      .put(limit.updated_at.microseconds);
}

Statement& put(Statement& statement, const ledger::PriceVersion& prices) {
  return statement.put(prices.version)
      .put(prices.effective_from.microseconds)
      .put(prices.imported_at.microseconds)
      .put(prices.text);
}

Statement& put(Statement& statement, const ledger::ConversionRate& rate) {
  return statement.put(rate.version)
      .put(rate.from_unit)
      .put(rate.to_unit)
      .put(rate.rate.count())
      .put(rate.effective_from.microseconds)
      .put(rate.recorded_at.microseconds);
}

Statement& put(Statement& statement, const ledger::Hold& hold) {
  using Number = std::optional<std::int64_t>;
  statement.put(hold.id.value)
      .put_or_null(hold.request_id)
      .put(to_string(hold.kind))
      .put(hold.account.value)
      .put(hold.user)
      .put(hold.cluster)
      .put(hold.partition)
      .put(hold.group)
      .put(hold.task_count)
      .put(hold.tasks_opened)
      .put(hold.open_shares)
      .put(hold.pending_runs)
      .put(std::int64_t{hold.backfilled})
      .put(to_string(hold.status));
  if (hold.job) {
    statement.put(hold.job->cluster).put(hold.job->job_id).put(hold.job->submit_time.microseconds);
  } else {
    statement.put(Number()).put(Number()).put(Number());
  }
  return statement.put(hold.placed_at.microseconds).put(hold.closed_at.microseconds);
}

Statement& put(Statement& statement, const ledger::Share& share) {
  return statement.put(share.id.value)
      .put(share.hold.value)
      .put(share.key.cluster)
      .put(share.key.job_id)
      .put(share.key.task)
      .put(share.key.run)
      .put(share.key.external_id)
      .put(to_string(share.status))
      .put(share.unit)
      .put(share.actual.count())
      .put(share.charged.count())
      .put(share.overrun.count())
      .put(share.released.count())
      .put(share.refunded.count())
      .put(std::int64_t{share.requeued})
      .put(share.opened_at.microseconds)
      .put(share.settled_at.microseconds);
}

Statement& put(Statement& statement, const ledger::RememberedAnswer& answer) {
  return statement.put(answer.request_id)
      .put(answer.body_digest)
      .put(answer.at.microseconds)
      .put(answer.outcome);
}

Statement& put(Statement& statement, const ChainedEntry& chained) {
  const ledger::Entry& entry = chained.entry;
  return statement.put(entry.sequence)
      .put(entry.at.microseconds)
      .put(to_string(entry.type))
      .put(entry.actor)
      .put(entry.reason)
      .put(entry.request_id)
      .put_or_null(entry.account.value)
      .put(entry.account_name)
      .put_or_null(entry.budget.value)
      .put(entry.unit)
      .put(entry.amount.count())
      .put_or_null(entry.hold.value)
      .put(entry.user)
      .put(entry.partition)
      .put(entry.job.cluster)
      .put_or_null(entry.job.job_id)
      .put(entry.job.task)
      .put(entry.job.run)
      .put_or_null(entry.job.external_id)
      .put(entry.price_version)
      .put(entry.details)
      .put(chained.record)
      .put_blob(chained.chain.data(), chained.chain.size());
}

Statement& put(Statement& statement, const HoldPartRow& row) {
  return statement.put(row.hold)
      .put(row.number)
      .put(row.part->unit)
      .put(row.part->budget.value)
      .put(row.legs)
      .put(row.part->estimate.count())
      .put(row.part->granted.count())
      .put(row.part->unopened.count())
      .put(row.part->price_version);
}

Statement& put(Statement& statement, const SharePartRow& row) {
  return statement.put(row.share).put(row.number).put(row.held.count());
}

Statement& put_counters(Statement& statement, const ledger::Budget& budget) {
  return statement.put(budget.held.count())
      .put(budget.used.count())
      .put(budget.carried.count())
      .put(budget.carried_in.count())
      .put(budget.updated_at.microseconds)
      .put(budget.id.value)
      .put(budget.account.value)
      .put(budget.unit)
      .put(budget.start.microseconds)
      .put(budget.end.microseconds)
      .put(budget.limit.count())
      .put(budget.credit_limit.count())
      .put(budget.carry_over_millionths)
      .put(budget.created_at.microseconds);
}

Statement& put_counters(Statement& statement, const ledger::PartitionLimit& limit) {
  std::optional<std::int64_t> most;
  if (limit.limit) most = limit.limit->count();
  return statement.put(limit.held.count())
      .put(limit.used.count())
      .put(limit.updated_at.microseconds)
      .put(limit.id.value)
      .put(limit.budget.value)
      .put(limit.partition)
      .put(most);
}

}  // namespace asbb::store::sqlite
