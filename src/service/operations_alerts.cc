// /alerts: what people were told of. What concerns an account is seen by who may see the account;
// what concerns the service, by who may read everything.
#include <algorithm>

#include "service/operations.h"

namespace asbb::service {
namespace {

std::string status_of(const alerts::Alert& alert) {
  if (alert.ended_at) return "ended";
  return alert.acknowledged_at ? "acknowledged" : "open";
}

std::string status_of(const alerts::Delivery& delivery) {
  if (!delivery.is_done) return "waiting";
  if (delivery.attempts == 0) return "not_sent";
  return delivery.error.empty() ? "sent" : "given_up";
}

api::Alert view_of(const alerts::Alert& alert) {
  api::Alert view;
  view.id = alert.id;
  view.status = status_of(alert);
  view.severity = config::to_string(alert.finding.severity);
  view.account = alert.finding.account;
  view.unit = alert.finding.unit;
  view.title = alert.finding.title;
  view.message = alert.finding.message;
  view.raised_at = alert.raised_at;
  view.ended_at = alert.ended_at;
  view.acknowledged_at = alert.acknowledged_at;
  view.acknowledged_by = alert.acknowledged_by;
  view.note = alert.note;
  for (const alerts::Delivery& delivery : alert.deliveries) {
    view.deliveries.push_back(
        {delivery.channel, status_of(delivery), delivery.attempts, delivery.error});
  }
  return view;
}

tl::unexpected<api::Problem> not_watched() {
  return problem(503, "SERVICE_UNAVAILABLE", "This service watches nothing.");
}

}  // namespace

Reply<std::vector<api::Alert>> Operations::alerts(const Caller& caller,
                                                  const api::AlertQuery& query) const {
  if (caller.is_anonymous) return not_allowed(caller);
  if (hooks_.alerts == nullptr) return not_watched();
  if (!query.account.empty()) {
    const bool is_known = with_.committer.read(
        [&](const ledger::Book& book) { return book.account(query.account) != nullptr; });
    if (!is_known || !may_see(caller, query.account)) {
      return no_such_account(query.account);
    }
  }
  std::vector<api::Alert> out;
  for (const alerts::Alert& alert : hooks_.alerts->book().list()) {
    const std::string& account = alert.finding.account;
    const bool is_seen = account.empty() ? caller.may_read : may_see(caller, account);
    if (!is_seen || (!query.account.empty() && query.account != account)) continue;
    api::Alert view = view_of(alert);
    const bool is_wanted = query.status.empty()
                               ? view.status != "ended"
                               : query.status == "all" || query.status == view.status;
    if (is_wanted) out.push_back(std::move(view));
  }
  return out;
}

Reply<api::Alert> Operations::acknowledge_alert(const Caller& caller, std::int64_t id,
                                                const api::AlertAcknowledgement& request) {
  if (!caller.may_admin) return not_allowed(caller);
  if (hooks_.alerts == nullptr) return not_watched();
  const auto done = hooks_.alerts->book().acknowledge(id, caller.actor, request.note, now());
  if (!done) return problem(done.error());
  return view_of(*done);
}

Reply<api::AlertRules> Operations::alert_rules(const Caller& caller) const {
  if (!caller.may_read) return not_allowed(caller);
  if (hooks_.alerts == nullptr) return not_watched();
  const config::Alerts& settings = hooks_.alerts->settings();
  api::AlertRules rules;
  rules.enabled = settings.enabled;
  for (const std::int64_t percent : settings.thresholds) {
    rules.thresholds.push_back(std::to_string(percent) + " %");
  }
  rules.burn_rate = settings.burn_rate;
  rules.exhaustion = settings.exhaustion;
  rules.digest_at = settings.digest_at;
  for (const config::AlertChannel& channel : settings.channels) {
    rules.channels.push_back({channel.name, config::to_string(channel.kind),
                              config::to_string(channel.least), channel.has_digest});
  }
  return rules;
}

}  // namespace asbb::service
