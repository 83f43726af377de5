#include "slurm/job_control_commands.h"

#include "base/text.h"

namespace asbb::slurm {
namespace {

// "7" or "7_3": nothing that a command could take for an option, a list or all jobs.
bool is_job_name(const std::string& text) {
  const auto underscore = text.find('_');
  const std::string id = text.substr(0, underscore);
  if (!parse_whole(id, 1)) return false;
  return underscore == std::string::npos || parse_whole(text.substr(underscore + 1), 0).has_value();
}

bool is_word(const std::string& text) {
  return !text.empty() && text[0] != '-' && text.find_first_of(" ,=\t\r\n\"'") == std::string::npos;
}

}  // namespace

Result<void> JobControlCommands::run(const std::string& cluster, const std::string& job,
                                     const std::vector<std::string>& argv) {
  const auto found = find_cluster(clusters_, cluster);
  if (!found) return tl::unexpected(found.error());
  if (!is_job_name(job)) return fail(ErrorKind::invalid, in_quotes(job) + " names no job.", "job");
  const auto said = client_.run(**found, argv);
  if (!said) return tl::unexpected(said.error());
  return {};
}

Result<void> JobControlCommands::requeue_held(const std::string& cluster, const std::string& job) {
  return run(cluster, job, {"scontrol", "requeuehold", job});
}

Result<void> JobControlCommands::move(const std::string& cluster, const std::string& job,
                                      const std::string& partition) {
  if (!is_word(partition)) {
    return fail(ErrorKind::invalid, in_quotes(partition) + " names no partition.", "partition");
  }
  return run(cluster, job, {"scontrol", "update", "JobId=" + job, "Partition=" + partition});
}

Result<void> JobControlCommands::release(const std::string& cluster, const std::string& job) {
  return run(cluster, job, {"scontrol", "release", job});
}

// scancel(1): without --full the batch script gets no signal but KILL.
Result<void> JobControlCommands::signal(const std::string& cluster, const std::string& job,
                                        const std::string& name) {
  if (!is_word(name)) return fail(ErrorKind::invalid, in_quotes(name) + " is no signal.", "signal");
  return run(cluster, job, {"scancel", "--full", "--signal=" + name, job});
}

Result<void> JobControlCommands::cancel(const std::string& cluster, const std::string& job) {
  return run(cluster, job, {"scancel", job});
}

}  // namespace asbb::slurm
