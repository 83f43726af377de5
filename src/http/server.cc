#include "http/server.h"

#include <unistd.h>

#include <utility>

#include "http/routes.h"
#include "service/from_settings.h"
#include "service/log.h"

namespace asbb::http {
namespace {

constexpr std::size_t worker_count = 2;
constexpr std::size_t work_waiting_max = 64;

std::vector<std::string> cluster_names(const config::Config& config) {
  std::vector<std::string> names;
  for (const config::Cluster& cluster : config.slurm.clusters) names.push_back(cluster.name);
  return names;
}

service::AuthorityOptions authority_options(const config::Config& config, slurm::UserNames& names) {
  service::AuthorityOptions options;
  options.clusters = cluster_names(config);
  options.anonymous_budget_routes = config.service.anonymous_budget_routes;
  options.admin_ids = {0, static_cast<std::uint32_t>(::geteuid())};
  std::vector<std::string> users = config.service.admins;
  users.push_back(config.slurm.user);
  names.learn(users);
  for (const std::string& admin : config.service.admins) {
    options.admin_names.insert(admin);
    if (const auto id = names.known_id(admin)) options.admin_ids.insert(*id);
  }
  if (const auto id = names.known_id(config.slurm.user)) {
    options.submit_ids.insert(*id);
  } else {
    service::log_warning("slurm.user '" + config.slurm.user +
                         "' is no user of this system: only root and this service's own user may "
                         "submit jobs");
  }
  return options;
}

service::OperationsOptions operations_options(const config::Config& config) {
  service::OperationsOptions options;
  options.default_unit = config.budget.default_unit;
  options.write_off_account = config.budget.write_off_account;
  options.zone = config.service.timezone;
  options.gate.view_age_max = config.slurm.view_max_age;
  options.gate.hold_factor = config.budget.default_hold_percentage;
  options.gate.refuses_scrontab = config.budget.refuses_scrontab;
  options.unbound_holds_max = config.budget.max_unbound_holds;
  options.clusters = cluster_names(config);
  for (const config::Cluster& cluster : config.slurm.clusters) {
    if (!cluster.conf.empty()) options.slurm_confs[cluster.name] = cluster.conf;
  }
  options.head_file = config.audit.head_file;
  options.bounds = {config.budget.min_budget_amount, config.budget.max_budget_amount,
                    config.budget.allow_negative_balance};
  return options;
}

ListenerOptions listener_options(const config::Config& config) {
  ListenerOptions options;
  options.socket_path = config.service.socket;
  options.socket_mode = config.service.socket_mode;
  options.listen_addr = config.service.listen_addr;
  options.thread_count = static_cast<int>(config.service.workers);
  options.read_timeout_ms = service::milliseconds_of(config.service.read_timeout);
  options.write_timeout_ms = service::milliseconds_of(config.service.write_timeout);
  return options;
}

}  // namespace

struct Server::Assembly {
  Assembly(const config::Config& config, const ServerParts& parts, service::AccessTokens tokens)
      : authority(authority_options(config, parts.names), std::move(tokens), parts.names,
                  parts.view),
        metrics(config.metrics.prefix),
        work(worker_count, work_waiting_max),
        operations(
            {parts.committer, parts.prices, parts.view, parts.names, authority, parts.alarms, work},
            parts.hooks, parts.chain_key, operations_options(config)),
        router(authority, metrics, work, parts.committer.clock()),
        listener(listener_options(config), callbacks()) {
    add_slurm_routes(router, operations);
    add_budget_routes(router, operations);
    add_account_routes(router, operations);
    add_transaction_routes(router, operations);
    add_price_routes(router, operations);
    add_alert_routes(router, operations);
    add_audit_routes(router, operations);
    add_job_routes(router, operations);
    add_insight_routes(router, operations);
    add_system_routes(
        router, operations,
        {parts.committer, metrics, parts.alarms, [this] { return connections(); },
         config.metrics.enabled ? config.metrics.path : std::string(), parts.hooks.advice});
  }

  [[nodiscard]] ListenerCallbacks callbacks() {
    ListenerCallbacks calls;
    calls.handle = [this](Request request, const Responder& responder) {
      router.handle(std::move(request), responder);
    };
    calls.body_limit = [this](std::string_view method, std::string_view target) {
      return router.body_limit(method, target);
    };
    calls.is_trusted = [this](const Peer& peer) { return authority.is_trusted(peer.user_id); };
    calls.make_error = [this](int status, std::string_view sentence) {
      return router.make_error(status, sentence);
    };
    return calls;
  }

  [[nodiscard]] service::Metrics::Connections connections() const {
    const ListenerFigures figures = listener.figures();
    return {figures.open, figures.accepted, figures.refused};
  }

  service::Authority authority;
  service::Metrics metrics;
  service::WorkQueue work;
  service::Operations operations;
  Router router;
  Listener listener;
};

Server::Server(const config::Config& config, ServerParts parts)
    : config_(config), parts_(std::move(parts)) {}

Server::~Server() {
  stop();
}

Result<void> Server::start() {
  service::AccessTokens tokens;
  if (!config_.service.tokens_file.empty()) {
    auto read = service::AccessTokens::read_file(config_.service.tokens_file);
    if (!read) return tl::unexpected(read.error());
    tokens = std::move(*read);
  }
  assembly_ = std::make_unique<Assembly>(config_, parts_, std::move(tokens));
  return assembly_->listener.start();
}

void Server::stop() {
  if (!assembly_) return;
  assembly_->listener.stop(service::milliseconds_of(config_.service.shutdown_timeout));
  assembly_->work.stop();
}

std::vector<std::string> Server::addresses() const {
  return assembly_->listener.addresses();
}

bool Server::is_narrowed() const {
  return assembly_->listener.is_narrowed();
}

std::uint16_t Server::tcp_port() const {
  return assembly_->listener.tcp_port();
}

std::vector<std::string> Server::routes() const {
  return assembly_->router.list();
}

}  // namespace asbb::http
