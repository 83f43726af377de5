#include "simulation/slurm_control.h"

#include <charconv>

namespace asbb::simulation {
namespace {

std::int64_t number(std::string_view text) {
  std::int64_t value = -1;
  (void)std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

}  // namespace

// What slurmctld means by "7" or "7_3": the job that it knows by that id now.
SlurmControl::Named SlurmControl::find(const std::string& cluster, const std::string& name) const {
  const std::size_t line = name.find('_');
  const std::int64_t id = number(name);
  const std::int64_t index = line == std::string::npos ? -1 : number(name.substr(line + 1));
  for (const auto& job : slurm_.jobs()) {
    if ((job->id != id && job->het_id != id) || !job->is_alive()) continue;
    const bool is_there = job->cluster == cluster || job->request.is_federated;
    for (Task& task : job->tasks) {
      if (!is_there || task.index != index || !task.is_alive()) continue;
      if (!task.cluster.empty() && task.cluster != cluster) continue;
      return {job.get(), &task};
    }
  }
  return {};
}

Result<void> SlurmControl::run(Deed deed, const std::string& name, const Act& act) {
  Slurm::Controller& controller = slurm_.controller(deed.cluster);
  if (!controller.is_up || !controller.is_reachable) {
    ++coverage_.happened["ladder: slurmctld does not answer"];
    return fail(ErrorKind::unavailable, "slurmctld does not answer");
  }
  const Named named = find(deed.cluster, name);
  if (named.job == nullptr) return fail(ErrorKind::not_found, "Invalid job id specified");
  deed.job = named.job;
  deed.task = named.task;
  witness_(deed);
  const bool is_calm_now = is_calm;
  if (!is_calm_now && chance_.one_in(12)) {
    ++coverage_.happened["ladder: killed before a deed"];
    die_();
  }
  act(*named.job, *named.task);
  ++coverage_.happened["ladder: " + deed.verb];
  if (!is_calm_now && chance_.one_in(12)) {
    ++coverage_.happened["ladder: killed after a deed"];
    die_();
  }
  if (!is_calm_now && chance_.one_in(12)) {
    ++coverage_.happened["ladder: a deed without an answer"];
    return fail(ErrorKind::unavailable, "no answer in time");
  }
  return {};
}

Result<void> SlurmControl::requeue_held(const std::string& cluster, const std::string& job) {
  const Named named = find(cluster, job);
  const bool may = named.job != nullptr && named.job->request.may_requeue &&
                   named.task->state == Task::State::running;
  if (named.job != nullptr && !may) {
    ++coverage_.happened["ladder: a requeue is refused"];
    return fail(ErrorKind::denied, "Requested operation is presently disabled");
  }
  return run({"requeue", cluster, nullptr, nullptr, ""}, job, [&](Job& of, Task& task) {
    of.is_acted_on = true;
    slurm_.requeue_held(of, task);
  });
}

Result<void> SlurmControl::move(const std::string& cluster, const std::string& job,
                                const std::string& partition) {
  const Named named = find(cluster, job);
  if (named.job != nullptr && named.task->state != Task::State::pending) {
    return fail(ErrorKind::denied, "Job is no longer pending execution");
  }
  return run({"move", cluster, nullptr, nullptr, partition}, job, [&](Job& of, Task& task) {
    of.is_acted_on = true;
    slurm_.move(of, task, partition);
  });
}

Result<void> SlurmControl::release(const std::string& cluster, const std::string& job) {
  return run({"release", cluster, nullptr, nullptr, ""}, job,
             [&](Job&, Task& task) { Slurm::release(task, slurm_.now()); });
}

// Some jobs write what they have and end; others do not listen.
Result<void> SlurmControl::signal(const std::string& cluster, const std::string& job,
                                  const std::string& name) {
  return run({"signal", cluster, nullptr, nullptr, name}, job, [&](Job&, Task& task) {
    if (chance_.one_in(4)) slurm_.end_soon(task);
  });
}

// The leader of a het job stands for all of it.
Result<void> SlurmControl::cancel(const std::string& cluster, const std::string& job) {
  return run({"cancel", cluster, nullptr, nullptr, ""}, job, [&](Job& of, Task& task) {
    of.is_acted_on = true;
    if (of.het_id == 0) return slurm_.cancel_task(of, task);
    ++coverage_.happened["ladder: a het job is cancelled"];
    for (const auto& other : slurm_.jobs()) {
      if (other->cluster == of.cluster && other->het_id == of.het_id && other->is_alive()) {
        slurm_.cancel(*other);
      }
    }
  });
}

}  // namespace asbb::simulation
