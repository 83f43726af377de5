#include "slurm/queue_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

#include "slurm/test_files.h"

namespace asbb::slurm {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

QueueList read(const std::string& text, const std::string& cluster = "onprem") {
  QueueList list;
  list.cluster = cluster;
  read_queue(text, recorded_separator, list);
  return list;
}

std::vector<std::string> running_row() {
  return {"67108871",   "67108867",
          "1",          "N/A",
          "N/A",        "N/A",
          "1000",       "ada",
          "proj001",    "cpu",
          "normal",     "RUNNING",
          "None",       "1795298792",
          "1795298792", "1795298793",
          "1795299393", "10:00",
          "1",          "4",
          "cpu-1",      "cpu=4,node=1,billing=4",
          "1500M",      "0",
          "onprem",     "onprem,cloud",
          "onprem",     "asbb=token"};
}

std::string with(std::size_t column, const std::string& value) {
  return joined_with(running_row(), column, value);
}

TEST(QueueReader, ReadsEveryColumn) {
  const QueueList list = read(joined(running_row()));
  EXPECT_THAT(list.problems, IsEmpty());
  ASSERT_THAT(list.jobs, SizeIs(1));
  const QueueJob& job = list.jobs[0];
  EXPECT_EQ(job.cluster, "onprem");
  EXPECT_EQ(job.job_id, 67'108'871);
  EXPECT_EQ(job.array_job_id, 67'108'867);
  EXPECT_EQ(job.array_task_id, 1);
  EXPECT_EQ(job.het_job_id, 0);
  EXPECT_EQ(job.user_id, 1000u);
  EXPECT_EQ(job.user, "ada");
  EXPECT_EQ(job.account, "proj001");
  EXPECT_EQ(job.partition, "cpu");
  EXPECT_EQ(job.qos, "normal");
  EXPECT_EQ(job.status.base, JobState::running);
  EXPECT_EQ(job.submit.unix_seconds(), 1'795'298'792);
  EXPECT_EQ(job.start->unix_seconds(), 1'795'298'793);
  EXPECT_EQ(job.end->unix_seconds(), 1'795'299'393);
  EXPECT_EQ(job.time_limit_minutes, 10);
  EXPECT_EQ(job.node_count, 1);
  EXPECT_EQ(job.cpus, 4);
  EXPECT_EQ(job.allocated_tres, "cpu=4,node=1,billing=4");
  EXPECT_EQ(job.requested_tres, "");
  EXPECT_EQ(job.min_memory_mb, 1'500);
  EXPECT_EQ(job.restart_count, 0);
  EXPECT_EQ(job.federation_origin, "onprem");
  EXPECT_THAT(job.federation_siblings, ElementsAre("onprem", "cloud"));
  EXPECT_EQ(job.admin_comment, "asbb=token");
}

TEST(QueueReader, ACommentMayHoldAnything) {
  const std::string comment = std::string(10'000, 'x') + "|\n\t\x1f,\"'" + std::string("\0y", 2);
  const QueueList list = read(with(27, comment) + joined(running_row()));
  EXPECT_THAT(list.problems, IsEmpty());
  ASSERT_THAT(list.jobs, SizeIs(2));
  EXPECT_EQ(list.jobs[0].admin_comment, comment);
}

TEST(QueueReader, ABadRecordIsAProblemAndTheRestIsRead) {
  for (const auto& [column, value] :
       std::vector<std::pair<std::size_t, std::string>>{{0, "x"},
                                                        {0, ""},
                                                        {0, "-5"},
                                                        {6, "4294967296"},
                                                        {13, "Unknown"},
                                                        {13, "yesterday"},
                                                        {15, "1e9"},
                                                        {17, "nan:00"},
                                                        {17, "-1"},
                                                        {18, "two"},
                                                        {23, "1.5"},
                                                        {26, "cloud"}}) {
    const QueueList list = read(with(column, value) + joined(running_row()));
    EXPECT_THAT(list.jobs, SizeIs(1)) << column << " " << value;
    ASSERT_THAT(list.problems, SizeIs(1)) << column << " " << value;
    EXPECT_FALSE(list.is_evidence());
  }
}

TEST(QueueReader, AStateThatIsNotKnownIsKept) {
  const QueueList list = read(with(11, "MOLTEN"));
  EXPECT_THAT(list.problems, IsEmpty());
  ASSERT_THAT(list.jobs, SizeIs(1));
  EXPECT_EQ(list.jobs[0].status.base, JobState::unknown);
  EXPECT_FALSE(list.jobs[0].status.has_ended());
}

TEST(QueueReader, AnOutputThatIsCutShortIsNoEvidence) {
  const std::string text = joined(running_row()) + joined(running_row());
  QueueList list = read(text.substr(0, text.size() - 30));
  list.proven_operator = true;
  EXPECT_THAT(list.jobs, SizeIs(1));
  EXPECT_FALSE(list.is_evidence());
}

TEST(QueueReader, RowsOfOtherColumnsAreProblemsAndTheRestIsRead) {
  auto more = running_row();
  more.insert(more.begin() + 5, "foreign");
  auto fewer = running_row();
  fewer.erase(fewer.begin() + 5);
  for (const auto& foreign : {more, fewer, {"header"}}) {
    const QueueList list = read(joined(foreign) + joined(running_row()));
    EXPECT_THAT(list.jobs, SizeIs(1)) << foreign.size();
    EXPECT_THAT(list.problems, SizeIs(1)) << foreign.size();
    EXPECT_FALSE(list.is_evidence());
  }
}

TEST(QueueReader, AnEmptyListOfAnUnprovenReaderIsNoEvidence) {
  QueueList list = read("");
  EXPECT_THAT(list.jobs, IsEmpty());
  EXPECT_FALSE(list.is_evidence());
  list.proven_operator = true;
  EXPECT_TRUE(list.is_evidence());
}

TEST(QueueReader, TellsThePendingRestOfAnArrayFromItsTasks) {
  auto rest = running_row();
  rest[0] = rest[1];
  rest[2] = "5-90,95%4";
  rest[11] = "PENDING";
  rest[20] = "";
  auto last_one = rest;
  last_one[2] = "95";
  auto split_off = running_row();
  split_off[11] = "PENDING";
  const QueueList list = read(joined(rest) + joined(last_one) + joined(split_off));
  ASSERT_THAT(list.jobs, SizeIs(3));
  EXPECT_EQ(list.jobs[0].array_tasks, "5-90,95%4");
  EXPECT_EQ(list.jobs[0].array_task_id, std::nullopt);
  EXPECT_EQ(list.jobs[0].requested_tres, "cpu=4,node=1,billing=4");
  EXPECT_EQ(list.jobs[1].array_tasks, "95");
  EXPECT_EQ(list.jobs[2].array_tasks, "");
  EXPECT_EQ(list.jobs[2].array_task_id, 1);
}

RC_GTEST_PROP(QueueReader, AnyTextIsReadOrAProblem, (const std::string& text)) {
  const QueueList list = read(text);
  RC_ASSERT(list.jobs.empty());
  RC_ASSERT(text.empty() == list.problems.empty());
}

const QueueJob* named(const QueueList& list, const std::string& admin_comment) {
  const auto found = std::find_if(list.jobs.begin(), list.jobs.end(), [&](const QueueJob& job) {
    return job.admin_comment == admin_comment;
  });
  return found == list.jobs.end() ? nullptr : &*found;
}

TEST(RecordedQueue, IsReadWhole) {
  for (const std::string file :
       {"running/onprem", "running/cloud", "ended/onprem", "ended/cloud"}) {
    const std::string text = recorded(file + ".reader-squeue.txt");
    const QueueList list = read(text, file.substr(file.find('/') + 1));
    EXPECT_THAT(list.problems, IsEmpty()) << file;
    EXPECT_EQ(static_cast<std::ptrdiff_t>(list.jobs.size()),
              std::count(text.begin(), text.end(), '\n'))
        << file;
  }
}

TEST(RecordedQueue, HasEveryKindOfJob) {
  const QueueList list = read(recorded("running/onprem.reader-squeue.txt"));
  const QueueJob* held = named(list, "asbb:0192f0c0ffee-held");
  ASSERT_NE(held, nullptr);
  EXPECT_EQ(held->status.base, JobState::pending);
  EXPECT_EQ(held->eligible, std::nullopt);
  EXPECT_EQ(held->allocated_tres, "");
  EXPECT_THAT(held->requested_tres, HasSubstr("cpu=1"));
  const QueueJob* running = named(list, "asbb:0192f0c0ffee-running");
  ASSERT_NE(running, nullptr);
  EXPECT_EQ(running->time_limit_minutes, 30);
  EXPECT_THAT(running->nodes, HasSubstr("cpu-"));
  EXPECT_EQ(running->end->unix_seconds() - running->start->unix_seconds(), 30 * 60);
  const auto count = [&](auto&& is) {
    return std::count_if(list.jobs.begin(), list.jobs.end(), is);
  };
  EXPECT_GT(count([](const QueueJob& job) { return job.status.base == JobState::suspended; }), 0);
  EXPECT_GT(count([](const QueueJob& job) { return job.status.revoked; }), 0);
  EXPECT_EQ(count([](const QueueJob& job) { return job.array_tasks == "5-90:5,95%4"; }) +
                count([](const QueueJob& job) { return job.array_tasks == "5-95:5%4"; }),
            1);
  EXPECT_GT(count([](const QueueJob& job) { return job.het_job_offset == 1; }), 0);
  EXPECT_GT(count([](const QueueJob& job) { return job.restart_count == 1; }), 0);
  EXPECT_GT(count([](const QueueJob& job) { return job.partition == "cpu,big"; }), 0);
  EXPECT_GT(count([](const QueueJob& job) { return job.partition == "quiet"; }), 0);
  EXPECT_GT(count([](const QueueJob& job) { return job.user == "games" && job.user_id == 5; }), 0);
  EXPECT_NE(named(list, "an administrator's | note, \"quoted\" asbb:0192f0c0ffee"), nullptr);
}

TEST(RecordedQueue, WasAskedForAsTheReaderAsks) {
  expect_columns_recorded(queue_arguments("S"), "--Format=");
}

}  // namespace
}  // namespace asbb::slurm
