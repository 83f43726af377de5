// What people are told of a budget: exactly from which millionth on, and in which words.
#include "insight/budget_rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace asbb::insight {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const BudgetRules usual{{50, 75, 90, 100}, Micros(2'000'000), true};
const Instant start = Instant::from_unix_seconds(1'767'225'600);  // 2026-01-01
const Instant now = start + hours(24 * 50);

Micros dollars(std::int64_t n) {
  return Micros(n * 1'000'000);
}

// 1,000 dollars for 100 days, half of which are over.
WatchedBudget budget_with(Micros used) {
  WatchedBudget budget;
  budget.id = 7;
  budget.account = "proj001";
  budget.unit = "USD";
  budget.start = start;
  budget.end = start + hours(24 * 100);
  budget.last_day = "2026-04-10";
  budget.limit = dollars(1000);
  budget.used = used;
  return budget;
}

WatchedBudget spending(Micros used, Micros per_day, Span covered = hours(24 * 7)) {
  WatchedBudget budget = budget_with(used);
  budget.late = Rate{7, covered, per_day, per_day};
  return budget;
}

std::vector<std::string> keys_of(const WatchedBudget& budget, const BudgetRules& rules = usual) {
  std::vector<std::string> out;
  for (const BudgetNotice& notice : notices_of(budget, rules, now)) out.push_back(notice.key);
  return out;
}

TEST(BudgetRules, TheHighestThresholdThatIsPassedCounts) {
  EXPECT_THAT(keys_of(budget_with(Micros(499'999'999))), IsEmpty());
  EXPECT_THAT(keys_of(budget_with(dollars(500))), ElementsAre("budget 7 spent 50 %"));
  EXPECT_THAT(keys_of(budget_with(Micros(899'999'999))), ElementsAre("budget 7 spent 75 %"));
  EXPECT_THAT(keys_of(budget_with(dollars(900))), ElementsAre("budget 7 spent 90 %"));
  EXPECT_THAT(keys_of(budget_with(dollars(1200))), ElementsAre("budget 7 spent 100 %"));
  EXPECT_THAT(keys_of(budget_with(dollars(1200)), {{}, {}, true}), IsEmpty());
  WatchedBudget huge = budget_with(max_amount);
  huge.limit = max_amount;
  EXPECT_THAT(keys_of(huge), ElementsAre("budget 7 spent 100 %"));
}

TEST(BudgetRules, TheMoreIsSpentTheMoreUrgentItIs) {
  const auto urgency = [](Micros used) {
    return notices_of(budget_with(used), usual, now).at(0).urgency;
  };
  EXPECT_EQ(urgency(dollars(500)), Urgency::notice);
  EXPECT_EQ(urgency(dollars(900)), Urgency::warning);
  EXPECT_EQ(urgency(dollars(1000)), Urgency::critical);
}

TEST(BudgetRules, SaysWhatIsLeftAndWhatToDo) {
  WatchedBudget budget = budget_with(dollars(1001));
  budget.held = Micros(2'500'000);
  const BudgetNotice notice = notices_of(budget, usual, now).at(0);
  EXPECT_EQ(notice.title, "proj001 has spent 100 % of its USD budget");
  EXPECT_THAT(notice.message, HasSubstr("$1001.00 of $1000.00 are spent, $2.50 are set aside"));
  EXPECT_THAT(notice.message, HasSubstr("-$3.50 are left for new ones until 2026-04-10."));
  EXPECT_THAT(notice.message, HasSubstr("asbb deposit proj001 --unit=USD"));
}

TEST(BudgetRules, TwiceTheEvenRateIsFast) {
  const BudgetRules rules{{}, Micros(2'000'000), false};
  EXPECT_THAT(keys_of(spending(dollars(100), Micros(19'999'999)), rules), IsEmpty());
  EXPECT_THAT(keys_of(spending(dollars(100), dollars(20)), rules),
              ElementsAre("budget 7 spends fast"));
  const WatchedBudget fast = spending(dollars(100), dollars(25));
  const auto notices = notices_of(fast, rules, now);
  ASSERT_EQ(notices.size(), 1U);
  EXPECT_EQ(notices[0].key, "budget 7 spends fast");
  EXPECT_EQ(notices[0].title, "proj001 spends its USD budget 2.5 times faster than it lasts");
  EXPECT_THAT(keys_of(fast, {{}, Micros(), false}), IsEmpty());
}

TEST(BudgetRules, AnEndThatComesADayOrMoreTooEarlyIsTold) {
  // 50 days are left: 10 a day for 500 is exact, and 10.2 would end less than a day before.
  EXPECT_THAT(keys_of(spending(dollars(400), dollars(12)), {{}, {}, true}), IsEmpty());
  EXPECT_THAT(keys_of(spending(dollars(500), Micros(10'200'000)), {{}, {}, true}), IsEmpty());
  const auto notices = notices_of(spending(dollars(500), dollars(20)), {{}, {}, true}, now);
  ASSERT_EQ(notices.size(), 1U);
  EXPECT_EQ(notices[0].key, "budget 7 ends early");
  EXPECT_EQ(notices[0].title,
            "proj001 will have spent its USD budget in 25 days, 25 days too early");
  EXPECT_THAT(keys_of(spending(dollars(500), dollars(20)), {{}, {}, false}), IsEmpty());
  // What is spent already is the thresholds' matter.
  EXPECT_THAT(keys_of(spending(dollars(1000), dollars(20)), {{}, {}, true}), IsEmpty());
}

TEST(BudgetRules, ARateThatIsUnknownOrOfAMomentSaysNothing) {
  EXPECT_THAT(keys_of(spending(dollars(10), dollars(500), hours(71))), IsEmpty());
  EXPECT_THAT(keys_of(spending(dollars(10), dollars(500), least_covered)),
              ElementsAre("budget 7 spends fast", "budget 7 ends early"));
}

TEST(BudgetRules, ABudgetOfNothingIsSilent) {
  WatchedBudget nothing = budget_with(dollars(3));
  nothing.limit = Micros();
  EXPECT_THAT(keys_of(nothing), IsEmpty());
}

}  // namespace
}  // namespace asbb::insight
