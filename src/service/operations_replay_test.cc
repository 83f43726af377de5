// A request that is sent again under its id gets its first answer, whatever has become of prices,
// partitions and charges since, without HTTP.
#include <gmock/gmock.h>

#include "service/testing/operations_fixture.h"

namespace asbb::service {
namespace {

using ::testing::HasSubstr;
using testing::money;

class ReplayTest : public testing::OperationsFixture {
 protected:
  // gpu-aws at that price of a core for an hour, from now on.
  void set_price(const std::string& price) {
    pass_time(seconds(5));
    set_prices("prices:\n- {cluster: '*', partition: gpu-aws, " + price +
               "}\neffective_from: 2025-06-01T12:00:01Z\n");
    refresh_view();
  }

  void make_free() { set_price("free: true"); }

  // No cluster and no price book knows gpu-aws any more.
  void make_unknown() {
    pass_time(seconds(5));
    set_prices(
        "prices:\n- {cluster: '*', partition: other, unit: USD, basis: tres, per_core_hour: 1}\n"
        "effective_from: 2025-06-01T12:00:01Z\n");
    auto without = cluster("onprem");
    std::erase_if(without.partitions, [](const auto& part) { return part.name == "gpu-aws"; });
    view_.put(without);
    view_.put("onprem", associations());
  }

  Reply<api::Account> refund(const std::string& transaction, const char* amount,
                             const std::string& key, const std::string& job = "cloud/node-1") {
    api::MoneyRefund request;
    request.transaction_id = transaction;
    request.job_id = job;
    request.amount = money(amount);
    request.reason = "node failed";
    request.request_id = key;
    return wait<api::Account>(
        [&](const auto& promise) { operations_->refund(admin(), "proj001", request, promise); });
  }

  Reply<api::Account> write_off(const std::string& transaction, const std::string& key) {
    api::MoneyWriteOff request;
    request.transaction_id = transaction;
    request.job_id = "cloud/node-1";
    request.reason = "node failed";
    request.request_id = key;
    return wait<api::Account>(
        [&](const auto& promise) { operations_->write_off(admin(), "proj001", request, promise); });
  }

