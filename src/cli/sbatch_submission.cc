#include <algorithm>
#include <utility>

#include "base/slurm_units.h"
#include "base/text.h"
#include "cli/sbatch_options.h"
#include "slurm/slurm_text.h"

namespace asbb::cli {
namespace {

constexpr std::int64_t count_max = 1'000'000'000;
constexpr std::int64_t memory_mb_max = 1'000'000'000'000;
constexpr std::int64_t minute_s = 60;
constexpr std::int64_t any_number_per_core = 65'535;  // Slurm's INFINITE16

using Count = std::optional<std::int64_t>;

// Of two counts; no more than a count may be, which the service refuses.
std::int64_t product(std::int64_t a, std::int64_t b) {
  return std::min(count_max, a * b);
}

// Fills a Submission the way sbatch fills a job description. The first error stays.
class Maker {
 public:
  explicit Maker(const SbatchOptions& options) : options_(options) {}

  Result<api::Submission> make() {
    texts();
    sizes();
    nodes();
    sockets();
    memory();
    gpus();
    sharing();
    times();
    as_sbatch_verifies();
    if (!job_.clusters.empty() || error_) return finished();
    as_gres_validates();
    return finished();
  }

 private:
  [[nodiscard]] const std::string* given(const char* name) const {
    const auto found = options_.find(name);
    return found == options_.end() ? nullptr : &found->second;
  }

  void refuse(const std::string& sentence) {
    if (!error_) error_ = Error{ErrorKind::invalid, sentence, ""};
  }

  Result<api::Submission> finished() {
    if (error_) return tl::unexpected(*error_);
    return job_;
  }

  Count number(const char* name) {
    const std::string* text = given(name);
    if (text == nullptr) return std::nullopt;
    const auto value = parse_count(*text, count_max);
    if (!value) refuse("--" + std::string(name) + "=" + *text + " is not a whole number");
    return value;
  }

  void texts() {
    const auto take = [&](const char* name, std::string& target) {
      if (const std::string* text = given(name)) target = *text;
    };
    take("account", job_.account);
    take("budget", job_.account);
    take("array", job_.array);
    take("clusters", job_.clusters);
    take("cluster-constraint", job_.cluster_features);
    take("constraint", job_.features);
    take("prefer", job_.prefer);
    take("dependency", job_.dependency);
    take("exclude", job_.exc_nodes);
    take("licenses", job_.licenses);
    take("nodelist", job_.req_nodes);
    take("partition", job_.partition);
    take("qos", job_.qos);
    take("reservation", job_.reservation);
    take("wckey", job_.wckey);
    if (given("cloud") != nullptr) {
      job_.spank.cloud = true;
      job_.cluster_features = "cloud";
    }
    if (given("nodefile") != nullptr) refuse("--nodefile: name the nodes with --nodelist");
    if (const auto first = split(job_.clusters, ','); !job_.clusters.empty()) {
      job_.cluster = std::string(first.front());
    }
  }

  void sizes() {
    job_.num_tasks = number("ntasks");
    job_.cpus_per_task = number("cpus-per-task");
    job_.min_cpus_per_node = number("mincpus");
    job_.ntasks_per_node = number("ntasks-per-node");
    job_.ntasks_per_socket = number("ntasks-per-socket");
    job_.ntasks_per_core = number("ntasks-per-core");
    job_.ntasks_per_tres = number("ntasks-per-gpu");
    job_.core_spec = number("core-spec");
    job_.thread_spec = number("thread-spec");
  }

  // "4", "2-8".
  void nodes() {
    const std::string* text = given("nodes");
    if (text == nullptr) return;
    const auto ends = split(*text, '-');
    const auto least = parse_count(ends.front(), count_max);
    const auto most = parse_count(ends.back(), count_max);
    if (!least || !most || ends.size() > 2 || (*most != 0 && *most < *least)) {
      return refuse("--nodes=" + *text + " is neither a number of nodes nor a range such as 2-8");
    }
    job_.min_nodes = *least;
    job_.max_nodes = *most;
  }

