// Writing the rows of a batch: insert or replace by id (INSERT OR REPLACE would delete rows that
// other keys collide with). What nearly every commit writes has a shorter way. New holds and
// shares, known by their ids, answers and entries are inserted several with a statement, because
// SQLite opens a table and its indexes once for each statement; a failure rolls the whole
// transaction back, because SQLite else keeps a copy of each page for each statement that may fail
// after it has begun to write. Budgets and limits of which only the counters differ are updated.
#include <array>

#include "store/sqlite_put.h"
#include "store/sqlite_rows.h"

namespace asbb::store::sqlite {
namespace {

constexpr char account_sql[] =
    "INSERT INTO budget_accounts (id, name, aliases, owners, display_name, description, parent_id,"
    " status,"
    " hold_factor_millionths, may_convert, created_at_us, updated_at_us)"
    " VALUES (?,?,?,?,?,?,?,?,?,?,?,?)"
    " ON CONFLICT (id) DO UPDATE SET name = excluded.name, aliases = excluded.aliases,"
    " owners = excluded.owners,"
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

#define ASBB_HOLD_COLUMNS                                                               \
  "budget_holds (id, request_id, kind, account_id, user, cluster, partition,"           \
  " submission_group, task_count, tasks_opened, open_shares, pending_runs, backfilled," \
  " status, job_cluster, job_id, job_submit_us, placed_at_us, closed_at_us)"
constexpr char hold_sql[] =
    "INSERT INTO " ASBB_HOLD_COLUMNS
    " VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"
    " ON CONFLICT (id) DO UPDATE SET request_id = excluded.request_id, kind = excluded.kind,"
    " account_id = excluded.account_id, user = excluded.user, cluster = excluded.cluster,"
    " partition = excluded.partition, submission_group = excluded.submission_group,"
    " task_count = excluded.task_count, tasks_opened = excluded.tasks_opened,"
    " open_shares = excluded.open_shares, pending_runs = excluded.pending_runs,"
    " backfilled = excluded.backfilled, status = excluded.status,"
    " job_cluster = excluded.job_cluster, job_id = excluded.job_id,"
    " job_submit_us = excluded.job_submit_us, placed_at_us = excluded.placed_at_us,"
    " closed_at_us = excluded.closed_at_us";

constexpr char no_hold_parts_sql[] = "DELETE FROM budget_hold_parts WHERE hold_id = ?";

#define ASBB_SHARE_COLUMNS                                                             \
  "budget_shares (id, hold_id, cluster, job_id, task, run, external_id, status, unit," \
  " actual_micros, charged_micros, overrun_micros, released_micros, refunded_micros,"  \
  " requeued, opened_at_us, settled_at_us)"
constexpr char share_sql[] =
    "INSERT INTO " ASBB_SHARE_COLUMNS
    " VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"
    " ON CONFLICT (id) DO UPDATE SET hold_id = excluded.hold_id, cluster = excluded.cluster,"
    " job_id = excluded.job_id, task = excluded.task, run = excluded.run,"
    " external_id = excluded.external_id, status = excluded.status, unit = excluded.unit,"
    " actual_micros = excluded.actual_micros, charged_micros = excluded.charged_micros,"
    " overrun_micros = excluded.overrun_micros, released_micros = excluded.released_micros,"
    " refunded_micros = excluded.refunded_micros, requeued = excluded.requeued,"
    " opened_at_us = excluded.opened_at_us,"
    " settled_at_us = excluded.settled_at_us";

constexpr char no_share_parts_sql[] = "DELETE FROM budget_share_parts WHERE share_id = ?";

constexpr char highest_hold_sql[] = "SELECT coalesce(max(id), 0) FROM budget_holds";
constexpr char highest_share_sql[] = "SELECT coalesce(max(id), 0) FROM budget_shares";
constexpr char last_entry_sql[] = "SELECT coalesce(max(sequence), 0) FROM budget_transactions";

constexpr std::array<std::size_t, 3> rows_at_once{16, 4, 1};

// The texts that insert so many rows of one table; they live as long as the program.
struct Insert {
  Insert(const std::string& columns, int count, const std::string& otherwise = "") {
    std::string row = ",(?";
    for (int i = 1; i < count; ++i) row += ",?";
    for (std::size_t i = 0; i < rows_at_once.size(); ++i) {
      std::string rows;
      for (std::size_t k = 0; k < rows_at_once[i]; ++k) rows += row + ")";
      texts[i] = "INSERT OR ROLLBACK INTO " + columns + " VALUES " + rows.substr(1) + otherwise;
    }
  }
  std::array<std::string, rows_at_once.size()> texts;
};

struct Inserts {
  const Insert holds{ASBB_HOLD_COLUMNS, 19};
  const Insert hold_parts{
      "budget_hold_parts (hold_id, part, unit, budget_id, legs, estimate_micros, granted_micros,"
      " unopened_micros, price_version)",
      9};
  const Insert shares{ASBB_SHARE_COLUMNS, 17};
  const Insert share_parts{"budget_share_parts (share_id, part, held_micros)", 3};
  const Insert answers{
      "budget_request_answers (request_id, body_digest, at_us, outcome)", 4,
      " ON CONFLICT (at_us, request_id) DO UPDATE SET body_digest = excluded.body_digest,"
      " outcome = excluded.outcome"};
  const Insert entries{
      "budget_transactions (sequence, at_us, type, actor, reason, request_id, account_id,"
      " account_name, budget_id, unit, amount_micros, hold_id, user, partition, cluster, job_id,"
      " task, run, external_id, price_version, details, record, chain)",
      23};
};

#undef ASBB_HOLD_COLUMNS
#undef ASBB_SHARE_COLUMNS

const Inserts& inserts() {
  static const Inserts all;
  return all;
}

// New rows of a table whose other rows are replaced.
template <typename Row>
Statement& put(Statement& statement, const Row* row) {
  return put(statement, *row);
}

template <typename Row>
Result<void> write(Statement& statement, const Row& row) {
  return put(statement, row).run();
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

template <typename Row>
Result<void> insert_all(Connection& connection, const Insert& insert,
                        const std::vector<Row>& rows) {
  std::size_t done = 0;
  for (std::size_t i = 0; i < rows_at_once.size(); ++i) {
    while (rows.size() - done >= rows_at_once[i]) {
      const auto statement = connection.cached(insert.texts[i].c_str());
      if (!statement) return tl::unexpected(statement.error());
      for (std::size_t k = 0; k < rows_at_once[i]; ++k) put(**statement, rows[done++]);
      if (auto written = (*statement)->run(); !written) return written;
    }
  }
  return {};
}

// The statements of a table whose rows have parts in another one.
template <typename Row>
struct Family;

template <>
struct Family<ledger::Hold> {
  using PartRow = HoldPartRow;
  static constexpr const char* highest_sql = highest_hold_sql;
  static constexpr const char* sql = hold_sql;
  static constexpr const char* no_parts_sql = no_hold_parts_sql;
  static const Insert& rows() { return inserts().holds; }
  static const Insert& parts() { return inserts().hold_parts; }
  static void add_parts(const ledger::Hold& hold, std::vector<PartRow>& parts) {
    std::int64_t number = 0;
    for (const ledger::HoldPart& part : hold.parts) {
      parts.emplace_back(hold.id, number++, part);
    }
  }
};

template <>
struct Family<ledger::Share> {
  using PartRow = SharePartRow;
  static constexpr const char* highest_sql = highest_share_sql;
  static constexpr const char* sql = share_sql;
  static constexpr const char* no_parts_sql = no_share_parts_sql;
  static const Insert& rows() { return inserts().shares; }
  static const Insert& parts() { return inserts().share_parts; }
  static void add_parts(const ledger::Share& share, std::vector<PartRow>& parts) {
    std::int64_t number = 0;
    for (const Micros held : share.held) parts.push_back({share.id.value, number++, held});
  }
};

// A row that may be there, without its parts.
template <typename Row>
Result<void> replace(Connection& connection, const Row& row) {
  const auto statement = connection.cached(Family<Row>::sql);
  if (!statement) return tl::unexpected(statement.error());
  if (auto written = write(**statement, row); !written) return written;
  const auto parts = connection.cached(Family<Row>::no_parts_sql);
  if (!parts) return tl::unexpected(parts.error());
  return (*parts)->put(row.id.value).run();
}

template <typename Row>
struct NewRows {
  std::vector<const Row*> rows;
  std::vector<typename Family<Row>::PartRow> parts;

  [[nodiscard]] Result<void> write(Connection& connection) {
    auto written = insert_all(connection, Family<Row>::rows(), rows).and_then([&] {
      return insert_all(connection, Family<Row>::parts(), parts);
    });
    rows.clear();
    parts.clear();
    return written;
  }
};

// In their order: a new hold may take the key of one that closes before it.
template <typename Row>
Result<void> write_with_parts(Connection& connection, const std::vector<Row>& rows) {
  if (rows.empty()) return {};
  auto highest = connection.number(Family<Row>::highest_sql);
  if (!highest) return tl::unexpected(highest.error());
  NewRows<Row> fresh;
  for (const Row& row : rows) {
    if (row.id.value > *highest) {
      *highest = row.id.value;
      fresh.rows.push_back(&row);
    } else {
      auto written = fresh.write(connection).and_then([&] { return replace(connection, row); });
      if (!written) return written;
    }
    Family<Row>::add_parts(row, fresh.parts);
  }
  return fresh.write(connection);
}

// What triggers check of everybody else who writes; here they would cost as much as the rows.
Result<void> write_entries(Connection& connection, const std::vector<ChainedEntry>& entries) {
  if (entries.empty()) return {};
  auto last = connection.number(last_entry_sql);
  if (!last) return tl::unexpected(last.error());
  for (const ChainedEntry& chained : entries) {
    if (chained.entry.sequence == ++*last) continue;
    return fail(ErrorKind::broken,
                "budget_transactions is append-only: a sequence follows the last one");
  }
  return insert_all(connection, inserts().entries, entries);
}

}  // namespace

Result<void> write_batch(Connection& connection, const Batch& batch) {
  const std::vector<AccountRow> accounts(batch.accounts.begin(), batch.accounts.end());
  return write_all(connection, account_sql, accounts)
      .and_then([&] {
        return write_counters(connection, budget_counters_sql, budget_sql, batch.budgets);
      })
      .and_then(
          [&] { return write_counters(connection, limit_counters_sql, limit_sql, batch.limits); })
      .and_then([&] { return write_all(connection, price_sql, batch.prices); })
      .and_then([&] { return write_all(connection, rate_sql, batch.rates); })
      .and_then([&] { return write_with_parts(connection, batch.holds); })
      .and_then([&] { return write_with_parts(connection, batch.shares); })
      .and_then([&] { return insert_all(connection, inserts().answers, batch.answers); })
      .and_then([&] { return write_entries(connection, batch.entries); });
}

}  // namespace asbb::store::sqlite
