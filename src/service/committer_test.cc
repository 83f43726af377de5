#include "service/committer.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "ledger/record.h"
#include "service/testing/fixture.h"
#include "store/fault_store.h"

namespace asbb::service {
namespace {

using testing::at;
using testing::money;

ledger::Command create_account(const std::string& name, const std::string& request_id = {}) {
  ledger::Command command;
  command.context.request_id = request_id;
  command.context.body_digest = name;
  ledger::CreateAccount create;
  create.name = name;
  create.budgets.push_back(
      {"USD", at("2025-01-01T00:00:00Z"), at("2026-01-01T00:00:00Z"), money("100"), Micros()});
  command.action = create;
  return command;
}

ledger::Command place_hold(const std::string& token, const char* amount) {
  ledger::Command command;
  command.context.request_id = token;
  ledger::PlaceHold place;
  place.account = "proj001";
  place.user = "alice";
  place.cluster = "onprem";
  place.partition = "gpu-aws";
  place.parts.push_back({"USD", money(amount), money(amount), 0});
  command.action = place;
  return command;
}

class CommitterFaults : public ::testing::Test {
 protected:
  Committer& start() {
    EXPECT_TRUE(committer_.start().has_value());
    EXPECT_TRUE(committer_.run(create_account("proj001")).has_value());
    return committer_;
  }

  std::string token() {
    return make_token(at("2025-06-01T12:00:00Z"), {static_cast<std::uint8_t>(++tokens_)});
  }

  Micros held() {
    return committer_.read([](const ledger::Book& book) {
      return book.budgets_of(book.account("proj001")->id).front()->held;
    });
  }

