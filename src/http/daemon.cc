#include "http/daemon.h"

#include <string>
#include <utility>
#include <vector>

#include "advisor/advisor.h"
#include "base/secret_file.h"
#include "http/server.h"
#include "service/advice_seam.h"
#include "service/from_settings.h"
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

using service::clusters_of;
using service::milliseconds_of;

service::CommitterOptions committer_options(const config::Config& config) {
  service::CommitterOptions options;
  options.own_wait_ms = milliseconds_of(config.database.lock_wait);
  options.retention = config.budget.transaction_retention;
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
  service::ReconcilerOptions options = service::reconciler_options(config);
  options.allowances = &allowances;
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

std::string advisor_unit(const config::Config& config) {
  return config.advisor.unit.empty() ? config.budget.default_unit : config.advisor.unit;
}

advisor::AdvisorSettings advisor_settings(const config::Config& config) {
  advisor::AdvisorSettings settings;
  settings.url = config.advisor.url;
  settings.unit = advisor_unit(config);
  settings.timeout = config.advisor.timeout;
  settings.caches = config.advisor.cache_enabled;
  settings.cache_ttl = config.advisor.cache_ttl;
  return settings;
}

void log_alarm(const service::Alarm& alarm) {
  service::log_warning("alarm: " + alarm.message);
}

}  // namespace

// Destroyed from the last to the first: nothing outlives what it uses.
struct Daemon::Parts {
  Parts(const config::Config& config, std::unique_ptr<store::Store> opened,
        const store::ChainKey& key, advisor::AdvisorSettings asked)
      : store(std::move(opened)),
        committer(*store, key, service::system_now, committer_options(config)),
        alarms(log_alarm),
        allowances(allowance_settings(config)),
        advisor(std::move(asked)),
        advice(advisor, {advisor_unit(config), config.advisor.trust}),
        commands(milliseconds_of(config.slurm.command_timeout)),
        views(commands, clusters_of(config), service::system_now),
        jobs(commands, clusters_of(config), service::system_now),
        control(commands, clusters_of(config)),
        refresher(views, names, cache, prices, alarms, service::system_now,
                  refresher_options(config, allowances)),
        reconciler(committer, jobs, cache, prices, alarms, reconciler_options(config, allowances)),
        heads(*store, alarms, service::system_now, head_options(config)),
        watch(committer, *store, alarms, service::system_now, alert_options(config)),
        server(config, {committer, prices, cache, names, alarms, hooks(config), key}) {
    allowances.on_change([this] { refresher.wake(); });
  }

  [[nodiscard]] service::Hooks hooks(const config::Config& config) {
    service::Hooks made;
    made.notify = [this] { reconciler.notify(); };
    made.ask_for_pass = [this](service::PassAnswer done) { reconciler.ask(std::move(done)); };
    made.ask_about = [this](const service::PassQuestion& question, service::PassAnswer done) {
      reconciler.ask(question, std::move(done));
    };
    made.last_pass = [this] { return reconciler.last_report(); };
    made.known = &reconciler.known_jobs();
    made.allowances = &allowances;
    made.alerts = &watch;
    if (!config.advisor.url.empty()) made.advice = &advice;
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
  advisor::Advisor advisor;
  service::AdviceSeam advice;
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
  if (config_.database.clock_may_be_behind) (*opened)->let_time_go_back();
  auto asked = advisor_settings(config_);
  if (!config_.advisor.api_key_file.empty()) {
    auto read = read_secret_file(config_.advisor.api_key_file);
    if (!read) return tl::unexpected(std::move(read.error()));
    asked.api_key = std::move(*read);
  }
  parts_ = std::make_unique<Parts>(config_, std::move(*opened), *key, std::move(asked));
  Parts& parts = *parts_;
  auto started = parts.committer.start();
  if (started) {
    started =
        parts.committer.read([&](const ledger::Book& book) { return parts.prices.follow(book); });
  }
  if (started && !config_.advisor.url.empty()) parts.advisor.start();
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
  parts_->advisor.stop();  // who waits for it is answered by the ledger, which still runs
  parts_->server.stop();
  parts_->reconciler.stop();
  parts_->refresher.stop();
  parts_->watch.stop();
  parts_->committer.stop();
  parts_->heads.stop();
  parts_.reset();
}

}  // namespace asbb::http
