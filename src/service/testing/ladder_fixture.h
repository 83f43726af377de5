// A reconciler with a ladder of enforcement and a Slurm that notes what is done to jobs, on the
// ledger of reconciler_fixture.h. Owned by the test, on its thread.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ledger/auditor.h"
#include "ledger/record.h"
#include "service/reconciler.h"
#include "service/testing/reconciler_fixture.h"
#include "slurm/fake_job_control.h"

namespace asbb::service::testing {

inline const config::Ladder usual{.warn = true, .stop_new = true};

inline config::Ladder to_cancel() {
  config::Ladder ladder = usual;
  ladder.signal = "USR1";
  ladder.grace = seconds(300);
  ladder.cancel = true;
  return ladder;
}

class LadderTest : public ReconcilerFixture {
 protected:
  LadderTest() { climb(usual); }

  // A service that has just started, with that ladder for all.
  void climb(const config::Ladder& ladder) {
    enforcement_.enabled = true;
    enforcement_.ladder = ladder;
    restart();
  }
  void restart() {
    ReconcilerOptions options;
    options.enforcement = enforcement_;
    reconciler_ptr_ =
        std::make_unique<Reconciler>(*committer_, source_, view_, prices_, alarms_, options);
    reconciler_ptr_->control_jobs(control_);
  }
  PassReport pass() { return reconciler_ptr_->run_pass(); }

  // Of 50 USD all but what is left is used.
  void leave(const char* left) {
    const Micros rest = budget("proj001").available() - money(left);
    ASSERT_TRUE(run(ledger::Adjust{"proj001", "USD", rest}).accepted());
  }
  void deposit(const char* amount) {
    ASSERT_TRUE(run(ledger::Deposit{"proj001", "USD", money(amount)}).accepted());
  }
  // On one core, which costs 0.001 USD a second, since a moment before now.
  slurm::QueueJob running(const std::string& token, std::int64_t id, std::int64_t since_s = 0) {
    auto job = queued(token, id, "RUNNING");
    job.start = now() - seconds(since_s);
    job.allocated_tres = "billing=1,cpu=1,node=1";
    job.nodes = "gpu-aws-1";
    job.node_count = 1;
    return job;
  }
  // A hold of 1 and its running job.
  slurm::QueueJob held_job(std::int64_t id, std::int64_t since_s = 0) {
    return running(hold("1"), id, since_s);
  }
  // Job 99 costs 10 beyond its hold of 1 and is over: with 2 held, 5 are missing.
  void overrun(const char* left) {
    const std::string token = hold("1");
    leave(left);
    auto job = running(token, 99);
    source_.add_job(job);
    (void)pass();
    source_.remove_job("onprem", 99);
    source_.add_record(record(99, "COMPLETED", 11'000));
    (void)pass();
  }
  // "step state job": of every entry, in order.
  std::vector<std::string> entries() {
    store::EntryQuery query;
    query.types = {ledger::EntryType::enforcement};
    std::vector<std::string> out;
    const auto list = store_.entries(query);
    for (const auto& found : *list) {
      auto details = *ledger::read_record(found.entry.details);
      const auto job = found.entry.job.job_id;
      out.push_back(details["step"] + " " + details["state"] +
                    (job == 0 ? "" : " " + std::to_string(job)));
    }
    return out;
  }
  std::vector<std::string> job_entries() {
    auto all = entries();
    std::erase_if(all, [](const auto& one) { return std::count(one.begin(), one.end(), ' ') < 2; });
    return all;
  }
  std::string alarm(const std::string& key) {
    for (const Alarm& one : alarms_.list()) {
      if (one.key == key) return one.message;
    }
    return "";
  }
  std::optional<Denial> refusal(const char* amount, const char* partition = "gpu-aws",
                                const char* account = "proj001") {
    ledger::PlaceHold place;
    place.account = account;
    place.partition = partition;
    place.parts.push_back({"USD", money(amount), money(amount), 1});
    return reconciler_ptr_->refusal_of(place, now());
  }
  // Nothing that the auditor objects to, and no step twice.
  void expect_sound() {
    ledger::Auditor auditor;
    const auto list = store_.entries({});
    for (const auto& found : *list) auditor.add(found.record);
    const auto report = auditor.finish();
    EXPECT_TRUE(report.problems.empty()) << report.problems.front().text;
  }

  config::Enforcement enforcement_;
  slurm::FakeJobControl control_;
  std::unique_ptr<Reconciler> reconciler_ptr_;
};

}  // namespace asbb::service::testing