  // -B SOCKETS[:CORES[:THREADS]] with "*" for any; then the single options, then --hint.
  void sockets() {
    Count* targets[] = {&job_.sockets_per_node, &job_.cores_per_socket, &job_.threads_per_core};
    const char* names[] = {"sockets-per-node", "cores-per-socket", "threads-per-core"};
    if (const std::string* text = given("extra-node-info")) {
      has_extra_ = true;
      const auto parts = split(*text, ':');
      if (parts.size() > 3) return refuse("-B " + *text + " has more than three parts");
      for (std::size_t i = 0; i < parts.size(); ++i) {
        const std::string_view least = split(parts[i], '-').front();
        if (least == "*") continue;
        *targets[i] = parse_count(least, count_max);
        if (!*targets[i]) return refuse("-B " + *text + " is not SOCKETS:CORES:THREADS");
      }
    }
    for (std::size_t i = 0; i < 3; ++i) {
      if (given(names[i]) != nullptr) *targets[i] = number(names[i]);
    }
    const std::string* hint = given("hint");
    const bool is_overruled = has_extra_ || job_.ntasks_per_core || job_.threads_per_core ||
                              given("cores-per-socket") != nullptr;
    if (hint == nullptr || is_overruled) return;
    for (const std::string_view word : split(*hint, ',')) {
      if (word == "nomultithread" || word == "compute_bound") job_.threads_per_core = 1;
      if (word == "memory_bound") job_.cores_per_socket = job_.threads_per_core = 1;
      if (word == "multithread") job_.ntasks_per_core = any_number_per_core;
    }
  }

  Count megabytes(const char* name) {
    const std::string* text = given(name);
    if (text == nullptr) return std::nullopt;
    const auto value = parse_slurm_memory_mb(*text, memory_mb_max);
    if (!value)
      refuse("--" + std::string(name) + "=" + *text + " is not a size such as 4000 or 8G");
    return value;
  }

  void memory() {
    job_.memory_per_node_mb = megabytes("mem");
    const Count per_cpu = megabytes("mem-per-cpu");
    if (!job_.memory_per_node_mb) job_.memory_per_cpu_mb = per_cpu;
    if (const Count per_gpu = megabytes("mem-per-gpu")) {
      job_.mem_per_tres = "gres:gpu:" + std::to_string(*per_gpu);
    }
  }

  void gpus() {
    const auto take = [&](const char* name, const char* before, std::string& target) {
      const std::string* text = given(name);
      if (text == nullptr || text->empty() || to_lower(*text) == "none") return;
      for (const std::string_view item : split(*text, ',')) {
        target += (target.empty() ? "" : ",") + std::string(before) + std::string(item);
      }
    };
    take("gpus", "gres:gpu:", job_.tres_per_job);
    take("gpus-per-node", "gres:gpu:", job_.tres_per_node);
    take("gres", "gres:", job_.tres_per_node);
    take("gpus-per-socket", "gres:gpu:", job_.tres_per_socket);
    take("gpus-per-task", "gres:gpu:", job_.tres_per_task);
    take("cpus-per-gpu", "gres:gpu:", job_.cpus_per_tres);
    if (const std::string* flags = given("gres-flags"); flags != nullptr) {
      if (flags->find("enforce-binding") != std::string::npos) job_.enforce_binding = true;
    }
  }

  void sharing() {
    if (const std::string* how = given("exclusive")) {
      const std::string word = to_lower(*how);
      if (word == "user") {
        job_.shared = 2;
      } else if (word == "mcs") {
        job_.shared = 3;
      } else if (word == "oversubscribe") {
        job_.shared = 1;
      } else {
        job_.shared = 0;
      }
    } else if (given("oversubscribe") != nullptr) {
      job_.shared = 1;
    }
    if (given("contiguous") != nullptr) job_.contiguous = true;
    if (given("overcommit") != nullptr) job_.overcommit = true;
    if (given("spread-job") != nullptr) job_.spread_job = true;
  }

  // A limit of 0 is none, as for sbatch.
  Count minutes(const char* name) {
    const std::string* text = given(name);
    if (text == nullptr) return std::nullopt;
    if (is_slurm_unlimited(*text)) return api::unlimited;
    const auto seconds = parse_slurm_time_s(*text, count_max * minute_s);
    if (!seconds) {
      refuse("--" + std::string(name) + "=" + *text +
             " is not a time such as 30, 04:00:00 or 1-12:00:00");
      return std::nullopt;
    }
    if (*seconds == 0) return api::unlimited;
    return (*seconds + minute_s - 1) / minute_s;
  }

  void times() {
    job_.time_limit_minutes = minutes("time");
    job_.time_min_minutes = minutes("time-min");
  }

