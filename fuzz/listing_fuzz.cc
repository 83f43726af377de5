// What Slurm's commands print, cut anywhere and changed anywhere: squeue, sacct, scontrol,
// sacctmgr. A record that cannot be read is a problem; the others are read, and a good record
// behind a bad one is not lost. The first byte says which command it is; "|" stands for the
// separator.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "slurm/accounting_reader.h"
#include "slurm/cluster_reader.h"
#include "slurm/delimited.h"
#include "slurm/queue_reader.h"

namespace {

namespace slurm = asbb::slurm;

constexpr std::string_view separator = "|";

void read_jobs(std::string_view text) {
  slurm::QueueList queue;
  queue.cluster = "onprem";
  slurm::read_queue(text, separator, queue);
  ASBB_ASSERT(text.empty() || !queue.jobs.empty() || !queue.problems.empty());
  for (const slurm::QueueJob& job : queue.jobs) ASBB_ASSERT(job.job_id >= 0);
}

void read_runs(std::string_view text) {
  slurm::AccountingList list;
  list.cluster = "onprem";
  slurm::read_accounting(text, separator, list);
  ASBB_ASSERT(text.empty() || !list.records.empty() || !list.problems.empty());
  slurm::arrange_runs(list.records);
  for (const slurm::AccountingRecord& record : list.records) ASBB_ASSERT(record.run >= 1);
}

void read_cluster(std::string_view text) {
  slurm::ClusterSnapshot snapshot;
  snapshot.cluster = "onprem";
  (void)slurm::read_config(text, snapshot);
  slurm::read_partitions(text, snapshot);
  slurm::read_nodes(text, snapshot);
  for (const slurm::NodeInfo& node : snapshot.nodes) {
    ASBB_ASSERT(node.cpus >= 0 && node.memory_mb >= 0);
  }
}

void read_accounts(std::string_view text) {
  slurm::Associations associations;
  slurm::read_association_rows(text, associations);
  slurm::read_user_rows(text, associations);
  slurm::read_cluster_rows(text, associations);
  for (const std::string& user : associations.users()) {
    (void)associations.default_account("onprem", user);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0]) {
    case 'q':
      read_jobs(text);
      break;
    case 'a':
      read_runs(text);
      break;
    case 'c':
      read_cluster(text);
      break;
    default:
      read_accounts(text);
  }
  return 0;
}
