#include "report/html.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <set>

#include "report/plots.h"
#include "report/svg.h"
#include "report/text.h"

namespace asbb::report {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

Line line_of(const std::string& name, std::optional<Micros> usd, std::optional<Micros> hours,
             std::int64_t jobs, const std::string& cluster = {}) {
  Line line;
  line.name = name;
  line.cluster = cluster;
  line.charged = {usd, hours};
  line.jobs = jobs;
  line.total = usd.value_or(Micros());
  if (hours) line.total = *line.total + Micros(hours->count() / 25);
  return line;
}

Dual sample() {
  Dual report;
  report.account = "proj001";
  report.display_name = "Ocean <mixing> & \"waves\"";
  report.accounts = {"proj001", "proj001-gpu"};
  report.first_day = {2025, 6, 1};
  report.last_day = {2025, 6, 30};
  report.start = Instant::from_unix_seconds(1'748'736'000);
  report.end = report.start + hours(24 * 30);
  report.made_at = report.end + hours(5);
  report.units = {"USD", "core-hours"};
  report.adjusted = {std::nullopt, Micros(-2'000'000)};
  report.total_unit = "USD";
  report.rates = {{"core-hours", "USD", Micros(40'000), report.start}};
  report.all = line_of("", Micros(30'000'417), Micros(1'250'000'000), 12);
  report.all.effort = {12, 12, 1200, 600, 43'200, 86'400, 43'200};
  report.by_cluster = {line_of("cloud", Micros(30'000'417), std::nullopt, 5),
                       line_of("onprem", std::nullopt, Micros(1'250'000'000), 7)};
  report.by_partition = {line_of("gpu-aws", Micros(30'000'417), std::nullopt, 5, "cloud"),
                         line_of("cpu", std::nullopt, Micros(1'250'000'000), 7, "onprem")};
  report.by_user = {line_of("alice", Micros(30'000'000), Micros(1'000'000'000), 9),
                    line_of("=cmd|<script>", Micros(417), Micros(250'000'000), 3)};
  report.by_account = {line_of("proj001", Micros(30'000'417), Micros(1'250'000'000), 12)};
  report.by_day = {line_of("2025-06-03", Micros(30'000'417), std::nullopt, 5),
                   line_of("2025-06-30", std::nullopt, Micros(1'250'000'000), 7)};
  report.uncharged = {{"onprem", "debug", 3, 7200, Price::missing}};
  report.clusters = {{"onprem", ""}, {"cloud", "slurmdbd is away"}};
  report.standing = {
      {"USD", Micros(100'000'000), Micros(60'000'000), Micros(10'000'000), Micros(30'000'000)}};
  BudgetLine budget{"proj001",
                    "USD",
                    {2025, 1, 1},
                    {2025, 12, 31},
                    true,
                    Micros(100'000'000),
                    Micros(60'000'000),
                    Micros(10'000'000),
                    Micros(30'000'000)};
  report.budgets = {budget};
  BurnDown burn_down;
  burn_down.budget = budget;
  burn_down.today = {2025, 7, 1};
  burn_down.days = {{{2025, 2, 1}, Micros(20'000'000)}, {{2025, 6, 3}, Micros(40'000'000)}};
  burn_down.per_day = Micros(1'000'000);
  burn_down.runs_out = "2025-08-10";
  report.burn_downs = {burn_down};
  return report;
}

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
  EXPECT_THAT(page, HasSubstr("the partition has no price"));
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
