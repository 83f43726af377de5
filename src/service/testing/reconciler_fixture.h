// A reconciler over two clusters that tests make up, on the ledger of fixture.h. Owned by the test,
// on its thread.
#pragma once

#include <cstdint>
#include <string>

#include "service/reconciler.h"
#include "service/testing/fixture.h"
#include "slurm/fake.h"

namespace asbb::service::testing {

class ReconcilerFixture : public Fixture {
 protected:
  ReconcilerFixture();

  slurm::QueueJob queued(const char* cluster, const std::string& token, std::int64_t id,
                         const char* state);

  // A record of a job with one core at 3.6 USD an hour: a second costs 0.001 USD.
  slurm::AccountingRecord record(const char* cluster, std::int64_t id, const char* state,
                                 std::int64_t elapsed_s);

  // The same on onprem.
  slurm::QueueJob queued(const std::string& token, std::int64_t job_id, const char* state) {
    return queued("onprem", token, job_id, state);
  }
  slurm::AccountingRecord record(std::int64_t job_id, const char* state, std::int64_t elapsed_s) {
    return record("onprem", job_id, state, elapsed_s);
  }

  // A run of 100 s, at 0.1 USD.
  slurm::AccountingRecord ran(const char* cluster, std::int64_t id, const std::string& token) {
    auto row = record(cluster, id, "COMPLETED", 100);
    row.admin_comment = token.empty() ? "" : "asbb=" + token;
    return row;
  }

  PassReport pass() { return reconciler_.run_pass(); }

  slurm::FakeJobSource source_{{"onprem", "cloud"}};
  slurm::ClusterCache view_;
  Alarms alarms_;
  Reconciler reconciler_{*committer_, source_, view_, prices_, alarms_, ReconcilerOptions{}};
  std::int64_t db_index_ = 0;
};

// slurmdbd says something else of a job than what was charged.
class ChangedRecordsFixture : public ReconcilerFixture {
 protected:
  void later() {
    pass_time(seconds(301));
    (void)pass();
  }
  void says(slurm::AccountingRecord row, std::int64_t elapsed_s) {
    row.elapsed_seconds = elapsed_s;
    source_.set_records("onprem", {row});
    later();
  }
  [[nodiscard]] std::string alarm() const {
    for (const Alarm& alarm : alarms_.list()) {
      if (alarm.key.starts_with("changed ")) return alarm.message;
    }
    return {};
  }
};

}  // namespace asbb::service::testing
