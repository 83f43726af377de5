// Reading rows back as values of the ledger.
#include <algorithm>

#include "store/queries.h"
#include "store/sqlite_rows.h"

namespace asbb::store::sqlite {
namespace {

constexpr char accounts_sql[] =
    "SELECT id, name, aliases, owners, display_name, description, parent_id, status,"
    " hold_factor_millionths, may_convert, created_at_us, updated_at_us FROM budget_accounts ORDER "
    "BY id";
constexpr char budgets_sql[] =
    "SELECT id, account_id, unit, start_us, end_us, limit_micros, held_micros, used_micros,"
    " credit_limit_micros, carry_over_millionths, carried_micros, carried_in_micros,"
    " created_at_us, updated_at_us"
    " FROM budget_periods ORDER BY id";
constexpr char limits_sql[] =
    "SELECT id, budget_id, partition, limit_micros, held_micros, used_micros, updated_at_us"
    " FROM budget_partition_limits ORDER BY id";
constexpr char prices_sql[] =
    "SELECT version, effective_from_us, imported_at_us, text FROM budget_price_versions"
    " ORDER BY version";
constexpr char rates_sql[] =
    "SELECT version, from_unit, to_unit, rate_micros, effective_from_us, recorded_at_us"
    " FROM budget_conversion_rates ORDER BY version";
constexpr char answers_sql[] =
    "SELECT request_id, body_digest, max(at_us), outcome FROM budget_request_answers"
    " WHERE at_us >= ? GROUP BY request_id ORDER BY request_id";

#define ASBB_SELECT_HOLDS                                                                       \
  "SELECT id, request_id, kind, account_id, user, cluster, partition,"                          \
  " submission_group, task_count, tasks_opened, open_shares, pending_runs, backfilled, status," \
  " job_cluster, job_id, job_submit_us, placed_at_us, closed_at_us FROM budget_holds "
// An arm for each index; left to itself, SQLite reads all holds to have them in order.
constexpr char open_holds_sql[] = ASBB_SELECT_HOLDS
    "INDEXED BY budget_holds_open WHERE kind = 'slurm' AND status = 'open'"
    " UNION ALL " ASBB_SELECT_HOLDS
    "INDEXED BY budget_holds_key WHERE kind = 'external' AND status = 'open'"
    " ORDER BY id";
constexpr char open_hold_ids_sql[] =
    "SELECT id FROM budget_holds INDEXED BY budget_holds_open"
    " WHERE kind = 'slurm' AND status = 'open'"
    " UNION ALL SELECT id FROM budget_holds INDEXED BY budget_holds_key"
    " WHERE kind = 'external' AND status = 'open'";
constexpr char hold_by_id_sql[] = ASBB_SELECT_HOLDS "WHERE id = ?";
constexpr char holds_by_request_sql[] =
    ASBB_SELECT_HOLDS "WHERE request_id = ?1 AND kind = 'slurm' UNION ALL " ASBB_SELECT_HOLDS
                      "WHERE request_id = ?1 AND kind = 'external' AND status = 'open'"
                      " UNION ALL " ASBB_SELECT_HOLDS
                      "WHERE request_id = ?1 AND kind = 'external' AND status = 'closed'"
                      " ORDER BY id";
constexpr char holds_by_job_sql[] =
    ASBB_SELECT_HOLDS "WHERE job_cluster = ? AND job_id = ? ORDER BY job_submit_us, id";
#undef ASBB_SELECT_HOLDS

constexpr char hold_parts_sql[] =
    "SELECT unit, budget_id, legs, estimate_micros, granted_micros, unopened_micros, price_version"
    " FROM budget_hold_parts WHERE hold_id = ? ORDER BY part";
constexpr char shares_sql[] =
    "SELECT id, hold_id, cluster, job_id, task, run, external_id, status, unit, actual_micros,"
    " charged_micros, overrun_micros, released_micros, refunded_micros, requeued, opened_at_us,"
    " settled_at_us"
    " FROM budget_shares WHERE hold_id = ? ORDER BY id";
constexpr char share_parts_sql[] =
    "SELECT held_micros FROM budget_share_parts WHERE share_id = ? ORDER BY part";

constexpr char head_sql[] =
    "SELECT sequence, chain FROM budget_transactions ORDER BY sequence DESC LIMIT 1";

// False: the word is none that this program knows.
template <typename Value>
bool take(std::optional<Value> parsed, Value& into) {
  if (parsed) into = std::move(*parsed);
  return parsed.has_value();
}

std::vector<std::string> split_names(const std::string& text) {
  std::vector<std::string> names;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t comma = std::min(text.find(',', at), text.size());
    names.push_back(text.substr(at, comma - at));
    at = comma + 1;
  }
  return names;
}

bool read(Statement& row, ledger::Account& account) {
  account.id.value = row.integer();
  account.name = row.text();
  account.aliases = split_names(row.text());
  account.owners = split_names(row.text());
  account.display_name = row.text();
  account.description = row.text();
  account.parent.value = row.integer();
  const bool known = take(ledger::parse_account_status(row.text()), account.status);
  account.hold_factor_millionths = row.integer_or_null();
  account.may_convert = row.integer() != 0;
  account.created_at.microseconds = row.integer();
  account.updated_at.microseconds = row.integer();
  return known;
}

bool read(Statement& row, ledger::Budget& budget) {
  budget.id.value = row.integer();
  budget.account.value = row.integer();
  budget.unit = row.text();
  budget.start.microseconds = row.integer();
  budget.end.microseconds = row.integer();
  budget.limit = Micros(row.integer());
  budget.held = Micros(row.integer());
  budget.used = Micros(row.integer());
  budget.credit_limit = Micros(row.integer());
  budget.carry_over_millionths = row.integer();
  budget.carried = Micros(row.integer());
  budget.carried_in = Micros(row.integer());
  budget.created_at.microseconds = row.integer();
  budget.updated_at.microseconds = row.integer();
  return true;
}

bool read(Statement& row, ledger::PartitionLimit& limit) {
  limit.id.value = row.integer();
  limit.budget.value = row.integer();
  limit.partition = row.text();
  if (const auto most = row.integer_or_null()) limit.limit = Micros(*most);
  limit.held = Micros(row.integer());
  limit.used = Micros(row.integer());
  limit.updated_at.microseconds = row.integer();
  return true;
}

bool read(Statement& row, ledger::PriceVersion& prices) {
  prices.version = row.integer();
  prices.effective_from.microseconds = row.integer();
  prices.imported_at.microseconds = row.integer();
  prices.text = row.text();
  return true;
}

bool read(Statement& row, ledger::ConversionRate& rate) {
  rate.version = row.integer();
  rate.from_unit = row.text();
  rate.to_unit = row.text();
  rate.rate = Micros(row.integer());
  rate.effective_from.microseconds = row.integer();
  rate.recorded_at.microseconds = row.integer();
  return true;
}

bool read(Statement& row, ledger::RememberedAnswer& answer) {
  answer.request_id = row.text();
  answer.body_digest = row.text();
  answer.at.microseconds = row.integer();
  answer.outcome = row.text();
  return true;
}

bool read(Statement& row, ledger::Hold& hold) {
  hold.id.value = row.integer();
  hold.request_id = row.text();
  bool known = take(ledger::parse_hold_kind(row.text()), hold.kind);
  hold.account.value = row.integer();
  hold.user = row.text();
  hold.cluster = row.text();
  hold.partition = row.text();
  hold.group = row.text();
  hold.task_count = row.integer();
  hold.tasks_opened = row.integer();
  hold.open_shares = row.integer();
  hold.pending_runs = row.integer();
  hold.backfilled = row.integer() != 0;
  known = take(ledger::parse_hold_status(row.text()), hold.status) && known;
  const auto job_cluster = row.text_or_null();
  const std::int64_t job_id = row.integer();
  const Instant submit_time{row.integer()};
  if (job_cluster) hold.job = ledger::JobRef{*job_cluster, job_id, submit_time};
  hold.placed_at.microseconds = row.integer();
  hold.closed_at.microseconds = row.integer();
  return known;
}

bool read(Statement& row, ledger::HoldPart& part) {
  part.unit = row.text();
  part.budget.value = row.integer();
  const bool known = take(ledger::parse_legs(row.text()), part.legs);
  part.estimate = Micros(row.integer());
  part.granted = Micros(row.integer());
  part.unopened = Micros(row.integer());
  part.price_version = row.integer();
  return known;
}

bool read(Statement& row, ledger::Share& share) {
  share.id.value = row.integer();
  share.hold.value = row.integer();
  share.key.cluster = row.text();
  share.key.job_id = row.integer();
  share.key.task = row.integer();
  share.key.run = row.integer();
  share.key.external_id = row.text();
  const bool known = take(ledger::parse_share_status(row.text()), share.status);
  share.unit = row.text();
  share.actual = Micros(row.integer());
  share.charged = Micros(row.integer());
  share.overrun = Micros(row.integer());
  share.released = Micros(row.integer());
  share.refunded = Micros(row.integer());
  share.requeued = row.integer() != 0;
  share.opened_at.microseconds = row.integer();
  share.settled_at.microseconds = row.integer();
  return known;
}

bool read(Statement& row, Micros& amount) {
  amount = Micros(row.integer());
  return true;
}

bool read_chain(Statement& row, ChainValue& chain) {
  const std::string bytes = row.text();
  if (bytes.size() != chain.size()) return false;
  std::copy(bytes.begin(), bytes.end(), chain.begin());
  return true;
}

bool read(Statement& row, ChainedEntry& chained) {
  ledger::Entry& entry = chained.entry;
  entry.sequence = row.integer();
  entry.at.microseconds = row.integer();
  const bool known = take(ledger::parse_entry_type(row.text()), entry.type);
  entry.actor = row.text();
  entry.reason = row.text();
  entry.request_id = row.text();
  entry.account.value = row.integer();
  entry.account_name = row.text();
  entry.budget.value = row.integer();
  entry.unit = row.text();
  entry.amount = Micros(row.integer());
  entry.hold.value = row.integer();
  entry.user = row.text();
  entry.partition = row.text();
  entry.job.cluster = row.text();
  entry.job.job_id = row.integer();
  entry.job.task = row.integer();
  entry.job.run = row.integer();
  entry.job.external_id = row.text();
  entry.price_version = row.integer();
  entry.details = row.text();
  chained.record = row.text();
  return read_chain(row, chained.chain) && known;
}

// All rows of a statement whose parameters are put, appended to `out`.
template <typename Row>
Result<void> read_rows(const Connection& connection, Statement& statement, std::vector<Row>& out) {
  while (true) {
    const auto more = statement.row();
    if (!more) return tl::unexpected(more.error());
    if (!*more) return {};
    Row row{};
    if (!read(statement, row)) {
      return fail(ErrorKind::broken, "the database " + connection.path() +
                                         " has a row with a word that this program does not know");
    }
    out.push_back(std::move(row));
  }
}

template <typename Row, typename... Parameters>
Result<void> read_all(Connection& connection, const char* sql, std::vector<Row>& out,
                      const Parameters&... parameters) {
  const auto statement = connection.cached(sql);
  if (!statement) return tl::unexpected(statement.error());
  ((*statement)->put(parameters), ...);
  return read_rows(connection, **statement, out);
}

Result<HoldRecord> complete(Connection& connection, ledger::Hold hold) {
  HoldRecord record;
  record.hold = std::move(hold);
  const std::int64_t id = record.hold.id.value;
  auto done = read_all(connection, hold_parts_sql, record.hold.parts, id).and_then([&] {
    return read_all(connection, shares_sql, record.shares, id);
  });
  for (ledger::Share& share : record.shares) {
    if (done) done = read_all(connection, share_parts_sql, share.held, share.id.value);
  }
  if (!done) return tl::unexpected(std::move(done.error()));
  return record;
}

template <typename... Parameters>
Result<std::vector<HoldRecord>> read_records(Connection& connection, const char* sql,
                                             const Parameters&... parameters) {
  std::vector<ledger::Hold> holds;
  auto done = read_all(connection, sql, holds, parameters...);
  if (!done) return tl::unexpected(std::move(done.error()));
  std::vector<HoldRecord> records;
  records.reserve(holds.size());
  for (ledger::Hold& hold : holds) {
    auto record = complete(connection, std::move(hold));
    if (!record) return tl::unexpected(std::move(record.error()));
    records.push_back(std::move(*record));
  }
  return records;
}

Result<void> read_open_holds(Connection& connection, Snapshot& snapshot) {
  auto records = read_records(connection, open_holds_sql);
  if (!records) return tl::unexpected(std::move(records.error()));
  for (HoldRecord& record : *records) {
    snapshot.holds.push_back(std::move(record.hold));
    std::move(record.shares.begin(), record.shares.end(), std::back_inserter(snapshot.shares));
  }
  return {};
}

Result<void> read_head(Connection& connection, Snapshot& snapshot) {
  const auto statement = connection.cached(head_sql);
  if (!statement) return tl::unexpected(statement.error());
  const auto found = (*statement)->row();
  if (!found) return tl::unexpected(found.error());
  if (!*found) return {};
  snapshot.counters.entry = (*statement)->integer();
  if (!read_chain(**statement, snapshot.chain_head)) {
    return fail(ErrorKind::broken,
                "the last transaction of " + connection.path() + " lacks its chain");
  }
  return (*statement)->run();
}

Result<void> read_counters(Connection& connection, ledger::Counters& counters) {
  const std::pair<const char*, std::int64_t&> highest[] = {
      {"SELECT coalesce(max(id), 0) FROM budget_accounts", counters.account},
      {"SELECT coalesce(max(id), 0) FROM budget_periods", counters.budget},
      {"SELECT coalesce(max(id), 0) FROM budget_partition_limits", counters.limit},
      {"SELECT coalesce(max(id), 0) FROM budget_holds", counters.hold},
      {"SELECT coalesce(max(id), 0) FROM budget_shares", counters.share},
      {"SELECT coalesce(max(version), 0) FROM budget_price_versions", counters.price_version},
      {"SELECT coalesce(max(version), 0) FROM budget_conversion_rates", counters.rate_version}};
  for (const auto& [sql, counter] : highest) {
    const auto number = connection.number(sql);
    if (!number) return tl::unexpected(number.error());
    counter = *number;
  }
  return {};
}

// The text of a page's query and, in the same order, its parameters.
class PageQuery {
 public:
  explicit PageQuery(const EntryQuery& query) {
    // A plus keeps SQLite from another index than that of the holds.
    const std::string column = query.of_open_holds ? "+" : "";
    number(column + "sequence > ?", query.after_sequence);
    if (query.before_sequence > 0) number(column + "sequence < ?", query.before_sequence);
    if (!query.account.empty()) text(column + "account_name = ?", query.account);
    if (query.of_open_holds) where("hold_id IN (" + std::string(open_hold_ids_sql) + ")");
    if (query.hold > 0) number("hold_id = ?", query.hold);
    if (query.from) number(column + "at_us >= ?", query.from->microseconds);
    if (query.until) number(column + "at_us < ?", query.until->microseconds);
    add_job(query.job_id);
    add_types(query.types);
    sql_ = std::string(all_columns) + "_archive" + sql_ + " UNION ALL " + all_columns + sql_;
    sql_ += query.newest_first ? " ORDER BY sequence DESC LIMIT " : " ORDER BY sequence LIMIT ";
    sql_ += std::to_string(query.count_max);
  }

