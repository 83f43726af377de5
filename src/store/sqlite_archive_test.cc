// Entries that move into the archive: what reads them notices nothing, whatever stops the mover.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <limits>
#include <vector>

#include "store/sqlite_store.h"
#include "store/test_support.h"

namespace asbb::store {
namespace {

using ::testing::HasSubstr;

constexpr Instant always{std::numeric_limits<std::int64_t>::min()};
constexpr Instant for_ever{std::numeric_limits<std::int64_t>::max()};

std::vector<std::int64_t> sequences(const std::vector<ChainedEntry>& entries) {
  std::vector<std::int64_t> out;
  for (const ChainedEntry& chained : entries) out.push_back(chained.entry.sequence);
  return out;
}

class ArchiveTest : public testing::Test {
 protected:
  static std::unique_ptr<SqliteStore> owned_of(const std::string& path) {
    auto store = open_sqlite(path);
    const auto owned = store->own(5'000);
    EXPECT_TRUE(owned.has_value()) << owned.error().message;
    return store;
  }
  // Entries 1 to `count`, one second apart, of several accounts.
  std::unique_ptr<SqliteStore> filled(std::int64_t count) {
    auto store = owned_of(path_);
    for (std::int64_t number = 1; number <= count; ++number) {
      Batch batch = number == 1 ? first_batch() : hold_batch(number);
      batch.entries.front().entry.at = Instant::from_unix_seconds(number);
      if (number % 3 == 0) batch.entries.front().entry.account_name = "other";
      EXPECT_TRUE(store->commit(batch).has_value()) << number;
    }
    return store;
  }
  [[nodiscard]] std::int64_t count_in(const std::string& table) const {
    return std::stoll(query_sql(path_, "SELECT count(*) FROM " + table).at(0));
  }
  // Every entry is there once, whichever table has it, and the archive has the first of them.
  void expect_whole(std::int64_t count) {
    const auto store = open_sqlite(path_);
    EntryQuery all;
    all.count_max = 100'000;
    const auto found = store->entries(all);
    ASSERT_TRUE(found.has_value()) << found.error().message;
    ASSERT_EQ(static_cast<std::int64_t>(found->size()), count);
    for (std::int64_t i = 0; i < count; ++i) {
      ASSERT_EQ((*found)[static_cast<std::size_t>(i)].entry.sequence, i + 1);
    }
    EXPECT_EQ(query_sql(path_,
                        "SELECT count(*) FROM budget_transactions_archive AS a JOIN"
                        " budget_transactions AS b ON a.sequence >= b.sequence"),
              std::vector<std::string>{"0"});
  }

  TemporaryFolder folder_;
  const std::string path_ = make_database(folder_);
};

TEST_F(ArchiveTest, TheOldestMoveAFewAtATimeAndTheLastStays) {
  const auto store = filled(20);
  EXPECT_EQ(*store->archive(Instant::from_unix_seconds(8), 5), 5);
  EXPECT_EQ(*store->archive(Instant::from_unix_seconds(8), 5), 2);
  EXPECT_EQ(*store->archive(Instant::from_unix_seconds(8), 5), 0);
  EXPECT_EQ(count_in("budget_transactions_archive"), 7);
  EXPECT_EQ(*store->archive(for_ever, 1'000), 12);
  EXPECT_EQ(*store->archive(for_ever, 1'000), 0);
  EXPECT_EQ(count_in("budget_transactions"), 1);
  expect_whole(20);
}

TEST_F(ArchiveTest, WhatIsReadIsAsBefore) {
  const auto store = filled(30);
  std::vector<EntryQuery> queries(8);
  queries[1].account = "other";
  queries[2].newest_first = true;
  queries[2].count_max = 7;
  queries[3].after_sequence = 9;
  queries[3].before_sequence = 21;
  queries[3].count_max = 5;
  queries[4].hold = 12;
  queries[5].from = Instant::from_unix_seconds(5);
  queries[5].until = Instant::from_unix_seconds(25);
  queries[5].account = "proj001";
  queries[5].newest_first = true;
  queries[6].types = {make_entry(2).entry.type};
  queries[6].count_max = 11;
  queries[7].job_id = "12";
  std::vector<std::vector<std::int64_t>> before;
  for (const EntryQuery& query : queries) before.push_back(sequences(*store->entries(query)));
  EXPECT_EQ(before[0].size(), 30U);
  EXPECT_EQ(before[3].size(), 5U);
  const auto chains = store->entries({});
  for (const std::int64_t moved : {1, 4, 9, 15}) {
    ASSERT_EQ(*store->archive(for_ever, moved), moved);
    for (std::size_t i = 0; i < queries.size(); ++i) {
      EXPECT_EQ(sequences(*store->entries(queries[i])), before[i]) << i << " after " << moved;
    }
  }
  const auto after = store->entries({});
  for (std::size_t i = 0; i < chains->size(); ++i) {
    EXPECT_EQ((*after)[i].record, (*chains)[i].record);
    EXPECT_EQ((*after)[i].chain, (*chains)[i].chain);
    EXPECT_EQ((*after)[i].entry, (*chains)[i].entry);
  }
}

TEST_F(ArchiveTest, ALedgerOfWhichAllButTheLastWasMovedGoesOn) {
  {
    const auto store = filled(10);
    ASSERT_EQ(*store->archive(for_ever, 100), 9);
  }
  const auto store = owned_of(path_);
  const auto loaded = store->load(always);
  ASSERT_TRUE(loaded.has_value()) << loaded.error().message;
  EXPECT_EQ(loaded->counters.entry, 10);
  EXPECT_EQ(loaded->chain_head, make_entry(10).chain);
  EXPECT_TRUE(store->commit(hold_batch(11)).has_value());
  expect_whole(11);
}

TEST_F(ArchiveTest, OnlyTheOwnerMovesAnything) {
  const auto store = filled(5);
  const auto stranger = open_sqlite(path_);
  const auto moved = stranger->archive(for_ever, 5);
  ASSERT_FALSE(moved.has_value());
  EXPECT_EQ(moved.error().kind, ErrorKind::denied);
}

TEST_F(ArchiveTest, TheArchiveIsAppendOnlyForEveryone) {
  {
    const auto store = filled(6);
    ASSERT_EQ(*store->archive(for_ever, 3), 3);
  }
  const std::string archive = "budget_transactions_archive";
  for (const std::string& sql :
       {"UPDATE " + archive + " SET reason = 'x' WHERE sequence = 1",
        "DELETE FROM " + archive + " WHERE sequence = 3", "DELETE FROM " + archive,
        // Not the next one; not as it is there; gone without being kept.
        "INSERT INTO " + archive + " SELECT * FROM budget_transactions WHERE sequence = 5",
        "INSERT INTO " + archive + " SELECT * FROM " + archive + " WHERE sequence = 1",
        std::string("DELETE FROM budget_transactions WHERE sequence = 4"),
        std::string("DELETE FROM budget_transactions")}) {
    EXPECT_THAT(run_sql(path_, sql), HasSubstr("append-only")) << sql;
  }
  expect_whole(6);
}

// The child moves entries until it is killed.
void archive_for_ever(const std::string& path, int moved_to) {
  const auto store = open_sqlite(path);
  if (!store || !store->own(5'000)) ::_exit(2);
  while (true) {
    const auto moved = store->archive(for_ever, 3);
    if (!moved) ::_exit(3);
    const std::int64_t count = *moved;
    if (::write(moved_to, &count, sizeof count) != sizeof count) ::_exit(4);
  }
}

TEST_F(ArchiveTest, AKillBetweenTwoBatchesLosesNothing) {
  constexpr std::int64_t count = 400;
  (void)filled(count);
  std::int64_t least = 0;
  for (int round = 0; round < 6; ++round) {
    int pipe_ends[2];
    ASSERT_EQ(::pipe(pipe_ends), 0);
    const pid_t child = ::fork();
    if (child == 0) {
      ::close(pipe_ends[0]);
      archive_for_ever(path_, pipe_ends[1]);
    }
    ::close(pipe_ends[1]);
    std::int64_t moved = 0;
    int batches = 0;
    while (::read(pipe_ends[0], &moved, sizeof moved) == sizeof moved) {
      least += moved;
      if (++batches == 1 + round || moved == 0) ::kill(child, SIGKILL);
    }
    ::close(pipe_ends[0]);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status)) << "the child ended by itself with " << WEXITSTATUS(status);
    EXPECT_GE(count_in("budget_transactions_archive"), least);
    least = count_in("budget_transactions_archive");
    expect_whole(count);
  }
  EXPECT_GE(least, 3 * (1 + 2 + 3 + 4 + 5 + 6));
  const auto store = owned_of(path_);
  EXPECT_TRUE(store->commit(hold_batch(count + 1)).has_value());
  EXPECT_EQ(query_sql(path_, "PRAGMA integrity_check"), std::vector<std::string>{"ok"});
}

}  // namespace
}  // namespace asbb::store
