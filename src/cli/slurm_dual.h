// `asbb slurm configure --clusters`: accounting on several clusters, with a federation or without.
// Finds out what is there, says what is missing, and writes it where that is asked for. It never
// takes a cluster out of its federation and never runs `sacctmgr add cluster` on one that is known,
// which would do that silently.
#pragma once

#include <string>
#include <vector>

#include "cli/context.h"
#include "slurm/slurm_client.h"

namespace asbb::cli {

struct DualFlags {
  std::string federation;             // empty: none
  std::vector<std::string> clusters;  // names, or lists with commas; empty: all of the settings
  std::string jwt_key;                // absolute path; empty: no JWT
  std::vector<std::string> slurmdbd;  // paths of slurmdbd.conf that are on this machine
  std::string prices;                 // a price book's file; empty: the service's

  [[nodiscard]] bool is_meant() const { return !federation.empty() || !clusters.empty(); }
};

// The exit code.
[[nodiscard]] int configure_dual(Context& context, const DualFlags& flags, bool write,
                                 const std::string& stamp);

}  // namespace asbb::cli
