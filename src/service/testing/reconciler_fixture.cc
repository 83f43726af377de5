#include "service/testing/reconciler_fixture.h"

namespace asbb::service::testing {

ReconcilerFixture::ReconcilerFixture() {
  source_.now = [this] { return now(); };
  for (const char* cluster : {"onprem", "cloud"}) {
    slurm::ClusterSnapshot snapshot;
    snapshot.cluster = cluster;
    snapshot.message_timeout_s = 10;
    view_.put(snapshot);
  }
}

slurm::QueueJob ReconcilerFixture::queued(const char* cluster, const std::string& token,
                                          std::int64_t id, const char* state) {
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

slurm::AccountingRecord ReconcilerFixture::record(const char* cluster, std::int64_t id,
                                                  const char* state, std::int64_t elapsed_s) {
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

}  // namespace asbb::service::testing
