#include "service/from_settings.h"

namespace asbb::service {

int milliseconds_of(Span span) {
  return static_cast<int>(span.microseconds / 1'000);
}

std::vector<slurm::SlurmCluster> clusters_of(const config::Config& config) {
  std::vector<slurm::SlurmCluster> clusters;
  for (const config::Cluster& cluster : config.slurm.clusters) {
    clusters.push_back({cluster.name, cluster.conf, cluster.bin_dir});
  }
  return clusters;
}

ReconcilerOptions reconciler_options(const config::Config& config) {
  ReconcilerOptions options;
  options.interval = config.slurm.reconcile_interval;
  options.rescan_interval = config.slurm.rescan_interval;
  options.sweep_grace_min = config.slurm.sweep_grace_min;
  options.hold_alarm_after = config.budget.reconciliation_timeout;
  options.recovers = config.budget.auto_recovery_enabled;
  options.recovery_interval = config.budget.recovery_check_interval;
  options.run_costs = {config.budget.write_off_account, config.budget.writes_off_node_fail,
                       config.budget.writes_off_boot_fail, config.budget.writes_off_preempted};
  options.moves_waiting = config.budget.moves_waiting;
  options.moves_running = config.budget.moves_running;
  options.enforcement = config.enforcement;
  return options;
}

}  // namespace asbb::service