  [[nodiscard]] const std::string& sql() const { return sql_; }

  void put(Statement& statement) const {
    put_once(statement);  // for the archive
    put_once(statement);
  }

 private:
  void put_once(Statement& statement) const {
    for (const auto& [text, number] : parameters_) {
      if (text) {
        statement.put(*text);
      } else {
        statement.put(number);
      }
    }
  }

  struct Parameter {
    std::optional<std::string> text;
    std::int64_t number = 0;
  };

  void where(const std::string& condition) {
    sql_ += parameters_.empty() ? " WHERE " : " AND ";
    sql_ += condition;
  }
  void number(const std::string& condition, std::int64_t value) {
    where(condition);
    parameters_.push_back({std::nullopt, value});
  }
  void text(const std::string& condition, const std::string& value) {
    where(condition);
    parameters_.push_back({value, 0});
  }

  void add_job(const std::string& job_id) {
    if (job_id.empty()) return;
    if (const auto slurm_id = slurm_job_id(job_id)) {
      where("(job_id = ? OR external_id = ?)");
      parameters_.push_back({std::nullopt, *slurm_id});
      parameters_.push_back({job_id, 0});
    } else {
      text("external_id = ?", job_id);
    }
  }

  void add_types(const std::vector<ledger::EntryType>& types) {
    if (types.empty()) return;
    std::string marks;
    for (std::size_t i = 0; i < types.size(); ++i) marks += i == 0 ? "?" : ",?";
    where("type IN (" + marks + ")");
    for (const ledger::EntryType type : types) parameters_.push_back({to_string(type), 0});
  }

