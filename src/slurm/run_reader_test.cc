#include "slurm/run_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "slurm/process.h"
#include "slurm/scripted_client.h"

namespace asbb::slurm {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const Instant day = Instant::from_unix_seconds(1'748'736'000);  // 2025-06-01

// Seconds since `day`, as sacct prints them here.
std::string at(std::int64_t second) {
  return std::to_string(day.unix_seconds() + second);
}

// id, raw id, state, submit, eligible, start, end, elapsed, limit in minutes
std::string row(const std::vector<std::string>& of, const std::string& separator = "|") {
  std::string out;
  for (const std::string& field :
       {of[1], of[0], std::string("alice"), std::string("proj001"), std::string("cpu"), of[2],
        of[3], of[4], of[5], of[6], of[7], of[8], std::string("4")}) {
    out += field + separator;
  }
  return out + "\n";
}

EndedRuns read(const std::string& text) {
  EndedRuns out;
  read_ended_runs_text(text, "|", day, day + hours(24), out);
  return out;
}

TEST(RunReader, ReadsWaitUsedAndAskedTime) {
  const auto out =
      read(row({"7_3", "9", "COMPLETED", at(0), at(10), at(70), at(670), "600", "60"}));
  EXPECT_THAT(out.problems, IsEmpty());
  ASSERT_THAT(out.runs, SizeIs(1));
  EXPECT_EQ(out.runs[0], (EndedRun{"7_3", "alice", "proj001", "cpu", day + seconds(70),
                                   day + seconds(670), 60, 600, 3600, 4}));
}

TEST(RunReader, AComponentOfAHetJobIsNamedByItsOwnNumber) {
  const auto out = read(row({"7+1", "8", "FAILED", at(0), at(0), at(1), at(2), "1", "UNLIMITED"}));
  ASSERT_THAT(out.runs, SizeIs(1));
  EXPECT_EQ(out.runs[0].job, "8");
  EXPECT_FALSE(out.runs[0].limit_seconds.has_value());
}

TEST(RunReader, LeavesOutWhatDidNotEndInTheWindowOrNeverBegan) {
  const std::string text =
      row({"1", "1", "COMPLETED", at(-90), at(-90), at(-80), at(-1), "79", "5"}) +
      row({"2", "2", "COMPLETED", at(0), at(0), at(0), at(0), "0", "5"}) +
      row({"3", "3", "COMPLETED", at(0), at(0), at(1), at(86'400), "9", "5"}) +
      row({"4", "4", "CANCELLED by 1000", at(0), "Unknown", "Unknown", at(5), "0", "5"}) +
      row({"5", "5", "REVOKED", at(0), at(0), at(1), at(5), "4", "5"});
  const auto out = read(text);
  EXPECT_THAT(out.problems, IsEmpty());
  ASSERT_THAT(out.runs, SizeIs(1));
  EXPECT_EQ(out.runs[0].job, "2");
}

TEST(RunReader, APieceAfterAResizeCountsNothingTwice) {
  const std::string text =
      row({"6", "6", "RESIZING", at(0), at(0), at(20), at(120), "100", "10"}) +
      row({"6", "6", "COMPLETED", at(120), at(120), at(20), at(320), "300", "10"});
  const auto out = read(text);
  ASSERT_THAT(out.runs, SizeIs(2));
  EXPECT_EQ(out.runs[0].wait_seconds, 20);
  EXPECT_EQ(out.runs[0].limit_seconds, 100);
  EXPECT_EQ(out.runs[1].wait_seconds, std::nullopt);
  EXPECT_EQ(out.runs[1].elapsed_seconds, 200);
  EXPECT_EQ(out.runs[1].limit_seconds, 500);
}

TEST(RunReader, SaysWhichRowItCannotRead) {
  const auto out = read(row({"8", "8", "COMPLETED", at(0), at(0), at(1), at(2), "many", "5"}));
  EXPECT_THAT(out.runs, IsEmpty());
  ASSERT_THAT(out.problems, SizeIs(1));
  EXPECT_THAT(out.problems[0], HasSubstr("'8'"));
}

TEST(RunReader, ReadsAYearInWindowsThatMeet) {
  ScriptedClient client;
  client.answer({"sacct"}, std::string());
  Instant last = day;
  const auto done = read_ended_runs(client, {"onprem", "", ""}, day, day + hours(24 * 365),
                                    [&](const EndedRuns&, Instant until) -> Result<void> {
                                      EXPECT_LT(last, until);
                                      last = until;
                                      return {};
                                    });
  EXPECT_TRUE(done.has_value());
  EXPECT_EQ(last, day + hours(24 * 365));
  EXPECT_LT(client.asked.size(), 20u);
  EXPECT_THAT(client.asked.front(), ::testing::Contains("--endtime=2025-06-01T01:00:01"))
      << "a day of a busy cluster would fill the memory";
  std::string begin = "--starttime=2025-06-01T00:00:00";
  for (const auto& argv : client.asked) {
    EXPECT_THAT(argv, ::testing::Contains(begin));
    for (const std::string& word : argv) {
      if (!word.starts_with("--endtime=")) continue;
      // a second beyond where the next one begins
      const auto end = parse_rfc3339(word.substr(10) + "Z").value();
      begin = "--starttime=" + to_rfc3339(end - seconds(1)).substr(0, 19);
    }
  }
}

TEST(RunReader, AWindowThatSaysTooMuchIsAskedForInParts) {
  ScriptedClient client;
  const Instant busy = day + hours(48);  // a row for each minute from then on
  client.answer({"sacct"}, [&](const std::vector<std::string>& argv) -> Result<std::string> {
    const auto at = [&](const std::string& flag) {
      const auto found = std::find_if(argv.begin(), argv.end(),
                                      [&](const auto& word) { return word.starts_with(flag); });
      return parse_rfc3339(found->substr(flag.size()) + "Z").value();
    };
    const Span rows = at("--endtime=") - std::max(busy, at("--starttime="));
    if (rows > seconds(3'601)) {
      return fail(ErrorKind::broken, "sacct wrote more than 10 bytes.", output_limit_field);
    }
    return std::string();
  });
  Instant last = day;
  const auto done = read_ended_runs(client, {"onprem", "", ""}, day, day + hours(72),
                                    [&](const EndedRuns&, Instant until) -> Result<void> {
                                      last = until;
                                      return {};
                                    });
  EXPECT_TRUE(done.has_value());
  EXPECT_EQ(last, day + hours(72));
}

TEST(RunReader, AMinuteThatSaysTooMuchIsAnError) {
  ScriptedClient client;
  client.answer({"sacct"}, [](const auto&) -> Result<std::string> {
    return fail(ErrorKind::broken, "sacct wrote more than 10 bytes.", output_limit_field);
  });
  const auto done = read_ended_runs(client, {"onprem", "", ""}, day, day + hours(72),
                                    [](const EndedRuns&, Instant) { return Result<void>(); });
  ASSERT_FALSE(done.has_value());
  EXPECT_LT(client.asked.size(), 10u) << "asked for ever";
}

TEST(RunReader, AnErrorOfSacctIsGivenBack) {
  ScriptedClient client;
  client.refuse({"sacct"}, "slurmdbd is away");
  const auto done = read_ended_runs(client, {"onprem", "", ""}, day, day + hours(1),
                                    [](const EndedRuns&, Instant) { return Result<void>(); });
  ASSERT_FALSE(done.has_value());
  EXPECT_THAT(done.error().message, HasSubstr("slurmdbd is away"));
}

}  // namespace
}  // namespace asbb::slurm
