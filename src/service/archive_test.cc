// Old entries go to the archive while the service works, and the audit covers them still.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "service/committer_batch.h"
#include "service/testing/fixture.h"
#include "store/open_store.h"
#include "store/verify.h"

namespace asbb::service {
namespace {

using testing::at;
using ::testing::IsEmpty;
using testing::money;

constexpr store::ChainKey key{1, 2, 3};

class ArchivingTest : public ::testing::Test {
 protected:
  ArchivingTest() {
    std::string pattern = ::testing::TempDir() + "asbb-archive-XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
    const std::string path = folder_ + "/asbb.db";
    EXPECT_TRUE(store::migrate_database("sqlite", path, store::MigrateMode::apply));
    store_ = std::move(*store::open_store("sqlite", path));
  }
  ~ArchivingTest() override {
    batches_.reset();
    store_.reset();
    std::filesystem::remove_all(folder_);
  }
  void start(Span retention) {
    batches_.emplace(*store_, key, [this] { return now_; }, answers_max_usual, retention);
    const auto started = batches_->start(0);
    ASSERT_TRUE(started) << started.error().message;
    ledger::CreateAccount create;
    create.name = "proj001";
    create.budgets.push_back(
        {"USD", at("2025-01-01T00:00:00Z"), at("2026-01-01T00:00:00Z"), money("100"), Micros()});
    run(std::move(create));
  }
  void run(ledger::Action action) {
    ledger::Command command;
    command.context.actor = "tester";
    command.context.reason = "as a test wants it";
    command.action = std::move(action);
    std::vector<ledger::Command> commands;
    commands.push_back(std::move(command));
    const auto answers = batches_->decide(commands);
    ASSERT_TRUE(answers.at(0) && answers.at(0)->accepted());
  }
  void deposit_each_hour(int count) {
    for (int i = 0; i < count; ++i) {
      now_ = now_ + hours(1);
      run(ledger::Deposit{"proj001", "USD", money("1")});
      batches_->keep_house();
    }
  }
  void expect_sound(std::int64_t entries) {
    const auto snapshot = store_->load(now_);
    ASSERT_TRUE(snapshot);
    const auto verdict =
        store::verify_ledger(*store_, key, store::believed_of(*snapshot), store::KnownHeads{});
    ASSERT_TRUE(verdict) << verdict.error().message;
    EXPECT_THAT(verdict->problems, IsEmpty());
    EXPECT_EQ(verdict->entries, entries);
  }

  std::string folder_;
  Instant now_ = at("2025-06-01T00:00:00Z");
  std::unique_ptr<store::Store> store_;
  std::optional<BatchCommitter> batches_;
};

TEST_F(ArchivingTest, WhatIsOlderThanTheRetentionMovesAndVerifies) {
  start(hours(24));
  deposit_each_hour(100);
  // Two of the account, and of the deposits those of more than a day ago.
  EXPECT_EQ(batches_->archived(), 2 + 75);
  expect_sound(2 + 100);
  store::EntryQuery oldest;
  oldest.count_max = 3;
  const auto listed = store_->entries(oldest);
  ASSERT_TRUE(listed);
  EXPECT_EQ(listed->front().entry.sequence, 1);
  EXPECT_EQ(listed->front().entry.type, ledger::EntryType::account_create);
}

TEST_F(ArchivingTest, ABacklogMovesInSmallBatches) {
  start(hours(24));
  for (int i = 0; i < 600; ++i) run(ledger::Deposit{"proj001", "USD", money("0.01")});
  now_ = now_ + hours(48);
  batches_->keep_house();
  EXPECT_EQ(batches_->archived(), 256);
  batches_->keep_house();
  EXPECT_EQ(batches_->archived(), 256) << "the next ones wait a moment";
  now_ = now_ + milliseconds(100);
  batches_->keep_house();
  EXPECT_EQ(batches_->archived(), 512);
  now_ = now_ + milliseconds(100);
  batches_->keep_house();
  EXPECT_EQ(batches_->archived(), 601) << "the last entry stays";
  expect_sound(602);
}

TEST_F(ArchivingTest, WithoutARetentionNothingMoves) {
  start({});
  deposit_each_hour(100);
  EXPECT_EQ(batches_->archived(), 0);
  expect_sound(102);
}

}  // namespace
}  // namespace asbb::service
