#include "insight/forecast.h"

#include <gtest/gtest.h>

#include "insight/forecast_words.h"

namespace asbb::insight {
namespace {

const Instant now = Instant::from_unix_seconds(1'749'988'800);  // 2025-06-15T12:00:00Z
const Instant start = Instant::from_unix_seconds(1'735'689'600);
const Instant end = Instant::from_unix_seconds(1'767'225'600);

Instant days_ago(std::int64_t days) {
  return now - hours(24 * days);
}

std::string day(Instant at) {
  return to_rfc3339(at).substr(0, 10);
}

std::array<Rate, 3> rates(std::int64_t week, std::int64_t month, std::int64_t quarter) {
  return {Rate{7, hours(7 * 24), Micros(7 * week), Micros(week)},
          Rate{30, hours(30 * 24), Micros(30 * month), Micros(month)},
          Rate{90, hours(90 * 24), Micros(90 * quarter), Micros(quarter)}};
}

// The worked example of docs/concepts/forecast.md.
BudgetFacts example() {
  BudgetFacts facts;
  facts.now = now;
  facts.start = start;
  facts.end = end;
  facts.limit = Micros(50'000'000);
  facts.used = Micros(30'000'000);
  facts.held = Micros(12'000'000);
  BurnMeter meter(now, start);
  meter.add(days_ago(80), Micros(9'000'000));
  meter.add(days_ago(20), Micros(3'000'000));
  meter.add(days_ago(3), Micros(3'500'000));
  meter.add(days_ago(2), Micros(-500'000));
  facts.rates = meter.rates();
  facts.settled_held = Micros(25'000'000);
  facts.settled_cost = Micros(15'000'000);
  facts.carry_over_millionths = 500'000;
  return facts;
}

TEST(Forecast, WorkedExampleOfTheDocumentation) {
  const BudgetFacts facts = example();
  EXPECT_EQ(facts.rates[0].spent, Micros(3'000'000));
  EXPECT_EQ(facts.rates[0].per_day, Micros(428'571));  // 3 / 7
  EXPECT_EQ(facts.rates[1].per_day, Micros(200'000));  // 6 / 30
  EXPECT_EQ(facts.rates[2].per_day, Micros(166'667));  // 15 / 90
  const BudgetForecast found = forecast(facts);
  EXPECT_EQ(found.available, Micros(8'000'000));
  EXPECT_EQ(found.usual_part, Micros(600'000));
  EXPECT_EQ(found.holds_take, Micros(7'200'000));
  EXPECT_EQ(found.left_after_holds, Micros(12'800'000));
  EXPECT_EQ(found.expected_per_day, Micros(100'251));      // 20 / 199.5
  EXPECT_EQ(day(*found.runs_out_earliest), "2025-07-04");  // 8 / 0.428571 = 18.67 days
  EXPECT_EQ(day(*found.runs_out), "2025-08-18");           // 12.8 / 0.2 = 64 days
  EXPECT_EQ(day(*found.runs_out_latest), "2025-08-31");    // 12.8 / 0.166667 = 76.8 days
  EXPECT_EQ(found.outlook, Outlook::runs_out);
  EXPECT_EQ(found.used_at_end, Micros(50'000'000));
  EXPECT_TRUE(found.unused_at_end.is_zero());
}

TEST(Forecast, SaysItInWords) {
  const BudgetFacts facts = example();
  const auto said =
      explain(facts, {Micros(5'000'000), Micros(7'000'000)}, forecast(facts), "USD", day);
  const std::vector<std::string> expected{
      "The money will probably be gone on 2025-08-18, 135 days before the period's end on "
      "2025-12-31.",
      "$30.00 of $50.00 is used, $5.00 is held for jobs that run, $7.00 for jobs that wait; $8.00 "
      "is left for new jobs.",
      "The jobs that hold money now will take about $7.20 of it: jobs usually cost 60 % of what is "
      "held for them.",
      "A day costs $0.20 at the rate of the last 30 days (7 days: $0.43, 90 days: $0.17); $0.10 a "
      "day would spend the rest evenly over the 199 days that are left.",
      "It runs out between 2025-07-04 at the highest of these rates and 2025-08-31 at the lowest.",
      "Nothing will be left to expire at the end."};
  EXPECT_EQ(said, expected);
}

TEST(Forecast, WordsForLittleMoneyAndForOneDay) {
  BudgetFacts facts = example();
  facts.rates = rates(1'000, 1'000, 1'000);
  facts.used = Micros(49'999'000);
  facts.held = Micros();
  const auto said = explain(facts, {}, forecast(facts), "USD", day);
  EXPECT_NE(said[2].find("A day costs less than $0.01 at the rate"), std::string::npos) << said[2];
  EXPECT_EQ(said[3], "It runs out on 2025-06-16 at each of these rates.");
}

TEST(Forecast, WhatIsLeftExpiresOrIsCarriedOver) {
  BudgetFacts facts = example();
  facts.held = Micros();
  facts.rates = rates(10'000, 10'000, 10'000);
  facts.carry_over_millionths = 333'333;
  const BudgetForecast found = forecast(facts);
  EXPECT_EQ(found.used_at_end, Micros(30'000'000 + 1'995'000));  // 199.5 days
  EXPECT_EQ(found.unused_at_end, Micros(18'005'000));
  EXPECT_EQ(found.carried_over, Micros(6'001'660));  // rounded down, as the ledger carries
  EXPECT_EQ(found.expires, found.unused_at_end - found.carried_over);
  EXPECT_EQ(found.outlook, Outlook::underspent);
}

TEST(Forecast, OutlooksAreTold) {
  BudgetFacts facts = example();
  facts.held = Micros();
  facts.rates = rates(0, 0, 0);
  EXPECT_EQ(forecast(facts).outlook, Outlook::no_spending);
  EXPECT_FALSE(forecast(facts).runs_out_earliest);
  facts.rates = rates(200'000, 90'000, 90'000);
  EXPECT_EQ(forecast(facts).outlook, Outlook::may_run_out);
  facts.rates = rates(90'000, 90'000, 90'000);
  EXPECT_EQ(forecast(facts).outlook, Outlook::on_track);
  facts.used = Micros(51'000'000);
  EXPECT_EQ(forecast(facts).outlook, Outlook::exhausted);
  EXPECT_EQ(forecast(facts).runs_out, now);
  EXPECT_EQ(forecast(facts).used_at_end, facts.used);
}

TEST(Forecast, WithoutHistoryAllThatIsHeldCounts) {
  BudgetFacts facts = example();
  facts.settled_held = Micros();
  EXPECT_EQ(forecast(facts).holds_take, facts.held);
  EXPECT_FALSE(forecast(facts).is_part_known);
}

TEST(BurnMeter, AYoungAccountIsNotExtrapolatedFromLessThanADay) {
  BurnMeter meter(now, now - hours(1));
  meter.add(now - seconds(60), Micros(5'000'000));
  for (const Rate& rate : meter.rates()) {
    EXPECT_EQ(rate.covered, day_span);
    EXPECT_EQ(rate.per_day, Micros(5'000'000));
  }
  BurnMeter ten_days(now, days_ago(10));
  ten_days.add(days_ago(9), Micros(10'000'000));
  EXPECT_EQ(ten_days.rates()[0].per_day, Micros());
  EXPECT_EQ(ten_days.rates()[2].per_day, Micros(1'000'000));
}

TEST(BurnMeter, WindowsAreHalfOpenAndMoneyThatCameBackIsNoNegativeRate) {
  BurnMeter meter(now, start);
  meter.add(now, Micros(1'000'000));
  meter.add(days_ago(7), Micros(7'000'000));
  EXPECT_EQ(meter.rates()[0].spent, Micros(7'000'000));
  meter.add(days_ago(1), Micros(-8'000'000));
  EXPECT_EQ(meter.rates()[0].spent, Micros(-1'000'000));
  EXPECT_EQ(meter.rates()[0].per_day, Micros());
}

TEST(TimeUntilSpent, AbsurdFiguresGiveNoDate) {
  EXPECT_FALSE(time_until_spent(now, max_amount, Micros(1)));
  EXPECT_FALSE(time_until_spent(now, Micros(1), Micros()));
  EXPECT_EQ(time_until_spent(now, Micros(-1), Micros()), now);
  EXPECT_EQ(time_until_spent(now, Micros(1), max_amount), now);
}

}  // namespace
}  // namespace asbb::insight
