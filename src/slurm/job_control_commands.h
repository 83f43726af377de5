// JobControl by Slurm's own commands, scontrol and scancel, as the user that the service runs as:
// he needs AdminLevel Operator. Owned by the program; thread-safe and blocking.
#pragma once

#include <string>
#include <vector>

#include "slurm/job_control.h"
#include "slurm/slurm_client.h"

namespace asbb::slurm {

class JobControlCommands final : public JobControl {
 public:
  JobControlCommands(SlurmClient& client, std::vector<SlurmCluster> clusters)
      : client_(client), clusters_(std::move(clusters)) {}

  [[nodiscard]] Result<void> requeue_held(const std::string& cluster,
                                          const std::string& job) override;
  [[nodiscard]] Result<void> move(const std::string& cluster, const std::string& job,
                                  const std::string& partition) override;
  [[nodiscard]] Result<void> release(const std::string& cluster, const std::string& job) override;
  [[nodiscard]] Result<void> signal(const std::string& cluster, const std::string& job,
                                    const std::string& name) override;
  [[nodiscard]] Result<void> cancel(const std::string& cluster, const std::string& job) override;

 private:
  [[nodiscard]] Result<void> run(const std::string& cluster, const std::string& job,
                                 const std::vector<std::string>& argv);

  SlurmClient& client_;
  const std::vector<SlurmCluster> clusters_;
};

}  // namespace asbb::slurm
