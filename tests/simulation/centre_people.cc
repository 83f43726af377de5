// What people do at the simulated centre, and what the plugin makes of it.
#include <algorithm>
#include <array>

#include "api/json.h"
#include "base/token.h"
#include "service/hold_scope.h"
#include "simulation/centre.h"

namespace asbb::simulation {
std::string Centre::new_token() {
  std::array<std::uint8_t, 16> random{};
  for (std::uint8_t& byte : random) byte = static_cast<std::uint8_t>(chance_.below(256));
  return make_token(now_, random);
}

Request Centre::new_request() {
  static const std::vector<std::string> usual{"batch", "batch", "gpu", "free"};
  static const std::vector<std::string> with_allowances{"batch", "gpu", "gpu", "free"};
  const auto& partitions = rules_.allowances.by_cluster.empty() ? usual : with_allowances;
  static const std::vector<std::int64_t> limits{1, 10, 60, 240, 1'440, 4'320, 4'320};
  Request request;
  const bool is_alice = chance_.one_in(2);
  request.user = is_alice ? "alice" : "bob";
  request.user_id = is_alice ? 1000 : 1001;
  request.account = is_alice && chance_.one_in(2) ? "proj001" : "proj002";
  request.partition = chance_.of(partitions);
  request.cpus = 1 + chance_.below(chance_.one_in(4) ? 16 : 3);
  if (request.partition == "gpu") request.gpus = chance_.below(3);
  request.limit_minutes = chance_.of(limits);
  request.may_requeue = !chance_.one_in(8);
  return request;
}

void Centre::submit_something() {
  const std::string cluster = chance_.one_in(2) ? "onprem" : "cloud";
  if (!slurm_.controller(cluster).is_up) return;
  Request request = new_request();
  const std::int64_t kind = chance_.below(10);
  if (kind < 3) {
    const std::int64_t first = chance_.below(3);
    const std::int64_t step = 1 + chance_.below(3);
    for (std::int64_t i = 0; i < 1 + chance_.below(12); ++i) {
      request.tasks.push_back(first + i * step);
    }
    if (chance_.one_in(2)) request.at_once = 1 + chance_.below(4);
    count("an array");
    return submit(cluster, {request});
  }
  if (kind == 3) {
    count("a het job");
    std::vector<Request> components(static_cast<std::size_t>(2 + chance_.below(2)), request);
    for (Request& component : components) component.cpus = 1 + chance_.below(4);
    return submit(cluster, components);
  }
  request.is_federated = slurm_.is_federation() && chance_.one_in(2);
  if (request.is_federated) count("a federated job");
  submit(cluster, {request});
}

// As slurmctld does it: the plugin is asked about each component, then there is a job, or is none.
void Centre::submit(const std::string& cluster, const std::vector<Request>& components) {
  std::vector<Asked*> all;
  for (const Request& component : components) {
    Asked& asked = truth_.add({new_token(), cluster, component, now_, 0, 0, false, nullptr});
    all.push_back(&asked);
    if (ask_gate(asked) == Answer::deny) {
      note(cluster + ": " + component.user + " is refused");
      return count("a submission is refused");
    }
  }
  if (chance_.one_in(15)) return count("a try: --test-only, -M a,b");
  if (chance_.one_in(15)) return count("Slurm refuses what the plugin let in");
  std::int64_t het_id = components.size() > 1 ? -1 : 0;
  for (std::size_t i = 0; i < all.size(); ++i) {
    Asked& asked = *all[i];
    Job& job = slurm_.submit(cluster, asked.request, asked.token, asked.comment, het_id,
                             static_cast<std::int64_t>(i));
    job.is_held_for = asked.is_promised;
    het_id = job.het_id;
    asked.job = &job;
    note(cluster + " job " + std::to_string(job.id) + " (number " + std::to_string(job.number) +
         ") of " + asked.request.user + " on " + asked.request.partition + ", " +
         std::to_string(asked.request.limit_minutes) + " min" +
         (asked.is_promised ? ", held" : ", not held") +
         (job.is_array() ? ", " + std::to_string(asked.request.tasks.size()) + " tasks" : ""));
  }
  count("a job");
  if (!chance_.one_in(25)) return;
  count("sbatch timed out, was accepted, and is sent again");
  submit(cluster, components);
}

Centre::Answer Centre::ask_gate(Asked& asked) {
  Plugin& plugin = plugins_.at(asked.cluster);
  const std::string& partition = asked.request.partition;
  const bool allows = plugin.allows(partition);
  const auto chosen = rules_.silence.allow_by_partition.find(partition);
  const bool is_chosen = chosen == rules_.silence.allow_by_partition.end() || chosen->second;
  require(!allows || is_chosen || !truth_.allowances.has_prices(),
          "the policy lets jobs in on " + partition);
  asked.comment = Plugin::comment_of(asked.token);
  const api::OnSilence policy = allows ? api::OnSilence::allow : api::OnSilence::deny;
  const std::string body =
      api::to_json(submission_of(asked.cluster, asked.request, policy, plugin.spent()));
  const Answer answer = send(asked, body);
  if (answer != Answer::silence) return answer;
  if (allows) return ask_plugin_alone(asked);
  count("nobody answers, and the job is refused");
  return Answer::deny;
}

Centre::Answer Centre::ask_plugin_alone(Asked& asked) {
  const LetThrough said = plugins_.at(asked.cluster).let_through(asked.request, asked.token);
  truth_.look(database_->reader());
  truth_.allowances.check(asked.cluster, asked.request, said, now_);
  if (!said.is_let_in) {
    note("refused while nobody answers: " + said.why);
    return Answer::deny;
  }
  count("nobody answers, and the job is let in");
  asked.comment = said.comment;
  asked.offline_micros = said.micros;
  return Answer::allow;
}

// What the plugin hears within its deadline.
Centre::Answer Centre::send(Asked& asked, const std::string& body) {
  asked.first_version = tariff_.version_at(service_now());
  asked.last_version = asked.first_version;
  const Instant late_at = now_ + seconds(10 + chance_.below(7'200));
  const std::int64_t fate = chance_.below(20);
  if (fate == 0 || !service_) {
    if (service_) count("a message is lost");
    return Answer::silence;
  }
  if (fate == 1) {
    late_.push_back({late_at, asked.token, body});
    count("a message is late");
    return Answer::silence;
  }
  if (fate == 2) {
    late_.push_back({late_at, asked.token, body});
    count("a message comes twice");
  }
  std::optional<Service::Submitted> reply;
  const Instant before = now_;
  if (!with_service([&] { reply = service_->submit(asked.token, body); })) return Answer::silence;
  if (fate == 3) {
    count("an answer is lost");
    return Answer::silence;
  }
  if (!*reply || before + milliseconds(50) < now_) return Answer::silence;
  if ((*reply)->decision != "allow") {
    note("denied: " + (*reply)->code);
    count("denied: " + (*reply)->code);
    if ((*reply)->code == "account_dry") {
      truth_.look(database_->reader());
      truth_.ladder.check_refusal(asked.request.account, asked.request.partition);
    }
    return Answer::deny;
  }
  if ((*reply)->transaction_id.empty()) return Answer::allow;
  asked.is_promised = true;
  service_->committer().read(
      [&](const ledger::Book& book) { truth_.check_promise(asked, **reply, book); });
  return Answer::allow;
}

void Centre::deliver_late() {
  std::vector<Message> due;
  std::erase_if(late_, [&](const Message& message) {
    if (now_ < message.arrives_at) return false;
    due.push_back(message);
    return true;
  });
  for (const Message& message : due) {
    if (!service_) continue;
    (void)with_service([&] { (void)service_->submit(message.token, message.body); });
  }
}

void Centre::do_something_to_a_job() {
  std::vector<Job*> alive;
  for (const auto& job : slurm_.jobs()) {
    if (!job->is_forgotten && now_ < job->submit + hours(24 * 20)) alive.push_back(job.get());
  }
  if (alive.empty()) return;
  Job& job = *chance_.of(alive);
  if (!slurm_.controller(job.cluster).is_up) return;
  if (job.is_alive() && chance_.one_in(5)) {
    note(job.cluster + " job " + std::to_string(job.id) + " is cancelled");
    return slurm_.cancel(job);
  }
  if (job.is_alive() && chance_.one_in(3)) return change_job(job);
  do_to_task(job);
}

void Centre::do_to_task(Job& job) {
  Task& task = job.tasks[static_cast<std::size_t>(
      chance_.below(static_cast<std::int64_t>(job.tasks.size())))];
  if (!task.cluster.empty() && !slurm_.controller(task.cluster).is_up) return;
  switch (chance_.below(5)) {
    case 0:
      if (task.is_alive()) slurm_.cancel_task(job, task);
      return;
    case 1:
    case 2:
      return slurm_.requeue(job, task);
    case 3:
      task.state == Task::State::suspended ? slurm_.resume(job, task) : slurm_.suspend(job, task);
      return;
    default:
      if (!job.is_array()) slurm_.resize(job, task, 1 + chance_.below(8));
  }
}

void Centre::change_job(Job& job) {
  api::JobChange change;
  change.cluster = job.cluster;
  change.slurm_version = "22.05.8";
  change.time_budget_ms = 50;
  change.submit_uid = job.request.user_id;
  change.job = std::to_string(job.id);
  change.token = job.token;
  const bool waits = std::all_of(job.tasks.begin(), job.tasks.end(), [](const Task& task) {
    return task.state == Task::State::pending;
  });
  if (waits && job.request.user == "alice" && chance_.one_in(3)) {
    const std::string to = chance_.one_in(2) ? "proj001" : "proj002";
    change.asked.account = to;
    if (!may_change(job, change)) return;
    count("another account pays");
    note("job number " + std::to_string(job.number) + " goes to " + to);
    return slurm_.set_account(job, to);
  }
  const std::int64_t before = job.tasks.front().limit_minutes;
  const std::int64_t minutes = chance_.one_in(2) ? before * 2 : (before + 1) / 2;
  if (!waits || chance_.one_in(4)) change.submit_uid = 0;
  change.asked.time_limit_minutes = minutes;
  if (!may_change(job, change)) return;
  count(minutes > before ? "a limit is raised" : "a limit is cut");
  note("job number " + std::to_string(job.number) + " may take " + std::to_string(minutes) +
       " min");
  slurm_.set_limit(job, minutes);
}

// Also when nobody answers, on partitions where that is the policy; and Slurm may refuse it then.
bool Centre::may_change(Job& job, api::JobChange change) {
  // What an administrator does is let through.
  const bool allows = change.submit_uid == 0 || plugins_.at(job.cluster).allows_changes();
  const api::OnSilence policy = allows ? api::OnSilence::allow : api::OnSilence::deny;
  change.on_silence = policy;
  std::optional<Service::Submitted> reply;
  const bool is_asked = service_ && !chance_.one_in(10);
  if (is_asked) (void)with_service([&] { reply = service_->change(change); });
  if (!reply || !*reply) {
    count("a change that nobody answers");
    if (policy == api::OnSilence::deny) return false;
  } else if ((*reply)->decision != "allow") {
    count("a change is refused");
    return false;
  }
  if (!chance_.one_in(8)) return true;
  count("Slurm refuses a change");
  return false;
}

}  // namespace asbb::simulation
