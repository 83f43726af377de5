// What the plugin takes off an allowance is never less than what the service would hold for the
// same request: random requests go through the plugin's bound, with the lines that the service
// writes for it, and through the service's own estimate.
#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <string>

#include "api/json.h"
#include "api/submission.h"
#include "plugins/policy.h"
#include "plugins/submission.h"
#include "plugins/testing/fake_slurm.h"
#include "plugins/worst_case.h"
#include "pricing/estimate.h"
#include "service/allowance_file.h"
#include "service/shapes.h"
#include "slurm/fake.h"

namespace asbb {
namespace {

using plugins::testing::Request;

constexpr int requests = 6'000;

slurm::NodeInfo node(const std::string& name, std::int64_t cores, std::int64_t threads,
                     std::int64_t memory_mb, int gpus) {
  slurm::NodeInfo out;
  out.name = name;
  out.sockets = 2;
  out.cores_per_socket = cores / 2;
  out.threads_per_core = threads;
  out.cpus = out.cpus_effective = cores * threads;
  out.memory_mb = memory_mb;
  if (gpus > 0) out.gres.push_back({"gpu", "a100", gpus});
  out.features = {gpus > 0 ? "gpu" : "plain"};
  out.partitions = {"cores", "nodes", "all"};
  return out;
}

// Three partitions of the same six nodes: priced by core, by node, and by all that there is.
std::shared_ptr<slurm::ClusterSnapshot> cluster() {
  auto out = std::make_shared<slurm::ClusterSnapshot>();
  out->cluster = "onprem";
  out->select_type = "select/cons_tres";
  out->select_type_parameters = "CR_CORE_MEMORY";
  for (const char* name : {"n1", "n2", "n3"}) out->nodes.push_back(node(name, 16, 2, 64'000, 0));
  for (const char* name : {"g1", "g2", "g3"}) out->nodes.push_back(node(name, 32, 1, 256'000, 4));
  for (const char* name : {"cores", "nodes", "all"}) {
    slurm::PartitionInfo partition;
    partition.name = name;
    partition.nodes = {"n1", "n2", "n3", "g1", "g2", "g3"};
    partition.default_time_minutes = 30;
    partition.max_time_minutes = 1'440;
    partition.memory.default_per_cpu_mb = 1'000;
    out->partitions.push_back(partition);
  }
  return out;
}

pricing::PriceBook prices() {
  return pricing::parse_price_book(
             "prices:\n"
             "  - {cluster: onprem, partition: cores, unit: USD, per_core_hour: 0.05, "
             "minimum_seconds: 120}\n"
             "  - {cluster: onprem, partition: nodes, unit: USD, basis: node, per_node_hour: 2.5}\n"
             "  - {cluster: onprem, partition: all, unit: USD, per_node_hour: 0.1, per_core_hour: "
             "0.05,\n"
             "     per_gb_hour: 0.01, per_gpu_hour: {a100: 3}}\n",
             "prices", {})
      .value();
}

class Chance {
 public:
  bool one_in(int n) { return below(n) == 0; }
  std::uint32_t below(int n) {
    return static_cast<std::uint32_t>(random_() % static_cast<unsigned>(n));
  }
  // From 1 on, small ones mostly.
  std::uint32_t count(int most) { return 1 + below(one_in(4) ? most : std::min(most, 4)); }

 private:
  std::mt19937 random_{20260101};
};

// As sbatch sends it: the tasks and the CPUs in all, at least a node.
void ask(Chance& chance, Request& job) {
  job->user_id = 1'000;
  job->num_tasks = chance.one_in(5) ? NO_VAL : chance.count(40);
  if (chance.one_in(2)) job->cpus_per_task = static_cast<std::uint16_t>(chance.count(32));
  const std::uint32_t tasks = job->num_tasks == NO_VAL ? 1 : job->num_tasks;
  const std::uint32_t each = job->cpus_per_task == NO_VAL16 ? 1 : job->cpus_per_task;
  job->min_cpus = tasks * each;
  job->pn_min_cpus = static_cast<std::uint16_t>(each);
  if (chance.one_in(3)) job->min_nodes = chance.count(6);
  if (chance.one_in(3))
    job->max_nodes = (job->min_nodes == NO_VAL ? 0 : job->min_nodes) + chance.below(4);
  if (chance.one_in(3)) job->time_limit = chance.count(600);
  if (chance.one_in(8)) job->ntasks_per_node = static_cast<std::uint16_t>(chance.count(16));
  if (chance.one_in(12)) job->shared = static_cast<std::uint16_t>(chance.below(2));
  if (chance.one_in(20)) job->overcommit = 1;
  if (chance.one_in(20)) job->core_spec = static_cast<std::uint16_t>(chance.count(4));
  if (chance.one_in(20)) job->threads_per_core = 1;
  if (chance.one_in(20)) job->bitflags = SPREAD_JOB;
  if (chance.one_in(12))
    job.set(&job_desc_msg_t::tres_per_node, "gres:gpu:" + std::to_string(chance.count(4)));
  if (chance.one_in(20))
    job.set(&job_desc_msg_t::tres_per_job, "gres:gpu:" + std::to_string(chance.count(12)));
  if (chance.one_in(20)) job.set(&job_desc_msg_t::tres_per_task, "gres:gpu:1");
  if (chance.one_in(12))
    job.set(&job_desc_msg_t::features, chance.one_in(2) ? "gpu" : "[gpu*2&plain*2]");
  if (chance.one_in(6))
    job.set(&job_desc_msg_t::array_inx, "1-" + std::to_string(chance.count(30)) + ":2");
  if (chance.one_in(6)) job->pn_min_memory = 100 * chance.count(300);
  if (chance.one_in(12)) job->pn_min_memory = (100 * chance.count(40)) | MEM_PER_CPU;
}

// What the service would estimate for what the plugin would have sent; nothing when it refuses, or
// when no such job can run.
std::optional<Micros> estimate(const job_desc_msg_t& job, const slurm::ClusterSnapshot& home,
                               const pricing::PriceBook& book) {
  char storage[8'192];
  plugins::BoundedText body(storage, sizeof storage);
  plugins::Options options;
  plugins::write_submission({&job, "onprem", 1'000, options, plugins::Stance::allow}, 50, &body);
  const auto submission = api::from_json<api::Submission>(std::string(body.view()));
  EXPECT_TRUE(submission.has_value()) << body.view();
  if (!submission) return std::nullopt;
  const auto* partition = home.partition(submission->partition);
  const auto estimated = pricing::estimate(service::job_request(*submission),
                                           {service::partition_shape(home, *partition)}, book);
  if (!estimated) return std::nullopt;
  // More than so many of the largest nodes have: Slurm never starts it.
  const pricing::Tres& most = estimated->bound;
  const bool is_possible = most.cores <= 32 * most.nodes &&
                           most.memory_mb <= 256'000 * most.nodes && most.gpus() <= 4 * most.nodes;
  return is_possible ? std::optional(estimated->total) : std::nullopt;
}

TEST(AllowanceBound, IsNeverLessThanTheEstimate) {
  const auto home = cluster();
  const pricing::PriceBook book = prices();
  service::AllowanceSettings settings;
  settings.by_cluster["onprem"]["proj001"] = {Micros(1'000'000), "USD"};
  const service::Allowances allowances(settings);
  const slurm::FakeUserNames names;
  const auto lines = service::allowance_lines(*home, {{home}, {}}, &book, allowances, {}, names);
  const std::string text = "version 1\ndefault allow\n" + lines.text;
  plugins::PolicyText policy;
  plugins::AllowanceText rates;
  int line = 0;
  ASSERT_EQ(policy.parse(text, &line, &rates), nullptr) << text;

  Chance chance;
  int compared = 0;
  int by_cpu = 0;
  for (int at = 0; at < requests; ++at) {
    Request job;
    ask(chance, job);
    const char* partition = chance.one_in(3) ? "cores" : chance.one_in(2) ? "nodes" : "all";
    job.set(&job_desc_msg_t::partition, partition);
    const auto right = estimate(*job, *home, book);
    std::int64_t bound = 0;
    if (!right || plugins::worst_case(*job, *rates.rate(partition), 1'000'000, &bound) != nullptr) {
      continue;
    }
    ++compared;
    plugins::WorstRate nodes_only = *rates.rate(partition);
    nodes_only.cpu_hour_micros = 0;
    std::int64_t of_nodes = 0;
    ASSERT_EQ(plugins::worst_case(*job, nodes_only, 1'000'000, &of_nodes), nullptr);
    by_cpu += bound < of_nodes ? 1 : 0;
    char storage[8'192];
    plugins::BoundedText body(storage, sizeof storage);
    plugins::write_submission({job.get(), "onprem", 1'000, {}, plugins::Stance::allow}, 50, &body);
    ASSERT_GE(bound, right->count()) << body.view();
  }
  EXPECT_GT(compared, requests / 2);
  EXPECT_GT(by_cpu, requests / 50);
}

}  // namespace
}  // namespace asbb
