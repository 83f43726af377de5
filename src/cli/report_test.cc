// How a report looks as a table, CSV and JSON; what is asked of the service; what weeks were done.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <sstream>

#include "api/json.h"
#include "cli/report_json.h"
#include "cli/report_view.h"
#include "cli/testing/run.h"
#include "cli/week_state.h"
#include "report/testing/sample.h"

namespace asbb::cli {
namespace {

using report::Week;
using report::testing::sample;
using testing::CannedService;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::run;

void expect_golden(const std::string& name, const std::string& text) {
  const std::string file = std::string(ASBB_SOURCE_DIR) + "/src/cli/testing/" + name;
  if (std::getenv("ASBB_WRITE_GOLDEN") != nullptr) std::ofstream(file) << text;
  std::ifstream in(file);
  const std::string golden((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  EXPECT_EQ(text, golden) << name << "; ASBB_WRITE_GOLDEN=1 writes it anew";
}

report::JobLine job_of(const std::string& id, std::optional<Micros> usd) {
  report::JobLine job;
  job.line = report::testing::line_of(id, usd, std::nullopt, 1, "cloud");
  job.account = "proj001";
  job.user = "=alice";
  job.partition = "gpu-aws";
  job.ended = Instant::from_unix_seconds(1'748'736'000);
  if (!usd) job.line.effort = {1, 1, 60, 60, 7200, 14'400, 7200};
  return job;
}

TEST(ReportView, IsTheSameAsBefore) {
  expect_golden("report.txt", report_text(sample(), ""));
  expect_golden("report.json", report_json(sample()) + "\n");
  for (const char* by : {"user", "partition", "cluster", "day", "account"}) {
    expect_golden(std::string("report-by-") + by + ".csv", report_csv(sample(), by));
  }
}

TEST(ReportView, NoLineOfTheTableIsWiderThanATerminal) {
  std::istringstream lines(report_text(sample(), ""));
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("* ")) EXPECT_LE(line.size(), 80u) << line;
  }
}

TEST(ReportView, NamesThatASpreadsheetWouldRunAreDefused) {
  EXPECT_THAT(report_csv(sample(), "user"), HasSubstr("\r\n'=cmd|<script>,"));
}

TEST(ReportView, WhatIsNotKnownIsNeverZero) {
  const std::string csv = report_csv(sample(), "user");
  EXPECT_THAT(csv, HasSubstr("alice,9,30,1000,70,,,,,,\r\n"));
  const std::string json = report_json(sample());
  EXPECT_THAT(json, HasSubstr("\"name\":\"alice\""));
  EXPECT_THAT(json, HasSubstr("\"wait_seconds\":null"));
}

TEST(ReportView, JobsArePrintedPageByPageWithOneHeader) {
  std::ostringstream out;
  JobPrinter printer(out, ReportForm::csv, sample());
  for (int i = 0; i < 1200; ++i) printer.print(job_of(std::to_string(i), Micros(5)));
  printer.print(job_of("9999", std::nullopt));
  printer.finish();
  const std::string text = out.str();
  EXPECT_EQ(text.find("job,cluster"), 0u);
  EXPECT_EQ(text.rfind("job,cluster"), 0u);
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1202);
  EXPECT_THAT(text, HasSubstr("9999,cloud,proj001,'=alice,gpu-aws,2025-06-01T00:00:00Z,,,"));
  EXPECT_THAT(job_json(sample(), job_of("9999", std::nullopt)), HasSubstr("\"charged\":{},"));
}

TEST(ReportCommand, RefusesWhatItCannotMean) {
  const auto said = [](const std::vector<std::string>& words) {
    const auto ran = run(words);
    EXPECT_EQ(ran.code, exit_usage);
    return ran.err;
  };
  const std::vector<std::string> dual{"report", "dual", "--account=proj001"};
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.begin(), dual.begin(), dual.end());
    return said(more);
  };
  EXPECT_THAT(with({"--start=2025-06-01"}), HasSubstr("--end"));
  EXPECT_THAT(with({"--start=1 June", "--end=2025-06-30"}), HasSubstr("--start: '1 June'"));
  EXPECT_THAT(with({"--start=2025-06-02", "--end=2025-06-01"}), HasSubstr("is before --start"));
  EXPECT_THAT(with({"--start=2025-06-01", "--end=2025-06-01", "--time-zone=Mars"}),
              HasSubstr("--time-zone: 'Mars'"));
  EXPECT_THAT(with({"--start=2025-06-01", "--end=2025-06-01", "--outptu=html"}),
              HasSubstr("did you mean '--output'"));
  EXPECT_THAT(said({"report", "weekly"}), HasSubstr("where to?"));
}

TEST(ReportCommand, AsksForTheDaysOfTheZone) {
  CannedService service;
  api::Account account;
  account.slurm_account = "proj001";
  account.status = "active";
  const std::string accounts = api::to_json(std::vector<api::Account>{account});
  service.answer("GET /api/v1/accounts", 200, accounts)
      .answer("GET /api/v1/accounts?status=closed", 200, "[]")
      .start();
  const auto ran = run(service, {"report", "dual", "--account=PROJ01", "--start=2025-03-30",
                                 "--end=2025-03-30", "--time-zone=Europe/Paris"});
  EXPECT_EQ(ran.code, exit_usage);
  EXPECT_THAT(ran.err, HasSubstr("did you mean 'proj001'"));
  static_cast<void>(run(service, {"report", "dual", "--account=proj001", "--start=2025-03-30",
                                  "--end=2025-03-30", "--time-zone=Europe/Paris"}));
  // the day on which the clock goes forward
  EXPECT_THAT(service.received().back(),
              HasSubstr("GET /api/v1/usage/charges?account=proj001&start_date=2025-03-29T23%3A00%3A"
                        "00Z&end_date=2025-03-30T22%3A00%3A00Z"));
}

class WeekStateTest : public ::testing::Test {
 protected:
  WeekStateTest() {
    std::string name = ::testing::TempDir() + "asbb-weeks-XXXXXX";
    ::close(::mkstemp(name.data()));
    path_ = name;
  }
  ~WeekStateTest() override { ::unlink(path_.c_str()); }

