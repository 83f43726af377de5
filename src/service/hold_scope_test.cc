#include "service/hold_scope.h"

#include <gtest/gtest.h>

namespace asbb::service {
namespace {

TEST(HoldScope, TasksReadBackAsTheyWereWritten) {
  for (const Tasks& tasks : {Tasks{}, Tasks{0}, Tasks{1, 2, 3, 7, 9, 10}}) {
    EXPECT_EQ(tasks_of_text(text_of_tasks(tasks)), tasks);
  }
  EXPECT_EQ(text_of_tasks({1, 2, 3, 7, 9, 10}), "1-3,7,9-10");
  EXPECT_FALSE(tasks_of_text("1-").has_value());
}

TEST(HoldScope, AnEmptyTextPaysForEverything) {
  EXPECT_EQ(to_text(HoldScope{}), "");
  EXPECT_TRUE(pays_for_run(scope_of(""), 5, "onprem", 3));
  EXPECT_TRUE(pays_for(scope_of("het"), -1));
}

TEST(HoldScope, NoTaskIsPaidByTwoAndNoneByNobody) {
  HoldScope left;
  for (const Tasks& leaving : {Tasks{3, 4, 5}, Tasks{7}, Tasks{0, 1}}) {
    HoldScope taken;
    taken.only = text_of_tasks(leaving);
    const HoldScope before = left;
    left = scope_of(to_text(without(before, leaving, {})));
    for (std::int64_t task = 0; task < 10; ++task) {
      if (!pays_for(before, task)) continue;
      EXPECT_NE(pays_for(left, task), pays_for(taken, task)) << task;
    }
  }
  EXPECT_EQ(to_text(left), "except=0-1,3-5,7");
}

TEST(HoldScope, RunsBeforeAChangeStayWhereTheyWere) {
  const RunCount two{2, {}};
  const HoldScope left = scope_of(to_text(without(HoldScope{}, {-1}, two)));
  HoldScope taken;
  taken.first_run = two;
  EXPECT_EQ(to_text(taken), "first_run=2");
  taken = scope_of(to_text(taken));
  for (std::int64_t run = 0; run < 4; ++run) {
    EXPECT_EQ(pays_for_run(left, -1, "onprem", run), run < 2);
    EXPECT_EQ(pays_for_run(taken, -1, "onprem", run), run >= 2);
  }
  EXPECT_TRUE(pays_for(taken, -1));
  EXPECT_FALSE(pays_for(left, -1));
  EXPECT_FALSE(pays_for_run(without(HoldScope{}, {-1}, {}), -1, "onprem", 0));
}

TEST(HoldScope, AFederationsClustersCountTheirRunsApart) {
  constexpr std::int64_t federated_id = 67'108'871;
  RunCount behind;
  count_run(behind, {"cloud", federated_id, -1, 1, ""});
  count_run(behind, {"cloud", federated_id, -1, 0, ""});
  count_run(behind, {"onprem", federated_id, -1, 0, ""});
  count_run(behind, {"gpu", federated_id, -1, -1, ""});
  HoldScope taken;
  taken.first_run = behind;
  EXPECT_EQ(to_text(taken), "first_run=cloud:2,onprem:1");
  taken = scope_of(to_text(taken));
  EXPECT_EQ(taken.first_run, behind);
  const HoldScope left = scope_of(to_text(without(HoldScope{}, {-1}, behind)));
  for (const auto& [cluster, count] :
       std::map<std::string, int>{{"cloud", 2}, {"onprem", 1}, {"gpu", 0}}) {
    for (std::int64_t run = 0; run < 4; ++run) {
      EXPECT_EQ(pays_for_run(left, -1, cluster, run), run < count) << cluster << run;
      EXPECT_EQ(pays_for_run(taken, -1, cluster, run), run >= count) << cluster << run;
    }
  }
}

TEST(HoldScope, AProposalReadsBackAsItWasWritten) {
  Proposal all;
  all.hold = ledger::HoldId{12};
  all.token = std::string(44, 'a');
  all.job = 67'108'865;
  all.tasks = "1-5,9";
  all.moves = true;
  all.account = "nih-r01";
  all.partition = "a,b";
  all.time_limit_minutes = slurm::unlimited;
  all.size = "1/4/cpu=4,mem=4000M,node=1";
  EXPECT_EQ(proposal_of(to_text(all)), all);
  EXPECT_EQ(proposal_of(to_text(Proposal{})), Proposal{});
  EXPECT_EQ(scope_of(to_text(all)).only, "1-5,9");
  EXPECT_FALSE(proposal_of("").has_value());
  EXPECT_FALSE(proposal_of("only=1").has_value());
  EXPECT_FALSE(proposal_of("changes").has_value());
}

TEST(HoldScope, AJobShowsAChangeOnlyWhenAllOfItIsThere) {
  slurm::QueueJob job;
  job.status = slurm::parse_job_status("PENDING");
  job.account = "proj001";
  job.partition = "a";
  job.time_limit_minutes = 60;
  job.node_count = job.cpus = 1;
  Proposal asked;
  EXPECT_TRUE(shows(job, asked));
  asked.time_limit_minutes = 120;
  EXPECT_FALSE(shows(job, asked));
  job.time_limit_minutes = 120;
  EXPECT_TRUE(shows(job, asked));
  asked.size = size_of(job);
  EXPECT_FALSE(shows(job, asked));
  job.cpus = 2;
  EXPECT_TRUE(shows(job, asked));
  asked.partition = "b,a";
  EXPECT_FALSE(shows(job, asked));
  job.status = slurm::parse_job_status("RUNNING");
  EXPECT_TRUE(shows(job, asked)) << "it runs in one of those that were asked for";
  asked.account = "Proj001";
  EXPECT_TRUE(shows(job, asked)) << "Slurm's account names have no case";
  asked.account = "other";
  EXPECT_FALSE(shows(job, asked));
}

}  // namespace
}  // namespace asbb::service
