// Rates between units, and money that an account changes from one into another.
#include <gtest/gtest.h>

#include "ledger/testing/test_ledger.h"

namespace asbb::ledger {
namespace {

using testing::budget_of;
using testing::epoch;
using testing::TestLedger;
using testing::usd;

RecordConversionRate rate(Micros amount, Instant from = epoch) {
  return {"USD", "core-hours", amount, from};
}

Convert convert(Micros amount) {
  return {"proj001", "USD", "core-hours", amount};
}

NewBudget core_hours(Micros limit, Instant start = epoch) {
  NewBudget budget = budget_of(limit, start);
  budget.unit = "core-hours";
  return budget;
}

// proj001 with 20 USD and 100 core-hours, which may convert.
TestLedger both_units() {
  TestLedger ledger;
  CreateAccount create;
  create.name = "proj001";
  create.budgets = {budget_of(usd(20)), core_hours(usd(100))};
  EXPECT_TRUE(ledger.run(create).accepted());
  UpdateAccount allow;
  allow.name = "proj001";
  allow.may_convert = true;
  EXPECT_TRUE(ledger.run(allow).accepted());
  return ledger;
}

TEST(Conversion, IsAPairOfEntriesThatCarriesTheRate) {
  TestLedger ledger = both_units();
  ASSERT_TRUE(ledger.run(rate(usd(25))).accepted());
  EXPECT_EQ(ledger.last_entries().at(0).details,
            "version=1\nfrom_unit=USD\nto_unit=core-hours\nrate_micros=25000000\n"
            "effective_from_us=1750000000000000\n");
  const Outcome outcome = ledger.run(convert(usd(3)));
  ASSERT_TRUE(outcome.accepted()) << to_string(outcome.refusal);
  EXPECT_EQ(outcome.amount, usd(3));
  EXPECT_EQ(outcome.converted, usd(75));
  EXPECT_EQ(outcome.rate_version, 1);
  EXPECT_EQ(ledger.budget("proj001", 0).limit, usd(17));
  EXPECT_EQ(ledger.budget("proj001", 1).limit, usd(175));
  const auto entries = ledger.last_entries();
  ASSERT_EQ(entries.size(), 2u);
  EXPECT_EQ(entries[0].type, EntryType::convert_out);
  EXPECT_EQ(entries[0].amount, usd(3));
  EXPECT_EQ(entries[0].details,
            "limit_micros=17000000\nother_account=proj001\nother_budget=2\nother_unit=core-hours\n"
            "other_amount_micros=75000000\nrate_micros=25000000\nrate_version=1\n");
  EXPECT_EQ(entries[1].type, EntryType::convert_in);
  EXPECT_EQ(entries[1].unit, "core-hours");
  EXPECT_EQ(entries[1].amount, usd(75));
  EXPECT_EQ(entries[1].actor, "root");
}

TEST(Conversion, RoundsDownInTheUnitThatArrives) {
  TestLedger ledger = both_units();
  ASSERT_TRUE(ledger.run(rate(Micros(333'333))).accepted());
  const Outcome outcome = ledger.run(convert(usd(1) + Micros(1)));
  EXPECT_EQ(outcome.converted, Micros(333'333));  // of 333333.333333
  EXPECT_EQ(ledger.run(convert(Micros(3))).refusal, Refusal::converts_to_nothing);
}

TEST(Conversion, TheRateInForceIsTheOneThatTookEffectLast) {
  TestLedger ledger = both_units();
  EXPECT_EQ(ledger.run(convert(usd(1))).refusal, Refusal::no_conversion_rate);
  ASSERT_TRUE(ledger.run(rate(usd(5), epoch + hours(10))).accepted());
  EXPECT_EQ(ledger.run(convert(usd(1))).refusal, Refusal::no_conversion_rate);
  ASSERT_TRUE(ledger.run(rate(usd(2), epoch - hours(10))).accepted());
  EXPECT_EQ(ledger.run(convert(usd(1))).converted, usd(2));
  ledger.now = epoch + hours(10);
  EXPECT_EQ(ledger.run(convert(usd(1))).converted, usd(5));
  // One of the same moment takes an earlier one's place.
  ASSERT_TRUE(ledger.run(rate(usd(7), epoch + hours(10))).accepted());
  EXPECT_EQ(ledger.run(convert(usd(1))).converted, usd(7));
  // The other direction has a rate of its own.
  EXPECT_EQ(ledger.run(Convert{"proj001", "core-hours", "USD", usd(1)}).refusal,
            Refusal::no_conversion_rate);
}

TEST(Conversion, OnlyWhereAnAdministratorAllowedIt) {
  TestLedger ledger = both_units();
  ASSERT_TRUE(ledger.run(rate(usd(2))).accepted());
  UpdateAccount forbid;
  forbid.name = "proj001";
  forbid.may_convert = false;
  ASSERT_TRUE(ledger.run(forbid).accepted());
  const Outcome outcome = ledger.run(convert(usd(1)));
  EXPECT_EQ(outcome.refusal, Refusal::conversion_not_allowed);
  EXPECT_EQ(outcome.field, "account");
}

TEST(Conversion, RefusesWhatCannotBe) {
  TestLedger ledger = both_units();
  ASSERT_TRUE(ledger.run(rate(usd(2))).accepted());
  const auto refusal = [&](const Convert& action) { return ledger.run(action).refusal; };
  EXPECT_EQ(refusal(convert(Micros())), Refusal::bad_amount);
  EXPECT_EQ(refusal({"nobody", "USD", "core-hours", usd(1)}), Refusal::unknown_account);
  EXPECT_EQ(refusal({"proj001", "USD", "USD", usd(1)}), Refusal::same_unit);
  EXPECT_EQ(refusal({"proj001", "USD", "1x", usd(1)}), Refusal::bad_name);
  const Outcome outcome = ledger.run(convert(usd(20) + Micros(1)));
  EXPECT_EQ(outcome.refusal, Refusal::exceeds_available);
  EXPECT_EQ(outcome.leg.available, usd(20));
  ASSERT_TRUE(ledger.run(RecordConversionRate{"USD", "EUR", usd(1), epoch}).accepted());
  EXPECT_EQ(refusal({"proj001", "USD", "EUR", usd(1)}), Refusal::unknown_budget);
  ASSERT_TRUE(
      ledger.run(RecordConversionRate{"USD", "core-hours", usd(1'000'000), epoch}).accepted());
  ASSERT_TRUE(ledger.run(Deposit{"proj001", "USD", max_amount - usd(20)}).accepted());
  EXPECT_EQ(refusal(convert(usd(1'000'000))), Refusal::limit_too_large);
  EXPECT_EQ(refusal(convert(max_amount)), Refusal::overflow);
  ledger.now = epoch + hours(1000);
  EXPECT_EQ(refusal(convert(usd(1))), Refusal::budget_ended);
  ASSERT_TRUE(ledger.run(CloseAccount{"proj001"}).accepted());
  EXPECT_EQ(refusal(convert(usd(1))), Refusal::account_closed);
}

TEST(Conversion, RefusesARateThatCannotBe) {
  TestLedger ledger;
  EXPECT_EQ(ledger.run(rate(Micros())).refusal, Refusal::bad_amount);
  EXPECT_EQ(ledger.run(rate(Micros(-1))).refusal, Refusal::bad_amount);
  EXPECT_EQ(ledger.run(rate(usd(1'000'000) + Micros(1))).refusal, Refusal::bad_amount);
  EXPECT_EQ(ledger.run(RecordConversionRate{"USD", "USD", usd(1), epoch}).refusal,
            Refusal::same_unit);
  EXPECT_EQ(ledger.run(RecordConversionRate{"", "USD", usd(1), epoch}).field, "from_unit");
}

// There and back again nobody gains: each way rounds down.
TEST(Conversion, GoingToAndFroNeverMakesMoney) {
  TestLedger ledger = both_units();
  ASSERT_TRUE(ledger.run(rate(Micros(3'000'000))).accepted());
  ASSERT_TRUE(
      ledger.run(RecordConversionRate{"core-hours", "USD", Micros(333'333), epoch}).accepted());
  for (int i = 0; i < 5; ++i) {
    const Micros before = ledger.budget("proj001").limit;
    const Micros converted = ledger.run(convert(usd(1) + Micros(i))).converted;
    ASSERT_TRUE(ledger.run(Convert{"proj001", "core-hours", "USD", converted}).accepted());
    EXPECT_LE(ledger.budget("proj001").limit, before);
  }
  const AuditReport report = ledger.auditor.finish();
  EXPECT_EQ(report.units.at("core-hours").converted_micros, 0);
  EXPECT_LT(report.units.at("USD").converted_micros, 0);
  EXPECT_EQ(report.units.at("USD").limit_micros,
            report.units.at("USD").funded_micros + report.units.at("USD").converted_micros);
}

}  // namespace
}  // namespace asbb::ledger