  // _opt_verify of sbatch/opt.c: what follows from what.
  void as_sbatch_verifies() {
    std::vector<std::string> named;
    if (!job_.req_nodes.empty()) {
      auto names = slurm::expand_hostlist(job_.req_nodes);
      if (!names) return refuse(names.error().message);
      named = std::move(*names);
      const auto count = static_cast<std::int64_t>(named.size());
      job_.min_nodes = std::max(count, job_.min_nodes.value_or(0));
    }
    const std::int64_t most = job_.max_nodes.value_or(0);
    const std::int64_t least = job_.min_nodes.value_or(1);
    const bool is_one_number = most == 0 || least == most;
    if (job_.ntasks_per_node.value_or(0) > 0 && !job_.num_tasks && is_one_number) {
      job_.num_tasks = product(least, *job_.ntasks_per_node);
    }
    if (job_.cpus_per_task) {
      job_.min_cpus_per_node = std::max(job_.min_cpus_per_node.value_or(0), *job_.cpus_per_task);
    }
    std::int64_t tasks = job_.num_tasks.value_or(1);
    if ((job_.min_nodes || has_extra_) && is_one_number && !job_.num_tasks) {
      tasks = std::max<std::int64_t>(least, 1);
      for (const Count& each :
           {job_.sockets_per_node, job_.cores_per_socket, job_.threads_per_core}) {
        if (!each) continue;
        tasks = product(tasks, *each);
        job_.num_tasks = tasks;
      }
    } else if (job_.min_nodes && job_.num_tasks) {
      if (tasks < most) job_.max_nodes = tasks;
      if (tasks < least) {
        job_.min_nodes = job_.max_nodes = tasks;
        keep_first(named, tasks);
      }
    }
    smallest_cpus(tasks);
    if (job_.max_nodes == 0) job_.max_nodes.reset();
  }

  // Fewer tasks than nodes were named: sbatch drops the last names.
  void keep_first(const std::vector<std::string>& named, std::int64_t count) {
    if (static_cast<std::int64_t>(named.size()) <= count) return;
    job_.req_nodes.clear();
    for (std::int64_t i = 0; i < count; ++i) {
      job_.req_nodes += (i == 0 ? "" : ",") + named[static_cast<std::size_t>(i)];
    }
  }

  void smallest_cpus(std::int64_t tasks) {
    if (job_.overcommit) {
      job_.min_cpus = std::max<std::int64_t>(job_.min_nodes.value_or(1), 1);
    } else if (job_.cpus_per_task) {
      job_.min_cpus = product(tasks, *job_.cpus_per_task);
    } else {
      job_.min_cpus = job_.min_nodes == 0 ? 0 : tasks;
    }
  }

  // Of the first GPUs that a text asks for: "gres:gpu:a100:2" is 2.
  static std::int64_t gpus_of(const std::string& text) {
    std::int64_t sum = 0;
    for (const std::string_view item : split(text, ',')) {
      const auto words = split(item, ':');
      const bool is_gpu = words.size() > 1 && words[1] == "gpu";
      if (is_gpu) sum = std::min(count_max, sum + parse_count(words.back(), count_max).value_or(1));
    }
    return sum;
  }

  // gres_job_state_validate of common/gres.c, which sbatch calls when no cluster was named.
  void as_gres_validates() {
    const std::int64_t of_job = gpus_of(job_.tres_per_job);
    const std::int64_t of_node = gpus_of(job_.tres_per_node);
    const std::int64_t of_task = gpus_of(job_.tres_per_task);
    const std::int64_t per_gpu = job_.ntasks_per_tres.value_or(0);
    const bool is_fixed = job_.min_nodes && job_.min_nodes == job_.max_nodes;
    if ((of_task > 0 || per_gpu > 0) && !job_.num_tasks && is_fixed) {
      if (per_gpu > 0) {
        job_.num_tasks = product(*job_.min_nodes, per_gpu);
      } else if (job_.ntasks_per_node) {
        job_.num_tasks = product(*job_.min_nodes, *job_.ntasks_per_node);
      } else if (!job_.cpus_per_task) {
        job_.num_tasks = *job_.min_nodes;
      }
    }
    if (of_job > 0 && of_node > 0 && of_job % of_node == 0) {
      job_.min_nodes = job_.max_nodes = of_job / of_node;
    }
    if (of_task > 0 && of_job > 0 && !job_.num_tasks) job_.num_tasks = of_job / of_task;
    if (of_task > 0 && of_node > 0 && !job_.ntasks_per_node) {
      job_.ntasks_per_node = of_node / of_task;
    }
    const std::int64_t cpus = gpus_of(job_.cpus_per_tres);
    if (cpus > 0 && of_task > 0 && !job_.cpus_per_task) job_.cpus_per_task = product(cpus, of_task);
    if (of_job > 0 && job_.max_nodes && of_job < *job_.max_nodes) job_.max_nodes = of_job;
    if (per_gpu > 0 && of_job > 0) job_.num_tasks = product(of_job, per_gpu);
  }

  const SbatchOptions& options_;
  api::Submission job_;
  bool has_extra_ = false;
  std::optional<Error> error_;
};

}  // namespace

Result<api::Submission> sbatch_submission(const SbatchOptions& options) {
  return Maker(options).make();
}

}  // namespace asbb::cli
