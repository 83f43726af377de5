// The contract of store.h, run against every adapter.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <thread>

#include "store/arbitrary.h"
#include "store/broken_rows.h"
#include "store/fault_store.h"
#include "store/memory_store.h"
#include "store/sqlite_store.h"
#include "store/test_support.h"

namespace asbb::store {
namespace {

constexpr Instant always{std::numeric_limits<std::int64_t>::min()};

// A place where a store keeps its rows, on which several stores can be opened.
class Place {
 public:
  Place() = default;
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  virtual ~Place() = default;
  virtual std::unique_ptr<Store> open() = 0;
  // What a service that does not honour the lock would do.
  virtual void take_over() = 0;
};

class MemoryPlace final : public Place {
 public:
  std::unique_ptr<Store> open() override { return std::make_unique<MemoryStore>(disk_); }
  void take_over() override { disk_->take_over(); }

 private:
  std::shared_ptr<MemoryDisk> disk_ = std::make_shared<MemoryDisk>();
};

class SqlitePlace final : public Place {
 public:
  std::unique_ptr<Store> open() override { return open_sqlite(path_); }
  void take_over() override {
    EXPECT_EQ(run_sql(path_, "UPDATE asbb_owner SET epoch = epoch + 1"), "");
  }

 private:
  TemporaryFolder folder_;
  std::string path_ = make_database(folder_);
};

// The wrapper without a fault must be no different from what it wraps.
template <typename Inside>
class FaultPlace final : public Place {
 public:
  std::unique_ptr<Store> open() override { return std::make_unique<FaultStore>(inside_.open()); }
  void take_over() override { inside_.take_over(); }

 private:
  Inside inside_;
};

struct Adapter {
  const char* name;
  std::function<std::unique_ptr<Place>()> make;
};

template <typename Kind>
Adapter adapter(const char* name) {
  return {name, [] { return std::unique_ptr<Place>(std::make_unique<Kind>()); }};
}

class StoreContract : public testing::TestWithParam<Adapter> {
 protected:
  std::unique_ptr<Place> place_ = GetParam().make();

