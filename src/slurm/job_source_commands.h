// JobSource by squeue, sacct, sdiag and sacctmgr. Blocking; thread-safe.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "slurm/job_source.h"
#include "slurm/slurm_client.h"

namespace asbb::slurm {

class JobSourceCommands final : public JobSource {
 public:
  // `client` outlives this. `now` reads the clock.
  JobSourceCommands(SlurmClient& client, std::vector<SlurmCluster> clusters,
                    std::function<Instant()> now)
      : client_(client), clusters_(std::move(clusters)), now_(std::move(now)) {}

  [[nodiscard]] std::vector<std::string> clusters() const override;
  [[nodiscard]] Result<QueueList> list_queue(const std::string& cluster) override;
  [[nodiscard]] Result<AccountingList> list_accounting(const std::string& cluster,
                                                       const AccountingQuery& query) override;
  [[nodiscard]] Result<std::int64_t> accounting_queue_length(const std::string& cluster) override;

 private:
  SlurmClient& client_;
  std::vector<SlurmCluster> clusters_;
  std::function<Instant()> now_;
};

}  // namespace asbb::slurm
