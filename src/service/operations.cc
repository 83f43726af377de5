#include "service/operations.h"

#include <utility>

#include "api/build_version.h"
#include "base/text.h"
#include "service/log.h"

namespace asbb::service {
namespace {

std::string uptime_text(Span span) {
  const std::int64_t seconds = span.microseconds / 1'000'000;
  return std::to_string(seconds / 3600) + "h" + std::to_string(seconds / 60 % 60) + "m" +
         std::to_string(seconds % 60) + "s";
}

api::ClusterStatus cluster_status(const slurm::ClusterCache& view, const std::string& name,
                                  Instant now, Span age_max) {
  api::ClusterStatus status;
  status.name = name;
  const auto snapshot = view.cluster(name);
  if (!snapshot) {
    status.problem = "The cluster has not been read yet.";
    return status;
  }
  const Span age = now - snapshot->read_at;
  status.view_read_at = snapshot->read_at;
  status.view_age_s = age.microseconds / 1'000'000;
  const auto associations = view.associations(name);
  const bool knows_accounts = associations && now - associations->read_at <= age_max;
  status.reachable = age <= age_max && knows_accounts;
  if (age > age_max) {
    status.problem = "The last view of the cluster is too old to price jobs.";
  } else if (!knows_accounts) {
    status.problem = "There is no recent list of who may use which account on the cluster.";
  } else if (!snapshot->problems.empty()) {
    status.problem = snapshot->problems.front();
  }
  return status;
}

// The first word of an alarm's key says of what kind it is.
std::vector<api::AllowanceStatus> allowance_views(const Allowances& allowances,
                                                  const std::string& cluster,
                                                  const ledger::Book& book) {
  std::vector<api::AllowanceStatus> views;
  const auto published = allowances.published(cluster);
  if (!published) return views;
  for (const PublishedAllowance& one : published->allowances) {
    api::AllowanceStatus& view = views.emplace_back();
    view.cluster = cluster;
    view.account = one.account;
    view.unit = one.unit;
    const ledger::Hold* hold = one.hold.is_set() ? book.hold(one.hold) : nullptr;
    if (hold == nullptr) continue;
    view.amount = one.amount;
    const Micros told = one.amount - allowances.told_spent(one.hold).value_or(Micros());
    view.left = std::max(Micros(), std::min(told, hold->parts.front().unopened));
  }
  return views;
}

api::Alarm alarm_view(const Alarm& alarm) {
  api::Alarm view;
  view.code = alarm.key.substr(0, alarm.key.find(' '));
  view.message = alarm.message;
  view.since = alarm.since;
  return view;
}

}  // namespace

tl::unexpected<api::Problem> not_allowed(const Caller& caller) {
  if (caller.is_anonymous) {
    return problem(401, "UNAUTHORIZED",
                   "This needs a token over TCP ('Authorization: Bearer TOKEN'), or the unix "
                   "socket.");
  }
  return problem(403, "FORBIDDEN", "'" + caller.actor + "' may not do this.");
}

namespace {

GateOptions gate_options(const OperationsOptions& options) {
  GateOptions gate = options.gate;
  gate.clusters = options.clusters;
  return gate;
}

}  // namespace

Operations::Operations(Collaborators with, Hooks hooks, store::ChainKey audit_key,
                       OperationsOptions options)
    : with_(with),
      hooks_(std::move(hooks)),
      audit_key_(audit_key),
      options_(std::move(options)),
      started_at_(with.committer.clock()()),
      gate_(with.committer, with.prices, with.view, with.names, gate_options(options_)),
      known_(hooks_.known == nullptr ? own_known_ : *hooks_.known) {
  known_.set_pricer([this](const api::Submission& job) { return gate_.judge(job, now()); });
}

Operations::~Operations() {
  known_.set_pricer(nullptr);
}

ledger::Command Operations::command(const Caller& caller, ledger::Action action,
                                    std::string reason) const {
  ledger::Command made;
  made.context.actor = caller.actor;
  made.context.reason = std::move(reason);
  made.action = std::move(action);
  return made;
}

bool Operations::is_answered(const std::string& request_id) const {
  return !request_id.empty() && with_.committer.read([&](const ledger::Book& book) {
    return book.answer(request_id) != nullptr;
  });
}

std::optional<api::Problem> Operations::check_cluster(const std::string& name) const {
  std::string known;
  for (const std::string& cluster : options_.clusters) {
    if (to_lower(name) == to_lower(cluster)) return std::nullopt;
    known += (known.empty() ? "" : ", ") + cluster;
  }
  return problem(400, "VALIDATION_ERROR",
                 "cluster: " + in_quotes(name) + " is not watched by this service; " +
                     (known.empty() ? "no cluster is configured (slurm.clusters)"
                                    : "there are: " + known),
                 "cluster")
      .value();
}

Reply<api::NotifyAnswer> Operations::notify(const Caller& caller, const api::Notify& request) {
  if (!caller.may_submit) return not_allowed(caller);
  if (auto unknown = check_cluster(request.cluster)) return tl::unexpected(std::move(*unknown));
  // A pass looks at every job; which one it was about is for who reads the log.
  log_debug("notified of job " + std::to_string(request.job_id) + " on cluster " + request.cluster +
            " by " + caller.actor);
  if (hooks_.notify) hooks_.notify();
  return api::NotifyAnswer{static_cast<bool>(hooks_.notify)};
}

Reply<api::Status> Operations::status(const Caller& caller) const {
  if (!caller.may_read) return not_allowed(caller);
  api::Status status;
  status.version = api::build_version().version;
  status.started_at = started_at_;
  status.timestamp = now();
  for (const std::string& cluster : options_.clusters) {
    status.clusters.push_back(
        cluster_status(with_.view, cluster, status.timestamp, options_.gate.view_age_max));
  }
  if (hooks_.last_pass) {
    const PassReport pass = hooks_.last_pass();
    if (pass.at != Instant{}) status.reconciler.last_pass_at = pass.at;
    if (!pass.problems.empty()) status.reconciler.problem = pass.problems.front();
    status.reconciler.passes = pass.number;
    for (api::ClusterStatus& cluster : status.clusters) {
      const auto complete = pass.complete.find(cluster.name);
      if (complete != pass.complete.end()) cluster.reconciled_at = complete->second;
    }
  }
  with_.committer.read([&](const ledger::Book& book) {
    for (const std::string& cluster : options_.clusters) {
      if (hooks_.allowances == nullptr) break;
      const auto views = allowance_views(*hooks_.allowances, cluster, book);
      status.allowances.insert(status.allowances.end(), views.begin(), views.end());
    }
    status.ledger.entries = book.counters().entry;
    for (const ledger::Hold* hold : book.open_holds()) {
      ++status.reconciler.open_holds;
      if (hold->kind == ledger::HoldKind::slurm && !hold->job) ++status.reconciler.unbound_holds;
    }
  });
  const CommitterFigures figures = with_.committer.figures();
  status.ledger.healthy = with_.committer.is_healthy();
  status.ledger.commits = figures.commits;
  status.ledger.commands = figures.commands;
  status.ledger.failures = figures.failures;
  status.ledger.queue_length = figures.queue_length;
  for (const Alarm& alarm : with_.alarms.list()) status.alarms.push_back(alarm_view(alarm));
  return status;
}

api::Health Operations::health() const {
  api::Health health;
  const bool healthy = with_.committer.is_healthy();
  health.status = healthy ? "healthy" : "unhealthy";
  health.version = api::build_version().version;
  health.timestamp = now();
  health.services.database = healthy ? "healthy" : "unhealthy";
  health.services.advisor = "disabled";
  health.uptime = uptime_text(health.timestamp - started_at_);
  return health;
}

}  // namespace asbb::service
