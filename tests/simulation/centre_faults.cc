// What breaks in the simulated centre, and is mended.
#include "simulation/centre.h"

namespace asbb::simulation {

void Centre::break_something() {
  if (!chance_.one_in(4)) return;
  const std::string cluster = chance_.one_in(2) ? "onprem" : "cloud";
  Slurm::Controller& controller = slurm_.controller(cluster);
  std::string what;
  switch (chance_.below(14)) {
    case 0:
      controller.is_up = false;
      what = "slurmctld is down";
      break;
    case 1:
      controller.is_reachable = false;
      what = "slurmctld does not answer the service";
      break;
    case 2:
      controller.shows_all = false;
      what = "the service is no operator any more";
      break;
    case 3:
      controller.is_garbled = true;
      what = "a row of squeue cannot be read";
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
      controller.is_reachable = false;
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
    default:
      for (const auto& job : slurm_.jobs()) {
        Task& task = job->tasks.front();
        if (job->is_forgotten || task.runs.empty() || !chance_.one_in(20)) continue;
        if (slurm_.correct(*job, task.runs.back())) what = "a record is corrected";
        if (!what.empty()) break;
      }
  }
  if (what.empty()) return;
  count(what);
  note(cluster + ": " + what);
}

void Centre::mend_something() {
  for (const char* cluster : {"onprem", "cloud"}) {
    Slurm::Controller& controller = slurm_.controller(cluster);
    for (bool* well : {&controller.is_up, &controller.is_reachable, &controller.shows_all}) {
      *well = *well || chance_.one_in(4);
    }
    controller.is_garbled = controller.is_garbled && !chance_.one_in(4);
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
