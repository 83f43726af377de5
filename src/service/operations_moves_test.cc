// What is carried over, written off and converted, without HTTP.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "service/testing/operations_fixture.h"

namespace asbb::service {
namespace {

using ::testing::Contains;
using ::testing::IsEmpty;
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

// An account with two units, in which 'core-hours' is not the default one.
class UnitsTest : public MovesTest {
 protected:
  UnitsTest() { EXPECT_TRUE(create_in("core001", {"core-hours"})); }

  Reply<api::Account> create_in(const std::string& name, const std::vector<std::string>& units) {
    api::AccountCreate request;
    request.slurm_account = name;
    for (const std::string& unit : units) {
      request.budgets.push_back({unit, money("10"), Day{2025, 1, 1}, Day{2025, 12, 31}, {}});
    }
    return wait<api::Account>(
        [&](const auto& promise) { operations_->create_account(admin(), request, promise); });
  }

  Reply<api::Account> deposit(const std::string& name, const std::string& unit) {
    return wait<api::Account>([&](const auto& promise) {
      operations_->deposit(admin(), name, {money("1"), unit, "r", ""}, promise);
    });
  }

  Reply<api::Account> transfer(const std::string& from, const std::string& to,
                               const std::string& unit) {
    return wait<api::Account>([&](const auto& promise) {
      operations_->transfer(admin(), from, {to, money("1"), unit, "r", ""}, promise);
    });
  }

  Reply<api::Account> limit(const std::string& name, const std::string& partition,
                            const std::string& unit = "") {
    return wait<api::Account>([&](const auto& promise) {
      operations_->set_partition_limit(admin(), name, partition, {money("5"), unit, ""}, promise);
    });
  }
};

TEST_F(UnitsTest, TheOnlyUnitOfAnAccountIsMeantWhereNoneIsNamed) {
  const auto put_in = deposit("core001", "");
  ASSERT_TRUE(put_in) << put_in.error().message;
  EXPECT_EQ(put_in->budgets.at(0).unit, "core-hours");
  EXPECT_EQ(to_decimal(put_in->budgets.at(0).limit), "11");
  api::AccountUpdate raise;
  raise.budget_limit = money("20");
  const auto raised = OperationsFixture::update("core001", raise);
  ASSERT_TRUE(raised) << raised.error().message;
  EXPECT_EQ(to_decimal(raised->budgets.at(0).limit), "20");
  const auto limited = limit("core001", "gpu-aws");
  ASSERT_TRUE(limited) << limited.error().message;
  EXPECT_EQ(limited->budgets.at(0).partition_limits.at(0).unit, "core-hours");
}

TEST_F(UnitsTest, ABudgetThatHasEndedIsNotMeant) {
  api::AccountCreate request;
  request.slurm_account = "old001";
  request.budgets.push_back({"USD", money("10"), Day{2020, 1, 1}, Day{2020, 12, 31}, {}});
  request.budgets.push_back({"core-hours", money("10"), Day{2025, 1, 1}, Day{2025, 12, 31}, {}});
  ASSERT_TRUE(wait<api::Account>(
      [&](const auto& promise) { operations_->create_account(admin(), request, promise); }));
  const auto put_in = deposit("old001", "");
  ASSERT_TRUE(put_in) << put_in.error().message;
  EXPECT_EQ(to_decimal(put_in->budgets.at(0).limit), "10");
  EXPECT_EQ(to_decimal(put_in->budgets.at(1).limit), "11");
}

TEST_F(UnitsTest, OfSeveralUnitsOneHasToBeNamed) {
  ASSERT_TRUE(create_in("dual001", {"USD", "core-hours"}));
  const auto is_asked = [](const Reply<api::Account>& reply) {
    ASSERT_EQ(status_of(reply), 400);
    EXPECT_EQ(reply.error().field, "unit");
    EXPECT_EQ(reply.error().message,
              "Account 'dual001' has budgets in USD and core-hours: which of them is meant is not "
              "said.");
  };
  is_asked(deposit("dual001", ""));
  is_asked(wait<api::Account>([&](const auto& promise) {
    operations_->withdraw(admin(), "dual001", {money("1"), "", "r", ""}, promise);
  }));
  is_asked(wait<api::Account>([&](const auto& promise) {
    operations_->adjust(admin(), "dual001", {money("1"), "", "r", ""}, promise);
  }));
  is_asked(transfer("dual001", "proj001", ""));
  is_asked(limit("dual001", "gpu-aws"));
  api::AccountUpdate raise;
  raise.budget_limit = money("20");
  is_asked(OperationsFixture::update("dual001", raise));
  api::AccountUpdate describe;
  describe.description = "no money moves";
  EXPECT_TRUE(OperationsFixture::update("dual001", describe));
  ASSERT_TRUE(deposit("dual001", "core-hours"));
  const auto now = operations_->account(admin(), "dual001");
  EXPECT_EQ(to_decimal(now->budgets.at(0).limit), "10");
  EXPECT_EQ(to_decimal(now->budgets.at(1).limit), "11");
}

TEST_F(UnitsTest, AMissingUnitIsToldWithTheAccountAndWhatItHas) {
  const auto wrong = deposit("core001", "USD");
  ASSERT_EQ(status_of(wrong), 404);
  EXPECT_EQ(wrong.error().message,
            "Account 'core001' has no budget in USD. It has one in core-hours.");
  const auto target = transfer("proj001", "core001", "");
  ASSERT_EQ(status_of(target), 404);
  EXPECT_EQ(target.error().message,
            "Account 'core001' has no budget in USD. It has one in core-hours.");
  EXPECT_EQ(transfer("core001", "proj001", "").error().message,
            "Account 'proj001' has no budget in core-hours. It has one in USD.");
  EXPECT_EQ(transfer("proj001", "gone001", "").error().message, "There is no account 'gone001'.");
}

TEST_F(UnitsTest, ALimitThatNoJobCountsAgainstIsWarnedOf) {
  EXPECT_THAT(limit("proj001", "gpu-aws")->warnings, IsEmpty());
  EXPECT_THAT(limit("core001", "gpu-aws")->warnings,
              Contains("partition 'gpu-aws' is priced in USD: no job there counts against a limit "
                       "in core-hours"));
  EXPECT_THAT(limit("proj001", "cpu")->warnings,
              Contains("partition 'cpu' has no price: no job there counts against a limit in USD"));
  EXPECT_THAT(limit("proj001", "gpu-azure")->warnings,  // a cluster was not read: it may have it
              Contains("partition 'gpu-azure' has no price: no job there counts against a limit in "
                       "USD"));
  view_.put(cluster("cloud"));
  EXPECT_THAT(
      limit("proj001", "gpu-azure")->warnings,
      Contains("no cluster has a partition 'gpu-azure': the limit counts once there is one"));
}

}  // namespace
}  // namespace asbb::service
