// Deposits, withdrawals, transfers and refunds, without HTTP.
#include <gtest/gtest.h>

#include "service/testing/operations_fixture.h"

namespace asbb::service {
namespace {

using testing::money;

using MoneyTest = testing::OperationsFixture;

TEST_F(MoneyTest, MovesMoneyWithAReasonOnce) {
  api::AccountCreate create;
  create.slurm_account = "proj002";
  create.budgets.push_back({"USD", money("1"), Day{2025, 1, 1}, Day{2025, 12, 31}, {}});
  ASSERT_EQ(status_of(wait<api::Account>([&](const auto& promise) {
              operations_->create_account(admin(), create, promise);
            })),
            200);
  for (int i = 0; i < 2; ++i) {
    const auto moved = wait<api::Account>([&](const auto& promise) {
      operations_->deposit(admin(), "proj001", {money("5"), "", "gift", "key-1"}, promise);
    });
    ASSERT_TRUE(moved) << moved.error().message;
    EXPECT_EQ(to_decimal(moved->budget_limit), "55");
  }
  const auto conflict = wait<api::Account>([&](const auto& promise) {
    operations_->deposit(admin(), "proj001", {money("6"), "", "gift", "key-1"}, promise);
  });
  EXPECT_EQ(conflict.error().details, "request_id_conflict");
  const auto too_much = wait<api::Account>([&](const auto& promise) {
    operations_->withdraw(admin(), "proj001", {money("56"), "", "r", ""}, promise);
  });
  EXPECT_EQ(status_of(too_much), 409);
  EXPECT_EQ(too_much.error().message,
            "$56.00 cannot be taken out of account 'proj001': of $55.00, $0.00 is used and $0.00 "
            "held, so $55.00 can.");
  const auto transfer = [&](const std::string& to, const std::string& amount) {
    return wait<api::Account>([&](const auto& promise) {
      operations_->transfer(admin(), "proj001", {to, money(amount.c_str()), "", "r", ""}, promise);
    });
  };
  EXPECT_EQ(to_decimal(transfer("proj002", "15")->budget_limit), "40");
  EXPECT_EQ(to_decimal(operations_->account(admin(), "proj002")->budget_limit), "16");
  EXPECT_EQ(transfer("nobody", "1").error().message, "There is no account 'nobody'.");
  EXPECT_EQ(transfer("proj001", "1").error().details, "same_budget");
  EXPECT_EQ(transactions("proj002").front().description, "$15.00 moved here from account proj001.");
  EXPECT_EQ(status_of(wait<api::Account>([&](const auto& promise) {
              operations_->withdraw(slurm_user(), "proj001", {money("1"), "", "r", ""}, promise);
            })),
            403);
}

TEST_F(MoneyTest, AnAliasStandsForItsAccount) {
  api::AccountUpdate change;
  change.aliases = {"grant-7"};
  const auto named = wait<api::Account>([&](const auto& promise) {
    operations_->update_account(admin(), "proj001", change, promise);
  });
  ASSERT_TRUE(named) << named.error().message;
  EXPECT_EQ(named->aliases, (std::vector<std::string>{"grant-7"}));
  EXPECT_EQ(operations_->account(admin(), "grant-7")->slurm_account, "proj001");
  auto request = two_cpus();
  request.account = "grant-7";
  EXPECT_TRUE(check(request)->available);
  EXPECT_EQ(transactions("grant-7").front().account, "proj001");
  EXPECT_EQ(transactions("grant-7").front().type, "hold");
  api::AccountCreate create;
  create.slurm_account = "grant-7";
  EXPECT_EQ(status_of(wait<api::Account>([&](const auto& promise) {
              operations_->create_account(admin(), create, promise);
            })),
            409);
}

TEST_F(MoneyTest, RefundsAJobToTheAccountThatPaid) {
  const auto checked = check(two_cpus());
  ASSERT_TRUE(reconcile(settlement(checked->transaction_id, "5"), slurm_user()));
  const auto refund = [&](const std::string& account, const std::string& transaction,
                          const std::string& job, const std::string& amount) {
    api::MoneyRefund request;
    request.transaction_id = transaction;
    request.job_id = job;
    request.amount = money(amount.c_str());
    request.reason = "node failed";
    return wait<api::Account>(
        [&](const auto& promise) { operations_->refund(admin(), account, request, promise); });
  };
  const auto back = refund("proj001", checked->transaction_id, "", "2");
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(to_decimal(back->budget_used), "3");
  EXPECT_EQ(transactions("proj001").front().type, "refund");
  EXPECT_EQ(transactions("proj001").front().reason, "node failed");
  const auto too_much = refund("proj001", checked->transaction_id, "cloud/node-1", "3.5");
  EXPECT_EQ(status_of(too_much), 409);
  EXPECT_EQ(too_much.error().message,
            "At most $3.00 can be given back or written off: $5.00 was charged, and $2.00 of it "
            "already was.");
  EXPECT_EQ(status_of(refund("proj001", checked->transaction_id, "cloud/node-2", "1")), 409);
  EXPECT_EQ(status_of(refund("nobody", checked->transaction_id, "", "1")), 409);
  EXPECT_EQ(status_of(refund("proj001", "nothing", "", "1")), 404);
  EXPECT_EQ(status_of(refund("proj001", "", "999", "1")), 404);
  EXPECT_TRUE(refund("proj001", checked->transaction_id, "cloud/node-1", "3"));
  expect_balance("0", "0");
  EXPECT_EQ(status_of(refund("proj001", checked->transaction_id, "cloud/node-1", "1")), 409);
  EXPECT_TRUE(operations_->verify_audit(admin())->ok);
}

}  // namespace
}  // namespace asbb::service
