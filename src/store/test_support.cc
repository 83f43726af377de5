#include "store/test_support.h"

#include <gtest/gtest.h>
#include <sqlite3.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "store/migrations.h"

namespace asbb::store {
namespace {

using Rows = std::vector<std::string>;

int collect(void* rows, int, char** columns, char**) {
  static_cast<Rows*>(rows)->emplace_back(columns[0] == nullptr ? "NULL" : columns[0]);
  return 0;
}

std::string execute(const std::string& path, const std::string& sql, Rows& rows) {
  sqlite3* database = nullptr;
  int code = sqlite3_open(path.c_str(), &database);
  if (code == SQLITE_OK) code = sqlite3_exec(database, sql.c_str(), &collect, &rows, nullptr);
  const std::string message = code == SQLITE_OK ? "" : sqlite3_errmsg(database);
  sqlite3_close(database);
  return message;
}

}  // namespace

// In memory where that is possible: what these tests say about syncing does not rest on the disk.
TemporaryFolder::TemporaryFolder() {
  std::filesystem::path parent = "/dev/shm";
  if (::access(parent.c_str(), W_OK) != 0) parent = std::filesystem::temp_directory_path();
  std::string name = (parent / "store_test.XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) ADD_FAILURE() << "no temporary folder";
  path_ = std::filesystem::canonical(name);
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string run_sql(const std::string& path, const std::string& sql) {
  Rows rows;
  return execute(path, sql, rows);
}

std::vector<std::string> query_sql(const std::string& path, const std::string& sql) {
  Rows rows;
  EXPECT_EQ(execute(path, sql, rows), "") << sql;
  return rows;
}

std::string read_file(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  std::ostringstream content;
  content << stream.rdbuf();
  return content.str();
}

void write_file(const std::string& path, const std::string& content) {
  std::ofstream stream(path, std::ios::binary | std::ios::trunc);
  stream << content;
  EXPECT_TRUE(stream.flush().good()) << path;
}

std::string make_database(const TemporaryFolder& folder) {
  const std::string path = folder.file("asbb.db");
  const auto migrated = migrate(path);
  EXPECT_TRUE(migrated.has_value()) << migrated.error().message;
  return path;
}

std::unique_ptr<SqliteStore> open_sqlite(const std::string& path) {
  SqliteOptions options;
  options.path = path;
  auto opened = SqliteStore::open(std::move(options));
  EXPECT_TRUE(opened.has_value()) << opened.error().message;
  return opened ? std::move(*opened) : nullptr;
}

ChainedEntry make_entry(std::int64_t sequence) {
  ChainedEntry chained;
  chained.entry.sequence = sequence;
  chained.entry.at = Instant::from_unix_seconds(1'700'000'000 + sequence);
  chained.entry.actor = "root";
  chained.entry.account = ledger::AccountId{1};
  chained.entry.account_name = "proj001";
  chained.entry.budget = ledger::BudgetId{1};
  chained.entry.unit = "USD";
  chained.entry.amount = Micros(1'000'000);
  chained.record = "record " + std::to_string(sequence);
  chained.chain.fill(static_cast<std::uint8_t>(sequence));
  return chained;
}

Batch first_batch() {
  Batch batch;
  ledger::Account account;
  account.id = ledger::AccountId{1};
  account.name = "proj001";
  batch.accounts.push_back(account);
  ledger::Budget budget;
  budget.id = ledger::BudgetId{1};
  budget.account = account.id;
  budget.unit = "USD";
  budget.end = Instant::from_unix_seconds(2'000'000'000);
  budget.limit = Micros(50'000'000);
  batch.budgets.push_back(budget);
  ledger::PartitionLimit limit;
  limit.id = ledger::LimitId{1};
  limit.budget = budget.id;
  limit.partition = "gpu-aws";
  limit.limit = Micros(20'000'000);
  batch.limits.push_back(limit);
  batch.entries.push_back(make_entry(1));
  batch.entries.front().entry.type = ledger::EntryType::account_create;
  return batch;
}

Batch hold_batch(std::int64_t number) {
  Batch batch;
  ledger::Hold hold;
  hold.id = ledger::HoldId{number};
  hold.request_id = "token-" + std::to_string(number);
  hold.account = ledger::AccountId{1};
  hold.user = "alice";
  hold.cluster = "onprem";
  hold.partition = "gpu-aws";
  hold.placed_at = Instant::from_unix_seconds(1'700'000'000 + number);
  ledger::HoldPart part;
  part.unit = "USD";
  part.budget = ledger::BudgetId{1};
  part.legs = {{ledger::Leg::Kind::budget, 1}, {ledger::Leg::Kind::partition_limit, 1}};
  part.estimate = Micros(1'000'000);
  part.granted = part.unopened = Micros(1'200'000);
  hold.parts.push_back(part);
  batch.holds.push_back(hold);
  batch.entries.push_back(make_entry(number));
  batch.entries.front().entry.hold = hold.id;
  return batch;
}

Batch full_batch(std::int64_t sequence) {
  Batch batch = hold_batch(2);
  const Batch first = first_batch();
  batch.accounts = first.accounts;
  batch.budgets = first.budgets;
  batch.limits = first.limits;
  batch.entries.front() = make_entry(sequence);
  ledger::Share share;
  share.id = ledger::ShareId{1};
  share.hold = ledger::HoldId{2};
  share.key = {"onprem", 1234, -1, 0, ""};
  share.held = {Micros(1'200'000)};
  batch.shares.push_back(share);
  batch.prices.push_back({1, Instant{1}, Instant{2}, "text"});
  batch.rates.push_back({1, "USD", "core-hours", Micros(25), Instant{1}, Instant{2}});
  batch.answers.push_back({"request-1", "digest", Instant{1}, "outcome"});
  return batch;
}

}  // namespace asbb::store
