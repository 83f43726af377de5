// Writing the rows of a batch: insert or replace by id (INSERT OR REPLACE would delete rows that
// other keys collide with). What nearly every commit writes has a shorter way, because SQLite keeps
// a copy of each page for each statement that may fail after it has begun to write, which costs
// more than the row: new holds and shares, known by their ids, and entries are inserted, and
// budgets and limits of which only the counters differ are updated.
#include "store/sqlite_rows.h"

namespace asbb::store::sqlite {
namespace {

constexpr char account_sql[] =
    "INSERT INTO budget_accounts (id, name, aliases, display_name, description, parent_id, status,"
    " hold_factor_millionths, may_convert, created_at_us, updated_at_us)"
    " VALUES (?,?,?,?,?,?,?,?,?,?,?)"
    " ON CONFLICT (id) DO UPDATE SET name = excluded.name, aliases = excluded.aliases,"
    " display_name = excluded.display_name, description = excluded.description, parent_id = "
    "excluded.parent_id,"
    " status = excluded.status, hold_factor_millionths = excluded.hold_factor_millionths,"
    " may_convert = excluded.may_convert,"
    " created_at_us = excluded.created_at_us, updated_at_us = excluded.updated_at_us";

constexpr char budget_sql[] =
    "INSERT INTO budget_periods (id, account_id, unit, start_us, end_us, limit_micros, held_micros,"
    " used_micros, credit_limit_micros, carry_over_millionths, carried_micros, carried_in_micros,"
    " created_at_us, updated_at_us) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?)"
    " ON CONFLICT (id) DO UPDATE SET account_id = excluded.account_id, unit = excluded.unit,"
    " start_us = excluded.start_us, end_us = excluded.end_us,"
    " limit_micros = excluded.limit_micros, held_micros = excluded.held_micros,"
    " used_micros = excluded.used_micros, credit_limit_micros = excluded.credit_limit_micros,"
    " carry_over_millionths = excluded.carry_over_millionths,"
    " carried_micros = excluded.carried_micros, carried_in_micros = excluded.carried_in_micros,"
    " created_at_us = excluded.created_at_us, updated_at_us = excluded.updated_at_us";

constexpr char limit_sql[] =
    "INSERT INTO budget_partition_limits (id, budget_id, partition, limit_micros, held_micros,"
    " used_micros, updated_at_us) VALUES (?,?,?,?,?,?,?)"
    " ON CONFLICT (id) DO UPDATE SET budget_id = excluded.budget_id,"
    " partition = excluded.partition, limit_micros = excluded.limit_micros,"
    " held_micros = excluded.held_micros, used_micros = excluded.used_micros,"
    " updated_at_us = excluded.updated_at_us";

// No row when anything else differs.
constexpr char budget_counters_sql[] =
    "UPDATE budget_periods SET held_micros = ?, used_micros = ?, carried_micros = ?,"
    " carried_in_micros = ?, updated_at_us = ? WHERE id = ? AND account_id = ? AND unit = ? AND "
    "start_us = ?"
    " AND end_us = ? AND limit_micros = ? AND credit_limit_micros = ?"
    " AND carry_over_millionths = ? AND created_at_us = ?";
constexpr char limit_counters_sql[] =
    "UPDATE budget_partition_limits SET held_micros = ?, used_micros = ?, updated_at_us = ?"
    " WHERE id = ? AND budget_id = ? AND partition = ? AND limit_micros IS ?";

constexpr char price_sql[] =
    "INSERT INTO budget_price_versions (version, effective_from_us, imported_at_us, text)"
    " VALUES (?,?,?,?)"
    " ON CONFLICT (version) DO UPDATE SET effective_from_us = excluded.effective_from_us,"
    " imported_at_us = excluded.imported_at_us, text = excluded.text";

constexpr char rate_sql[] =
    "INSERT INTO budget_conversion_rates (version, from_unit, to_unit, rate_micros,"
    " effective_from_us, recorded_at_us) VALUES (?,?,?,?,?,?)"
    " ON CONFLICT (version) DO UPDATE SET from_unit = excluded.from_unit,"
    " to_unit = excluded.to_unit, rate_micros = excluded.rate_micros,"
    " effective_from_us = excluded.effective_from_us, recorded_at_us = excluded.recorded_at_us";

#define ASBB_INSERT_HOLD                                                                  \
  "INSERT INTO budget_holds (id, request_id, kind, account_id, user, cluster, partition," \
  " submission_group, task_count, tasks_opened, open_shares, pending_runs, backfilled,"   \
  " status, job_cluster, job_id, job_submit_us, placed_at_us, closed_at_us)"              \
  " VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"
constexpr char new_hold_sql[] = ASBB_INSERT_HOLD;
constexpr char hold_sql[] = ASBB_INSERT_HOLD
    " ON CONFLICT (id) DO UPDATE SET request_id = excluded.request_id, kind = excluded.kind,"
    " account_id = excluded.account_id, user = excluded.user, cluster = excluded.cluster,"
    " partition = excluded.partition, submission_group = excluded.submission_group,"
    " task_count = excluded.task_count, tasks_opened = excluded.tasks_opened,"
    " open_shares = excluded.open_shares, pending_runs = excluded.pending_runs,"
    " backfilled = excluded.backfilled, status = excluded.status,"
    " job_cluster = excluded.job_cluster, job_id = excluded.job_id,"
    " job_submit_us = excluded.job_submit_us, placed_at_us = excluded.placed_at_us,"
    " closed_at_us = excluded.closed_at_us";

constexpr char hold_part_sql[] =
    "INSERT INTO budget_hold_parts (hold_id, part, unit, budget_id, legs, estimate_micros,"
    " granted_micros, unopened_micros, price_version) VALUES (?,?,?,?,?,?,?,?,?)";
constexpr char no_hold_parts_sql[] = "DELETE FROM budget_hold_parts WHERE hold_id = ?";

#define ASBB_INSERT_SHARE                                                                    \
  "INSERT INTO budget_shares (id, hold_id, cluster, job_id, task, run, external_id, status," \
  " unit, actual_micros, charged_micros, overrun_micros, released_micros, refunded_micros,"  \
  " requeued, opened_at_us, settled_at_us) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"
constexpr char new_share_sql[] = ASBB_INSERT_SHARE;
constexpr char share_sql[] = ASBB_INSERT_SHARE
    " ON CONFLICT (id) DO UPDATE SET hold_id = excluded.hold_id, cluster = excluded.cluster,"
    " job_id = excluded.job_id, task = excluded.task, run = excluded.run,"
    " external_id = excluded.external_id, status = excluded.status, unit = excluded.unit,"
    " actual_micros = excluded.actual_micros, charged_micros = excluded.charged_micros,"
    " overrun_micros = excluded.overrun_micros, released_micros = excluded.released_micros,"
    " refunded_micros = excluded.refunded_micros, requeued = excluded.requeued,"
    " opened_at_us = excluded.opened_at_us,"
    " settled_at_us = excluded.settled_at_us";

constexpr char share_part_sql[] =
    "INSERT INTO budget_share_parts (share_id, part, held_micros) VALUES (?,?,?)";
constexpr char no_share_parts_sql[] = "DELETE FROM budget_share_parts WHERE share_id = ?";

#undef ASBB_INSERT_HOLD
#undef ASBB_INSERT_SHARE

constexpr char answer_sql[] =
    "INSERT INTO budget_request_answers (request_id, body_digest, at_us, outcome) VALUES (?,?,?,?)"
    " ON CONFLICT (at_us, request_id) DO UPDATE SET body_digest = excluded.body_digest,"
    " outcome = excluded.outcome";

constexpr char entry_sql[] =
    "INSERT OR ROLLBACK INTO budget_transactions (sequence, at_us, type, actor, reason, "
    "request_id, account_id,"
    " account_name, budget_id, unit, amount_micros, hold_id, user, partition, cluster, job_id, "
    "task,"
    " run, external_id, price_version, details, record, chain)"
    " VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)";

Result<void> write(Statement& statement, const ledger::Account& account) {
  std::string aliases;
  for (const std::string& alias : account.aliases) aliases += (aliases.empty() ? "" : ",") + alias;
  return statement.put(account.id.value)
      .put(account.name)
      .put(aliases)
      .put(account.display_name)
      .put(account.description)
      .put_or_null(account.parent.value)
      .put(to_string(account.status))
      .put(account.hold_factor_millionths)
      .put(std::int64_t{account.may_convert})
      .put(account.created_at.microseconds)
      .put(account.updated_at.microseconds)
      .run();
}

Result<void> write(Statement& statement, const ledger::Budget& budget) {
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
      .put(budget.updated_at.microseconds)
      .run();
}

Result<void> write(Statement& statement, const ledger::PartitionLimit& limit) {
  std::optional<std::int64_t> most;
  if (limit.limit) most = limit.limit->count();
  return statement.put(limit.id.value)
      .put(limit.budget.value)
      .put(limit.partition)
      .put(most)
      .put(limit.held.count())
      .put(limit.used.count())
      .put(limit.updated_at.microseconds)
      .run();
}

Result<void> write(Statement& statement, const ledger::PriceVersion& prices) {
  return statement.put(prices.version)
      .put(prices.effective_from.microseconds)
      .put(prices.imported_at.microseconds)
      .put(prices.text)
      .run();
}

Result<void> write(Statement& statement, const ledger::ConversionRate& rate) {
  return statement.put(rate.version)
      .put(rate.from_unit)
      .put(rate.to_unit)
      .put(rate.rate.count())
      .put(rate.effective_from.microseconds)
      .put(rate.recorded_at.microseconds)
      .run();
}

Result<void> write(Statement& statement, const ledger::Hold& hold) {
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
  return statement.put(hold.placed_at.microseconds).put(hold.closed_at.microseconds).run();
}

Result<void> write(Statement& statement, const ledger::Share& share) {
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
      .put(share.settled_at.microseconds)
      .run();
}

Result<void> write(Statement& statement, const ledger::RememberedAnswer& answer) {
  return statement.put(answer.request_id)
      .put(answer.body_digest)
      .put(answer.at.microseconds)
      .put(answer.outcome)
      .run();
}

Result<void> write(Statement& statement, const ChainedEntry& chained) {
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
      .put_blob(chained.chain.data(), chained.chain.size())
      .run();
}

template <typename Row>
Result<void> write_all(Connection& connection, const char* sql, const std::vector<Row>& rows) {
  if (rows.empty()) return {};
  const auto statement = connection.cached(sql);
  if (!statement) return tl::unexpected(statement.error());
  for (const Row& row : rows) {
    if (auto written = write(**statement, row); !written) return written;
  }
  return {};
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

template <typename Row>
Result<void> write_counters(Connection& connection, const char* counters_sql, const char* sql,
                            const std::vector<Row>& rows) {
  if (rows.empty()) return {};
  const auto counters = connection.cached(counters_sql);
  if (!counters) return tl::unexpected(counters.error());
  const auto statement = connection.cached(sql);
  if (!statement) return tl::unexpected(statement.error());
  for (const Row& row : rows) {
    auto written = put_counters(**counters, row).run();
    if (written && connection.changes() == 0) written = write(**statement, row);
    if (!written) return written;
  }
  return {};
}

// The statements of a table whose rows have parts in another one.
struct Family {
  const char* highest_sql;
  const char* new_sql;
  const char* sql;
  const char* no_parts_sql;
  const char* part_sql;
};

constexpr Family hold_family{"SELECT coalesce(max(id), 0) FROM budget_holds", new_hold_sql,
                             hold_sql, no_hold_parts_sql, hold_part_sql};
constexpr Family share_family{"SELECT coalesce(max(id), 0) FROM budget_shares", new_share_sql,
                              share_sql, no_share_parts_sql, share_part_sql};

Result<void> write_parts(Statement& statement, const ledger::Hold& hold) {
  std::int64_t number = 0;
  for (const ledger::HoldPart& part : hold.parts) {
    auto written = statement.put(hold.id.value)
                       .put(number++)
                       .put(part.unit)
                       .put(part.budget.value)
                       .put(ledger::to_string(part.legs))
                       .put(part.estimate.count())
                       .put(part.granted.count())
                       .put(part.unopened.count())
                       .put(part.price_version)
                       .run();
    if (!written) return written;
  }
  return {};
}

Result<void> write_parts(Statement& statement, const ledger::Share& share) {
  std::int64_t number = 0;
  for (const Micros held : share.held) {
    auto written = statement.put(share.id.value).put(number++).put(held.count()).run();
    if (!written) return written;
  }
  return {};
}

template <typename Row>
Result<void> delete_parts(Connection& connection, const char* sql, const Row& row) {
  const auto statement = connection.cached(sql);
  if (!statement) return tl::unexpected(statement.error());
  return (*statement)->put(row.id.value).run();
}

template <typename Row>
Result<void> write_with_parts(Connection& connection, const Family& family,
                              const std::vector<Row>& rows) {
  if (rows.empty()) return {};
  auto highest = connection.number(family.highest_sql);
  if (!highest) return tl::unexpected(highest.error());
  for (const Row& row : rows) {
    const bool is_new = row.id.value > *highest;
    if (is_new) *highest = row.id.value;
    const auto statement = connection.cached(is_new ? family.new_sql : family.sql);
    if (!statement) return tl::unexpected(statement.error());
    const auto part = connection.cached(family.part_sql);
    if (!part) return tl::unexpected(part.error());
    auto written = write(**statement, row);
    if (written && !is_new) written = delete_parts(connection, family.no_parts_sql, row);
    if (written) written = write_parts(**part, row);
    if (!written) return written;
  }
  return {};
}

}  // namespace

Result<void> write_batch(Connection& connection, const Batch& batch) {
  return write_all(connection, account_sql, batch.accounts)
      .and_then([&] {
        return write_counters(connection, budget_counters_sql, budget_sql, batch.budgets);
      })
      .and_then(
          [&] { return write_counters(connection, limit_counters_sql, limit_sql, batch.limits); })
      .and_then([&] { return write_all(connection, price_sql, batch.prices); })
      .and_then([&] { return write_all(connection, rate_sql, batch.rates); })
      .and_then([&] { return write_with_parts(connection, hold_family, batch.holds); })
      .and_then([&] { return write_with_parts(connection, share_family, batch.shares); })
      .and_then([&] { return write_all(connection, answer_sql, batch.answers); })
      .and_then([&] { return write_all(connection, entry_sql, batch.entries); });
}

}  // namespace asbb::store::sqlite
