#include "http/daemon.h"

#include <string>
#include <utility>
#include <vector>

#include "http/server.h"
#include "service/head_export.h"
#include "service/log.h"
#include "service/refresher.h"
#include "slurm/cluster_view_commands.h"
#include "slurm/job_control_commands.h"
#include "slurm/job_source_commands.h"
#include "store/durable_file.h"
#include "store/open_store.h"

namespace asbb::http {
namespace {

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

service::CommitterOptions committer_options(const config::Config& config) {
  service::CommitterOptions options;
  options.own_wait_ms = milliseconds_of(config.database.lock_wait);
  return options;
}

service::AllowanceSettings allowance_settings(const config::Config& config) {
  const config::OnUnavailable& choice = config.slurm.on_unavailable;
  service::AllowanceSettings settings;
  settings.allow_without_allowance = choice.allow_without_allowance;
  settings.hold_factor = config.budget.default_hold_percentage;
  for (const auto& [cluster, accounts] : choice.allowances) {
    for (const auto& [account, allowance] : accounts) {
      const std::string& unit =
          allowance.unit.empty() ? config.budget.default_unit : allowance.unit;
      settings.by_cluster[cluster][account] = {allowance.amount, unit};
    }
  }
  return settings;
}

service::RefresherOptions refresher_options(const config::Config& config,
                                            service::Allowances& allowances) {
  const config::OnUnavailable& choice = config.slurm.on_unavailable;
  return {config.slurm.refresh_interval,
          config::policy_folder(config),
          {choice.allow_by_default, choice.allow_by_partition},
          &allowances};
}

service::ReconcilerOptions reconciler_options(const config::Config& config,
                                              service::Allowances& allowances) {
  service::ReconcilerOptions options;
  options.allowances = &allowances;
  options.interval = config.slurm.reconcile_interval;
  options.rescan_interval = config.slurm.rescan_interval;
  options.sweep_grace_min = config.slurm.sweep_grace_min;
  options.hold_alarm_after = config.budget.reconciliation_timeout;
  options.run_costs = {config.budget.write_off_account, config.budget.writes_off_node_fail,
                       config.budget.writes_off_boot_fail, config.budget.writes_off_preempted};
  options.moves_waiting = config.budget.moves_waiting;
  options.moves_running = config.budget.moves_running;
  options.enforcement = config.enforcement;
  return options;
}

service::AlertWatchOptions alert_options(const config::Config& config) {
  service::AlertWatchOptions options{config.alerts, config.service.timezone};
  std::string& file = options.alerts.state_file;
  if (file.empty()) file = store::folder_of(config.database.dsn) + "/alerts.json";
  return options;
}

service::HeadExportOptions head_options(const config::Config& config) {
  return {config.audit.head_file, config.audit.head_interval, config.audit.syslog};
}

void log_alarm(const service::Alarm& alarm) {
  service::log_warning("alarm: " + alarm.message);
}

}  // namespace

// Destroyed from the last to the first: nothing outlives what it uses.
struct Daemon::Parts {
  Parts(const config::Config& config, std::unique_ptr<store::Store> opened,
        const store::ChainKey& key)
      : store(std::move(opened)),
        committer(*store, key, service::system_now, committer_options(config)),
        alarms(log_alarm),
        allowances(allowance_settings(config)),
        commands(milliseconds_of(config.slurm.command_timeout)),
        views(commands, clusters_of(config), service::system_now),
        jobs(commands, clusters_of(config), service::system_now),
        control(commands, clusters_of(config)),
        refresher(views, names, cache, prices, alarms, service::system_now,
                  refresher_options(config, allowances)),
        reconciler(committer, jobs, cache, prices, alarms, reconciler_options(config, allowances)),
        heads(*store, alarms, service::system_now, head_options(config)),
        watch(committer, *store, alarms, service::system_now, alert_options(config)),
        server(config, {committer, prices, cache, names, alarms, hooks(), key}) {
    allowances.on_change([this] { refresher.wake(); });
  }

  [[nodiscard]] service::Hooks hooks() {
    service::Hooks made;
    made.notify = [this] { reconciler.notify(); };
    made.ask_for_pass = [this](service::PassAnswer done) { reconciler.ask(std::move(done)); };
    made.last_pass = [this] { return reconciler.last_report(); };
    made.known = &reconciler.known_jobs();
    made.allowances = &allowances;
    made.alerts = &watch;
    made.stop = [this](ledger::PlaceHold& place, Instant at) {
      return reconciler.refusal_of(place, at);
    };
    made.prices_changed = made.view_wanted = [this] { refresher.wake(); };
    return made;
  }

  std::unique_ptr<store::Store> store;
  service::Committer committer;
  service::Prices prices;
  service::Alarms alarms;
  service::Allowances allowances;
  slurm::SlurmCommands commands;
  slurm::ClusterViewCommands views;
  slurm::JobSourceCommands jobs;
  slurm::JobControlCommands control;
  slurm::SystemUserNames names;
  slurm::ClusterCache cache;
  service::Refresher refresher;
  service::Reconciler reconciler;
  service::HeadExport heads;
  service::AlertWatch watch;
  Server server;
};

Daemon::Daemon(config::Config config) : config_(std::move(config)) {}

Daemon::~Daemon() {
  stop();
}

Result<void> Daemon::start() {
  const auto key = store::read_chain_key(config_.database.chain_key_file);
  if (!key) {
    Error why = key.error();
    if (why.kind == ErrorKind::not_found) {
      why.message += ": 'asbb database migrate' makes it together with the database";
    }
    return tl::unexpected(std::move(why));
  }
  auto opened = store::open_store(config_.database.driver, config_.database.dsn,
                                  [](const std::string& text) { service::log_warning(text); });
  if (!opened) return tl::unexpected(opened.error());
  parts_ = std::make_unique<Parts>(config_, std::move(*opened), *key);
  Parts& parts = *parts_;
  auto started = parts.committer.start();
  if (started) {
    started =
        parts.committer.read([&](const ledger::Book& book) { return parts.prices.follow(book); });
  }
  if (started) started = parts.watch.start();
  if (started) started = parts.server.start();
  if (!started) {
    stop();
    return started;
  }
  parts.refresher.start();
  parts.reconciler.control_jobs(parts.control);
  parts.reconciler.start();
  parts.heads.start();
  for (const std::string& address : parts.server.addresses()) {
    service::log_info("listening on " + address);
  }
  if (parts.server.is_narrowed()) {
    service::log_info("service.listen_addr '" + config_.service.listen_addr +
                      "' names no host: without TLS that means loopback only");
  }
  return {};
}

void Daemon::stop() {
  if (!parts_) return;
  parts_->commands.stop();
  parts_->server.stop();
  parts_->reconciler.stop();
  parts_->refresher.stop();
  parts_->watch.stop();
  parts_->committer.stop();
  parts_->heads.stop();
  parts_.reset();
}

}  // namespace asbb::http
