// A reconciler that sets money aside for what may be spent on cloud while the service is away, and
// jobs that a plugin let through on it.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "service/allowances.h"
#include "service/reconciler.h"
#include "service/testing/reconciler_fixture.h"

namespace asbb::service::testing {

inline AllowanceSettings allowance_of(const char* amount, const char* unit = "USD") {
  AllowanceSettings out;
  out.by_cluster["cloud"]["proj001"] = {money(amount), unit};
  return out;
}

// proj001 has 100; 40 of it may be spent on cloud while the service is away.
class AllowancesFixture : public ReconcilerFixture {
 protected:
  AllowancesFixture() : allowances_(allowance_of("40")) {
    ledger::UpdateAccount update;
    update.name = "proj001";
    update.limit = money("100");
    EXPECT_TRUE(run(update).accepted());
    for (const char* cluster : {"onprem", "cloud"}) {
      slurm::Associations associations;
      associations.read_at = now();
      associations.add({cluster, "proj001", "", "", "", "", false});
      associations.add({cluster, "proj001", "alice", "", "", "", true});
      view_.put(cluster, associations);
    }
    start(allowances_);
  }

  void start(Allowances& allowances) {
    ReconcilerOptions options;
    options.allowances = &allowances;
    service_ = std::make_unique<Reconciler>(*committer_, source_, view_, prices_, alarms_, options);
    used_ = &allowances;
  }
  // A pass, and the file that is written after it.
  PassReport pass() {
    pass_time(seconds(1));
    PassReport report = service_->run_pass();
    used_->written("cloud", published(), now());
    return report;
  }
  // Long enough for what is withdrawn to be proven spent by nobody.
  void pass_grace() {
    pass_time(seconds(301));
    (void)pass();
    pass_time(seconds(301));
    (void)pass();
  }
  // The account's period ends then, and one with 30 USD begins: when.
  Instant end_in_ten_hours() {
    ledger::UpdateAccount update;
    update.name = "proj001";
    update.end = now() + hours(10);
    EXPECT_TRUE(run(update).accepted());
    ledger::NewBudget next;
    next.start = now() + hours(10);
    next.end = now() + hours(1000);
    next.limit = money("30");
    EXPECT_TRUE(run(ledger::AddBudget{"proj001", next}).accepted());
    return next.start;
  }
  // Money that is of no use to anybody.
  void block(const char* amount) {
    ledger::PlaceHold place;
    place.kind = ledger::HoldKind::external;
    place.account = "proj001";
    place.transaction_id = "block";
    place.parts = {{"USD", money(amount), money(amount), 0}};
    EXPECT_TRUE(run(place).accepted());
  }
  ClusterAllowances published() { return used_->published("cloud").value_or(ClusterAllowances{}); }
  PublishedAllowance allowance() {
    const ClusterAllowances all = published();
    EXPECT_EQ(all.allowances.size(), 1U);
    return all.allowances.empty() ? PublishedAllowance{} : all.allowances.front();
  }
  static std::string tag(ledger::HoldId hold, const char* amount, int tasks = 1) {
    return " asbb-allowance=" + std::to_string(hold.value) + ":" +
           std::to_string(money(amount).count()) + ":" + std::to_string(tasks);
  }
  slurm::QueueJob let_through(ledger::HoldId hold, std::int64_t id, const char* state,
                              const char* amount, int tasks = 1) {
    slurm::QueueJob row = queued("cloud", token(), id, state);
    row.admin_comment += tag(hold, amount, tasks);
    if (row.status.base != slurm::JobState::pending) row.start = now();
    return row;
  }
  std::size_t allowance_holds() {
    return committer_->read([](const ledger::Book& book) {
      std::size_t count = 0;
      for (const ledger::Hold* hold : book.open_holds()) count += is_allowance(*hold) ? 1 : 0;
      return count;
    });
  }
  [[nodiscard]] bool has_alarm(const std::string& key) const {
    for (const Alarm& alarm : alarms_.list()) {
      if (alarm.key == key) return true;
    }
    return false;
  }

  Allowances allowances_;
  Allowances* used_ = nullptr;
  std::unique_ptr<Reconciler> service_;
};

}  // namespace asbb::service::testing
