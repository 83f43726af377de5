// What is carried over, written off and converted, without HTTP.
#include <gtest/gtest.h>

#include "service/testing/operations_fixture.h"

namespace asbb::service {
namespace {

using testing::money;

class MovesTest : public testing::OperationsFixture {
 protected:
  Reply<api::Account> update(const api::AccountUpdate& change) {
    return wait<api::Account>([&](const auto& promise) {
      operations_->update_account(admin(), "proj001", change, promise);
    });
  }

  Reply<api::Account> create(const std::string& name) {
    api::AccountCreate request;
    request.slurm_account = name;
    request.budgets.push_back({"USD", money("1"), Day{2025, 1, 1}, Day{2025, 12, 31}, {}});
    return wait<api::Account>(
        [&](const auto& promise) { operations_->create_account(admin(), request, promise); });
  }

  Reply<api::ConversionRate> set_rate(const char* rate) {
    api::NewConversionRate request{"USD", "core-hours", money(rate), {}, "agreed"};
    return wait<api::ConversionRate>([&](const auto& promise) {
      operations_->record_conversion_rate(admin(), request, promise);
    });
  }

  Reply<api::Account> convert(const char* amount, const std::string& key = "") {
    return wait<api::Account>([&](const auto& promise) {
      operations_->convert(admin(), "proj001", {money(amount), "", "core-hours", "r", key},
                           promise);
    });
  }
};

TEST_F(MovesTest, ABudgetShowsWhatItCarriesOver) {
  api::AccountUpdate change;
  change.carry_over = "12.5%";
  const auto changed = update(change);
  ASSERT_TRUE(changed) << changed.error().message;
  EXPECT_EQ(changed->budgets.at(0).carry_over, "12.5%");
  EXPECT_EQ(changed->budgets.at(0).carried_over, Micros());
  for (const char* wrong : {"half", "101%", "-1%", "0.00001%", "%", "50", "1e2%", "+5%"}) {
    change.carry_over = wrong;
    const auto refused = update(change);
    EXPECT_EQ(status_of(refused), 400) << wrong;
    EXPECT_EQ(refused.error().field, "carry_over");
  }
}

TEST_F(MovesTest, AJobsCostGoesToTheWriteOffAccount) {
  const auto checked = check(two_cpus());
  ASSERT_TRUE(reconcile(settlement(checked->transaction_id, "5"), slurm_user()));
  const auto write_off = [&](std::optional<Micros> amount, const Caller& caller) {
    api::MoneyWriteOff request;
    request.transaction_id = checked->transaction_id;
    request.amount = amount;
    request.reason = "node failed";
    return wait<api::Account>(
        [&](const auto& promise) { operations_->write_off(caller, "proj001", request, promise); });
  };
  EXPECT_EQ(status_of(write_off({}, slurm_user())), 403);
  EXPECT_EQ(write_off({}, admin()).error().message, "There is no account 'overhead'.");
  ASSERT_TRUE(create("overhead"));
  ASSERT_TRUE(write_off(money("2"), admin()));
  EXPECT_EQ(transactions("proj001").front().description,
            "$2.00 written off for job cloud/node-1: account overhead bears it.");
  EXPECT_EQ(transactions("overhead").front().description,
            "$2.00 borne for job cloud/node-1 of account proj001.");
  const auto back = write_off({}, admin());
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(back->budget_used, Micros());
  EXPECT_EQ(to_decimal(operations_->account(admin(), "overhead")->budget_used), "5");
  EXPECT_EQ(write_off({}, admin()).error().details, "exceeds_charge");
  const auto usage = operations_->usage(admin(), "overhead", {});
  ASSERT_TRUE(usage);
  EXPECT_EQ(to_decimal(usage->units.at(0).charged), "5");
  EXPECT_EQ(to_decimal(operations_->usage(admin(), "proj001", {})->units.at(0).charged), "0");
  EXPECT_TRUE(operations_->verify_audit(admin())->ok);
}

TEST_F(MovesTest, OneUnitPaysAnotherWhereThatIsAllowed) {
  api::AccountUpdate hours_of_cores;
  hours_of_cores.unit = "core-hours";
  hours_of_cores.budget_limit = money("100");
  hours_of_cores.start_date = Day{2025, 1, 1};
  hours_of_cores.end_date = Day{2025, 12, 31};
  ASSERT_TRUE(update(hours_of_cores));
  EXPECT_EQ(convert("2").error().details, "conversion_not_allowed");
  EXPECT_EQ(status_of(convert("2")), 409);
  api::AccountUpdate allow;
  allow.may_convert = true;
  EXPECT_TRUE(update(allow)->may_convert);
  EXPECT_EQ(convert("2").error().details, "no_conversion_rate");
  EXPECT_EQ(status_of(set_rate("0")), 400);
  const auto rate = set_rate("25");
  ASSERT_TRUE(rate) << rate.error().message;
  EXPECT_TRUE(rate->in_force);
  for (int i = 0; i < 2; ++i) {
    const auto converted = convert("2", "key-1");
    ASSERT_TRUE(converted) << converted.error().message;
    EXPECT_EQ(to_decimal(converted->budgets.at(0).limit), "48");
    EXPECT_EQ(to_decimal(converted->budgets.at(1).limit), "150");
  }
  EXPECT_EQ(transactions("proj001").front().description, "50.00 core-hours came from USD.");
  ASSERT_TRUE(set_rate("30"));
  const auto rates = operations_->conversion_rates(admin());
  ASSERT_EQ(rates->size(), 2U);
  EXPECT_FALSE(rates->at(0).in_force);
  EXPECT_TRUE(rates->at(1).in_force);
  EXPECT_TRUE(operations_->verify_audit(admin())->ok);
}

}  // namespace
}  // namespace asbb::service
