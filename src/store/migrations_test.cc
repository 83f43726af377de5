#include "store/migrations.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <array>
#include <filesystem>

#include "store/open_store.h"
#include "store/test_support.h"

namespace asbb::store {
namespace {

constexpr Migration first{1, "0001_first", "CREATE TABLE a (x INTEGER) STRICT;"};
constexpr Migration second{2, "0002_second", "CREATE TABLE b (y INTEGER) STRICT;"};
constexpr Migration failing{2, "0002_failing", "CREATE TABLE b (y INTEGER) STRICT; nonsense;"};
constexpr Migration dangling{2, "0002_dangling",
                             "CREATE TABLE b (y INTEGER REFERENCES a (x)) STRICT;"
                             "CREATE UNIQUE INDEX a_x ON a (x); INSERT INTO b VALUES (1);"};

using Strings = std::vector<std::string>;

Strings tables(const std::string& path) {
  return query_sql(path, "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name");
}

void expect_failure(const Result<MigrationReport>& result, ErrorKind kind,
                    const std::string& word) {
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().kind, kind) << result.error().message;
  EXPECT_NE(result.error().message.find(word), std::string::npos) << result.error().message;
}

class Migrations : public testing::Test {
 protected:
  TemporaryFolder folder_;
  const std::string path_ = folder_.file("asbb.db");
};

TEST_F(Migrations, TheBuiltInOnesAreTheFilesOfTheSource) {
  const std::string source = std::string(ASBB_SOURCE_DIR) + "/src/store/migrations/sqlite/";
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(source)) {
    files += entry.path().extension() == ".sql" ? 1 : 0;
  }
  ASSERT_EQ(sqlite_migrations().size(), files);
  for (const Migration& migration : sqlite_migrations()) {
    EXPECT_EQ(migration.text, read_file(source + std::string(migration.name) + ".sql"));
  }
}

