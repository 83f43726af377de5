#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "api/json.h"
#include "cli/csv_file.h"
#include "cli/testing/run.h"

namespace asbb::cli {
namespace {

using testing::CannedService;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::run;

std::string write_csv(const CannedService& service, const std::string& text) {
  const std::string path = service.folder() + "/accounts.csv";
  std::ofstream(path) << text;
  return path;
}

TEST(CsvFile, ReadsQuotesAndEveryEndOfLine) {
  const auto rows = read_csv(
      "\xEF\xBB\xBF"
      "a,b\r\n\"x, \"\"y\"\"\nz\",\n\nlast,1");
  ASSERT_TRUE(rows);
  ASSERT_EQ(rows->size(), 3u);
  EXPECT_THAT((*rows)[0].cells, ElementsAre("a", "b"));
  EXPECT_THAT((*rows)[1].cells, ElementsAre("x, \"y\"\nz", ""));
  EXPECT_EQ((*rows)[2].line, 5);
  EXPECT_THAT(read_csv("a\n\"b").error().message, HasSubstr("line 2"));
  EXPECT_FALSE(read_csv("a\n\"b\"c"));
  EXPECT_FALSE(read_csv(std::string("a\0b", 3)));
}

TEST(AccountImport, NamesEveryProblemWithItsLineAndChangesNothing) {
  CannedService service;  // without an answer to POST: a change would be told
  service.answer("GET /api/v1/accounts", 200, "[]").start();
  const std::string file = write_csv(service,
                                     "account,parent,budget,start,end,carry_over\n"
                                     "a,nowhere,5,2025-01-01,2025-12-31,\n"
                                     "b,,-5,2025-01-01,2025-12-31,\n"
                                     "c,,5,2025-13-01,2025-12-31,\n"
                                     "d,,5,2025-12-31,2025-01-01,half\n"
                                     "e,,5\n"
                                     "f,,5,2025-01-01,2025-12-31,\n"
                                     "f,,5,2025-06-01,2026-05-31,\n"
                                     "x/y,,,,,\n"
                                     "g,h,,,,\n"
                                     "h,g,,,,\n");
  const auto ran = run(service, {"account", "import", file});
  EXPECT_EQ(ran.code, exit_failed);
  for (const char* expected :
       {": line 2: parent: there is no account 'nowhere'", ": line 3: budget: '-5' is not allowed",
        ": line 4: start: ", ": line 5: end: 2025-01-01 is before the start",
        ": line 5: carry_over: ", ": line 6: 3 values, where the first line names 6 columns",
        ": line 8: its period overlaps that of line 7", ": line 9: slurm_account: ",
        ": line 10: parent: the accounts stand in a circle", "asbb: nothing was imported: "}) {
    EXPECT_THAT(ran.err, HasSubstr(expected));
  }
  const std::string typo = write_csv(service, "acount,budget\na,5\n");
  EXPECT_THAT(run(service, {"account", "import", typo}).err,
              HasSubstr("'acount' is no column; did you mean 'account'?"));
}

TEST(AccountImport, LeavesAloneWhatIsThereAndRefusesToChangeIt) {
  api::Account there;
  there.slurm_account = there.name = "proj001";
  there.status = "active";
  api::Budget& budget = there.budgets.emplace_back();
  budget.unit = "USD";
  budget.first_day = Day{2025, 1, 1};
  budget.last_day = Day{2025, 12, 31};
  budget.limit = budget.granted = Micros(50'000'000);
  CannedService service;
  service.answer("GET /api/v1/accounts", 200, api::to_json(std::vector{there})).start();
  const std::string same =
      write_csv(service, "account,budget,start,end\nproj001,50,2025-01-01,2025-12-31\n");
  const auto again = run(service, {"account", "import", same});
  EXPECT_EQ(again.code, exit_done) << again.err;
  EXPECT_THAT(
      again.out,
      HasSubstr("0 new accounts, 0 budgets for accounts that were there, 1 account unchanged"));
  const std::string other =
      write_csv(service, "account,budget,start,end\nproj001,75,2025-01-01,2025-12-31\n");
  EXPECT_THAT(run(service, {"account", "import", other}).err,
              HasSubstr("line 2: budget: this period is there with 50.00"));
}

}  // namespace
}  // namespace asbb::cli
