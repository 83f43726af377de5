#include "store/fault_store.h"

#include <gtest/gtest.h>

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
