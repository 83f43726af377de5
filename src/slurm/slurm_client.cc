#include "slurm/slurm_client.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/text.h"
#include "slurm/process.h"

namespace asbb::slurm {
namespace {

// What a program complained about, on one line and short.
std::string complaint(const ProcessOutput& output) {
  std::string text = output.err.empty() ? output.out : output.err;
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) {
    text.pop_back();
  }
  text.resize(std::min<std::size_t>(text.size(), 300));
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < ' ' || c == '\x7f') {
      c = c == '\n' ? ';' : '?';
    }
  }
  return text.empty() ? "it said nothing" : text;
}

}  // namespace

Result<const SlurmCluster*> find_cluster(const std::vector<SlurmCluster>& clusters,
                                         const std::string& name) {
  for (const SlurmCluster& cluster : clusters) {
    if (cluster.name == name) {
      return &cluster;
    }
  }
  return fail(ErrorKind::not_found, "No cluster " + in_quotes(name) + " is configured.", "cluster");
}

std::vector<std::string> cluster_names(const std::vector<SlurmCluster>& clusters) {
  std::vector<std::string> names;
  for (const SlurmCluster& cluster : clusters) {
    names.push_back(cluster.name);
  }
  return names;
}

SlurmCommands::SlurmCommands(int deadline_ms, std::size_t output_limit_bytes)
    : stop_descriptor_(::eventfd(0, EFD_CLOEXEC)),
      deadline_ms_(deadline_ms),
      output_limit_bytes_(output_limit_bytes) {
  ASBB_ASSERT(stop_descriptor_ >= 0);
}

SlurmCommands::~SlurmCommands() {
  ::close(stop_descriptor_);
}

void SlurmCommands::stop() {
  ::eventfd_write(stop_descriptor_, 1);
}

Result<std::string> SlurmCommands::run(const SlurmCluster& cluster,
                                       const std::vector<std::string>& argv) {
  ProcessRequest request;
  request.argv = argv;
  request.deadline_ms = deadline_ms_;
  request.output_limit_bytes = output_limit_bytes_;
  request.cancel_descriptor = stop_descriptor_;
  if (!cluster.bin_dir.empty() && !argv.empty()) {
    request.argv.front() = cluster.bin_dir + "/" + argv.front();
  }
  // Times as Unix seconds, and array expressions whole: they are cut at 64 bytes otherwise
  // (squeue(1) SLURM_BITSTR_LEN).
  request.environment = {{"SLURM_TIME_FORMAT", "%s"}, {"SLURM_BITSTR_LEN", "0"}};
  if (!cluster.slurm_conf.empty()) {
    request.environment.emplace_back("SLURM_CONF", cluster.slurm_conf);
  }
  auto ran = run_process(request);
  const std::string where = "Cluster " + excerpt(cluster.name) + ": ";
  if (!ran) {
    return fail(ran.error().kind, where + ran.error().message, ran.error().field);
  }
  if (ran->exit_code != 0) {
    return fail(ErrorKind::unavailable, where + argv.front() + " ended with code " +
                                            std::to_string(ran->exit_code) + ": " +
                                            complaint(*ran) + ".");
  }
  return std::move(ran->out);
}

}  // namespace asbb::slurm
