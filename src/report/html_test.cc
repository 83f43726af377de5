#include "report/html.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <set>

#include "report/plots.h"
#include "report/svg.h"
#include "report/testing/sample.h"
#include "report/text.h"

namespace asbb::report {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::line_of;
using ::testing::Not;
using testing::sample;

// Every tag is closed in order; attributes have quotes.
void expect_well_formed(const std::string& page) {
  const std::set<std::string> without_end{"meta", "!DOCTYPE", "br"};
  std::vector<std::string> open;
  for (std::size_t at = page.find('<'); at != std::string::npos; at = page.find('<', at)) {
    const std::size_t end = page.find('>', at);
    ASSERT_NE(end, std::string::npos);
    const std::string tag = page.substr(at + 1, end - at - 1);
    at = end;
    const std::string name =
        tag.substr(tag[0] == '/', tag.find_first_of(" /", 1) - (tag[0] == '/'));
    if (tag.ends_with('/') || without_end.contains(name)) continue;
    if (tag[0] != '/') {
      open.push_back(name);
      continue;
    }
    ASSERT_FALSE(open.empty()) << tag;
    ASSERT_EQ(open.back(), name) << page.substr(at > 200 ? at - 200 : 0, 220);
    open.pop_back();
  }
  EXPECT_TRUE(open.empty());
}

TEST(Html, IsTheSamePageAsBefore) {
  const std::string file = std::string(ASBB_SOURCE_DIR) + "/src/report/testing/sample.html";
  const std::string page = to_html(sample());
  if (std::getenv("ASBB_WRITE_GOLDEN") != nullptr) std::ofstream(file) << page;
  std::ifstream in(file);
  const std::string golden((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  EXPECT_EQ(page, golden) << "ASBB_WRITE_GOLDEN=1 writes it anew: look at it in a browser then";
}

TEST(Html, NeedsNothingElseAndIsWellFormed) {
  const std::string page = to_html(sample());
  expect_well_formed(page);
  EXPECT_THAT(page, Not(HasSubstr("<script")));
  EXPECT_THAT(page, Not(HasSubstr("src=")));
  EXPECT_THAT(page, Not(HasSubstr("href")));
  EXPECT_THAT(page, Not(HasSubstr("url(")));
  EXPECT_THAT(page, Not(HasSubstr("@import")));
  EXPECT_THAT(page, HasSubstr("default-src 'none'"));
}

TEST(Html, NamesAreTextWhateverTheyAre) {
  const std::string page = to_html(sample());
  EXPECT_THAT(page, HasSubstr("Ocean &lt;mixing&gt; &amp; &quot;waves&quot;"));
  EXPECT_THAT(page, HasSubstr("=cmd|&lt;script&gt;"));
  EXPECT_EQ(escaped("a\x01\xff'\xE2\x80\xAE"), "a\xEF\xBF\xBD\xEF\xBF\xBD&#39;\xEF\xBF\xBD");
}

TEST(Html, SaysWhatIsMissingAndWhatWasNotCharged) {
  const std::string page = to_html(sample());
  EXPECT_THAT(page, HasSubstr("The accounting of cloud could not be read"));
  EXPECT_THAT(page, HasSubstr("slurmdbd is away"));
  EXPECT_THAT(page, HasSubstr("debug on onprem"));
  EXPECT_THAT(page, HasSubstr("the partition had no price then"));
}

TEST(Html, SmallAmountsDoNotReadAsNothingAndAllAreExactBehind) {
  const std::string page = to_html(sample());
  EXPECT_THAT(page, HasSubstr("<data value=\"0.000417\">0.000417</data>"));
  EXPECT_THAT(page, HasSubstr("<data value=\"30.000417\">$30.00</data>"));
  EXPECT_EQ(amount_text(Micros(-1'234'567'895'000)), "-1,234,567.90");
  EXPECT_EQ(amount_text(Micros(5'000)), "0.005");
  EXPECT_EQ(money_text(Micros(-1'500'000), "USD"), "-$1.50");
}

TEST(Html, EveryDrawingIsToldInWordsAndInATable) {
  const std::string page = to_html(sample());
  for (const char* id : {"use-0", "use-1", "who-0", "who-1", "left-0"}) {
    const std::string name(id);
    EXPECT_THAT(page, HasSubstr("aria-labelledby=\"" + name + "-t " + name + "-d\""));
    EXPECT_THAT(page, HasSubstr("<desc id=\"" + name + "-d\">"));
  }
  EXPECT_THAT(page, HasSubstr("at the pace of the last 30 days it is gone on 2025-08-10"));
}

TEST(Html, AnEmptyReportSaysSo) {
  Dual report;
  report.first_day = report.last_day = {2025, 6, 1};
  const std::string page = to_html(report);
  expect_well_formed(page);
  EXPECT_THAT(page, HasSubstr("Nothing was charged in this period."));
  EXPECT_THAT(page, HasSubstr("All accounts"));
}

// Else a budget of ten years has the same day at each mark.
TEST(Html, ABudgetOfSeveralYearsNamesThem) {
  Dual report = sample();
  EXPECT_THAT(to_html(report), Not(HasSubstr(">Dec 34<")));
  report.burn_downs[0].budget.last_day = {2034, 12, 31};
  EXPECT_THAT(to_html(report), HasSubstr(">Dec 34<"));
}

TEST(Plots, WhatIsLeftGoesBackFromToday) {
  const auto days = left_by_day(sample().burn_downs[0]);
  EXPECT_THAT(days, ElementsAre(LeftOn{{2024, 12, 31}, Micros(100'000'000)},
                                LeftOn{{2025, 2, 1}, Micros(80'000'000)},
                                LeftOn{{2025, 6, 3}, Micros(40'000'000)},
                                LeftOn{{2025, 7, 1}, Micros(40'000'000)}));
}

TEST(Plots, TicksAreRoundAndHoldWhatIsShown) {
  for (const std::int64_t high :
       std::initializer_list<std::int64_t>{1, 3, 999, 1'000'000, 94'480'000, 920'280'000'001}) {
    const auto marks = ticks(Micros(), Micros(high));
    EXPECT_GE(marks.back().count(), high);
    EXPECT_GE(marks.size(), 2u);
    EXPECT_LE(marks.size(), 7u);
  }
  const auto marks = ticks(Micros(-3'000'000), Micros(10'000'000));
  EXPECT_LE(marks.front(), Micros(-3'000'000));
  EXPECT_EQ(tick_text(Micros(-1'500'000'000)), "-1,500");
  EXPECT_EQ(tick_text(Micros(250'000)), "0.25");
  EXPECT_EQ(tick_text(Micros(5'000'000'000'000)), "5,000,000");
  EXPECT_EQ(tick_text(Micros(-12'500'000'000'000)), "-12.5 M");
  EXPECT_EQ(tick_text(Micros(4'000'000'000'000'000)), "4,000 M");
}

TEST(Plots, NamesAreCutToTheRoomThatThereIs) {
  EXPECT_EQ(fitted("proj001-alice", 1390), "proj001-alice");
  EXPECT_EQ(fitted(std::string(32, 'w'), 1390), std::string(9, 'w') + "\xE2\x80\xA6");
  EXPECT_EQ(fitted("\xE6\xBC\xA2\xE5\xAD\x97", 140), "\xE2\x80\xA6");
  EXPECT_EQ(fitted("", 0), "");
}

TEST(Plots, AUserWhoGotMoreBackThanHeSpentHasNoShare) {
  Dual report = sample();
  report.by_user = {line_of("alice", Micros(-5), std::nullopt, 1)};
  EXPECT_EQ(users_plot(report, 0), "");
  EXPECT_EQ(usage_plot(report, 0).find("nan"), std::string::npos);
}

TEST(Durations, ReadWell) {
  EXPECT_EQ(duration_text(0), "0 s");
  EXPECT_EQ(duration_text(90), "1 min 30 s");
  EXPECT_EQ(duration_text(12 * 60 + 5), "12 min");
  EXPECT_EQ(duration_text(3 * 3600 + 20 * 60), "3 h 20 min");
  EXPECT_EQ(duration_text(52 * 3600), "2 d 4 h");
}

}  // namespace
}  // namespace asbb::report