  store::FaultStore store_{std::make_unique<store::MemoryStore>()};
  Committer committer_{store_, store::ChainKey{}, [] { return at("2025-06-01T12:00:00Z"); },
                       CommitterOptions{}};
  int tokens_ = 0;
};

TEST_F(CommitterFaults, AFailedCommitChangesNothingAndTheNextOneWorks) {
  Committer& committer = start();
  store_.fail_commit(2, store::Fault::before);
  const std::string id = token();
  const auto failed = committer.run(place_hold(id, "10"));
  ASSERT_FALSE(failed.has_value());
  EXPECT_EQ(failed.error().kind, ErrorKind::unavailable);
  EXPECT_EQ(held(), Micros());
  EXPECT_FALSE(committer.is_healthy());
  const auto again = committer.run(place_hold(id, "10"));
  ASSERT_TRUE(again.has_value());
  EXPECT_TRUE(again->accepted());
  EXPECT_FALSE(again->replayed);
  EXPECT_EQ(held(), money("10"));
  EXPECT_TRUE(committer.is_healthy());
}

TEST_F(CommitterFaults, WhileNobodyWantsAnythingItTriesByItself) {
  Committer& committer = start();
  const auto mends_itself = [&] {
    for (int tenths = 0; tenths < 100 && !committer.is_healthy(); ++tenths) {
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
    return committer.is_healthy();
  };
  store_.fail_commit(2, store::Fault::before);
  store_.fail(store::Call::forget, 1, store::Fault::before);
  EXPECT_FALSE(committer.run(place_hold(token(), "10")).has_value());
  EXPECT_FALSE(committer.is_healthy());
  EXPECT_TRUE(mends_itself());
  EXPECT_EQ(store_.calls(store::Call::forget), 2);
  // what became of a commit is read again
  store_.fail_commit(3, store::Fault::after);
  store_.fail_load(2, store::Fault::before);
  const std::string id = token();
  EXPECT_FALSE(committer.run(place_hold(id, "10")).has_value());
  EXPECT_FALSE(committer.is_healthy());
  EXPECT_TRUE(mends_itself());
  EXPECT_EQ(held(), money("10"));
}

TEST_F(CommitterFaults, AnUnknownOutcomeThatWasWrittenIsAnsweredFromMemory) {
  Committer& committer = start();
  store_.fail_commit(2, store::Fault::after);
  const auto outcome = committer.run(place_hold(token(), "10"));
  ASSERT_TRUE(outcome.has_value());
  EXPECT_TRUE(outcome->accepted());
  EXPECT_EQ(held(), money("10"));
  EXPECT_TRUE(committer.is_healthy());
}

TEST_F(CommitterFaults, AnUnknownOutcomeThatWasLostIsNotGranted) {
  Committer& committer = start();
  store_.fail_commit(2, store::Fault::lost);
  const std::string id = token();
  const auto outcome = committer.run(place_hold(id, "10"));
  ASSERT_FALSE(outcome.has_value());
  EXPECT_EQ(outcome.error().kind, ErrorKind::unavailable);
  EXPECT_EQ(held(), Micros());
  EXPECT_TRUE(committer.run(place_hold(id, "10"))->accepted());
  EXPECT_EQ(held(), money("10"));
}

TEST_F(CommitterFaults, WithoutARequestIdAnUnknownOutcomeStaysUnknown) {
  Committer& committer = start();
  store_.fail_commit(2, store::Fault::after);
  const auto outcome = committer.run(create_account("proj002"));
  ASSERT_FALSE(outcome.has_value());
  EXPECT_EQ(outcome.error().kind, ErrorKind::unknown_outcome);
  committer.read([](const ledger::Book& book) { EXPECT_NE(book.account("proj002"), nullptr); });
}

TEST_F(CommitterFaults, AFailedReloadIsTriedAgain) {
  Committer& committer = start();
  store_.fail_commit(2, store::Fault::after);
  store_.fail_load(2, store::Fault::before);
  const std::string id = token();
  EXPECT_FALSE(committer.run(place_hold(id, "10")).has_value());
  EXPECT_FALSE(committer.is_healthy());
  const auto again = committer.run(place_hold(id, "10"));
  ASSERT_TRUE(again.has_value());
  EXPECT_TRUE(again->replayed);
  EXPECT_EQ(held(), money("10"));
  EXPECT_TRUE(committer.is_healthy());
}

TEST_F(CommitterFaults, AnotherOwnerStopsItForGood) {
  Committer& committer = start();
  store_.fail_commit(2, store::Fault::denied);
  const auto denied = committer.run(place_hold(token(), "10"));
  ASSERT_FALSE(denied.has_value());
  EXPECT_EQ(denied.error().kind, ErrorKind::denied);
  EXPECT_FALSE(committer.is_healthy());
  EXPECT_FALSE(committer.run(place_hold(token(), "10")).has_value());
  EXPECT_EQ(held(), Micros());
}

TEST_F(CommitterFaults, AFullQueueSaysSo) {
  Committer small(
      store_, store::ChainKey{}, [] { return at("2025-06-01T12:00:00Z"); },
      CommitterOptions{.queue_max = 0});
  ASSERT_TRUE(small.start().has_value());
  const auto refused = small.run(create_account("proj001"));
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().kind, ErrorKind::unavailable);
}

TEST_F(CommitterFaults, WhatWasCommittedIsThereForTheNextOwner) {
  start();
  const std::string id = token();
  ASSERT_TRUE(committer_.run(place_hold(id, "10"))->accepted());
  committer_.stop();
  Committer next(
      store_, store::ChainKey{}, [] { return at("2025-06-01T13:00:00Z"); }, CommitterOptions{});
  ASSERT_TRUE(next.start().has_value());
  const auto replayed = next.run(place_hold(id, "10"));
  ASSERT_TRUE(replayed.has_value());
  EXPECT_TRUE(replayed->replayed);
  EXPECT_FALSE(next.run(create_account("proj001"))->accepted());
}

class CommitterTest : public testing::Fixture {};

// As the simulation runs it: also what is asked for while an answer is given.
TEST(CommitterWithoutAThread, AnswersBeforeSubmitReturns) {
  store::MemoryStore store;
  CommitterOptions options;
  options.has_thread = false;
  Committer committer(store, store::ChainKey{}, [] { return at("2025-06-01T12:00:00Z"); }, options);
  ASSERT_TRUE(committer.start().has_value());
  std::vector<std::string> answered;
  const auto asks_again = [&](const Result<ledger::Outcome>& outcome) {
    answered.emplace_back(outcome && outcome->accepted() ? "first" : "refused");
    EXPECT_TRUE(committer.submit(create_account("proj002"), [&](const Result<ledger::Outcome>&) {
      answered.emplace_back("second");
    }));
  };
  ASSERT_TRUE(committer.submit(create_account("proj001"), asks_again));
  EXPECT_EQ(answered, (std::vector<std::string>{"first", "second"}));
  EXPECT_TRUE(committer.run(create_account("proj003")).has_value());
  committer.stop();
  EXPECT_FALSE(committer.submit(create_account("proj004"), [](const auto&) {}));
}

TEST_F(CommitterTest, ManyThreadsNeverOverspend) {
  constexpr int thread_count = 8;
  constexpr int tries_each = 50;
  std::atomic<int> granted{0};
  std::vector<std::string> tokens;
  for (int i = 0; i < thread_count * tries_each; ++i) tokens.push_back(token());
  std::vector<std::thread> threads;
  for (int t = 0; t < thread_count; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < tries_each; ++i) {
        const auto outcome = committer_->run(
            place_hold(tokens[static_cast<std::size_t>(t * tries_each + i)], "0.5"));
        if (outcome && outcome->accepted()) ++granted;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(granted, 100);
  expect_balance("50", "0");
}

TEST_F(CommitterTest, ClosedHoldsLeaveMemoryAndAreFoundAgain) {
  const std::string id = hold("1");
  const ledger::HoldId hold_id = find(id).id;
  EXPECT_TRUE(run(ledger::BindHold{hold_id, {"onprem", 7, now()}}).accepted());
  ledger::SettleShare settle;
  settle.hold = hold_id;
  settle.key = {"onprem", 7, -1, 0, ""};
  settle.unit = "USD";
  settle.actual = money("0.4");
  EXPECT_TRUE(run(settle).accepted());
  pass_time(hours(2));
  const auto forgotten = [&] {
    return committer_->read(
        [&](const ledger::Book& book) { return book.hold(hold_id) == nullptr; });
  };
  for (int i = 0; i < 300 && !forgotten(); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  EXPECT_TRUE(forgotten());
  EXPECT_EQ(find(id).status, ledger::HoldStatus::closed);
  const ledger::Outcome again = run(settle);
  EXPECT_TRUE(again.accepted());
  EXPECT_TRUE(again.replayed);
  settle.actual = money("0.5");
  EXPECT_EQ(run(settle).refusal, ledger::Refusal::settled_differently);
  expect_balance("0", "0.4");
}

TEST_F(CommitterTest, TheChainRunsOverEveryEntry) {
  (void)hold("1");
  (void)hold("2");
  const auto entries = store_.entries({});
  ASSERT_TRUE(entries.has_value());
  ASSERT_FALSE(entries->empty());
  store::ChainValue head{};
  std::int64_t sequence = 0;
  for (const store::ChainedEntry& entry : *entries) {
    EXPECT_EQ(entry.entry.sequence, ++sequence);
    EXPECT_EQ(entry.record, ledger::canonical_record(entry.entry));
    head = store::chain_next(store::ChainKey{1, 2, 3}, head, entry.record);
    EXPECT_EQ(entry.chain, head);
  }
}

}  // namespace
}  // namespace asbb::service
