// Every entry point of job_submit_budget.so, and nothing else: two faces of one object. slurmctld
// loads it as the plugin job_submit/budget; sbatch, salloc, srun, slurmd and slurmstepd load it as
// a SPANK plugin. What is exported is listed in job_submit_budget.map as well.
#include <errno.h>
#include <pthread.h>

#include <cstdlib>
#include <string_view>

#include "plugins/gate.h"
#include "plugins/log.h"
#include "plugins/slurm_abi.h"
#include "plugins/slurm_config.h"
#include "plugins/spank_face.h"

namespace asbb::plugins {
namespace {

// All state of the slurmctld face. Untouched in the programs of the SPANK face.
constinit Gate gate;
pthread_once_t configured = PTHREAD_ONCE_INIT;

void configure() {
  const char* slurm_conf = std::getenv("SLURM_CONF");
  SlurmConf conf;
  if (!read_slurm_conf(slurm_conf == nullptr ? kDefaultSlurmConf : slurm_conf, &conf)) {
    log_error("without the cluster's name there is no policy file: on_unavailable decides");
  }
  FixedText<kPluginLineBytes> line;
  if (read_plugin_line(conf.plugstack.c_str(), &line) != PluginLine::found) {
    log_error("%s has no line for %s: its arguments have their defaults", conf.plugstack.c_str(),
              kObjectName.data());
  }
  gate.configure(line.view(), conf.cluster.view(), conf.state_folder.view());
  const Arguments& arguments = gate.arguments();
  log_info("cluster %s: budget service at %s, timeout %u ms, policy file %s", conf.cluster.c_str(),
           arguments.socket_path.empty() ? "(none)" : arguments.socket_path.c_str(),
           arguments.timeout_ms, arguments.policy_path.c_str());
}

void configure_once() {
  pthread_once(&configured, configure);
}

}  // namespace
}  // namespace asbb::plugins

extern "C" {

#define ASBB_EXPORT __attribute__((visibility("default")))

// Without these declarations a constant of C++ is not visible outside its file.
extern ASBB_EXPORT const char plugin_name[];
extern ASBB_EXPORT const char plugin_type[];
extern ASBB_EXPORT const std::uint32_t plugin_version;

const char plugin_name[] = ASBB_PLUGIN_NAME;
const char plugin_type[] = "job_submit/budget";
const std::uint32_t plugin_version = SLURM_VERSION_NUMBER;

// Called wherever the object is loaded; only slurmctld has reason to read the configuration now.
ASBB_EXPORT int init() {
  if (std::string_view(program_invocation_short_name) == "slurmctld") {
    asbb::plugins::configure_once();
  }
  return SLURM_SUCCESS;
}

ASBB_EXPORT int fini() {
  asbb::plugins::gate.hang_up();
  return SLURM_SUCCESS;
}

ASBB_EXPORT int job_submit(job_desc_msg_t* job, std::uint32_t submit_uid, char** err_msg) {
  asbb::plugins::configure_once();
  return asbb::plugins::gate.submit(job, submit_uid, err_msg);
}

#if ASBB_JOB_MODIFY_TELLS_THE_USER
ASBB_EXPORT int job_modify(job_desc_msg_t* asked, job_record* job, std::uint32_t submit_uid,
                           char** err_msg) {
  asbb::plugins::configure_once();
  return asbb::plugins::gate.modify(asked, job, submit_uid, err_msg);
}
#else
ASBB_EXPORT int job_modify(job_desc_msg_t* asked, job_record* job, std::uint32_t submit_uid) {
  asbb::plugins::configure_once();
  return asbb::plugins::gate.modify(asked, job, submit_uid, nullptr);
}
#endif

ASBB_EXPORT int slurm_spank_init(spank_t spank, int, char**) {
  asbb::plugins::register_options(spank);
  return SLURM_SUCCESS;
}

}  // extern "C"