  std::unique_ptr<Store> owned() {
    auto store = place_->open();
    const auto owned = store->own(0);
    EXPECT_TRUE(owned.has_value()) << owned.error().message;
    return store;
  }
};

INSTANTIATE_TEST_SUITE_P(Adapters, StoreContract,
                         testing::Values(adapter<MemoryPlace>("memory"),
                                         adapter<SqlitePlace>("sqlite"),
                                         adapter<FaultPlace<MemoryPlace>>("fault_memory"),
                                         adapter<FaultPlace<SqlitePlace>>("fault_sqlite")),
                         [](const auto& tested) { return std::string(tested.param.name); });

void expect_kind(const Result<void>& result, ErrorKind kind) {
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().kind, kind) << result.error().message;
  EXPECT_FALSE(result.error().message.empty());
}

void expect_committed(Store& store, const Batch& batch) {
  const auto committed = store.commit(batch);
  ASSERT_TRUE(committed.has_value()) << committed.error().message;
}

std::vector<std::int64_t> sequences(Store& store, const EntryQuery& query = {}) {
  const auto found = store.entries(query);
  EXPECT_TRUE(found.has_value()) << found.error().message;
  std::vector<std::int64_t> out;
  for (const ChainedEntry& chained : *found) out.push_back(chained.entry.sequence);
  return out;
}

using Sequences = std::vector<std::int64_t>;

// Everything the store can be asked for is what the model has.
void compare(Store& store, const Model& model, const EntryQuery& query) {
  const auto loaded = store.load(always);
  RC_ASSERT(loaded.has_value());
  RC_ASSERT(is_same(*loaded, model.snapshot(always)));
  const auto later = store.load(Instant{1});
  RC_ASSERT(later.has_value());
  RC_ASSERT(later->answers == model.snapshot(Instant{1}).answers);
  const auto page = store.entries(query);
  RC_ASSERT(page.has_value());
  RC_ASSERT(is_same(*page, model.find(query)));
  for (const auto& [id, hold] : model.holds) {
    HoldQuery by_id;
    by_id.id = id;
    const auto found = store.find_holds(by_id);
    RC_ASSERT(found.has_value());
    RC_ASSERT(found->size() == 1U);
    RC_ASSERT(found->front().hold == hold);
    RC_ASSERT(found->front().shares == model.shares_of(id));
  }
}

TEST_P(StoreContract, LoadsWhatWasCommitted) {
  const bool passed =
      rc::check("any batches are loaded as they were committed, also by the next owner", [] {
        const auto place = GetParam().make();
        Model model;
        for (int owner = 0; owner < 2; ++owner) {
          const auto store = place->open();
          RC_ASSERT(store->own(0).has_value());
          for (int step = 0; step < 3; ++step) {
            const Batch batch = arbitrary_batch(model);
            const auto committed = store->commit(batch);
            if (!committed) RC_FAIL(committed.error().message);
            model.apply(batch);
            compare(*store, model, arbitrary_query(model));
          }
        }
      });
  EXPECT_TRUE(passed);
}

TEST_P(StoreContract, IsEmptyAtFirst) {
  const auto store = owned();
  const auto loaded = store->load(always);
  ASSERT_TRUE(loaded.has_value());
  EXPECT_TRUE(is_same(*loaded, Snapshot{}));
  EXPECT_EQ(sequences(*store), Sequences{});
  EXPECT_TRUE(store->ping().has_value());
}

TEST_P(StoreContract, AnEmptyBatchIsCommitted) {
  const auto store = owned();
  expect_committed(*store, Batch{});
}

TEST_P(StoreContract, SequencesFollowWithoutAGap) {
  const auto store = owned();
  Batch gap = first_batch();
  gap.entries.front() = make_entry(2);
  expect_kind(store->commit(gap), ErrorKind::broken);
  expect_committed(*store, first_batch());
  Batch again;
  again.entries.push_back(make_entry(1));
  expect_kind(store->commit(again), ErrorKind::broken);
  Batch middle;
  middle.entries = {make_entry(2), make_entry(4)};
  expect_kind(store->commit(middle), ErrorKind::broken);
  EXPECT_EQ(sequences(*store), Sequences{1});
  expect_committed(*store, hold_batch(2));
  EXPECT_EQ(sequences(*store), (Sequences{1, 2}));
}

TEST_P(StoreContract, ABrokenConstraintWritesNothing) {
  const auto store = owned();
  expect_committed(*store, first_batch());
  expect_committed(*store, full_batch(2));
  const auto before = store->load(always);
  ASSERT_TRUE(before.has_value());
  for (const Breakage& breakage : breakages()) {
    SCOPED_TRACE(breakage.what);
    Batch batch = full_batch(3);
    // Good changes that must go back as well.
    batch.accounts[0].display_name = "changed";
    batch.prices.push_back({2, Instant{3}, Instant{4}, "more"});
    breakage.apply(batch);
    expect_kind(store->commit(batch), ErrorKind::broken);
    const auto after = store->load(always);
    ASSERT_TRUE(after.has_value());
    EXPECT_TRUE(is_same(*before, *after));
    EXPECT_EQ(sequences(*store), (Sequences{1, 2}));
  }
  expect_committed(*store, full_batch(3));
}

TEST_P(StoreContract, RowsOfABatchMayReferToLaterOnes) {
  const auto store = owned();
  Batch batch = first_batch();
  ledger::Account parent;
  parent.id = ledger::AccountId{2};
  parent.name = "nih-r01";
  batch.accounts[0].parent = parent.id;
  batch.accounts.push_back(parent);
  expect_committed(*store, batch);
}

TEST_P(StoreContract, AKeyOfACallerMayNameAClosedHoldAgain) {
  const auto store = owned();
  expect_committed(*store, first_batch());
  Batch first = hold_batch(2);
  first.holds[0].kind = ledger::HoldKind::external;
  expect_committed(*store, first);
  Batch second = hold_batch(3);
  second.holds[0].kind = ledger::HoldKind::external;
  second.holds[0].request_id = first.holds[0].request_id;
  expect_kind(store->commit(second), ErrorKind::broken);
  first.holds[0].status = ledger::HoldStatus::closed;
  second.holds.insert(second.holds.begin(), first.holds[0]);
  expect_committed(*store, second);
  HoldQuery query;
  query.request_id = first.holds[0].request_id;
  const auto found = store->find_holds(query);
  ASSERT_TRUE(found.has_value());
  ASSERT_EQ(found->size(), 2U);
  EXPECT_EQ(found->back().hold, second.holds[1]);
}

TEST_P(StoreContract, FindsHoldsInThreeWays) {
  const auto store = owned();
  expect_committed(*store, first_batch());
  Batch newer = full_batch(2);
  newer.holds[0].job = ledger::JobRef{"onprem", 1234, Instant::from_unix_seconds(2)};
  newer.holds[0].status = ledger::HoldStatus::closed;
  expect_committed(*store, newer);
  Batch older = hold_batch(3);
  older.holds[0].job = ledger::JobRef{"onprem", 1234, Instant::from_unix_seconds(1)};
  Batch elsewhere = hold_batch(4);
  elsewhere.holds[0].job = ledger::JobRef{"cloud", 1234, Instant::from_unix_seconds(1)};
  expect_committed(*store, older);
  expect_committed(*store, elsewhere);

  HoldQuery by_job;
  by_job.cluster = "onprem";
  by_job.job_id = 1234;
  const auto jobs = store->find_holds(by_job);
  ASSERT_TRUE(jobs.has_value());
  ASSERT_EQ(jobs->size(), 2U);
  EXPECT_EQ((*jobs)[0].hold, older.holds[0]);
  EXPECT_EQ((*jobs)[1].hold, newer.holds[0]);
  EXPECT_EQ((*jobs)[1].shares, newer.shares);

  HoldQuery by_request;
  by_request.request_id = "token-4";
  const auto requested = store->find_holds(by_request);
  ASSERT_TRUE(requested.has_value());
  ASSERT_EQ(requested->size(), 1U);
  EXPECT_EQ(requested->front().hold, elsewhere.holds[0]);

  HoldQuery by_id;
  by_id.id = ledger::HoldId{2};
  EXPECT_EQ(store->find_holds(by_id)->front().hold, newer.holds[0]);
  by_id.id = ledger::HoldId{77};
  EXPECT_TRUE(store->find_holds(by_id)->empty());
}

TEST_P(StoreContract, AHoldIsSoughtInOneWay) {
  const auto store = owned();
  HoldQuery both;
  both.id = ledger::HoldId{1};
  both.request_id = "token-1";
  HoldQuery half;
  half.cluster = "onprem";
  for (const HoldQuery& query : {HoldQuery{}, both, half}) {
    const auto found = store->find_holds(query);
    ASSERT_FALSE(found.has_value());
    EXPECT_EQ(found.error().kind, ErrorKind::invalid);
  }
}

TEST_P(StoreContract, LoadsOpenHoldsOnly) {
  const auto store = owned();
  expect_committed(*store, first_batch());
  expect_committed(*store, full_batch(2));
  Batch open = hold_batch(3);
  expect_committed(*store, open);
  Batch closed;
  closed.holds = full_batch(2).holds;
  closed.holds[0].status = ledger::HoldStatus::closed;
  expect_committed(*store, closed);
  const auto loaded = store->load(always);
  ASSERT_TRUE(loaded.has_value());
  EXPECT_EQ(loaded->holds, open.holds);
  EXPECT_TRUE(loaded->shares.empty());
  EXPECT_EQ(loaded->counters.hold, 3);
  EXPECT_EQ(loaded->counters.share, 1);
}

TEST_P(StoreContract, PagesThroughEntriesBothWays) {
  const auto store = owned();
  Batch batch = first_batch();
  for (std::int64_t sequence = 2; sequence <= 10; ++sequence) {
    batch.entries.push_back(make_entry(sequence));
  }
  expect_committed(*store, batch);
  EntryQuery query;
  query.count_max = 4;
  EXPECT_EQ(sequences(*store, query), (Sequences{1, 2, 3, 4}));
  query.after_sequence = 8;
  EXPECT_EQ(sequences(*store, query), (Sequences{9, 10}));
  query.after_sequence = 0;
  query.newest_first = true;
  EXPECT_EQ(sequences(*store, query), (Sequences{10, 9, 8, 7}));
  query.before_sequence = 7;
  EXPECT_EQ(sequences(*store, query), (Sequences{6, 5, 4, 3}));
  query.after_sequence = 5;
  EXPECT_EQ(sequences(*store, query), (Sequences{6}));
}

TEST_P(StoreContract, PagesAreOfASaneSize) {
  const auto store = owned();
  for (const std::int64_t count : {0, -1, 100'001}) {
    EntryQuery query;
    query.count_max = count;
    const auto found = store->entries(query);
    ASSERT_FALSE(found.has_value()) << count;
    EXPECT_EQ(found.error().kind, ErrorKind::invalid);
  }
}

TEST_P(StoreContract, ForgetsOldAnswersOnly) {
  const auto store = owned();
  Batch batch;
  batch.answers = {{"a", "x", Instant{10}, "y"}, {"b", "x", Instant{11}, "y"}};
  expect_committed(*store, batch);
  ASSERT_TRUE(store->forget_answers(Instant{11}).has_value());
  const auto loaded = store->load(always);
  ASSERT_TRUE(loaded.has_value());
  ASSERT_EQ(loaded->answers.size(), 1U);
  EXPECT_EQ(loaded->answers[0].request_id, "b");
}

TEST_P(StoreContract, OnlyTheOwnerWrites) {
  const auto stranger = place_->open();
  expect_kind(stranger->commit(first_batch()), ErrorKind::denied);
  expect_kind(stranger->forget_answers(Instant{1}), ErrorKind::denied);
  const auto store = owned();
  expect_committed(*store, first_batch());
  expect_kind(stranger->commit(hold_batch(2)), ErrorKind::denied);
  // Reading is free.
  EXPECT_EQ(sequences(*stranger), Sequences{1});
  const auto loaded = stranger->load(always);
  ASSERT_TRUE(loaded.has_value());
  EXPECT_EQ(loaded->counters.entry, 1);
}

TEST_P(StoreContract, ASecondOwnerIsRefusedAndThenTakesOver) {
  auto first = owned();
  expect_committed(*first, first_batch());
  const auto second = place_->open();
  expect_kind(second->own(0), ErrorKind::unavailable);
  expect_kind(second->own(50), ErrorKind::unavailable);
  first.reset();
  ASSERT_TRUE(second->own(0).has_value());
  expect_committed(*second, hold_batch(2));
  EXPECT_EQ(sequences(*second), (Sequences{1, 2}));
}

TEST_P(StoreContract, AWaitingOwnerTakesOverSoon) {
  using Clock = std::chrono::steady_clock;
  auto first = owned();
  const auto second = place_->open();
  Clock::time_point closed;
  std::thread closer([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    first.reset();
    closed = Clock::now();
  });
  const auto owned = second->own(10'000);
  const auto taken = Clock::now();
  closer.join();
  ASSERT_TRUE(owned.has_value()) << owned.error().message;
  EXPECT_LT(taken - closed, std::chrono::seconds(2));
  expect_committed(*second, first_batch());
}

TEST_P(StoreContract, AnOldEpochIsDenied) {
  const auto store = owned();
  expect_committed(*store, first_batch());
  place_->take_over();
  expect_kind(store->commit(hold_batch(2)), ErrorKind::denied);
  expect_kind(store->commit(Batch{}), ErrorKind::denied);
  expect_kind(store->forget_answers(Instant{1}), ErrorKind::denied);
  EXPECT_EQ(sequences(*store), Sequences{1});
  ASSERT_TRUE(store->own(0).has_value());
  expect_committed(*store, hold_batch(2));
}

TEST_P(StoreContract, ReadersDoNotDisturbTheWriter) {
  const auto store = owned();
  expect_committed(*store, first_batch());
  std::atomic<bool> stop = false;
  std::atomic<int> torn = 0;
  std::vector<std::thread> readers;
  for (int i = 0; i < 3; ++i) {
    readers.emplace_back([&] {
      while (!stop) {
        EntryQuery newest;
        newest.newest_first = true;
        newest.count_max = 1;
        const auto found = store->entries(newest);
        if (!found || found->size() != 1 || !store->ping()) {
          ++torn;
          continue;
        }
        const std::int64_t last = found->front().entry.sequence;
        if (last == 1) continue;
        HoldQuery query;
        query.id = ledger::HoldId{last};
        const auto hold = store->find_holds(query);
        if (!hold || hold->size() != 1) ++torn;
      }
    });
  }
  for (std::int64_t number = 2; number <= 60; ++number) {
    const auto committed = store->commit(hold_batch(number));
    EXPECT_TRUE(committed.has_value()) << committed.error().message;
  }
  stop = true;
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(torn, 0);
}

}  // namespace
}  // namespace asbb::store
