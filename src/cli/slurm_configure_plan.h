// What one cluster still needs, found out before anything is changed: the lines of slurm.conf and
// plugstack.conf, the hooks of a job, the service's right to see all jobs; and what speaks
// against it. Reads files, and asks sacctmgr and the nodes where it is told how.
#pragma once

#include <string>
#include <vector>

#include "cli/slurm_configure_files.h"
#include "config/config.h"
#include "slurm/slurm_client.h"

namespace asbb::cli {

struct ConfigureFlags {
  std::string cluster;
  std::string service_user = "asbb";
  std::string check_nodes;  // words of a command that is followed by NODE test -r FILE
  bool prolog = false;      // the service hears of each start as well
  bool write = false;
};

struct ConfigurePlan {
  std::vector<Change> changes;
  std::vector<std::vector<std::string>> commands;  // to be run once
  std::vector<std::string> notes;                  // what a person has to know or do
  std::vector<std::string> refusals;               // with any of these nothing may be written

  [[nodiscard]] bool is_complete() const { return changes.empty() && commands.empty(); }
};

struct ConfigureSite {
  config::Config settings;
  std::string settings_file;  // empty: the default one
  std::string program;        // absolute path of asbb
};

// The cluster's conf must name a file. The commands and looks at nodes run before this returns.
[[nodiscard]] ConfigurePlan plan_cluster(const slurm::SlurmCluster& cluster,
                                         const ConfigureFlags& flags, const ConfigureSite& site);

// Runs what grants the right, and sees that it is there afterwards: sacctmgr's exit code says
// little.
[[nodiscard]] Result<void> grant_right(const slurm::SlurmCluster& cluster,
                                       const std::string& service_user,
                                       const std::vector<std::vector<std::string>>& commands);

}  // namespace asbb::cli
