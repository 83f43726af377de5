// One way to call Slurm's commands: which cluster (each by its own SLURM_CONF, so that two clusters
// with two slurmdbd work as well as a federation), how long, and what counts as success. A port,
// so that readers are tested on recorded output. Implementations are thread-safe and block; never
// call them on the HTTP thread or the ledger thread.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "base/result.h"

namespace asbb::slurm {

struct SlurmCluster {
  std::string name;        // ClusterName in its slurm.conf
  std::string slurm_conf;  // path; empty: Slurm's own default
  std::string bin_dir;     // folder of squeue, sacct, scontrol, sacctmgr, sdiag; empty: PATH
};

// `not_found` when none of that name is configured.
[[nodiscard]] Result<const SlurmCluster*> find_cluster(const std::vector<SlurmCluster>& clusters,
                                                       const std::string& name);
[[nodiscard]] std::vector<std::string> cluster_names(const std::vector<SlurmCluster>& clusters);

class SlurmClient {
 public:
  virtual ~SlurmClient() = default;

  // Standard output of `argv` on that cluster. An exit code that is not 0 is an error that quotes
  // the command and the first lines of what it said: `unavailable` in general (a daemon that is
  // away answers so), `broken` when the program is missing or says too much (output_limit_field).
  [[nodiscard]] virtual Result<std::string> run(const SlurmCluster& cluster,
                                                const std::vector<std::string>& argv) = 0;
};

class SlurmCommands final : public SlurmClient {
 public:
  explicit SlurmCommands(int deadline_ms = 30'000,
                         std::size_t output_limit_bytes = 512u * 1024u * 1024u);
  ~SlurmCommands() override;
  SlurmCommands(const SlurmCommands&) = delete;
  SlurmCommands& operator=(const SlurmCommands&) = delete;

  [[nodiscard]] Result<std::string> run(const SlurmCluster& cluster,
                                        const std::vector<std::string>& argv) override;

  // Ends the commands that run, and every later one before it starts, as `unavailable`: a service
  // that stops does not wait for a controller that hangs. Any thread; there is no way back.
  void stop();

 private:
  int stop_descriptor_;  // readable once stopped
  int deadline_ms_;
  std::size_t output_limit_bytes_;
};

}  // namespace asbb::slurm