  std::string charged(const char* cost) {
    const auto checked = check(two_cpus());
    EXPECT_TRUE(reconcile(settlement(checked->transaction_id, cost), slurm_user()));
    return checked->transaction_id;
  }
};

// It was 409 "Nothing is charged": the charge was looked for before the memory of ids.
TEST_F(ReplayTest, ARefundOfAllIsAnsweredAgain) {
  const std::string id = charged("5");
  const auto first = refund(id, "5", "k1");
  ASSERT_TRUE(first) << first.error().message;
  const auto again = refund(id, "5", "k1");
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(*again, *first);
  expect_balance("0", "0");
  EXPECT_EQ(status_of(refund(id, "5", "k2")), 409);
  EXPECT_EQ(refund(id, "4", "k1").error().details, "request_id_conflict");
}

TEST_F(ReplayTest, AWriteOffIsAnsweredAgain) {
  account("overhead", "", "10");
  const std::string id = charged("5");
  const auto first = write_off(id, "k1");
  ASSERT_TRUE(first) << first.error().message;
  const auto again = write_off(id, "k1");
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(*again, *first);
  EXPECT_EQ(to_decimal(budget("overhead").used), "5");
}

// Its hold was answered "free", with no name to give it back by.
TEST_F(ReplayTest, ACheckIsAnsweredAgainWhateverThePriceIsNow) {
  auto request = two_cpus();
  request.request_id = "order-7";
  const auto first = check(request);
  ASSERT_TRUE(first && first->available);
  const auto expect_again = [&] {
    const auto again = check(request);
    ASSERT_TRUE(again) << again.error().message;
    EXPECT_EQ(*again, *first);
    expect_balance("8.64", "0");
  };
  set_price("unit: USD, basis: tres, per_core_hour: 7.2");
  expect_again();
  make_free();
  expect_again();
  make_unknown();
  expect_again();
  request.cpus = 3;
  EXPECT_EQ(check(request).error().details, "request_id_conflict");
}

TEST_F(ReplayTest, ARefusedCheckToo) {
  auto request = two_cpus();
  request.wall_time_s = 3600 * 24;
  request.request_id = "order-8";
  const auto first = check(request);
  ASSERT_TRUE(first && !first->available);
  make_free();
  const auto again = check(request);
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_FALSE(again->available);
  EXPECT_EQ(again->code, first->code);
  EXPECT_EQ(again->message, first->message);
}

TEST_F(ReplayTest, ASubmissionIsAnsweredAgainWhateverThePriceIsNow) {
  const std::string id = token();
  const auto first = submit(submission(), id);
  const std::string other = token();
  auto large = submission();
  large.cpus_per_task = large.min_cpus = 16;
  const auto refused = submit(large, other);
  EXPECT_EQ(refused.code, "insufficient_budget");
  const auto expect_again = [&](const char* what) {
    EXPECT_EQ(submit(submission(), id), first) << what;
    const auto again = submit(large, other);
    EXPECT_EQ(again.code, refused.code) << what;
    EXPECT_EQ(again.estimated_cost, refused.estimated_cost) << what;
    EXPECT_EQ(again.unit, refused.unit) << what;
    EXPECT_THAT(again.message, HasSubstr("this job may cost $57.60, and $69.12 must be held"));
    expect_balance("4.32", "0");
  };
  expect_again("at once");
  set_price("unit: USD, basis: tres, per_core_hour: 7.2");
  expect_again("dearer");
  make_free();
  expect_again("free");
  make_unknown();
  expect_again("unknown");
  restart(store_);
  expect_again("after a restart");
  auto changed = submission();
  changed.time_limit_minutes = 30;
  EXPECT_EQ(submit(changed, id).code, "request_id_conflict");
}

// A deposit and a withdrawal under one key were both carried out.
TEST_F(ReplayTest, AKeyIsOfOneRequestWhateverTheVerb) {
  const api::MoneyMove move{money("10"), "", "agreed", "k2"};
  ASSERT_TRUE(wait<api::Account>(
      [&](const auto& promise) { operations_->deposit(admin(), "proj001", move, promise); }));
  const auto refused = wait<api::Account>(
      [&](const auto& promise) { operations_->withdraw(admin(), "proj001", move, promise); });
  ASSERT_EQ(status_of(refused), 409);
  EXPECT_EQ(refused.error().details, "request_id_conflict");
  EXPECT_EQ(refused.error().field, "request_id");
  EXPECT_THAT(refused.error().message, HasSubstr("'k2'"));
  EXPECT_EQ(to_decimal(budget("proj001").limit), "60");
  const auto other = wait<api::Account>(
      [&](const auto& promise) { operations_->deposit(admin(), "lab", move, promise); });
  EXPECT_EQ(status_of(other), 409);
}

TEST_F(ReplayTest, ASettlementIsAnsweredAgainWhenAnotherClusterHasTheJobToo) {
  const std::string onprem = hold("10");
  ASSERT_TRUE(run(ledger::BindHold{find(onprem).id, {"onprem", 7, now()}}).accepted());
  auto request = settlement("", "4", "7");
  request.request_id = "r1";
  const auto first = reconcile(request, admin());
  ASSERT_TRUE(first) << first.error().message;
  const std::string cloud = hold("20");
  ASSERT_TRUE(run(ledger::BindHold{find(cloud).id, {"cloud", 7, now()}}).accepted());
  const auto again = reconcile(request, admin());
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(*again, *first);
  request.request_id = "r2";
  EXPECT_EQ(reconcile(request, admin()).error().details, "several_clusters");
}

}  // namespace
}  // namespace asbb::service
