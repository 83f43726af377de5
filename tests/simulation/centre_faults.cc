// What breaks in the simulated centre, and is mended.
#include "simulation/centre.h"

namespace asbb::simulation {

std::string Centre::break_controller(const std::string& cluster) {
  Slurm::Controller& controller = slurm_.controller(cluster);
  switch (chance_.below(4)) {
    case 0:
      controller.is_up = false;
      return "slurmctld is down";
    case 1:
      controller.is_reachable = false;
      return "slurmctld does not answer the service";
    case 2:
      controller.shows_all = false;
      return "the service is no operator any more";
    default:
      controller.is_garbled = true;
      return "a row of squeue cannot be read";
  }
}

// Of one that ended just now passes read the row again.
std::string Centre::correct_something() {
  constexpr Span read_again = seconds(1'800);
  for (const auto& job : slurm_.jobs()) {
    Task& task = job->tasks.front();
    if (job->is_forgotten || task.runs.empty()) continue;
    Run& run = task.runs.back();
    const bool is_fresh = run.end && now_ < *run.end + read_again;
    if (!chance_.one_in(is_fresh ? 2 : 20) || !slurm_.correct(*job, run)) continue;
    if (is_fresh) truth_.note_correction(run);
    return "a record is corrected";
  }
  return {};
}

// With slurmctld's machine goes what its disk has not got yet of the plugin's counter.
std::string Centre::crash_machine(const std::string& cluster) {
  Plugin& plugin = plugins_.at(cluster);
  slurm_.controller(cluster).is_up = false;
  const std::string counter = plugin.counter();
  const auto saved = saved_counters_.find(cluster);
  switch (chance_.below(4)) {
    case 0:
      plugin.restart_with(counter, !counter.empty());
      return "slurmctld's machine goes down";
    case 1:
      if (counter.empty()) return {};
      plugin.restart_with(counter.substr(0, static_cast<std::size_t>(chance_.below(40))), true);
      truth_.look(database_->reader());
      truth_.allowances.note_damaged(cluster);
      return "slurmctld's machine goes down, and the counter is damaged";
    default:
      plugin.restart_with(saved == saved_counters_.end() ? "" : saved->second,
                          saved != saved_counters_.end());
      truth_.allowances.note_restored(cluster);
      return "slurmctld's machine goes down, and the counter is an old one";
  }
}

void Centre::break_something() {
  for (const char* cluster : {"onprem", "cloud"}) {
    const std::string counter = plugins_.at(cluster).counter();
    if (counter.empty() || !chance_.one_in(5)) continue;
    saved_counters_[cluster] = counter;
    truth_.allowances.note_saved(cluster);
  }
  if (!chance_.one_in(4)) return;
  const std::string cluster = chance_.one_in(2) ? "onprem" : "cloud";
  std::string what;
  switch (chance_.below(15)) {
    case 0:
    case 1:
    case 2:
    case 3:
      what = break_controller(cluster);
      break;
    case 4:
      slurm_.accounting().is_up = false;
      what = "slurmdbd is down";
      break;
    case 5:
      slurm_.is_accounting_reachable = false;
      what = "slurmdbd does not answer the service";
      break;
    case 6:
      slurm_.accounting().is_up = false;
      slurm_.accounting().is_full = chance_.one_in(2);
      slurm_.controller(cluster).is_reachable = false;
      what = "slurmctld and slurmdbd are away";
      break;
    case 7:
      slurm_.tells_in_pieces = true;
      what = "slurmdbd hears things out of order";
      break;
    case 8:
      skew_ = seconds(chance_.below(600) - 300);
      what = "the service's clock steps";
      break;
    case 9:
      if (slurm_.forget_last(cluster)) what = "a controller has lost its last minutes";
      break;
    case 10:
    case 11:
      if (service_) kill_service(chance_.one_in(2));
      what = "the service is away";
      if (chance_.one_in(2)) start_service();
      break;
    case 12:
      what = crash_machine(cluster);
      break;
    default:
      what = correct_something();
  }
  if (what.empty()) return;
  count(what);
  note(cluster + ": " + what);
}

void Centre::mend_something() {
  for (const char* cluster : {"onprem", "cloud"}) {
    Slurm::Controller& controller = slurm_.controller(cluster);
    const bool was_up = controller.is_up;
    for (bool* well : {&controller.is_up, &controller.is_reachable, &controller.shows_all}) {
      *well = *well || chance_.one_in(4);
    }
    controller.is_garbled = controller.is_garbled && !chance_.one_in(4);
    if (!was_up && controller.is_up) plugins_.at(cluster).restart();
  }
  Accounting& accounting = slurm_.accounting();
  if (chance_.one_in(4)) accounting.is_full = false;
  if (!accounting.is_full && chance_.one_in(4)) accounting.is_up = true;
  slurm_.is_accounting_reachable = slurm_.is_accounting_reachable || chance_.one_in(4);
  slurm_.tells_in_pieces = slurm_.tells_in_pieces && !chance_.one_in(4);
  if (chance_.one_in(4)) skew_ = {};
  if (!service_ && chance_.one_in(4)) start_service();
}

void Centre::mend_all() {
  for (const char* cluster : {"onprem", "cloud"}) {
    Slurm::Controller& controller = slurm_.controller(cluster);
    controller.is_up = controller.is_reachable = controller.shows_all = true;
    controller.is_garbled = false;
  }
  slurm_.accounting().is_full = false;
  slurm_.accounting().is_up = slurm_.is_accounting_reachable = true;
  slurm_.tells_in_pieces = false;
  skew_ = {};
  deliver_late();
  late_.clear();
}

}  // namespace asbb::simulation