  static constexpr const char* all_columns =
      "SELECT sequence, at_us, type, actor, reason, request_id, account_id, account_name,"
      " budget_id, unit, amount_micros, hold_id, user, partition, cluster, job_id, task, run,"
      " external_id, price_version, details, record, chain FROM budget_transactions";
  std::string sql_;
  std::vector<Parameter> parameters_;
};

}  // namespace

Result<Snapshot> read_snapshot(Connection& connection, Instant answers_since) {
  Snapshot snapshot;
  auto done =
      read_all(connection, accounts_sql, snapshot.accounts)
          .and_then([&] { return read_all(connection, budgets_sql, snapshot.budgets); })
          .and_then([&] { return read_all(connection, limits_sql, snapshot.limits); })
          .and_then([&] { return read_all(connection, prices_sql, snapshot.prices); })
          .and_then([&] { return read_all(connection, rates_sql, snapshot.rates); })
          .and_then([&] {
            return read_all(connection, answers_sql, snapshot.answers, answers_since.microseconds);
          })
          .and_then([&] { return read_open_holds(connection, snapshot); })
          .and_then([&] { return read_counters(connection, snapshot.counters); })
          .and_then([&] { return read_head(connection, snapshot); });
  if (!done) return tl::unexpected(std::move(done.error()));
  return snapshot;
}

Result<std::vector<HoldRecord>> read_holds(Connection& connection, const HoldQuery& query) {
  if (query.id.is_set()) return read_records(connection, hold_by_id_sql, query.id.value);
  if (!query.request_id.empty()) {
    return read_records(connection, holds_by_request_sql, query.request_id);
  }
  return read_records(connection, holds_by_job_sql, query.cluster, query.job_id);
}

Result<std::vector<ChainedEntry>> read_entries(Connection& connection, const EntryQuery& query) {
  const PageQuery page(query);
  auto statement = connection.prepare(page.sql());
  if (!statement) return tl::unexpected(std::move(statement.error()));
  page.put(*statement);
  std::vector<ChainedEntry> entries;
  auto done = read_rows(connection, *statement, entries);
  if (!done) return tl::unexpected(std::move(done.error()));
  return entries;
}

}  // namespace asbb::store::sqlite
