// What has run dry and who is next, without a reconciler: proj001 and proj002 below lab.
#include "service/ladder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "service/testing/fixture.h"

namespace asbb::service {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::money;

config::Ladder to_cancel() {
  config::Ladder ladder;
  ladder.stop_new = ladder.cancel = true;
  return ladder;
}

TEST(LadderFor, TheNearestAccountThenThePartitionThenAll) {
  config::Enforcement all;
  all.accounts["lab"] = to_cancel();
  all.accounts["proj001"] = {};
  all.partitions["gpu-aws"].warn = true;
  EXPECT_EQ(ladder_for(all, {"proj001", "lab"}, "gpu-aws"), config::Ladder{});
  EXPECT_EQ(ladder_for(all, {"proj002", "lab"}, "gpu-aws"), to_cancel());
  EXPECT_EQ(ladder_for(all, {"proj003"}, "gpu-aws"), all.partitions["gpu-aws"]);
  EXPECT_EQ(ladder_for(all, {"proj003"}, "cpu"), all.ladder);
}

class PickTest : public testing::Fixture {
 protected:
  PickTest() { account("proj002", "lab", "50"); }

  ledger::Leg leg(const std::string& name) {
    return {ledger::Leg::Kind::budget, budget(name).id.value};
  }
  // One that would give back so much, and lacks so much.
  PayingJob job(std::int64_t id, const char* account, const char* gives_back,
                const char* lacks = "0") {
    PayingJob out;
    out.key = {"onprem", id, -1, 0, ""};
    out.account = account;
    out.start = now() + seconds(id);
    out.ladder = to_cancel();
    out.draws = {{"USD", {leg(account), leg("lab")}, money(lacks), money(gives_back)}};
    return out;
  }
  void spend(const char* account, const char* amount) {
    ASSERT_TRUE(run(ledger::Adjust{account, "USD", money(amount)}).accepted());
  }
  std::vector<DryLimit> dry(const std::vector<PayingJob>& jobs) {
    return committer_->read([&](const ledger::Book& book) { return find_dry(book, jobs); });
  }
  std::vector<std::int64_t> picked(const std::vector<PayingJob>& jobs,
                                   const ComingBack& back = {}) {
    std::vector<std::int64_t> out;
    for (const Pick& pick : pick_jobs(dry(jobs), jobs, back)) {
      out.push_back(jobs[pick.job].key.job_id);
    }
    return out;
  }
};

TEST_F(PickTest, NothingIsDryWithinTheMoney) {
  spend("proj001", "50");
  EXPECT_THAT(dry({job(7, "proj001", "1")}), IsEmpty());
  spend("proj001", "1");
  EXPECT_THAT(dry({}), IsEmpty()) << "nothing draws on it";
  const auto found = dry({job(7, "proj001", "1", "2"), job(8, "proj001", "1")});
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].account, "proj001");
  EXPECT_EQ(found[0].missing, money("3"));
  EXPECT_EQ(found[0].lacks, money("2"));
  EXPECT_EQ(found[0].jobs, 2);
  EXPECT_EQ(found[0].depth, 1);
}

TEST_F(PickTest, TheUncoveredFirstThenTheNewestOnlyAsManyAsItTakes) {
  spend("proj001", "55");
  EXPECT_THAT(picked({job(1, "proj001", "3"), job(2, "proj001", "3"), job(3, "proj001", "3")}),
              ElementsAre(3, 2));
  EXPECT_THAT(picked({job(1, "proj001", "2", "2"), job(2, "proj001", "3"), job(3, "proj001", "4")}),
              ElementsAre(1, 3));
  auto known = job(1, "proj001", "3");
  known.acted_on = true;
  EXPECT_THAT(picked({known, job(2, "proj001", "3"), job(3, "proj001", "1", "1")}),
              ElementsAre(1, 3, 2));
  EXPECT_THAT(picked({job(1, "proj001", "3"), job(2, "proj001", "3")},
                     {{name_of(leg("proj001")), money("4")}}),
              ElementsAre(2));
}

// A project's overrun is its own matter before it is its department's.
TEST_F(PickTest, AnotherProjectsJobOnlyWhenTheDepartmentStillLacksMoney) {
  spend("proj001", "55");
  ASSERT_TRUE(run(ledger::Withdraw{"lab", "USD", money("940")}).accepted());
  ASSERT_EQ(budget("lab").available(), money("5"));
  spend("proj002", "8");
  const auto found = dry({job(1, "proj001", "6"), job(2, "proj002", "3")});
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].account, "proj001");
  EXPECT_EQ(found[1].account, "lab");
  EXPECT_EQ(found[1].missing, money("3"));
  EXPECT_THAT(picked({job(1, "proj001", "6"), job(2, "proj002", "3")}), ElementsAre(1));
  spend("proj002", "4");
  EXPECT_THAT(picked({job(1, "proj001", "6"), job(2, "proj002", "3")}), ElementsAre(1, 2));
}

TEST_F(PickTest, ThePartitionsLimitBeforeTheBudgetAndOnlyItsJobs) {
  ASSERT_TRUE(run(ledger::SetPartitionLimit{"proj001", "USD", "gpu-aws", money("2")}).accepted());
  hold("1");
  const auto limit = committer_->read(
      [&](const ledger::Book& book) { return *book.limits_of(budget("proj001").id).front(); });
  auto there = job(1, "proj001", "0.4", "1.5");
  there.draws[0].legs.push_back({ledger::Leg::Kind::partition_limit, limit.id.value});
  spend("proj001", "49");
  const auto found = dry({there, job(2, "proj001", "1")});
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].partition, "gpu-aws");
  EXPECT_EQ(found[0].missing, money("0.5"));
  EXPECT_EQ(found[1].partition, "");
  EXPECT_EQ(found[1].missing, money("1.5"));
  EXPECT_THAT(picked({there, job(2, "proj001", "1")}), ElementsAre(1));
}

TEST_F(PickTest, WithinTheCreditOnlyWhereTheLadderSaysSo) {
  ledger::UpdateAccount update;
  update.name = "proj001";
  update.credit_limit = money("6");
  ASSERT_TRUE(run(update).accepted());
  spend("proj001", "55");
  auto lent = job(1, "proj001", "5");
  lent.ladder.credit = true;
  EXPECT_THAT(picked({lent}), IsEmpty());
  EXPECT_THAT(picked({job(1, "proj001", "5")}), ElementsAre(1));
  auto left = job(1, "proj001", "5");
  left.ladder = {.warn = true, .stop_new = true};
  EXPECT_THAT(picked({left}), IsEmpty());
  spend("proj001", "2");
  EXPECT_THAT(picked({lent}), ElementsAre(1));
}

}  // namespace
}  // namespace asbb::service
