#include "store/backup.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <array>
#include <atomic>
#include <filesystem>
#include <thread>

#include "store/test_support.h"

namespace asbb::store {
namespace {

class Backup : public testing::Test {
 protected:
  void commit(SqliteStore& store, const Batch& batch) {
    const auto done = store.commit(batch);
    ASSERT_TRUE(done) << done.error().message;
  }

  TemporaryFolder folder_;
  const std::string path_ = make_database(folder_);
  const std::string copy_ = folder_.file("copy.db");
};

std::string entries_in(const std::string& path) {
  return query_sql(path, "SELECT max(sequence) FROM budget_transactions").at(0);
}

TEST_F(Backup, IsOneWholeFileOfOneMomentWhileAServiceWrites) {
  const auto store = open_sqlite(path_);
  ASSERT_TRUE(store->own(0));
  commit(*store, first_batch());
  std::atomic<bool> stops = false;
  std::atomic<int> written = 1;
  std::thread writer([&] {
    for (int number = 2; !stops; ++number) {
      if (!store->commit(hold_batch(number))) return;
      written = number;
    }
  });
  for (int round = 0; round < 10; ++round) {
    const std::string copy = copy_ + std::to_string(round);
    const int before = written;
    const auto copied = copy_database(path_, copy);
    ASSERT_TRUE(copied) << copied.error().message;
    const int after = written + 1;  // one may be committed and not counted yet
    EXPECT_TRUE(check_pages(copy));
    const int found = std::stoi(entries_in(copy));
    EXPECT_LE(before, found);
    EXPECT_LE(found, after);
    EXPECT_EQ(query_sql(copy, "SELECT count(*) FROM budget_transactions").at(0),
              std::to_string(found));
    EXPECT_FALSE(std::filesystem::exists(copy + "-wal"));
    struct stat status{};
    ASSERT_EQ(::stat(copy.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777u, 0600u);
  }
  stops = true;
  writer.join();
  const auto again = copy_database(path_, copy_ + "0");
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().kind, ErrorKind::conflict);
}

TEST_F(Backup, IsPutBackAndTheOldDatabaseIsKept) {
  auto store = open_sqlite(path_);
  ASSERT_TRUE(store->own(0));
  commit(*store, first_batch());
  commit(*store, hold_batch(2));
  ASSERT_TRUE(copy_database(path_, copy_));
  commit(*store, hold_batch(3));
  const auto refused = restore_database(copy_, path_, "old");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::unavailable);
  EXPECT_NE(refused.error().message.find("stop the service first"), std::string::npos);
  store.reset();
  const auto restored = restore_database(copy_, path_, "old");
  ASSERT_TRUE(restored) << restored.error().message;
  EXPECT_EQ(restored->before->sequence, 3);
  EXPECT_EQ(restored->after.sequence, 2);
  EXPECT_EQ(restored->kept, path_ + ".old");
  EXPECT_EQ(entries_in(restored->kept), "3");
  EXPECT_EQ(entries_in(path_), "2");
  EXPECT_TRUE(std::filesystem::exists(copy_));
  store = open_sqlite(path_);
  ASSERT_TRUE(store->own(0));
  commit(*store, hold_batch(3));
}

TEST_F(Backup, IsNotPutBackWhenItsCheckFails) {
  const auto refused = restore_database(copy_, path_, "old", [] {
    return Result<void>(fail(ErrorKind::broken, "it does not verify"));
  });
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message, "it does not verify");
  EXPECT_FALSE(restore_database(copy_, path_, "old"));  // there is no such copy
  EXPECT_FALSE(restore_database(path_, path_, "old"));
  EXPECT_FALSE(std::filesystem::exists(path_ + ".old"));
  EXPECT_TRUE(open_sqlite(path_)->ping());
}

TEST_F(Backup, OfDamagedPagesIsSaid) {
  ASSERT_TRUE(copy_database(path_, copy_));
  std::string bytes = read_file(copy_);
  for (std::size_t at = 5 * 4096; at < 9 * 4096; ++at) bytes[at] = 'x';
  write_file(copy_, bytes);
  const auto checked = check_pages(copy_);
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().kind, ErrorKind::broken);
}

constexpr Migration more{2, "0002_more", "CREATE TABLE more (y INTEGER) STRICT;"};

TEST_F(Backup, AMigrationIsRolledBackWhileNothingWouldBeLost) {
  const std::array<Migration, 2> migrations{sqlite_migrations()[0], more};
  const auto none = roll_back(path_, "old", sqlite_migrations());
  ASSERT_FALSE(none);
  EXPECT_NE(none.error().message.find("no schema before it"), std::string::npos);
  {
    const auto store = open_sqlite(path_);
    ASSERT_TRUE(store->own(0));
    commit(*store, first_batch());
  }
  ASSERT_TRUE(migrate(path_, MigrateMode::apply, migrations));
  EXPECT_EQ(entries_in(kept_version(path_, 1)), "1");
  const auto back = roll_back(path_, "old", migrations);
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(schema_status(path_, migrations)->version, 1);
  EXPECT_EQ(entries_in(path_), "1");
  EXPECT_FALSE(std::filesystem::exists(kept_version(path_, 1)));
  ASSERT_TRUE(migrate(path_, MigrateMode::apply, migrations));
  std::filesystem::remove(kept_version(path_, 1));
  const auto lost = roll_back(path_, "older", migrations);
  ASSERT_FALSE(lost);
  EXPECT_NE(lost.error().message.find("no migration kept"), std::string::npos);
}

TEST_F(Backup, AMigrationIsNotRolledBackOverNewEntries) {
  const std::array<Migration, 2> migrations{sqlite_migrations()[0], more};
  ASSERT_TRUE(migrate(path_, MigrateMode::apply, migrations));
  // The entry of a service that knows the new schema.
  const std::string other = folder_.file("other.db");
  {
    TemporaryFolder elsewhere;
    const std::string source = make_database(elsewhere);
    const auto store = open_sqlite(source);
    ASSERT_TRUE(store->own(0));
    commit(*store, first_batch());
    ASSERT_TRUE(copy_database(source, other));
  }
  ASSERT_EQ(run_sql(path_, "PRAGMA foreign_keys = OFF; ATTACH '" + other +
                               "' AS o; INSERT INTO budget_transactions SELECT * FROM "
                               "o.budget_transactions"),
            "");
  const auto refused = roll_back(path_, "old", migrations);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::conflict);
  EXPECT_NE(refused.error().message.find("1 entries, and had 0 before"), std::string::npos);
  EXPECT_EQ(schema_status(path_, migrations)->version, 2);
}

}  // namespace
}  // namespace asbb::store
