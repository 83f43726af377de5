#include "simulation/plugin_model.h"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "plugins/clock.h"
#include "plugins/policy.h"
#include "plugins/testing/fake_slurm.h"
#include "plugins/token.h"
#include "service/hold_scope.h"

namespace asbb::plugins {
namespace {

std::int64_t world_micros = 0;

}  // namespace

// In the place of the plugin's clock.cc.
std::int64_t monotonic_micros() {
  return world_micros;
}
std::int64_t unix_millis() {
  return world_micros / 1'000;
}

}  // namespace asbb::plugins

namespace asbb::simulation {

using SlurmRequest = plugins::testing::Request;

struct Plugin::Inside {
  plugins::TrustedUsers owners;
  plugins::Policy policy;
};

Plugin::Plugin(const std::string& folder, const std::string& cluster)
    : policy_path_(folder + "/policy." + cluster), counter_path_(folder + "/counter." + cluster) {
  plugins::testing::keep_log(false);
  restart();
}

Plugin::~Plugin() = default;

void Plugin::set_time(Instant now) {
  plugins::world_micros = now.microseconds;
}

void Plugin::restart() {
  inside_ = std::make_unique<Inside>();
  (void)inside_->owners.add(geteuid());
  inside_->policy.configure(policy_path_.c_str(), &inside_->owners, plugins::Stance::deny,
                            counter_path_.c_str());
}

std::string Plugin::counter() const {
  std::ifstream file(counter_path_, std::ios::binary);
  std::stringstream text;
  if (file) text << file.rdbuf();
  return text.str();
}

void Plugin::restart_with(const std::string& counter, bool is_there) {
  inside_.reset();
  std::filesystem::remove(counter_path_);
  if (is_there) {
    std::ofstream(counter_path_, std::ios::binary) << counter;
    (void)chmod(counter_path_.c_str(), S_IRUSR | S_IWUSR);
  }
  restart();
}

bool Plugin::allows(const std::string& partition) {
  const std::int64_t now_ms = plugins::unix_millis();
  return inside_->policy.decide(partition.c_str(), now_ms) == plugins::Stance::allow;
}

bool Plugin::allows_changes() {
  const std::int64_t now_ms = plugins::unix_millis();
  return inside_->policy.decide_change(nullptr, now_ms) == plugins::Stance::allow;
}

LetThrough Plugin::let_through(const Request& request, const std::string& token) {
  SlurmRequest job;
  job->user_id = request.user_id;
  job.set(&job_desc_msg_t::account, request.account);
  job.set(&job_desc_msg_t::partition, request.partition);
  job->num_tasks = job->min_nodes = job->max_nodes = 1;
  job->cpus_per_task = static_cast<std::uint16_t>(request.cpus);
  job->min_cpus = static_cast<std::uint32_t>(request.cpus);
  job->pn_min_memory = 1'000;
  job->time_limit = static_cast<std::uint32_t>(request.limit_minutes);
  if (request.gpus > 0) {
    job.set(&job_desc_msg_t::tres_per_node, "gres:gpu:" + std::to_string(request.gpus));
  }
  if (!request.tasks.empty()) {
    job.set(&job_desc_msg_t::array_inx, service::text_of_tasks(request.tasks));
  }
  plugins::Spending spending;
  LetThrough said;
  said.is_let_in = inside_->policy.let_through(*job, plugins::unix_millis(), &spending);
  said.why = spending.why.view();
  if (!said.is_let_in) return said;
  said.generation = spending.allowed.generation;
  said.micros = spending.allowed.micros;
  plugins::Token minted;
  (void)minted.assign(token);
  char* comment = plugins::admin_comment_with(nullptr, minted, spending.allowed);
  said.comment = comment;
  slurm_xfree(reinterpret_cast<void**>(&comment));
  return said;
}

std::string Plugin::comment_of(const std::string& token) {
  plugins::Token minted;
  (void)minted.assign(token);
  char* comment = plugins::admin_comment_with(nullptr, minted);
  std::string text = comment;
  slurm_xfree(reinterpret_cast<void**>(&comment));
  return text;
}

std::string Plugin::spent() {
  char storage[1'536];
  plugins::BoundedText text(storage, sizeof storage);
  inside_->policy.write_spent(&text);
  return std::string(text.view());
}

}  // namespace asbb::simulation
