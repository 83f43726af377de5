#include "service/hold_scope.h"

#include <algorithm>

#include "base/text.h"
#include "ledger/same_job.h"
#include "slurm/slurm_text.h"

namespace asbb::service {
namespace {

constexpr std::string_view proposal_word = "change";
constexpr std::string_view unlimited_word = "UNLIMITED";

// The value behind "name=" among the words.
std::string_view value_of_word(std::string_view text, std::string_view name) {
  for (const std::string_view word : split(text, ' ')) {
    if (word.size() > name.size() && word.starts_with(name) && word[name.size()] == '=') {
      return word.substr(name.size() + 1);
    }
  }
  return {};
}

void add_word(std::string& text, std::string_view name, const std::string& value) {
  if (value.empty()) return;
  if (!text.empty()) text += ' ';
  text += std::string(name) + "=" + value;
}

// Of a list that text_of_tasks made; reads it in place, since an array asks for each of its tasks.
bool has_task(const std::string& list, std::int64_t task) {
  for (const std::string_view range : split(list, ',')) {
    const std::size_t dash = range.find('-');
    const auto first = parse_whole(range.substr(0, dash));
    const auto last = dash == std::string_view::npos ? first : parse_whole(range.substr(dash + 1));
    if (first && last && *first <= task && task <= *last) return true;
  }
  return false;
}

// "2", or "cloud:2,onprem:1".
std::string text_of_runs(const RunCount& runs) {
  if (runs.by_cluster.empty()) return std::to_string(runs.of_job);
  std::string text;
  for (const auto& [cluster, count] : runs.by_cluster) {
    text += (text.empty() ? "" : ",") + cluster + ":" + std::to_string(count);
  }
  return text;
}

RunCount runs_of_text(std::string_view text) {
  RunCount runs;
  for (const std::string_view part : split(text, ',')) {
    const std::size_t colon = part.find(':');
    if (colon == std::string_view::npos) {
      runs.of_job = parse_whole(part).value_or(0);
    } else {
      runs.by_cluster[std::string(part.substr(0, colon))] =
          parse_whole(part.substr(colon + 1)).value_or(0);
    }
  }
  return runs;
}

bool covers(const HoldScope& scope, std::int64_t task) {
  if (task < 0) return true;
  if (!scope.only.empty() && !has_task(scope.only, task)) return false;
  return scope.except.empty() || !has_task(scope.except, task);
}

bool lists_word(std::string_view list, std::string_view word) {
  const auto parts = split(list, ',');
  return std::find(parts.begin(), parts.end(), word) != parts.end();
}

}  // namespace

std::string text_of_tasks(const Tasks& tasks) {
  std::string text;
  for (std::size_t at = 0; at < tasks.size();) {
    std::size_t last = at;
    while (last + 1 < tasks.size() && tasks[last + 1] == tasks[last] + 1) ++last;
    if (!text.empty()) text += ',';
    text += std::to_string(tasks[at]);
    if (last > at) text += "-" + std::to_string(tasks[last]);
    at = last + 1;
  }
  return text;
}

std::optional<Tasks> tasks_of_text(std::string_view text) {
  if (text.empty()) return Tasks{};
  auto tasks = slurm::expand_array_tasks(text);
  if (!tasks) return std::nullopt;
  return std::move(*tasks);
}

std::string to_text(const HoldScope& scope) {
  std::string text;
  add_word(text, "only", scope.only);
  add_word(text, "except", scope.except);
  if (scope.first_run != RunCount{}) add_word(text, "first_run", text_of_runs(scope.first_run));
  if (scope.end_run) add_word(text, "end_run", text_of_runs(*scope.end_run));
  return text;
}

HoldScope scope_of(std::string_view group) {
  HoldScope scope;
  if (const auto proposal = proposal_of(group)) {
    scope.only = proposal->tasks;
    return scope;
  }
  scope.only = value_of_word(group, "only");
  scope.except = value_of_word(group, "except");
  scope.first_run = runs_of_text(value_of_word(group, "first_run"));
  const std::string_view end = value_of_word(group, "end_run");
  if (!end.empty()) scope.end_run = runs_of_text(end);
  return scope;
}

std::int64_t RunCount::on(const std::string& cluster) const {
  if (by_cluster.empty()) return of_job;
  const auto found = by_cluster.find(cluster);
  return found == by_cluster.end() ? 0 : found->second;
}

void count_run(RunCount& runs, const ledger::ShareKey& run) {
  if (run.run < 0) return;
  std::int64_t& count =
      ledger::is_federated(run.job_id) ? runs.by_cluster[run.cluster] : runs.of_job;
  count = std::max(count, run.run + 1);
}

bool pays_for_run(const HoldScope& scope, std::int64_t task, const std::string& cluster,
                  std::int64_t run) {
  if (run < scope.first_run.on(cluster)) return false;
  if (scope.end_run && run >= scope.end_run->on(cluster)) return false;
  return covers(scope, task);
}

bool pays_for(const HoldScope& scope, std::int64_t task) {
  return !scope.end_run && covers(scope, task);
}

HoldScope without(const HoldScope& scope, const Tasks& tasks, RunCount runs) {
  HoldScope left = scope;
  if (tasks.size() == 1 && tasks.front() < 0) {
    left.end_run = std::move(runs);
    return left;
  }
  Tasks gone = tasks_of_text(scope.except).value_or(Tasks{});
  Tasks both;
  std::set_union(gone.begin(), gone.end(), tasks.begin(), tasks.end(), std::back_inserter(both));
  left.except = text_of_tasks(both);
  return left;
}

std::string to_text(const Proposal& proposal) {
  std::string text(proposal_word);
  if (proposal.hold.is_set()) add_word(text, "hold", std::to_string(proposal.hold.value));
  add_word(text, "token", proposal.token);
  if (proposal.job > 0) add_word(text, "job", std::to_string(proposal.job));
  add_word(text, "tasks", proposal.tasks);
  if (proposal.moves) add_word(text, "moves", "1");
  add_word(text, "account", proposal.account);
  add_word(text, "partition", proposal.partition);
  if (proposal.time_limit_minutes) {
    add_word(text, "time",
             *proposal.time_limit_minutes == slurm::unlimited
                 ? std::string(unlimited_word)
                 : std::to_string(*proposal.time_limit_minutes));
  }
  add_word(text, "size", proposal.size);
  return text;
}

std::optional<Proposal> proposal_of(std::string_view group) {
  if (group != proposal_word && !group.starts_with(std::string(proposal_word) + " ")) {
    return std::nullopt;
  }
  Proposal proposal;
  proposal.hold.value = parse_whole(value_of_word(group, "hold")).value_or(0);
  proposal.token = value_of_word(group, "token");
  proposal.job = parse_whole(value_of_word(group, "job")).value_or(0);
  proposal.tasks = value_of_word(group, "tasks");
  proposal.moves = value_of_word(group, "moves") == "1";
  proposal.account = value_of_word(group, "account");
  proposal.partition = value_of_word(group, "partition");
  const std::string_view time = value_of_word(group, "time");
  if (time == unlimited_word) {
    proposal.time_limit_minutes = slurm::unlimited;
  } else {
    proposal.time_limit_minutes = parse_whole(time);
  }
  proposal.size = value_of_word(group, "size");
  return proposal;
}

bool is_proposal(const ledger::Hold& hold) {
  return !hold.job && proposal_of(hold.group).has_value();
}

std::string size_of(const slurm::QueueJob& job) {
  return std::to_string(job.node_count) + "/" + std::to_string(job.cpus) + "/" +
         job.requested_tres + "/" +
         (job.min_memory_mb ? std::to_string(*job.min_memory_mb) : std::string());
}

bool shows(const slurm::QueueJob& job, const Proposal& proposal) {
  if (!proposal.account.empty() && to_lower(job.account) != to_lower(proposal.account)) {
    return false;
  }
  if (!proposal.partition.empty() && job.partition != proposal.partition &&
      (is_pending(job) || !lists_word(proposal.partition, job.partition))) {
    return false;
  }
  if (proposal.time_limit_minutes && job.time_limit_minutes != *proposal.time_limit_minutes) {
    return false;
  }
  // What runs shows what it got, not what it asked for.
  return proposal.size.empty() || !is_pending(job) || size_of(job) != proposal.size;
}

bool is_pending(const slurm::QueueJob& job) {
  return job.status.base == slurm::JobState::pending;
}

Tasks tasks_of(const slurm::QueueJob& job) {
  if (job.array_task_id) return {*job.array_task_id};
  if (job.array_tasks.empty()) return {-1};
  return tasks_of_text(job.array_tasks).value_or(Tasks{});
}

bool pays_for_row(const HoldScope& scope, const slurm::QueueJob& row) {
  const Tasks tasks = tasks_of(row);
  return std::any_of(tasks.begin(), tasks.end(),
                     [&](std::int64_t task) { return pays_for(scope, task); });
}

}  // namespace asbb::service
