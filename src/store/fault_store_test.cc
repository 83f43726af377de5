#include "store/fault_store.h"

#include <gtest/gtest.h>

#include <functional>
#include <map>

#include "store/memory_store.h"
#include "store/test_support.h"

namespace asbb::store {
namespace {

using std::chrono::milliseconds;

class FaultStoreTest : public testing::Test {
 protected:
  FaultStoreTest() { EXPECT_TRUE(store_.own(0).has_value()); }

  // What is really in the store below.
  std::size_t written() { return MemoryStore(disk_).entries({})->size(); }
  ErrorKind commit_kind(const Batch& batch) {
    const auto committed = store_.commit(batch);
    EXPECT_FALSE(committed.has_value());
    return committed ? ErrorKind::invalid : committed.error().kind;
  }

  std::shared_ptr<MemoryDisk> disk_ = std::make_shared<MemoryDisk>();
  FaultStore store_{std::make_unique<MemoryStore>(disk_), milliseconds(30)};
};

TEST_F(FaultStoreTest, BeforeWritesNothingAndSaysSo) {
  store_.fail_commit(1, Fault::before);
  EXPECT_EQ(commit_kind(first_batch()), ErrorKind::unavailable);
  EXPECT_EQ(written(), 0U);
  EXPECT_TRUE(store_.commit(first_batch()).has_value());
}

TEST_F(FaultStoreTest, LostWritesNothingAndDoesNotKnow) {
  store_.fail_commit(2, Fault::lost);
  ASSERT_TRUE(store_.commit(first_batch()).has_value());
  EXPECT_EQ(commit_kind(hold_batch(2)), ErrorKind::unknown_outcome);
  EXPECT_EQ(written(), 1U);
}

TEST_F(FaultStoreTest, AfterWritesAllAndDoesNotKnow) {
  store_.fail_commit(1, Fault::after);
  EXPECT_EQ(commit_kind(first_batch()), ErrorKind::unknown_outcome);
  EXPECT_EQ(written(), 1U);
}

TEST_F(FaultStoreTest, AfterDoesNotHideARefusalOfTheStoreBelow) {
  store_.fail_commit(1, Fault::after);
  EXPECT_EQ(commit_kind(hold_batch(2)), ErrorKind::broken);
}

TEST_F(FaultStoreTest, DeniedLastsUntilOwnedAgain) {
  store_.fail_commit(1, Fault::denied);
  EXPECT_EQ(commit_kind(first_batch()), ErrorKind::denied);
  EXPECT_EQ(commit_kind(first_batch()), ErrorKind::denied);
  EXPECT_EQ(written(), 0U);
  ASSERT_TRUE(store_.own(0).has_value());
  EXPECT_TRUE(store_.commit(first_batch()).has_value());
}

TEST_F(FaultStoreTest, SlowIsSlowAndWrites) {
  store_.fail_commit(1, Fault::slow);
  const auto begun = std::chrono::steady_clock::now();
  EXPECT_TRUE(store_.commit(first_batch()).has_value());
  EXPECT_GE(std::chrono::steady_clock::now() - begun, milliseconds(30));
  EXPECT_EQ(written(), 1U);
}

TEST_F(FaultStoreTest, LateHasWrittenWhenItWaits) {
  std::size_t written_then = 0;
  FaultStore late(std::make_unique<MemoryStore>(disk_), [&] { written_then = written(); });
  disk_->take_over();
  ASSERT_TRUE(late.own(0).has_value());
  late.fail_commit(1, Fault::late);
  EXPECT_TRUE(late.commit(first_batch()).has_value());
  EXPECT_EQ(written_then, 1U);
}

TEST_F(FaultStoreTest, WhoIsPushedAsideWhileItWaitsWritesNothing) {
  FaultStore slow(std::make_unique<MemoryStore>(disk_), [&] { disk_->take_over(); });
  disk_->take_over();
  ASSERT_TRUE(slow.own(0).has_value());
  slow.fail_commit(1, Fault::slow);
  const auto committed = slow.commit(first_batch());
  ASSERT_FALSE(committed.has_value());
  EXPECT_EQ(committed.error().kind, ErrorKind::denied);
  EXPECT_EQ(written(), 0U);
}

TEST_F(FaultStoreTest, EveryKindOfCallFailsAndWaits) {
  int waited = 0;
  FaultStore store(std::make_unique<MemoryStore>(), [&] { ++waited; });
  const std::map<Call, std::function<bool()>> calls{
      {Call::own, [&] { return store.own(0).has_value(); }},
      {Call::load, [&] { return store.load(Instant{}).has_value(); }},
      {Call::find, [&] { return store.find_holds({ledger::HoldId{1}, "", "", 0}).has_value(); }},
      {Call::forget, [&] { return store.forget_answers(Instant{}).has_value(); }}};
  ASSERT_TRUE(store.own(0).has_value());
  for (const auto& [kind, call] : calls) {
    const std::int64_t before = store.calls(kind);
    store.fail(kind, before + 1, Fault::before);
    store.fail(kind, before + 2, Fault::slow);
    store.fail(kind, before + 3, Fault::late);
    EXPECT_FALSE(call());
    const int waited_before = waited;
    EXPECT_TRUE(call() && call() && call());
    EXPECT_EQ(waited, waited_before + 2);
    EXPECT_EQ(store.calls(kind), before + 4);
  }
}

TEST_F(FaultStoreTest, LoadsFailApartFromCommits) {
  store_.fail_load(2, Fault::before);
  EXPECT_TRUE(store_.load(Instant{}).has_value());
  const auto failed = store_.load(Instant{});
  ASSERT_FALSE(failed.has_value());
  EXPECT_EQ(failed.error().kind, ErrorKind::unavailable);
  EXPECT_TRUE(store_.load(Instant{}).has_value());
  EXPECT_TRUE(store_.commit(first_batch()).has_value());
  EXPECT_EQ(store_.loads(), 3);
  EXPECT_EQ(store_.commits(), 1);
}

}  // namespace
}  // namespace asbb::store
