// What only the SQLite store promises: triggers, real full disks, real deaths.
#include "store/sqlite_store.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <map>

#include "store/sqlite.h"
#include "store/test_support.h"

namespace asbb::store {
namespace {

constexpr Instant always{std::numeric_limits<std::int64_t>::min()};

class SqliteStoreTest : public testing::Test {
 protected:
  std::unique_ptr<SqliteStore> owned() {
    auto store = open_sqlite(path_);
    const auto owned = store->own(0);
    EXPECT_TRUE(owned.has_value()) << owned.error().message;
    return store;
  }

  TemporaryFolder folder_;
  const std::string path_ = make_database(folder_);
};

TEST_F(SqliteStoreTest, TransactionsAreAppendOnlyForEveryone) {
  {
    const auto store = owned();
    ASSERT_TRUE(store->commit(first_batch()).has_value());
    ASSERT_TRUE(store->commit(hold_batch(2)).has_value());
  }
  const std::string row =
      " SELECT sequence + NUMBER, at_us, type, actor, reason, request_id, account_id, account_name,"
      " budget_id, unit, amount_micros, hold_id, user, partition, cluster, job_id, task, run,"
      " external_id, price_version, details, record, chain FROM budget_transactions"
      " WHERE sequence = 2";
  const auto copy_as = [&](const std::string& insert, const std::string& number) {
    std::string select = row;
    select.replace(select.find("NUMBER"), 6, number);
    return insert + " INTO budget_transactions" + select;
  };
  for (const std::string& sql :
       {std::string("UPDATE budget_transactions SET amount_micros = 0"),
        std::string("UPDATE budget_transactions SET reason = 'x' WHERE sequence = 1"),
        std::string("DELETE FROM budget_transactions WHERE sequence = 2"),
        std::string("DELETE FROM budget_transactions"), copy_as("INSERT OR REPLACE", "0"),
        copy_as("INSERT OR REPLACE", "-1"), copy_as("INSERT", "2"), copy_as("INSERT", "-3")}) {
    EXPECT_NE(run_sql(path_, sql).find("append-only"), std::string::npos) << sql;
  }
  EXPECT_EQ(run_sql(path_, copy_as("INSERT", "1")), "");
}

TEST_F(SqliteStoreTest, TheSchemaKnowsEveryWordOfTheLedger) {
  const auto store = owned();
  Batch batch = first_batch();
  batch.entries.clear();
  std::int64_t sequence = 0;
  for (const ledger::EntryType type :
       {ledger::EntryType::account_create, ledger::EntryType::account_update,
        ledger::EntryType::account_close, ledger::EntryType::budget_create,
        ledger::EntryType::budget_update, ledger::EntryType::limit_set, ledger::EntryType::hold,
        ledger::EntryType::bind, ledger::EntryType::charge, ledger::EntryType::release,
        ledger::EntryType::overrun, ledger::EntryType::refund, ledger::EntryType::adjustment,
        ledger::EntryType::deposit, ledger::EntryType::withdrawal, ledger::EntryType::transfer_out,
        ledger::EntryType::transfer_in, ledger::EntryType::prices}) {
    batch.entries.push_back(make_entry(++sequence));
    batch.entries.back().entry.type = type;
  }
  const auto committed = store->commit(batch);
  EXPECT_TRUE(committed.has_value()) << committed.error().message;
}

TEST_F(SqliteStoreTest, AnUnknownWordIsSaidNotGuessed) {
  {
    const auto store = owned();
    ASSERT_TRUE(store->commit(first_batch()).has_value());
    ASSERT_TRUE(store->commit(hold_batch(2)).has_value());
  }
  ASSERT_EQ(run_sql(path_, "UPDATE budget_hold_parts SET legs = 'x9'"), "");
  const auto loaded = owned()->load(always);
  ASSERT_FALSE(loaded.has_value());
  EXPECT_EQ(loaded.error().kind, ErrorKind::broken);
}

// A file may not grow beyond the limit: writes fail as on a full disk or an exhausted quota.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) {
    EXPECT_EQ(::getrlimit(RLIMIT_FSIZE, &before_), 0);
    old_handler_ = ::signal(SIGXFSZ, SIG_IGN);
    rlimit lower = before_;
    lower.rlim_cur = bytes;
    EXPECT_EQ(::setrlimit(RLIMIT_FSIZE, &lower), 0);
  }
  ~FileSizeLimit() {
    EXPECT_EQ(::setrlimit(RLIMIT_FSIZE, &before_), 0);
    ::signal(SIGXFSZ, old_handler_);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;

 private:
  rlimit before_{};
  sighandler_t old_handler_ = SIG_DFL;
};

TEST_F(SqliteStoreTest, ADiskWithoutSpaceIsADefiniteFailureAndMends) {
  const auto store = owned();
  ASSERT_TRUE(store->commit(first_batch()).has_value());
  std::int64_t number = 1;
  Result<void> committed;
  {
    const FileSizeLimit limit(400'000);
    while (committed && number < 10'000) committed = store->commit(hold_batch(++number));
    ASSERT_FALSE(committed.has_value());
    EXPECT_EQ(committed.error().kind, ErrorKind::unavailable) << committed.error().message;
    EXPECT_NE(committed.error().message.find("space"), std::string::npos);
    EXPECT_EQ(store->commit(hold_batch(number)).error().kind, ErrorKind::unavailable);
    // Reading goes on.
    EntryQuery last;
    last.newest_first = true;
    last.count_max = 1;
    EXPECT_EQ(store->entries(last)->front().entry.sequence, number - 1);
  }
  EXPECT_EQ(store->load(always)->counters.entry, number - 1);
  committed = store->commit(hold_batch(number));
  EXPECT_TRUE(committed.has_value()) << committed.error().message;
  EXPECT_EQ(store->load(always)->counters.entry, number);
}

TEST_F(SqliteStoreTest, ABatchLargerThanTheSpaceIsADefiniteFailure) {
  const auto store = owned();
  ASSERT_TRUE(store->commit(first_batch()).has_value());
  Batch large;
  large.prices.push_back({1, Instant{}, Instant{}, std::string(3'000'000, 'x')});
  {
    const FileSizeLimit limit(1'000'000);
    const auto committed = store->commit(large);
    ASSERT_FALSE(committed.has_value());
    EXPECT_EQ(committed.error().kind, ErrorKind::unavailable) << committed.error().message;
  }
  EXPECT_TRUE(store->load(always)->prices.empty());
  EXPECT_TRUE(store->commit(large).has_value());
}

TEST_F(SqliteStoreTest, TheLogHasItsFullLengthFromTheStart) {
  SqliteOptions options;
  options.path = path_;
  options.checkpoint_pages = 80;
  auto store = std::move(*SqliteStore::open(options));
  ASSERT_TRUE(store->own(0).has_value());
  const auto length = std::filesystem::file_size(path_ + "-wal");
  EXPECT_GE(length, 80U * 4120U);
  ASSERT_TRUE(store->commit(first_batch()).has_value());
  for (std::int64_t number = 2; number < 60; ++number) {
    ASSERT_TRUE(store->commit(hold_batch(number)).has_value());
    ASSERT_EQ(std::filesystem::file_size(path_ + "-wal"), length) << number;
  }
  // Whoever opens it without its index, as after a crash, finds where it ends.
  const TemporaryFolder copy;
  std::filesystem::copy_file(path_, copy.file("asbb.db"));
  std::filesystem::copy_file(path_ + "-wal", copy.file("asbb.db-wal"));
  EXPECT_EQ(query_sql(copy.file("asbb.db"),
                      "PRAGMA integrity_check; SELECT max(sequence) FROM budget_transactions"),
            (std::vector<std::string>{"ok", "59"}));
}

// As after a crash between the first start and its first commit.
TEST_F(SqliteStoreTest, ALogOfZerosIsEmpty) {
  write_file(path_ + "-wal", std::string(100'000, '\0'));
  EXPECT_EQ(query_sql(path_, "SELECT epoch FROM asbb_owner"), std::vector<std::string>{"0"});
  write_file(path_ + "-wal", std::string(100'000, '\0'));
  const auto store = owned();
  ASSERT_TRUE(store->commit(first_batch()).has_value());
  EXPECT_EQ(query_sql(path_, "SELECT epoch FROM asbb_owner"), std::vector<std::string>{"1"});
}

TEST_F(SqliteStoreTest, ADiskWithoutSpaceForTheWholeLogIsAWarning) {
  SqliteOptions options;
  options.path = path_;
  std::string warning;
  options.warn = [&](const std::string& text) { warning = text; };
  const auto store = std::move(*SqliteStore::open(options));
  const FileSizeLimit limit(1'000'000);
  const auto owned = store->own(0);
  ASSERT_TRUE(owned.has_value()) << owned.error().message;
  EXPECT_NE(warning.find("slower"), std::string::npos) << warning;
  EXPECT_NE(warning.find("space"), std::string::npos) << warning;
  // What it had taken is free again.
  EXPECT_LT(std::filesystem::file_size(path_ + "-wal"), 100'000U);
  EXPECT_TRUE(store->commit(first_batch()).has_value());
}

TEST_F(SqliteStoreTest, AStrangerWhoWritesIsWaitedForAndThenNamed) {
  SqliteOptions options;
  options.path = path_;
  options.busy_timeout_ms = 50;
  const auto store = std::move(*SqliteStore::open(options));
  ASSERT_TRUE(store->own(0).has_value());
  auto stranger = sqlite::Connection::open({path_, "", sqlite::Access::read_write, 0});
  ASSERT_TRUE(stranger.has_value());
  ASSERT_TRUE((*stranger)->begin_write().has_value());
  const auto committed = store->commit(first_batch());
  ASSERT_FALSE(committed.has_value());
  EXPECT_EQ(committed.error().kind, ErrorKind::unavailable);
  EXPECT_NE(committed.error().message.find("another program"), std::string::npos);
  (*stranger)->rollback();
  EXPECT_TRUE(store->commit(first_batch()).has_value());
}

// The child says which sequences were acknowledged, until it is killed.
void commit_for_ever(const std::string& path, int acknowledged) {
  const auto store = open_sqlite(path);
  if (!store || !store->own(5000)) ::_exit(2);
  const auto loaded = store->load(always);
  if (!loaded) ::_exit(3);
  std::int64_t number = loaded->counters.entry;
  if (number == 0 && !store->commit(first_batch())) ::_exit(4);
  if (number == 0) number = 1;
  while (true) {
    ++number;
    if (!store->commit(hold_batch(number))) ::_exit(5);
    if (::write(acknowledged, &number, sizeof number) != sizeof number) ::_exit(6);
  }
}

TEST_F(SqliteStoreTest, WhatWasAcknowledgedSurvivesKillNine) {
  for (int round = 0; round < 20; ++round) {
    int pipe_ends[2];
    ASSERT_EQ(::pipe(pipe_ends), 0);
    const pid_t child = ::fork();
    if (child == 0) {
      ::close(pipe_ends[0]);
      commit_for_ever(path_, pipe_ends[1]);
    }
    ::close(pipe_ends[1]);
    std::int64_t number = 0;
    std::int64_t last = 0;
    int count = 0;
    while (::read(pipe_ends[0], &number, sizeof number) == sizeof number) {
      last = number;
      // Another moment each round; what comes after the kill was acknowledged before it.
      if (++count == 1 + round * 3) ::kill(child, SIGKILL);
    }
    ::close(pipe_ends[0]);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status)) << "the child ended by itself with " << WEXITSTATUS(status);
    const auto store = owned();
    const auto loaded = store->load(always);
    ASSERT_TRUE(loaded.has_value()) << loaded.error().message;
    ASSERT_GE(loaded->counters.entry, last);
    ASSERT_LE(loaded->counters.entry, last + 1);
    EXPECT_EQ(loaded->counters.hold, loaded->counters.entry);
    EXPECT_EQ(static_cast<std::int64_t>(loaded->holds.size()) + 1, loaded->counters.entry);
  }
  EXPECT_EQ(query_sql(path_, "PRAGMA integrity_check"), std::vector<std::string>{"ok"});
}

TEST_F(SqliteStoreTest, ACleanEndLeavesOneFileToCopy) {
  {
    const auto store = owned();
    ASSERT_TRUE(store->commit(first_batch()).has_value());
    EXPECT_TRUE(store->ping().has_value());
    EXPECT_TRUE(std::filesystem::exists(path_ + "-wal"));
  }
  EXPECT_FALSE(std::filesystem::exists(path_ + "-wal"));
}

// Steps from row to row of a whole table or index, for each statement of the connections that are
// opened while it lives.
class FullScans {
 public:
  FullScans() { sqlite3_auto_extension(reinterpret_cast<void (*)()>(&watch)); }
  ~FullScans() {
    sqlite3_cancel_auto_extension(reinterpret_cast<void (*)()>(&watch));
    steps().clear();
  }
  FullScans(const FullScans&) = delete;
  FullScans& operator=(const FullScans&) = delete;

  static std::map<std::string, int>& steps() {
    static std::map<std::string, int> steps;
    return steps;
  }

 private:
  static int watch(sqlite3* handle, const char**, const void*) {
    return sqlite3_trace_v2(handle, SQLITE_TRACE_PROFILE, &count, nullptr);
  }
  static int count(unsigned, void*, void* ended, void*) {
    auto* statement = static_cast<sqlite3_stmt*>(ended);
    const int taken = sqlite3_stmt_status(statement, SQLITE_STMTSTATUS_FULLSCAN_STEP, 1);
    if (taken > 0) steps()[sqlite3_sql(statement)] += taken;
    return 0;
  }
};

TEST_F(SqliteStoreTest, NothingIsReadRowByRowThatGrowsForEver) {
  const FullScans scans;
  const auto store = owned();
  ASSERT_TRUE(store->commit(first_batch()).has_value());
  Batch batch = full_batch(2);
  for (std::int64_t number = 3; number <= 60; ++number) {
    Batch one = hold_batch(number);
    ledger::Hold& hold = one.holds.front();
    if (number % 2 == 0) hold.kind = ledger::HoldKind::external;
    if (number < 57) hold.status = ledger::HoldStatus::closed;
    batch.holds.push_back(hold);
    batch.entries.push_back(one.entries.front());
    batch.answers.push_back({hold.request_id, "digest", Instant{number}, "outcome"});
  }
  ASSERT_TRUE(store->commit(batch).has_value());
  FullScans::steps().clear();
  for (const HoldQuery& query :
       {HoldQuery{ledger::HoldId{7}, "", "", 0}, HoldQuery{{}, "token-8", "", 0},
        HoldQuery{{}, "token-9", "", 0}, HoldQuery{{}, "token-58", "", 0},
        HoldQuery{{}, "", "onprem", 1}}) {
    EXPECT_TRUE(store->find_holds(query).has_value());
  }
  for (ledger::Share& share : batch.shares) share.status = ledger::ShareStatus::settled;
  batch.entries.clear();
  EXPECT_TRUE(store->commit(batch).has_value());
  EXPECT_TRUE(store->forget_answers(Instant{9}).has_value());
  EXPECT_EQ(store->load(Instant{59})->answers.size(), 2U);
  for (const auto& [sql, steps] : FullScans::steps()) EXPECT_LT(steps, 10) << sql;
}

// Far above what it takes, so that a statement prepared per row or a commit per row is noticed.
TEST_F(SqliteStoreTest, ABatchOf512HoldsIsOneQuickTransaction) {
  const auto store = owned();
  ASSERT_TRUE(store->commit(first_batch()).has_value());
  Batch batch;
  for (std::int64_t number = 2; number < 514; ++number) {
    Batch one = hold_batch(number);
    batch.holds.push_back(std::move(one.holds.front()));
    batch.entries.push_back(std::move(one.entries.front()));
  }
  const auto begun = std::chrono::steady_clock::now();
  const auto committed = store->commit(batch);
  const auto took = std::chrono::steady_clock::now() - begun;
  ASSERT_TRUE(committed.has_value()) << committed.error().message;
  EXPECT_LT(took, std::chrono::seconds(2));
  const auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(took).count();
  RecordProperty("milliseconds", static_cast<int>(milliseconds));
}

}  // namespace
}  // namespace asbb::store
