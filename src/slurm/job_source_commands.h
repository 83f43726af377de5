// JobSource by squeue, sacct, sdiag and sacctmgr. Blocking; thread-safe.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "slurm/accounting_reader.h"
#include "slurm/job_source.h"
#include "slurm/operator_proof.h"
#include "slurm/slurm_client.h"

namespace asbb::slurm {

class JobSourceCommands final : public JobSource {
 public:
  // `client` outlives this. `now` reads the clock; it is called on the calling thread.
  JobSourceCommands(SlurmClient& client, std::vector<SlurmCluster> clusters,
                    std::function<Instant()> now, Reader reader = current_reader())
      : client_(client),
        clusters_(std::move(clusters)),
        now_(std::move(now)),
        reader_(std::move(reader)) {}

  [[nodiscard]] std::vector<std::string> clusters() const override;
  [[nodiscard]] Result<QueueList> list_queue(const std::string& cluster) override;
  [[nodiscard]] Result<AccountingList> list_accounting(const std::string& cluster,
                                                       const AccountingQuery& query) override;
  [[nodiscard]] Result<std::int64_t> accounting_queue_length(const std::string& cluster) override;

 private:
  Result<void> ask_accounting(const SlurmCluster& cluster, const AccountingSelection& selection,
                              AccountingList& list);
  Result<void> ask_by_ids(const SlurmCluster& cluster, const std::vector<std::int64_t>& job_ids,
                          AccountingList& list);
  Result<void> ask_window(const SlurmCluster& cluster, Instant since, Instant until,
                          AccountingList& list);

  SlurmClient& client_;
  std::vector<SlurmCluster> clusters_;
  std::function<Instant()> now_;
  Reader reader_;
};

}  // namespace asbb::slurm
