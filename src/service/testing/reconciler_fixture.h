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
  ReconcilerFixture() {
    source_.now = [this] { return now(); };
    for (const char* cluster : {"onprem", "cloud"}) {
      slurm::ClusterSnapshot snapshot;
      snapshot.cluster = cluster;
      snapshot.message_timeout_s = 10;
      view_.put(snapshot);
    }
  }

  slurm::QueueJob queued(const char* cluster, const std::string& token, std::int64_t id,
                         const char* state) {
    slurm::QueueJob job;
    job.cluster = cluster;
    job.job_id = id;
    job.user = "alice";
    job.account = "proj001";
    job.partition = "gpu-aws";
    job.status = slurm::parse_job_status(state);
    job.submit = now();
    job.admin_comment = token.empty() ? "" : "asbb=" + token;
    return job;
  }

  // A record of a job with one core at 3.6 USD an hour: a second costs 0.001 USD.
  slurm::AccountingRecord record(const char* cluster, std::int64_t id, const char* state,
                                 std::int64_t elapsed_s) {
    slurm::AccountingRecord out;
    out.cluster = cluster;
    out.db_index = ++db_index_;
    out.job_id = id;
    out.user = "alice";
    out.account = "proj001";
    out.partition = "gpu-aws";
    out.status = slurm::parse_job_status(state);
    out.submit = now();
    out.end = now() + seconds(elapsed_s);
    if (elapsed_s > 0) {
      out.start = now();
      out.nodes = "gpu-aws-1";
      out.node_count = 1;
      out.allocated_tres = "billing=1,cpu=1,node=1";
    }
    out.elapsed_seconds = elapsed_s;
    return out;
  }

  // The same on onprem.
  slurm::QueueJob queued(const std::string& token, std::int64_t job_id, const char* state) {
    return queued("onprem", token, job_id, state);
  }
  slurm::AccountingRecord record(std::int64_t job_id, const char* state, std::int64_t elapsed_s) {
    return record("onprem", job_id, state, elapsed_s);
  }

  PassReport pass() { return reconciler_.run_pass(); }

  slurm::FakeJobSource source_{{"onprem", "cloud"}};
  slurm::ClusterCache view_;
  Alarms alarms_;
  Reconciler reconciler_{*committer_, source_, view_, prices_, alarms_, ReconcilerOptions{}};
  std::int64_t db_index_ = 0;
};

}  // namespace asbb::service::testing
