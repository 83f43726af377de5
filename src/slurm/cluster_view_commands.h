// ClusterView by scontrol and sacctmgr. Blocking; one worker thread.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "slurm/cluster_view.h"
#include "slurm/slurm_client.h"

namespace asbb::slurm {

class ClusterViewCommands final : public ClusterView {
 public:
  // `client` outlives this. `now` reads the clock.
  ClusterViewCommands(SlurmClient& client, std::vector<SlurmCluster> clusters,
                      std::function<Instant()> now)
      : client_(client), clusters_(std::move(clusters)), now_(std::move(now)) {}

  [[nodiscard]] std::vector<std::string> clusters() const override;
  [[nodiscard]] Result<ClusterSnapshot> read_cluster(const std::string& cluster) override;
  [[nodiscard]] Result<Associations> read_associations(const std::string& cluster) override;

 private:
  SlurmClient& client_;
  std::vector<SlurmCluster> clusters_;
  std::function<Instant()> now_;
};

}  // namespace asbb::slurm
