// Accounts, checks, settlements, jobs and the audit, without HTTP.
#include <gmock/gmock.h>

#include "service/digest.h"
#include "service/testing/operations_fixture.h"

namespace asbb::service {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::money;
using ::testing::SizeIs;

using OperationsTest = testing::OperationsFixture;

TEST_F(OperationsTest, ChecksHoldAndSettleOnce) {
  const auto checked = check(two_cpus());
  ASSERT_TRUE(checked) << checked.error().message;
  EXPECT_TRUE(checked->available);
  EXPECT_EQ(to_decimal(checked->estimated_cost), "7.2");
  EXPECT_EQ(to_decimal(checked->hold_amount), "8.64");
  EXPECT_EQ(to_decimal(checked->budget_remaining), "41.36");
  EXPECT_EQ(to_decimal(checked->details.account_balance), "50");
  EXPECT_EQ(to_decimal(checked->details.hold_percentage), "1.2");
  ASSERT_FALSE(checked->transaction_id.empty());
  expect_balance("8.64", "0");

  const auto settled = reconcile(settlement(checked->transaction_id, "5"), slurm_user());
  ASSERT_TRUE(settled) << settled.error().message;
  EXPECT_TRUE(settled->success);
  EXPECT_EQ(to_decimal(settled->original_hold), "8.64");
  EXPECT_EQ(to_decimal(settled->actual_charge), "5");
  EXPECT_EQ(to_decimal(settled->refund_amount), "3.64");
  expect_balance("0", "5");
  EXPECT_EQ(*reconcile(settlement(checked->transaction_id, "5"), slurm_user()), *settled);
  expect_balance("0", "5");
  EXPECT_EQ(status_of(reconcile(settlement(checked->transaction_id, "6"), slurm_user())), 409);
  EXPECT_EQ(status_of(reconcile(settlement(checked->transaction_id, "5", "b"), slurm_user())), 409);
  EXPECT_EQ(status_of(reconcile(settlement("nothing", "5"), slurm_user())), 404);
  auto keyed = settlement(checked->transaction_id, "5");
  keyed.request_id = "settle-1";
  EXPECT_EQ(*reconcile(keyed, slurm_user()), *settled);
  keyed.actual_cost = money("7");
  EXPECT_EQ(reconcile(keyed, slurm_user()).error().details, "request_id_conflict");
  expect_balance("0", "5");
}

TEST_F(OperationsTest, ShowsTheBudgetAndTheLimitOfACheck) {
  ASSERT_TRUE(run(ledger::SetPartitionLimit{"proj001", "USD", "gpu-aws", money("10")}).accepted());
  const auto first = check(two_cpus());
  EXPECT_EQ(to_decimal(first->details.account_balance), "50");
  EXPECT_EQ(to_decimal(first->details.current_hold), "0");
  EXPECT_EQ(to_decimal(*first->details.partition_limit), "10");
  EXPECT_EQ(to_decimal(first->budget_remaining), "1.36");
  const auto second = check(two_cpus());
  EXPECT_FALSE(second->available);
  EXPECT_EQ(second->code, "partition_limit_exceeded");
  EXPECT_EQ(to_decimal(second->details.current_hold), "8.64");
  EXPECT_EQ(to_decimal(second->budget_remaining), "1.36");
}

TEST_F(OperationsTest, CountsTheCpusOfTheWholeJob) {
  auto request = two_cpus();
  request.nodes = 2;
  request.cpus = 16;
  EXPECT_EQ(to_decimal(check(request)->estimated_cost), "57.6");
  request.cpus = 1;  // a node is never less than a CPU
  EXPECT_EQ(to_decimal(check(request)->estimated_cost), "7.2");
}

TEST_F(OperationsTest, ShowsAnOverrun) {
  const auto checked = check(two_cpus());
  const auto settled = reconcile(settlement(checked->transaction_id, "10.64"), slurm_user());
  EXPECT_EQ(to_decimal(settled->actual_charge), "10.64");
  EXPECT_EQ(to_decimal(settled->overrun), "2");
  EXPECT_EQ(to_decimal(settled->refund_amount), "0");
  expect_balance("0", "10.64");
}

TEST_F(OperationsTest, SaysNoToAChecksMoneyWithAnAnswer) {
  auto request = two_cpus();
  request.cpus = 16;
  const auto poor = check(request);
  ASSERT_TRUE(poor);
  EXPECT_FALSE(poor->available);
  EXPECT_EQ(poor->message, "Insufficient budget: $69.12 needed, $50.00 available.");
  EXPECT_EQ(poor->recommendation, "A wall time of at most 00:43:00 would fit.");
  EXPECT_EQ(to_decimal(poor->hold_amount), "0");
  EXPECT_EQ(poor->code, "insufficient_budget");
  EXPECT_TRUE(poor->transaction_id.empty());
  EXPECT_EQ(to_decimal(poor->budget_remaining), "50");
  request.account = "nobody";
  EXPECT_EQ(status_of(check(request)), 404);
  api::AccountUpdate suspend;
  suspend.status = "suspended";
  ASSERT_TRUE(update("proj001", suspend));
  request.account = "proj001";
  EXPECT_EQ(status_of(check(request)), 402);
  EXPECT_EQ(check(request).error().code, "ACCOUNT_INACTIVE");
}

TEST_F(OperationsTest, AnswersAKeyTheSameWay) {
  auto request = two_cpus();
  request.request_id = "order-7";
  const auto first = check(request);
  const auto second = check(request);
  ASSERT_TRUE(first && second);
  EXPECT_EQ(*first, *second);
  expect_balance("8.64", "0");
  request.cpus = 1;
  EXPECT_EQ(status_of(check(request)), 409);
  request.request_id.clear();
  EXPECT_NE(check(request)->transaction_id, check(request)->transaction_id);
}

TEST_F(OperationsTest, PricesPartitionsThatNoViewKnows) {
  set_prices(R"(
prices:
  - {cluster: elsewhere, partition: gpu-far, unit: USD, basis: tres, per_gpu_hour: {"*": 3}}
  - {cluster: "*", partition: gpu-aws, unit: USD, basis: tres, per_core_hour: 3.6}
effective_from: 2025-02-01
)");
  auto request = two_cpus();
  request.partition = "gpu-far";
  request.gpus = 4;
  request.nodes = 2;
  EXPECT_EQ(to_decimal(check(request)->estimated_cost), "12");
  request.cluster = "onprem";
  EXPECT_EQ(status_of(check(request)), 400);
}

TEST_F(OperationsTest, HoldsNothingForAPartitionWithoutAPrice) {
  auto request = two_cpus();
  for (const char* cluster : {"", "onprem"}) {
    request.cluster = cluster;
    request.partition = "cpu";
    const auto free = check(request);
    ASSERT_TRUE(free) << free.error().message;
    EXPECT_TRUE(free->available);
    EXPECT_TRUE(free->transaction_id.empty());
  }
  set_prices(R"(
prices:
  - {cluster: "*", partition: gpu-aws, unit: USD, basis: tres, per_core_hour: 3.6}
  - {cluster: elsewhere, partition: gifts, free: true}
effective_from: 2025-02-01
)");
  request.cluster.clear();
  request.partition = "gifts";
  const auto said = check(request);
  ASSERT_TRUE(said) << said.error().message;
  EXPECT_TRUE(said->transaction_id.empty());
  expect_balance("0", "0");
}

// "gpu-aws,x" and "GPU-AWS" were free of charge.
TEST_F(OperationsTest, RefusesAPartitionThatNobodyKnows) {
  auto request = two_cpus();
  for (const char* cluster : {"", "onprem", "cloud"}) {
    request.cluster = cluster;
    for (const char* unknown : {"gpu-aws,x", "gpu-aws,cpu", "GPU-AWS", "gpu", " gpu-aws"}) {
      request.partition = unknown;
      const auto refused = check(request);
      ASSERT_EQ(status_of(refused), 400) << cluster << " " << unknown;
      EXPECT_EQ(refused.error().field, "partition");
      EXPECT_THAT(refused.error().message, HasSubstr("'" + std::string(unknown) + "'"));
    }
  }
  expect_balance("0", "0");
}

// Two clusters without a federation: the first one's hold was charged.
TEST_F(OperationsTest, AsksWhichClusterIsMeantWhenBothHaveTheJob) {
  const std::string onprem = hold("10");
  const std::string cloud = hold("20");
  ASSERT_TRUE(run(ledger::BindHold{find(onprem).id, {"onprem", 7, now()}}).accepted());
  ASSERT_TRUE(run(ledger::BindHold{find(cloud).id, {"cloud", 7, now()}}).accepted());
  const auto unclear = reconcile(settlement("", "4", "7"), admin());
  ASSERT_EQ(status_of(unclear), 409);
  EXPECT_EQ(unclear.error().field, "cluster");
  auto wrong = settlement(onprem, "4", "7");
  wrong.cluster = "cloud";
  EXPECT_EQ(status_of(reconcile(wrong, admin())), 409);
  auto clear = settlement("", "4", "7");
  clear.cluster = "cloud";
  const auto charged = reconcile(clear, admin());
  ASSERT_TRUE(charged) << charged.error().message;
  EXPECT_EQ(charged->transaction_id, cloud);
  expect_balance("10", "4");
}

TEST_F(OperationsTest, AFederatedIdIsOneJobOnAllClusters) {
  constexpr std::int64_t federated_id = 67'108'865;
  const std::string id = hold("10");
  ASSERT_TRUE(run(ledger::BindHold{find(id).id, {"onprem", federated_id, now()}}).accepted());
  auto ran = settlement("", "4", std::to_string(federated_id));
  ran.cluster = "cloud";
  const auto charged = reconcile(ran, admin());
  ASSERT_TRUE(charged) << charged.error().message;
  EXPECT_EQ(charged->transaction_id, id);
  expect_balance("0", "4");
}

TEST_F(OperationsTest, FindsTheHoldOfASlurmJobForAdministratorsOnly) {
  const std::string id = hold("10");
  const ledger::JobRef job{"onprem", 4711, now()};
  EXPECT_EQ(status_of(reconcile(settlement("", "4", "4711"), admin())), 404);
  ASSERT_TRUE(run(ledger::BindHold{find(id).id, job}).accepted());
  EXPECT_EQ(status_of(reconcile(settlement("", "4", "4711"), slurm_user())), 403);
  EXPECT_EQ(status_of(reconcile(settlement(id, "4", "4712"), admin())), 409);
  const auto settled = reconcile(settlement("", "4", "4711"), admin());
  ASSERT_TRUE(settled) << settled.error().message;
  EXPECT_EQ(settled->transaction_id, id);
  expect_balance("0", "4");
}

TEST_F(OperationsTest, MakesChangesAndClosesAccounts) {
  api::AccountCreate create;
  create.slurm_account = "proj002";
  create.name = "Second project";
  create.parent = "lab";
  create.budgets.push_back({"", money("20"), Day{2025, 1, 1}, Day{2025, 12, 31}, Micros()});
  const auto created = wait<api::Account>(
      [&](const auto& promise) { operations_->create_account(admin(), create, promise); });
  ASSERT_TRUE(created) << created.error().message;
  EXPECT_EQ(created->name, "Second project");
  EXPECT_EQ(created->parent, "lab");
  EXPECT_EQ(created->unit, "USD");
  EXPECT_EQ(to_decimal(created->budget_limit), "20");
  EXPECT_EQ(to_rfc3339(*created->end_date), "2026-01-01T00:00:00Z");
  ASSERT_THAT(created->budgets, SizeIs(1));
  EXPECT_EQ(created->budgets[0].last_day, (Day{2025, 12, 31}));
  EXPECT_TRUE(created->budgets[0].in_force);
  EXPECT_EQ(status_of(wait<api::Account>([&](const auto& promise) {
              operations_->create_account(admin(), create, promise);
            })),
            409);

  api::AccountUpdate change;
  change.budget_limit = money("30");
  change.description = "more";
  change.reason = "supplement of June";
  EXPECT_EQ(to_decimal(update("proj002", change)->budget_limit), "30");
  EXPECT_EQ(operations_->account(admin(), "proj002")->description, "more");
  EXPECT_EQ(transactions("proj002").front().reason, "supplement of June");
  change.status = "closed";
  EXPECT_EQ(update("proj002", change).error().field, "status");

  const auto limited = wait<api::Account>([&](const auto& promise) {
    operations_->set_partition_limit(admin(), "proj002", "gpu-aws",
                                     {money("5"), "", "no more there"}, promise);
  });
  ASSERT_THAT(limited->budgets[0].partition_limits, SizeIs(1));
  EXPECT_EQ(to_decimal(limited->budgets[0].partition_limits[0].available), "5");
  EXPECT_EQ(transactions("proj002").front().reason, "no more there");

  const auto close = [&] {
    return wait<Nothing>(
        [&](const auto& promise) { operations_->close_account(admin(), "proj002", promise); });
  };
  EXPECT_TRUE(close());
  EXPECT_EQ(operations_->account(admin(), "proj002")->status, "closed");
  EXPECT_THAT(*operations_->accounts(admin(), {}), SizeIs(2));
}

TEST_F(OperationsTest, AddsABudgetOfAnotherUnit) {
  api::AccountUpdate add;
  add.unit = "core-hours";
  add.budget_limit = money("1000");
  EXPECT_EQ(status_of(update("proj001", add)), 404);
  add.start_date = Day{2025, 1, 1};
  add.end_date = Day{2025, 12, 31};
  add.description = "both";
  const auto updated = update("proj001", add);
  ASSERT_TRUE(updated) << updated.error().message;
  EXPECT_THAT(updated->budgets, SizeIs(2));
  EXPECT_EQ(updated->unit, "USD");
  EXPECT_EQ(updated->description, "both");
}

// A second period used to take the place of the first one.
TEST_F(OperationsTest, AddsABudgetForAnotherPeriod) {
  api::AccountUpdate next;
  next.budget_limit = money("9");
  next.start_date = Day{2026, 1, 1};
  next.end_date = Day{2026, 12, 31};
  const auto updated = update("proj001", next);
  ASSERT_TRUE(updated) << updated.error().message;
  ASSERT_THAT(updated->budgets, SizeIs(2));
  EXPECT_EQ(updated->budgets[0].first_day, (Day{2025, 1, 1}));
  EXPECT_EQ(updated->budgets[1].limit, money("9"));
}

// The budget used to stay when the rest was refused.
TEST_F(OperationsTest, AnUpdateIsAllOrNothing) {
  api::AccountUpdate add;
  add.unit = "core-hours";
  add.budget_limit = money("1000");
  add.start_date = Day{2025, 1, 1};
  add.end_date = Day{2025, 12, 31};
  add.parent = "nobody";
  EXPECT_EQ(status_of(update("proj001", add)), 400);
  EXPECT_THAT(operations_->account(admin(), "proj001")->budgets, SizeIs(1));
}

TEST_F(OperationsTest, APeriodMustCoverThisMomentWhileMoneyIsInTheBudget) {
  ASSERT_TRUE(run(ledger::Adjust{"proj001", "USD", money("10")}).accepted());
  api::AccountUpdate move;
  move.end_date = Day{2025, 1, 2};
  const auto refused = update("proj001", move);
  EXPECT_EQ(status_of(refused), 409);
  EXPECT_EQ(refused.error().details, "budget_in_use");
  EXPECT_EQ(refused.error().field, "end_date");
  EXPECT_THAT(refused.error().message, HasSubstr("$10.00 used, $0.00 held"));
}

TEST_F(OperationsTest, AdjustsWithAReasonOnce) {
  ASSERT_TRUE(run(ledger::Adjust{"proj001", "USD", money("10")}).accepted());
  const api::Adjustment request{money("-2.5"), "", "credit note 12", "adj-1"};
  for (int i = 0; i < 2; ++i) {
    const auto adjusted = wait<api::Account>(
        [&](const auto& promise) { operations_->adjust(admin(), "proj001", request, promise); });
    ASSERT_TRUE(adjusted) << adjusted.error().message;
    EXPECT_EQ(to_decimal(adjusted->budget_used), "7.5");
  }
  const auto too_much = wait<api::Account>([&](const auto& promise) {
    operations_->adjust(admin(), "proj001", {money("-8"), "", "a typing error", ""}, promise);
  });
  EXPECT_EQ(status_of(too_much), 409);
  EXPECT_EQ(too_much.error().details, "exceeds_used");
  EXPECT_EQ(too_much.error().message,
            "At most $7.50 can be given back: that is all that account 'proj001' has used.");
  EXPECT_EQ(transactions("proj001").front().reason, "credit note 12");
  EXPECT_EQ(status_of(wait<api::Account>([&](const auto& promise) {
              operations_->adjust(slurm_user(), "proj001", request, promise);
            })),
            403);
}

TEST_F(OperationsTest, ShowsUsersWhatSlurmLetsThemUseAndNothingElse) {
  EXPECT_TRUE(operations_->account(alice(), "proj001"));
  const auto foreign = operations_->account(bob(), "proj001");
  const auto unknown = operations_->account(bob(), "proj999");
  ASSERT_TRUE(!foreign && !unknown);
  EXPECT_EQ(foreign.error().status, 404);
  EXPECT_EQ(foreign.error().code, unknown.error().code);
  EXPECT_EQ(foreign.error().message, "There is no account 'proj001'.");
  EXPECT_EQ(unknown.error().message, "There is no account 'proj999'.");
  EXPECT_EQ(status_of(operations_->account(alice(), "lab")), 404);
  EXPECT_THAT(*operations_->accounts(alice(), {}), SizeIs(1));
  EXPECT_THAT(*operations_->accounts(bob(), {}), SizeIs(0));
  EXPECT_THAT(*operations_->accounts(slurm_user(), {}), SizeIs(2));
  EXPECT_EQ(status_of(operations_->accounts(anonymous(), {})), 401);
  EXPECT_EQ(status_of(operations_->usage(bob(), "proj001", {})), 404);
  EXPECT_EQ(status_of(operations_->open_holds(bob(), "proj001")), 404);
  api::TransactionQuery query;
  query.account = "proj001";
  EXPECT_EQ(status_of(operations_->transactions(bob(), query)), 404);
  EXPECT_EQ(status_of(operations_->transactions(alice(), query)), 200);
  EXPECT_EQ(status_of(operations_->verify_audit(alice())), 403);
  EXPECT_EQ(status_of(operations_->audit_entries(alice(), {})), 403);
  EXPECT_EQ(status_of(operations_->status(alice())), 403);
  EXPECT_EQ(status_of(operations_->notify(alice(), {"onprem", 1})), 403);
  EXPECT_EQ(status_of(check(two_cpus())), 200);
  EXPECT_EQ(status_of(wait<api::BudgetCheckAnswer>(
                [&](const auto& promise) { operations_->check(alice(), two_cpus(), promise); })),
            403);
  EXPECT_EQ(status_of(wait<Nothing>([&](const auto& promise) {
              operations_->close_account(slurm_user(), "proj001", promise);
            })),
            403);
}

TEST_F(OperationsTest, VerifiesTheAuditTrail) {
  hold("1");
  const auto checked = check(two_cpus());
  ASSERT_TRUE(reconcile(settlement(checked->transaction_id, "5"), slurm_user()));
  const auto report = operations_->verify_audit(slurm_user());
  ASSERT_TRUE(report);
  EXPECT_THAT(report->problems, ElementsAre());
  EXPECT_TRUE(report->ok);
  EXPECT_EQ(report->entries,
            committer_->read([](const ledger::Book& book) { return book.counters().entry; }));
  EXPECT_EQ(report->head.size(), 64u);

  Operations forged(Collaborators{*committer_, prices_, view_, names_, *authority_, alarms_, work_},
                    {}, store::ChainKey{9}, {});
  const auto broken = forged.verify_audit(admin());
  EXPECT_FALSE(broken->ok);
  EXPECT_THAT(broken->problems.front(), HasSubstr("no value of the chain was made with this key"));
}

TEST_F(OperationsTest, TellsWhatBecameOfAJob) {
  const std::string id = hold("5");
  ASSERT_TRUE(run(ledger::BindHold{find(id).id, {"onprem", 42, now()}}).accepted());
  hooks_.ask_for_pass = [&](const std::function<void(const PassReport&)>& done) {
    EXPECT_TRUE(
        run(ledger::SettleShare{
                find(id).id, {"onprem", 42, -1, 0, ""}, "USD", money("2"), false, "COMPLETED"})
            .accepted());
    done(PassReport{});
  };
  rebuild();
  const auto ask = [&](const std::string& job) {
    return wait<api::JobReconcileAnswer>(
        [&](const auto& promise) { operations_->reconcile_job(admin(), job, {}, promise); });
  };
  const auto told = ask("42");
  ASSERT_TRUE(told) << told.error().message;
  EXPECT_TRUE(told->success);
  ASSERT_THAT(told->jobs, SizeIs(1));
  EXPECT_EQ(told->jobs[0].action, "settled");
  EXPECT_EQ(to_decimal(told->jobs[0].charged), "2");
  EXPECT_EQ(to_decimal(told->jobs[0].released), "3");
  EXPECT_FALSE(ask("43")->success);
  for (const char* bad : {"", "x", "4_", "4_5_6", "-1", "0"}) EXPECT_EQ(status_of(ask(bad)), 400);
}

TEST_F(OperationsTest, SaysThatAPassIsNotDoneInTime) {
  hooks_.ask_for_pass = [](const PassAnswer& done) {
    done(fail(ErrorKind::unavailable, "it waits for squeue of cluster onprem"));
  };
  rebuild();
  const auto late = wait<api::JobReconcileAnswer>(
      [&](const auto& promise) { operations_->reconcile_job(admin(), "42", {}, promise); });
  ASSERT_EQ(status_of(late), 503);
  EXPECT_EQ(late.error().code, "SERVICE_UNAVAILABLE");
  EXPECT_THAT(late.error().message, HasSubstr("squeue of cluster onprem"));
}

// Of what may be spent while nobody answers: as much as the plugin and the ledger leave of it.
TEST_F(OperationsTest, SaysWhatIsLeftOfAllowances) {
  Allowances allowances;
  ledger::PlaceHold place;
  place.kind = ledger::HoldKind::external;
  place.account = "proj001";
  place.group = allowance_group;
  place.transaction_id = "allowance";
  place.parts = {{"USD", money("20"), money("20"), 0}};
  const ledger::HoldId hold = run(place).hold;
  allowances.publish("onprem", {{{"proj001", hold, money("20"), "USD", Micros(1'200'000), now()},
                                 {"other001", {}, Micros(), "USD", Micros(1'200'000), {}}},
                                {}});
  hooks_.allowances = &allowances;
  rebuild();
  api::Submission asked = submission();
  asked.allowances_spent = std::to_string(hold.value) + "=7500000";
  EXPECT_EQ(submit(asked).decision, "allow");
  const auto status = operations_->status(slurm_user());
  ASSERT_TRUE(status);
  ASSERT_THAT(status->allowances, SizeIs(2));
  EXPECT_EQ(status->allowances[0],
            (api::AllowanceStatus{"onprem", "proj001", "USD", money("20"), money("12.5")}));
  EXPECT_EQ(status->allowances[1].amount, Micros());
  operations_.reset();
}

TEST_F(OperationsTest, SaysHowItFares) {
  hold("5");
  alarms_.raise("unheld onprem 1", "a job ran without a hold", now());
  const Instant complete = now() - seconds(9);
  hooks_.last_pass = [&] {
    PassReport report;
    report.complete = {{"onprem", complete}};
    return report;
  };
  rebuild();
  const auto status = operations_->status(slurm_user());
  ASSERT_TRUE(status);
  EXPECT_TRUE(status->ledger.healthy);
  EXPECT_EQ(status->reconciler.open_holds, 1);
  EXPECT_EQ(status->reconciler.unbound_holds, 1);
  ASSERT_THAT(status->clusters, SizeIs(2));
  EXPECT_TRUE(status->clusters[0].reachable);
  EXPECT_FALSE(status->clusters[1].reachable);
  EXPECT_EQ(status->clusters[0].reconciled_at, complete);
  EXPECT_FALSE(status->clusters[1].reconciled_at);
  ASSERT_THAT(status->alarms, SizeIs(1));
  EXPECT_EQ(operations_->health().status, "healthy");
  committer_->stop();
  EXPECT_EQ(operations_->health().status, "unhealthy");
  EXPECT_EQ(status_of(check(two_cpus())), 503);
}

}  // namespace
}  // namespace asbb::service
