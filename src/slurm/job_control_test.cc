// What is run for each thing that is done to a job.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "slurm/job_control_commands.h"
#include "slurm/scripted_client.h"

namespace asbb::slurm {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

struct JobControlTest : testing::Test {
  ScriptedClient client;
  JobControlCommands control{client, {{"onprem", "/etc/slurm/slurm.conf", ""}}};
};

TEST_F(JobControlTest, RunsSlurmsOwnCommands) {
  client.answer({"scontrol"}, "");
  client.answer({"scancel"}, "");
  EXPECT_TRUE(control.requeue_held("onprem", "7"));
  EXPECT_TRUE(control.move("onprem", "7_3", "cpu"));
  EXPECT_TRUE(control.release("onprem", "7"));
  EXPECT_TRUE(control.signal("onprem", "7", "USR1"));
  EXPECT_TRUE(control.cancel("onprem", "67108865_12"));
  EXPECT_THAT(client.asked,
              ElementsAre(ElementsAre("scontrol", "requeuehold", "7"),
                          ElementsAre("scontrol", "update", "JobId=7_3", "Partition=cpu"),
                          ElementsAre("scontrol", "release", "7"),
                          ElementsAre("scancel", "--full", "--signal=USR1", "7"),
                          ElementsAre("scancel", "67108865_12")));
}

TEST_F(JobControlTest, SaysWhatSlurmSaid) {
  client.refuse({"scancel"}, "scancel ended with code 1: Access denied.");
  const auto refused = control.cancel("onprem", "7");
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("Access denied"));
  EXPECT_EQ(control.cancel("cloud", "7").error().kind, ErrorKind::not_found);
}

// scancel without a job, or with a list, could mean every job of somebody.
TEST_F(JobControlTest, NamesOneJobAndNothingElse) {
  for (const char* job :
       {"", "0", "-1", "7,8", "7 8", "7_", "7_[1-3]", "_3", "--user=alice", "7+1"}) {
    EXPECT_EQ(control.cancel("onprem", job).error().kind, ErrorKind::invalid) << job;
  }
  EXPECT_EQ(control.move("onprem", "7", "cpu Account=root").error().kind, ErrorKind::invalid);
  EXPECT_EQ(control.signal("onprem", "7", "").error().kind, ErrorKind::invalid);
  EXPECT_TRUE(client.asked.empty());
}

}  // namespace
}  // namespace asbb::slurm
