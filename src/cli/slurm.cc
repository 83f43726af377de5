#include <ostream>

#include "cli/commands.h"
#include "cli/slurm_configure.h"
#include "cli/slurm_fence.h"
#include "cli/slurm_status.h"
#include "cli/slurm_sync.h"

namespace asbb::cli {
namespace {

// A hook that waits holds up slurmctld's epilog: all of it takes at most a second.
constexpr int connect_timeout_ms = 300;
constexpr int timeout_ms = 600;

struct SlurmFlags {
  std::string cluster;
  std::string job;
  bool quiet = false;
};

int notify(Context& context, const SlurmFlags& flags) {
  context.set_timeouts(connect_timeout_ms, timeout_ms);
  const auto number = parse_micros(flags.job);
  api::Notify request{flags.cluster, number ? number->count() / 1'000'000 : 0};
  if (request.job_id < 1 || std::to_string(request.job_id) != flags.job) {
    if (flags.quiet) return exit_done;
    return context.misused("--job-id: '" + flags.job + "' is not a Slurm job id");
  }
  const auto answer =
      context.call<api::NotifyAnswer>("POST", "/api/v1/slurm/notify", api::to_json(request));
  if (flags.quiet) return exit_done;
  if (!answer) return context.failed(answer.error());
  return context.done("The service looks at job " + flags.job + " now.", api::to_json(*answer));
}

}  // namespace

void add_slurm(Command& root, Context& context) {
  Command slurm = root.add("slurm", "What Slurm needs, and what its hooks call.");
  auto flags = std::make_shared<SlurmFlags>();
  slurm.add("notify", "Tells the service that something happened to a job.")
      .take({"--cluster",
             "CLUSTER",
             "On which cluster.",
             Presence::required,
             {},
             "SLURM_CLUSTER_NAME"},
            flags->cluster)
      .take({"--job-id", "JOB", "Slurm's job id.", Presence::required, {}, "SLURM_JOB_ID"},
            flags->job)
      .take({"--quiet", "", "Says nothing and ends with 0 whatever happens."}, flags->quiet)
      .note(
          "For EpilogSlurmctld. It never takes longer than a second, and a call that is lost "
          "costs nothing but time: the service looks by itself every few seconds.")
      .example("asbb slurm notify --cluster=onprem --job-id=4711 --quiet")
      .action([&context, flags] { return notify(context, *flags); });
  add_slurm_configure(slurm, context);
  add_slurm_fence(slurm, context);
  add_slurm_status(slurm, context);
  add_slurm_sync(slurm, context);
}

}  // namespace asbb::cli