TEST_F(Migrations, CreateThePrivateDatabaseWithItsTables) {
  const auto report = migrate(path_);
  ASSERT_TRUE(report.has_value()) << report.error().message;
  EXPECT_EQ(report->from_version, 0);
  EXPECT_EQ(report->to_version, static_cast<int>(sqlite_migrations().size()));
  EXPECT_EQ(report->applied.front(), "0001_initial");
  EXPECT_FALSE(report->dry_run);
  EXPECT_EQ(tables(path_),
            (Strings{"asbb_owner", "asbb_schema", "budget_accounts", "budget_conversion_rates",
                     "budget_hold_parts", "budget_holds", "budget_partition_limits",
                     "budget_periods", "budget_price_versions", "budget_request_answers",
                     "budget_share_parts", "budget_shares", "budget_transaction_types",
                     "budget_transactions", "budget_transactions_archive"}));
  EXPECT_EQ(query_sql(path_, "PRAGMA journal_mode"), Strings{"wal"});
  struct stat about{};
  ASSERT_EQ(::stat(path_.c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 0777, 0600U);
}

TEST_F(Migrations, EveryTableIsStrict) {
  make_database(folder_);
  EXPECT_EQ(query_sql(path_,
                      "SELECT name FROM pragma_table_list WHERE schema = 'main' AND"
                      " strict = 0 AND name NOT LIKE 'sqlite%'"),
            Strings{});
}

TEST_F(Migrations, ASecondRunDoesNothing) {
  make_database(folder_);
  const auto report = migrate(path_);
  ASSERT_TRUE(report.has_value()) << report.error().message;
  EXPECT_TRUE(report->applied.empty());
  EXPECT_EQ(report->from_version, report->to_version);
}

TEST_F(Migrations, OnlyWhatIsNewIsApplied) {
  ASSERT_TRUE(migrate(path_, MigrateMode::apply, std::array{first}).has_value());
  const std::array both{first, second};
  const auto status = schema_status(path_, both);
  ASSERT_TRUE(status.has_value());
  EXPECT_EQ(status->version, 1);
  EXPECT_EQ(status->latest, 2);
  EXPECT_EQ(status->pending, Strings{"0002_second"});
  EXPECT_FALSE(status->is_current());
  const auto report = migrate(path_, MigrateMode::apply, both);
  ASSERT_TRUE(report.has_value()) << report.error().message;
  EXPECT_EQ(report->applied, Strings{"0002_second"});
  EXPECT_EQ(tables(path_), (Strings{"a", "asbb_schema", "b"}));
  EXPECT_TRUE(schema_status(path_, both)->is_current());
}

TEST_F(Migrations, ADryRunLeavesNoFile) {
  const auto report = migrate(path_, MigrateMode::dry_run);
  ASSERT_TRUE(report.has_value()) << report.error().message;
  EXPECT_TRUE(report->dry_run);
  EXPECT_EQ(report->applied.size(), sqlite_migrations().size());
  EXPECT_TRUE(std::filesystem::is_empty(folder_.path()));
}

TEST_F(Migrations, ADryRunChangesNothingAndFindsFaults) {
  ASSERT_TRUE(migrate(path_, MigrateMode::apply, std::array{first}).has_value());
  const auto report = migrate(path_, MigrateMode::dry_run, std::array{first, second});
  ASSERT_TRUE(report.has_value()) << report.error().message;
  EXPECT_EQ(report->applied, Strings{"0002_second"});
  EXPECT_EQ(tables(path_), (Strings{"a", "asbb_schema"}));
  expect_failure(migrate(path_, MigrateMode::dry_run, std::array{first, failing}),
                 ErrorKind::broken, "0002_failing");
}

TEST_F(Migrations, AFailingStepTakesAllBack) {
  expect_failure(migrate(path_, MigrateMode::apply, std::array{first, failing}), ErrorKind::broken,
                 "0002_failing");
  EXPECT_EQ(tables(path_), Strings{});
  EXPECT_EQ(schema_status(path_, std::array{first})->version, 0);
  EXPECT_TRUE(migrate(path_, MigrateMode::apply, std::array{first, second}).has_value());
}

TEST_F(Migrations, RowsThatReferToNothingAreAFailure) {
  expect_failure(migrate(path_, MigrateMode::apply, std::array{first, dangling}), ErrorKind::broken,
                 "refer to rows that are not there");
  EXPECT_EQ(tables(path_), Strings{});
}

TEST_F(Migrations, AChangedStepIsNamed) {
  ASSERT_TRUE(migrate(path_, MigrateMode::apply, std::array{first}).has_value());
  constexpr Migration changed{1, "0001_first", "CREATE TABLE a (x TEXT) STRICT;"};
  expect_failure(migrate(path_, MigrateMode::apply, std::array{changed, second}), ErrorKind::broken,
                 "0001_first");
  EXPECT_FALSE(schema_status(path_, std::array{changed}).has_value());
  EXPECT_EQ(tables(path_), (Strings{"a", "asbb_schema"}));
}

TEST_F(Migrations, ANewerDatabaseIsRefused) {
  ASSERT_TRUE(migrate(path_, MigrateMode::apply, std::array{first, second}).has_value());
  expect_failure(migrate(path_, MigrateMode::apply, std::array{first}), ErrorKind::broken,
                 "newer asbb");
}

TEST_F(Migrations, ADatabaseOfAnotherProgramIsRefused) {
  ASSERT_EQ(run_sql(path_, "CREATE TABLE notes (text TEXT)"), "");
  expect_failure(migrate(path_), ErrorKind::broken, "another program");
  EXPECT_EQ(tables(path_), Strings{"notes"});
  write_file(folder_.file("text"), std::string(5000, 'x'));
  expect_failure(migrate(folder_.file("text")), ErrorKind::broken, "no SQLite database");
}

TEST_F(Migrations, AnOwnedDatabaseIsLeftAlone) {
  make_database(folder_);
  const auto store = open_sqlite(path_);
  ASSERT_TRUE(store->own(0).has_value());
  expect_failure(migrate(path_), ErrorKind::unavailable, "stop the service first");
}

TEST_F(Migrations, ANameThatIsALinkMeansTheSameLock) {
  make_database(folder_);
  std::filesystem::create_symlink(path_, folder_.file("link.db"));
  const auto store = open_sqlite(folder_.file("link.db"));
  ASSERT_TRUE(store->own(0).has_value());
  EXPECT_FALSE(migrate(path_).has_value());
}

TEST_F(Migrations, AMissingFolderIsSaid) {
  expect_failure(migrate(folder_.file("no/asbb.db")), ErrorKind::not_found, "no/asbb.db");
}

TEST_F(Migrations, AStoreOpensOnlyOnItsOwnVersion) {
  const auto missing = open_store("sqlite", path_);
  ASSERT_FALSE(missing.has_value());
  EXPECT_EQ(missing.error().kind, ErrorKind::not_found);
  EXPECT_NE(missing.error().message.find("asbb database migrate"), std::string::npos);
  EXPECT_FALSE(std::filesystem::exists(path_));

  write_file(path_, "");
  const auto empty = open_store("sqlite", path_);
  ASSERT_FALSE(empty.has_value());
  EXPECT_NE(empty.error().message.find("asbb database migrate"), std::string::npos);

  std::filesystem::remove(path_);
  make_database(folder_);
  EXPECT_TRUE(open_store("sqlite", path_).has_value());
  ASSERT_EQ(run_sql(path_, "INSERT INTO asbb_schema VALUES (99, 'later', '', '')"), "");
  const auto newer = open_store("sqlite", path_);
  ASSERT_FALSE(newer.has_value());
  EXPECT_NE(newer.error().message.find("newer asbb"), std::string::npos);
}

TEST(OpenStore, NamesWhatIsAllowed) {
  for (const std::string driver : {"", "oracle", "SQLite"}) {
    const auto opened = open_store(driver, "/var/lib/asbb/asbb.db");
    ASSERT_FALSE(opened.has_value()) << driver;
    EXPECT_EQ(opened.error().kind, ErrorKind::invalid);
    EXPECT_EQ(opened.error().field, "database.driver");
    EXPECT_NE(opened.error().message.find("this asbb has: sqlite"), std::string::npos);
  }
  for (const std::string dsn : {"", ":memory:", "file:x.db?mode=memory"}) {
    const auto opened = open_store("sqlite", dsn);
    ASSERT_FALSE(opened.has_value()) << dsn;
    EXPECT_EQ(opened.error().field, "database.dsn");
    EXPECT_FALSE(migrate_database("sqlite", dsn, MigrateMode::apply).has_value());
    EXPECT_FALSE(database_status("sqlite", dsn).has_value());
  }
}

}  // namespace
}  // namespace asbb::store
