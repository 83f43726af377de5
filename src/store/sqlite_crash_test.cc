// Every write and sync that a commit or its checkpoint does fails once, in each way. What the store
// then says is compared with what is in the files: as they are, and as a power cut would leave
// them.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "store/faulty_disk.h"
#include "store/test_support.h"

namespace asbb::store {
namespace {

namespace fs = std::filesystem;

constexpr Instant always{std::numeric_limits<std::int64_t>::min()};
constexpr std::int64_t holds_per_batch = 12;

Batch batch_after(std::int64_t last) {
  Batch batch;
  if (last == 0) return first_batch();
  for (std::int64_t number = last + 1; number <= last + holds_per_batch; ++number) {
    Batch one = hold_batch(number);
    batch.holds.push_back(std::move(one.holds.front()));
    batch.entries.push_back(std::move(one.entries.front()));
  }
  return batch;
}

// How many entries whoever opens a copy of these files finds; -1 when they are not whole.
std::int64_t entries_in_copy_of(const std::string& folder) {
  const TemporaryFolder copy;
  for (const char* name : {"asbb.db", "asbb.db-wal"}) {
    if (fs::exists(fs::path(folder) / name))
      fs::copy_file(fs::path(folder) / name, copy.file(name));
  }
  const auto found = query_sql(copy.file("asbb.db"),
                               "PRAGMA integrity_check;"
                               "SELECT (SELECT count(*) FROM budget_transactions) +"
                               " (SELECT count(*) FROM budget_transactions_archive);"
                               "SELECT count(*) FROM budget_holds;"
                               "SELECT count(*) FROM budget_hold_parts");
  if (found.size() != 4 || found[0] != "ok" || found[2] != found[3]) return -1;
  const std::int64_t entries = std::stoll(found[1]);
  // Holds and entries were written together.
  return std::stoll(found[2]) == std::max<std::int64_t>(entries - 1, 0) ? entries : -1;
}

class SqliteCrash : public testing::Test {
 protected:
  SqliteCrash() {
    fs::create_directory(folder_.file("live"));
    fs::create_directory(folder_.file("synced"));
    fs::create_directory(folder_.file("template"));
    const auto migrated = migrate_template();
    EXPECT_TRUE(migrated);
  }

  bool migrate_template() {
    const TemporaryFolder fresh;
    fs::copy_file(make_database(fresh), folder_.file("template/asbb.db"));
    return true;
  }

  // A store on an empty database, owned, with one commit behind it.
  void start() {
    store_.reset();
    for (const char* part : {"live", "synced"}) {
      for (const auto& entry : fs::directory_iterator(folder_.file(part))) fs::remove(entry);
      fs::copy_file(folder_.file("template/asbb.db"), folder_.file(part) + "/asbb.db");
    }
    SqliteOptions options;
    options.path = folder_.file("live/asbb.db");
    options.vfs = FaultyDisk::name();
    options.checkpoint_pages = 30;
    auto opened = SqliteStore::open(std::move(options));
    ASSERT_TRUE(opened.has_value()) << opened.error().message;
    store_ = std::move(*opened);
    ASSERT_TRUE(store_->own(0).has_value());
    acknowledged_ = 0;
    commit_well();
  }

  void commit_well() {
    const auto committed = store_->commit(batch_after(acknowledged_));
    ASSERT_TRUE(committed.has_value()) << committed.error().message;
    acknowledged_ += acknowledged_ == 0 ? 1 : holds_per_batch;
  }

  [[nodiscard]] std::int64_t as_written() const { return entries_in_copy_of(folder_.file("live")); }
  [[nodiscard]] std::int64_t after_power_cut() const {
    return entries_in_copy_of(folder_.file("synced"));
  }

  void check_definite_failure() const {
    EXPECT_EQ(as_written(), acknowledged_);
    EXPECT_EQ(after_power_cut(), acknowledged_);
  }

  // The batch may be there or not; after a reload the store and the files agree for good.
  void check_unknown_outcome() {
    EXPECT_GE(after_power_cut(), acknowledged_);
    EXPECT_FALSE(store_->commit(Batch{}).has_value()) << "a commit before the outcome is decided";
    disk_.heal();
    const auto loaded = store_->load(always);
    ASSERT_TRUE(loaded.has_value()) << loaded.error().message;
    const std::int64_t found = loaded->counters.entry;
    EXPECT_TRUE(found == acknowledged_ || found == acknowledged_ + holds_per_batch) << found;
    EXPECT_EQ(as_written(), found);
    EXPECT_EQ(after_power_cut(), found);
    acknowledged_ = found;
  }

