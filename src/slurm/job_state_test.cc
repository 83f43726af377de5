#include "slurm/job_state.h"

#include <gtest/gtest.h>

namespace asbb::slurm {
namespace {

TEST(JobStatus, KnowsTheEndsOfAJob) {
  for (const char* text :
       {"COMPLETED", "CANCELLED", "CANCELLED by 1000", "FAILED", "TIMEOUT", "NODE_FAIL",
        "PREEMPTED", "BOOT_FAIL", "DEADLINE", "OUT_OF_MEMORY", "REQUEUED", "RESIZING"}) {
    EXPECT_TRUE(parse_job_status(text).has_ended()) << text;
  }
}

TEST(JobStatus, KnowsWhatHasNotEnded) {
  for (const char* text : {"PENDING", "RUNNING", "SUSPENDED", "COMPLETING", "COMPLETED,COMPLETING",
                           "CONFIGURING", "REVOKED", "CANCELLED+REVOKED", "REQUEUE_HOLD",
                           "SPECIAL_EXIT", "STOPPED", "", "NEW_STATE", "completed", "by 5"}) {
    EXPECT_FALSE(parse_job_status(text).has_ended()) << text;
  }
}

TEST(JobStatus, ReadsOneWordAndSeveral) {
  EXPECT_EQ(parse_job_status("RUNNING").base, JobState::running);
  EXPECT_EQ(parse_job_status("CONFIGURING").base, JobState::running);
  EXPECT_EQ(parse_job_status("CANCELLED by 0").base, JobState::cancelled);
  const JobStatus both = parse_job_status("RUNNING,CONFIGURING");
  EXPECT_EQ(both.base, JobState::running);
  EXPECT_TRUE(both.configuring);
  const JobStatus revoked = parse_job_status("REVOKED");
  EXPECT_TRUE(revoked.revoked);
  EXPECT_EQ(revoked.base, JobState::unknown);
  EXPECT_TRUE(parse_job_status("PENDING+REQUEUE_HOLD").requeue_hold);
  EXPECT_TRUE(parse_job_status("STAGE_OUT").other_flag);
}

TEST(JobStatus, KeepsWhatItDoesNotKnow) {
  const JobStatus status = parse_job_status("MOLTEN");
  EXPECT_EQ(status.base, JobState::unknown);
  EXPECT_EQ(status.text, "MOLTEN");
  EXPECT_EQ(to_string(status.base), "unknown");
  EXPECT_EQ(to_string(JobState::out_of_memory), "out_of_memory");
}

}  // namespace
}  // namespace asbb::slurm
