// A job that is handed to sbatch: its words as they were typed, what they mean as far as a price
// depends on it, and its script where that comes on a pipe, which can be read once only. One
// thread; reads the standard input at most once.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "api/quote.h"
#include "api/system.h"
#include "cli/context.h"
#include "cli/sbatch_options.h"

namespace asbb::cli {

struct SubmitJob {
  std::vector<std::string> words;  // for sbatch
  Result<SbatchOptions> options{SbatchOptions{}};
  bool names_clusters = false;  // by -M on the command line itself
  bool is_quiet = false;        // --parsable or --quiet: somebody reads what sbatch says
  // What was read from a pipe, how the words name that, and the descriptor from which sbatch is to
  // read it again.
  std::optional<std::string> piped;
  std::string piped_path;
  int piped_descriptor = 0;
};

[[nodiscard]] SubmitJob read_submit_job(const Context& context, std::vector<std::string> words);

// How sbatch reaches a cluster.
struct Route {
  std::string cluster;     // empty: wherever sbatch takes it
  bool is_named = false;   // by --clusters
  std::string slurm_conf;  // for SLURM_CONF; empty: as it is
};

// From the cluster `own`; `not_found` where neither -M nor a slurm.conf leads there.
[[nodiscard]] Result<Route> route_to(const api::ClusterInfo& cluster,
                                     const std::vector<api::ClusterInfo>& clusters,
                                     const std::string& own, const SubmitJob& job);

// What the service is asked about the job on that way.
[[nodiscard]] Result<api::QuoteRequest> quote_request(const SubmitJob& job, const Route& route,
                                                      const std::string& own);

// sbatch and its words.
[[nodiscard]] std::vector<std::string> sbatch_line(const SubmitJob& job, const Route& route);

// When the controller would start the job; it is asked by sbatch --test-only.
[[nodiscard]] Result<Instant> ask_start(const Context& context, const SubmitJob& job,
                                        const Route& route);

// "22.05" of "slurm-wlm 22.05.8", of the version of a controller as well; empty for anything else.
[[nodiscard]] std::string release_of(const std::string& version);

// The release of the sbatch of this machine; empty when it does not say.
[[nodiscard]] std::string sbatch_release();

// Becomes sbatch; comes back with what went wrong only.
[[nodiscard]] Error become_sbatch(const SubmitJob& job, const Route& route);

}  // namespace asbb::cli
