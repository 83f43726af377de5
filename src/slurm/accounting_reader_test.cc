#include "slurm/accounting_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

#include "base/token.h"
#include "slurm/test_files.h"

namespace asbb::slurm {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

AccountingList read(const std::string& text, const std::string& cluster = "onprem") {
  AccountingList list;
  list.cluster = cluster;
  read_accounting(text, recorded_separator, list);
  return list;
}

std::vector<std::string> row() {
  return {"17",
          "onprem",
          "67108874",
          "67108874",
          "ada",
          "1000",
          "proj001",
          "cpu",
          "normal",
          "CANCELLED by 5",
          "1795299116",
          "1795299117",
          "1795299118",
          "1795299128",
          "8",
          "00:00:02",
          "10",
          "1",
          "cpu-1",
          "billing=1,cpu=1,mem=4000M,node=1",
          "cpu=1",
          "3:9",
          "SchedMain,StartRecieved",
          "asbb=token"};
}

std::string with(std::size_t column, const std::string& value) {
  return joined_with(row(), column, value);
}

TEST(AccountingReader, ReadsEveryColumn) {
  const AccountingList list = read(joined(row()));
  EXPECT_THAT(list.problems, IsEmpty());
  ASSERT_THAT(list.records, SizeIs(1));
  const AccountingRecord& record = list.records[0];
  EXPECT_EQ(record.db_index, 17);
  EXPECT_EQ(record.job_id, 67'108'874);
  EXPECT_EQ(record.array_job_id, 0);
  EXPECT_EQ(record.user, "ada");
  EXPECT_EQ(record.user_id, 1000u);
  EXPECT_EQ(record.account, "proj001");
  EXPECT_EQ(record.partition, "cpu");
  EXPECT_EQ(record.status.base, JobState::cancelled);
  EXPECT_EQ(record.cancelled_by, 5u);
  EXPECT_EQ(record.submit.unix_seconds(), 1'795'299'116);
  EXPECT_EQ(record.eligible->unix_seconds(), 1'795'299'117);
  EXPECT_EQ(record.start->unix_seconds(), 1'795'299'118);
  EXPECT_EQ(record.end->unix_seconds(), 1'795'299'128);
  EXPECT_EQ(record.elapsed_seconds, 8);
  EXPECT_EQ(record.suspended_seconds, 2);
  EXPECT_EQ(record.time_limit_minutes, 10);
  EXPECT_EQ(record.nodes, "cpu-1");
  EXPECT_EQ(record.allocated_tres, "billing=1,cpu=1,mem=4000M,node=1");
  EXPECT_EQ(record.exit_code, 3);
  EXPECT_EQ(record.exit_signal, 9);
  EXPECT_EQ(record.admin_comment, "asbb=token");
}

TEST(AccountingReader, ReadsIdsOfArraysAndHetJobs) {
  const AccountingList list =
      read(with(3, "67108867_3") + with(3, "67108866_[5-90,95%4]") + with(3, "67108868+1"));
  ASSERT_THAT(list.records, SizeIs(3));
  EXPECT_EQ(list.records[0].array_job_id, 67'108'867);
  EXPECT_EQ(list.records[0].array_task_id, 3);
  EXPECT_EQ(list.records[1].array_tasks, "5-90,95%4");
  EXPECT_EQ(list.records[1].array_task_id, std::nullopt);
  EXPECT_EQ(list.records[2].het_job_id, 67'108'868);
  EXPECT_EQ(list.records[2].het_job_offset, 1);
}

TEST(AccountingReader, ABadRecordIsAProblemAndTheRestIsRead) {
  for (const auto& [column, value] : std::vector<std::pair<std::size_t, std::string>>{
           {0, ""},         {0, "x"},          {1, "cloud"},
           {2, "12.batch"}, {3, "12.extern"},  {3, "12_"},
           {3, "12_[]"},    {3, "12_x"},       {3, "12+x"},
           {5, "-1"},       {5, "4294967296"}, {9, "CANCELLED by ada"},
           {10, "Unknown"}, {10, "-1"},        {12, "2026-11-21T22:06:30"},
           {14, "-8"},      {14, ""},          {15, "UNLIMITED"},
           {15, "00:01.5"}, {16, "soon"},      {17, "x"},
           {21, "0"},       {21, "0:0:0"},     {21, "70000:0"}}) {
    const AccountingList list = read(with(column, value) + joined(row()));
    EXPECT_THAT(list.records, SizeIs(1)) << column << " " << value;
    ASSERT_THAT(list.problems, SizeIs(1)) << column << " " << value;
    EXPECT_THAT(list.problems[0], HasSubstr("sacct on onprem, job"));
  }
}

TEST(AccountingReader, AStateThatIsNotKnownIsKeptAndHasNotEnded) {
  const AccountingList list = read(with(9, "MOLTEN") + with(9, "") + joined(row()));
  EXPECT_THAT(list.problems, IsEmpty());
  ASSERT_THAT(list.records, SizeIs(3));
  EXPECT_EQ(list.records[0].status.text, "MOLTEN");
  EXPECT_FALSE(list.records[0].status.has_ended());
  EXPECT_FALSE(list.records[1].status.has_ended());
  EXPECT_TRUE(list.records[2].status.has_ended());
}

TEST(AccountingReader, AnOutputThatIsCutShortIsNoEvidence) {
  const std::string whole = joined(row()) + joined(row());
  for (std::size_t cut = 1; cut < joined(row()).size(); ++cut) {
    AccountingList list = read(whole.substr(0, whole.size() - cut));
    list.proven_operator = true;
    ASSERT_THAT(list.records, SizeIs(1)) << cut;
    ASSERT_FALSE(list.is_evidence()) << cut;
  }
}

TEST(AccountingReader, RowsOfOtherColumnsAreProblemsAndTheRestIsRead) {
  auto more = row();
  more.insert(more.begin() + 5, "foreign");
  auto fewer = row();
  fewer.erase(fewer.begin() + 5);
  for (const auto& foreign : {more, fewer, {"header"}}) {
    const AccountingList list = read(joined(foreign) + joined(row()));
    EXPECT_THAT(list.records, SizeIs(1)) << foreign.size();
    EXPECT_THAT(list.problems, SizeIs(1)) << foreign.size();
  }
}

TEST(AccountingReader, TextsMayHoldAnything) {
  const std::string comment = std::string(10'000, '|') + "\n" + std::string(1, '\0') + "\x1f";
  const AccountingList list = read(with(23, comment) + with(6, "a|b\nc") + joined(row()));
  EXPECT_THAT(list.problems, IsEmpty());
  ASSERT_THAT(list.records, SizeIs(3));
  EXPECT_EQ(list.records[0].admin_comment, comment);
  EXPECT_EQ(list.records[1].account, "a|b\nc");
}

TEST(AccountingReader, UnknownTimesAreNoTimes) {
  const AccountingList list = read(with(11, "Unknown") + with(12, "None") + with(13, "Unknown"));
  ASSERT_THAT(list.records, SizeIs(3));
  EXPECT_EQ(list.records[0].eligible, std::nullopt);
  EXPECT_EQ(list.records[1].start, std::nullopt);
  EXPECT_EQ(list.records[2].end, std::nullopt);
}

RC_GTEST_PROP(AccountingReader, AnyTextIsReadOrAProblem, (const std::string& text)) {
  const AccountingList list = read(text);
  RC_ASSERT(list.records.empty());
  RC_ASSERT(text.empty() == list.problems.empty());
}

AccountingRecord run_of(std::int64_t db_index, std::int64_t job_id, const std::string& state,
                        std::int64_t submit, std::int64_t start, std::int64_t end) {
  AccountingRecord record;
  record.db_index = db_index;
  record.job_id = job_id;
  record.status = parse_job_status(state);
  record.submit = Instant::from_unix_seconds(submit);
  record.start = Instant::from_unix_seconds(start);
  record.end = Instant::from_unix_seconds(end);
  record.elapsed_seconds = end - start;
  return record;
}

TEST(ArrangeRuns, CountsTheRunsOfEachJobAndDropsRowsThatCameTwice) {
  std::vector<AccountingRecord> records{
      run_of(9, 7, "COMPLETED", 30, 31, 40), run_of(3, 7, "REQUEUED", 10, 11, 20),
      run_of(5, 8, "COMPLETED", 10, 11, 20), run_of(6, 7, "NODE_FAIL", 20, 21, 30),
      run_of(3, 7, "REQUEUED", 10, 11, 20)};
  arrange_runs(records);
  ASSERT_THAT(records, SizeIs(4));
  EXPECT_EQ(records[0].run, 1);
  EXPECT_EQ(records[1].run, 1);
  EXPECT_EQ(records[2].run, 2);
  EXPECT_EQ(records[3].run, 3);
}

TEST(ArrangeRuns, AnIdThatCameBackIsAnotherJob) {
  const std::int64_t day = 86'400;
  std::vector<AccountingRecord> records{run_of(1, 7, "COMPLETED", 10, 11, 20),
                                        run_of(2, 7, "COMPLETED", 2 * day, 2 * day, 2 * day + 5),
                                        run_of(3, 8, "REQUEUED", 10, 11, 20),
                                        run_of(4, 8, "COMPLETED", 20, 21, 30)};
  records[3].user_id = 5;
  arrange_runs(records);
  for (const AccountingRecord& record : records) {
    EXPECT_EQ(record.run, 1) << record.db_index;
  }
}

// Its run had the number of the first one, and was taken for charged.
TEST(ArrangeRuns, AJobThatComesBackFromAnotherClusterAfterDaysIsTheSame) {
  const std::int64_t day = 86'400;
  std::vector<AccountingRecord> records{run_of(1, 7, "NODE_FAIL", 10, 11, 20),
                                        run_of(2, 7, "REVOKED", 20, 25, 25),
                                        run_of(3, 7, "COMPLETED", 3 * day, 3 * day, 3 * day + 5)};
  arrange_runs(records);
  EXPECT_EQ(records[2].run, 3);
}

// A job that never ended for slurmdbd has no token there.
TEST(ArrangeRuns, AJobThatWasAskedForSinceIsNoFurtherRunOfOneThatSlurmdbdHasNoEndOf) {
  const auto run_after_lost_one = [](std::int64_t asked_at) {
    std::vector<AccountingRecord> records{run_of(1, 7, "PENDING", 100, 100, 100),
                                          run_of(2, 7, "COMPLETED", 200, 201, 205)};
    records[0].start = records[0].end = std::nullopt;
    records[1].admin_comment = "asbb=" + make_token(Instant::from_unix_seconds(asked_at), {});
    arrange_runs(records);
    return records[1].run;
  };
  EXPECT_EQ(run_after_lost_one(200), 1);
  EXPECT_EQ(run_after_lost_one(103), 1);
  EXPECT_EQ(run_after_lost_one(100), 2);
  EXPECT_EQ(run_after_lost_one(50), 2) << "a submission that took a while";
}

// Seen on 22.05: the row after a resize is submitted at the resize, starts with the job, and its
// elapsed seconds count from there: 15 = 18 - 3 suspended, of which 9 belong to the row before it.
TEST(ArrangeRuns, ARowAfterAResizeDoesNotCountTimeTwice) {
  std::vector<AccountingRecord> records{
      run_of(1974, 7, "RESIZING", 1'795'299'429, 1'795'299'429, 1'795'299'438),
      run_of(1976, 7, "CANCELLED by 0", 1'795'299'438, 1'795'299'429, 1'795'299'447)};
  records[0].elapsed_seconds = 4;
  records[1].elapsed_seconds = 15;
  records[1].suspended_seconds = 3;
  arrange_runs(records);
  EXPECT_EQ(records[0].elapsed_seconds, 4);
  EXPECT_EQ(records[1].elapsed_seconds, 6);
  EXPECT_EQ(records[1].start->unix_seconds(), 1'795'299'438);
  EXPECT_EQ(records[1].run, 2);
  EXPECT_EQ(records[1].resizes, 1);
  EXPECT_EQ(records[1].restart_count(), 0);
  arrange_runs(records);
  EXPECT_EQ(records[1].elapsed_seconds, 6) << "arranging again changes nothing";
}

TEST(AccountingArguments, AskForEveryUsersRowsOfOneClusterInUtc) {
  const auto arguments = accounting_arguments("cloud",
                                              {{},
                                               Instant::from_unix_seconds(1'795'298'000),
                                               Instant::from_unix_seconds(1'795'299'000),
                                               true},
                                              recorded_separator);
  EXPECT_THAT(arguments, Contains("--clusters=cloud"));
  EXPECT_THAT(arguments, Contains("--allusers"));
  EXPECT_THAT(arguments, Contains("--duplicates"));
  EXPECT_THAT(arguments, Contains("--starttime=2026-11-21T21:53:20"));
  EXPECT_THAT(arguments, Contains("--endtime=2026-11-21T22:10:00"));
  EXPECT_THAT(arguments, Contains(HasSubstr("--state=BF,CA")));
  EXPECT_THAT(accounting_arguments("cloud", {{5, 6}, {}, {}, false}, recorded_separator),
              Contains("--jobs=5,6"));
}

std::vector<AccountingRecord> recorded_rows(const std::string& file, const std::string& cluster) {
  AccountingList list = read(recorded(file + ".reader-sacct.txt"), cluster);
  read_accounting(recorded(file + ".reader-sacct-ended.txt"), recorded_separator, list);
  EXPECT_THAT(list.problems, IsEmpty()) << file;
  arrange_runs(list.records);
  return list.records;
}

TEST(RecordedAccounting, HasTheJobsThatNeverBecameEligible) {
  const AccountingList plain = read(recorded("ended/onprem.reader-sacct.txt"));
  const auto is_held = [](const AccountingRecord& record) {
    return record.admin_comment == "asbb:0192f0c0ffee-held";
  };
  EXPECT_EQ(std::count_if(plain.records.begin(), plain.records.end(), is_held), 0);
  const auto all = recorded_rows("ended/onprem", "onprem");
  EXPECT_EQ(std::count_if(all.begin(), all.end(), is_held), 1);
}

TEST(RecordedAccounting, KeepsEveryRunAndEverySiblingApart) {
  const auto onprem = recorded_rows("ended/onprem", "onprem");
  const auto cloud = recorded_rows("ended/cloud", "cloud");
  const auto requeued = std::find_if(onprem.begin(), onprem.end(), [](const auto& record) {
    return record.status.requeued && record.run == 1;
  });
  ASSERT_NE(requeued, onprem.end());
  EXPECT_GT(requeued->elapsed_seconds, 0);
  const auto second = std::find_if(onprem.begin(), onprem.end(), [&](const auto& record) {
    return record.job_id == requeued->job_id && record.run == 2;
  });
  ASSERT_NE(second, onprem.end());
  EXPECT_GE(second->submit, *requeued->end);
  const auto revoked = std::find_if(onprem.begin(), onprem.end(),
                                    [](const auto& record) { return record.status.revoked; });
  ASSERT_NE(revoked, onprem.end());
  EXPECT_TRUE(std::any_of(cloud.begin(), cloud.end(), [&](const auto& record) {
    return record.job_id == revoked->job_id && !record.status.revoked;
  }));
}

TEST(RecordedAccounting, TimesAddUp) {
  for (const std::string cluster : {"onprem", "cloud"}) {
    for (const AccountingRecord& record : recorded_rows("ended/" + cluster, cluster)) {
      if (record.start && record.end) {
        const std::int64_t wall = record.end->unix_seconds() - record.start->unix_seconds();
        EXPECT_EQ(record.elapsed_seconds + record.suspended_seconds, wall) << record.job_id;
      } else {
        EXPECT_EQ(record.elapsed_seconds, 0) << record.job_id;
      }
      EXPECT_TRUE(record.status.has_ended() || record.status.revoked) << record.status.text;
    }
  }
}

TEST(RecordedAccounting, HasEveryKindOfEnd) {
  const auto rows = recorded_rows("ended/onprem", "onprem");
  const auto has = [&](JobState state) {
    return std::any_of(rows.begin(), rows.end(),
                       [&](const auto& record) { return record.status.base == state; });
  };
  EXPECT_TRUE(has(JobState::completed));
  EXPECT_TRUE(has(JobState::failed));
  EXPECT_TRUE(has(JobState::cancelled));
  EXPECT_TRUE(has(JobState::timeout));
  EXPECT_TRUE(has(JobState::node_fail));
  EXPECT_TRUE(std::any_of(rows.begin(), rows.end(),
                          [](const auto& record) { return record.status.resizing; }));
  EXPECT_TRUE(std::any_of(rows.begin(), rows.end(),
                          [](const auto& record) { return record.cancelled_by == 5u; }));
}

TEST(RecordedAccounting, WasAskedForAsTheReaderAsks) {
  expect_columns_recorded(accounting_arguments("c", {}, "S"), "--format=");
}

}  // namespace
}  // namespace asbb::slurm