  std::string path_;
  const Week last_ = report::parse_week("2026-W01").value();
};

TEST_F(WeekStateTest, MissedWeeksAreMadeUpOnceAndBounded) {
  const Week before = report::previous_week(last_);
  {
    WeekState state;
    ASSERT_TRUE(state.open(path_).has_value());
    EXPECT_THAT(state.missing("mail", before, 8).value(), ElementsAre(before));
    ASSERT_TRUE(state.note_done("mail", before).has_value());
    EXPECT_TRUE(state.missing("mail", before, 8).value().empty());
  }
  WeekState state;
  ASSERT_TRUE(state.open(path_).has_value());
  EXPECT_TRUE(state.is_done("mail", before));
  EXPECT_THAT(state.missing("mail", last_, 8).value(), ElementsAre(last_));
  EXPECT_THAT(state.missing("folder /with a blank", last_, 8).value(), ElementsAre(last_));
  Week late = last_;
  for (int i = 0; i < 20; ++i) late = report::next_week(late);
  EXPECT_EQ(state.missing("mail", late, 8).value().size(), 8u);
}

TEST_F(WeekStateTest, WhatRootBeginsIsTheFolderOwners) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give a file away";
  std::string folder = ::testing::TempDir() + "asbb-weeks-XXXXXX";
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);
  const std::string path = folder + "/weekly-reports.state";
  constexpr uid_t nobody = 65'534;
  ASSERT_EQ(::chown(folder.c_str(), nobody, nobody), 0);
  {
    WeekState state;
    ASSERT_TRUE(state.open(path).has_value());
  }
  struct stat made{};
  ASSERT_EQ(::stat(path.c_str(), &made), 0);
  EXPECT_EQ(made.st_uid, nobody);
  EXPECT_EQ(made.st_mode & 07777U, 0640U);
  ::unlink(path.c_str());
  ::rmdir(folder.c_str());
}

TEST_F(WeekStateTest, AMailThatWasBegunStaysSo) {
  {
    WeekState state;
    ASSERT_TRUE(state.open(path_).has_value());
    ASSERT_TRUE(state.note_begun(last_, "proj001", "a b@example.org").has_value());
    ASSERT_TRUE(state.note_begun(last_, "proj001", "c@example.org").has_value());
    ASSERT_TRUE(state.note_sent(last_, "proj001", "c@example.org").has_value());
    ASSERT_TRUE(state.note_begun(last_, "proj001", "d@example.org").has_value());
    ASSERT_TRUE(state.note_failed(last_, "proj001", "d@example.org").has_value());
  }
  std::ofstream(path_, std::ios::app) << "sent 2026-W01 proj001 a%20b";  // cut by a crash
  WeekState state;
  ASSERT_TRUE(state.open(path_).has_value());
  EXPECT_EQ(state.mail(last_, "proj001", "a b@example.org"), WeekState::Mail::begun);
  EXPECT_EQ(state.mail(last_, "proj001", "c@example.org"), WeekState::Mail::sent);
  EXPECT_EQ(state.mail(last_, "proj001", "d@example.org"), WeekState::Mail::not_yet);
  EXPECT_EQ(state.mail(last_, "proj002", "c@example.org"), WeekState::Mail::not_yet);
}

TEST_F(WeekStateTest, RefusesWhatItDidNotWriteAndTwoAtOnce) {
  std::ofstream(path_) << "asbb-weekly 1\nsent 2026-W01\n";
  WeekState spoilt;
  const auto opened = spoilt.open(path_);
  ASSERT_FALSE(opened.has_value());
  EXPECT_THAT(opened.error().message, HasSubstr("line 2"));
  std::ofstream(path_, std::ios::trunc) << "";
  WeekState first;
  WeekState second;
  // The spoilt one still has the file.
  EXPECT_EQ(first.open(path_).error().kind, ErrorKind::conflict);
}

}  // namespace
}  // namespace asbb::cli