  // Commits until the failure has struck; false when no operation had that number.
  bool strike(std::int64_t operation, DiskFailure failure, bool for_good) {
    disk_.fail_at(operation, failure, for_good);
    for (int step = 0; step < 8 && !disk_.has_failed(); ++step) {
      const auto committed = store_->commit(batch_after(acknowledged_));
      if (committed) {
        acknowledged_ += holds_per_batch;
        EXPECT_EQ(after_power_cut(), acknowledged_);
        continue;
      }
      EXPECT_TRUE(disk_.has_failed()) << committed.error().message;
      if (committed.error().kind == ErrorKind::unknown_outcome) {
        ++unknown_;
        check_unknown_outcome();
      } else {
        ++definite_;
        EXPECT_EQ(committed.error().kind, ErrorKind::unavailable) << committed.error().message;
        check_definite_failure();
      }
    }
    disk_.heal();
    return disk_.has_failed();
  }

  void fail_everywhere(DiskFailure failure, bool for_good) {
    std::int64_t operation = 1;
    for (bool struck = true; struck && !HasFailure(); ++operation) {
      SCOPED_TRACE("operation " + std::to_string(operation));
      start();
      struck = strike(operation, failure, for_good);
      commit_well();
      EXPECT_EQ(after_power_cut(), acknowledged_);
      EXPECT_EQ(as_written(), acknowledged_);
    }
    EXPECT_GT(operation, 60) << "too few operations to have met a checkpoint";
    EXPECT_GT(unknown_, 0);
  }

  TemporaryFolder folder_;
  FaultyDisk disk_{folder_.file("synced")};
  std::unique_ptr<SqliteStore> store_;
  std::int64_t acknowledged_ = 0;
  int definite_ = 0;
  int unknown_ = 0;
};

TEST_F(SqliteCrash, AFullDiskAtEveryStep) {
  fail_everywhere(DiskFailure::full, false);
  EXPECT_GT(definite_, 10);
}

TEST_F(SqliteCrash, ADiskThatStaysFull) {
  fail_everywhere(DiskFailure::full, true);
  EXPECT_GT(definite_, 10);
}

TEST_F(SqliteCrash, ATornWriteAtEveryStep) {
  fail_everywhere(DiskFailure::torn, true);
  EXPECT_GT(definite_, 10);
}

TEST_F(SqliteCrash, AFailureThatWasNoneAtEveryStep) {
  fail_everywhere(DiskFailure::ignored, false);
  EXPECT_EQ(definite_, 0);
}

// The service forgets answers on its own account and looks at no outcome.
TEST_F(SqliteCrash, AFailureWhileForgettingAnswersStopsNothing) {
  for (std::int64_t operation = 1; operation <= 40; ++operation) {
    SCOPED_TRACE("operation " + std::to_string(operation));
    start();
    Batch answers = batch_after(acknowledged_);
    answers.answers.push_back({"request-1", "digest", Instant{1}, "outcome"});
    ASSERT_TRUE(store_->commit(answers).has_value());
    acknowledged_ += holds_per_batch;
    disk_.fail_at(operation, DiskFailure::ignored, false);
    const auto forgotten = store_->forget_answers(Instant{2});
    const bool struck = disk_.has_failed();
    disk_.heal();
    if (!forgotten) {
      EXPECT_EQ(forgotten.error().kind, ErrorKind::unavailable);
    }
    commit_well();
    EXPECT_EQ(as_written(), acknowledged_);
    EXPECT_EQ(after_power_cut(), acknowledged_);
    if (!struck) return;
  }
  ADD_FAILURE() << "forgetting takes more operations than expected";
}

TEST_F(SqliteCrash, AFailureWhileArchivingLosesNothing) {
  for (std::int64_t operation = 1; operation <= 60; ++operation) {
    SCOPED_TRACE("operation " + std::to_string(operation));
    start();
    commit_well();
    disk_.fail_at(operation, DiskFailure::torn, false);
    const auto moved =
        store_->archive(Instant{std::numeric_limits<std::int64_t>::max()}, holds_per_batch);
    const bool struck = disk_.has_failed();
    disk_.heal();
    if (!moved) {
      EXPECT_EQ(moved.error().kind, ErrorKind::unavailable);
    }
    commit_well();
    EXPECT_EQ(as_written(), acknowledged_);
    EXPECT_EQ(after_power_cut(), acknowledged_);
    if (!struck) return;
  }
  ADD_FAILURE() << "archiving takes more operations than expected";
}

TEST_F(SqliteCrash, WhatIsAcknowledgedSurvivesAPowerCut) {
  start();
  for (int step = 0; step < 12; ++step) {
    commit_well();
    ASSERT_EQ(after_power_cut(), acknowledged_);
  }
}

}  // namespace
}  // namespace asbb::store
