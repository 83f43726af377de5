#include "simulation/service_model.h"

#include <optional>

#include "api/json.h"
#include "ledger/testing/test_ledger.h"

namespace asbb::simulation {
namespace {

constexpr std::uint32_t slurm_user_id = 64030;

service::CommitterOptions committer_options() {
  service::CommitterOptions options;
  options.has_thread = false;
  return options;
}

service::AuthorityOptions authority_options(const Slurm& slurm) {
  service::AuthorityOptions options;
  options.admin_ids = {0};
  options.submit_ids = {slurm_user_id};
  options.clusters = slurm.clusters();
  return options;
}

service::RefresherOptions refresher_options(const CentreRules& rules,
                                            service::Allowances& allowances) {
  service::RefresherOptions options;
  options.policy_folder = rules.policy_folder;
  options.policy = rules.silence;
  options.allowances = &allowances;
  return options;
}

service::ReconcilerOptions reconciler_options(const CentreRules& rules,
                                              service::Allowances& allowances) {
  service::ReconcilerOptions options;
  options.run_costs = rules.run_costs;
  options.moves_waiting = rules.moves_waiting;
  options.moves_running = rules.moves_running;
  options.enforcement = rules.enforcement;
  options.allowances = &allowances;
  return options;
}

service::Hooks hooks_of(service::Reconciler& reconciler, service::Allowances& allowances) {
  service::Hooks hooks;
  hooks.known = &reconciler.known_jobs();
  hooks.allowances = &allowances;
  hooks.stop = [&reconciler](ledger::PlaceHold& place, Instant at) {
    return reconciler.refusal_of(place, at);
  };
  return hooks;
}

service::OperationsOptions operations_options(const Slurm& slurm, const CentreRules& rules) {
  service::OperationsOptions options;
  options.clusters = slurm.clusters();
  options.write_off_account = rules.run_costs.write_off_account;
  return options;
}

// A committer without a thread has answered by the time that it was asked.
template <typename T, typename Ask>
service::Reply<T> answer_of(Ask ask) {
  std::optional<service::Reply<T>> kept;
  ask([&kept](const std::function<service::Reply<T>()>& make) { kept = make(); });
  require(kept.has_value(), "the service gives no answer");
  return *kept;
}

}  // namespace

Service::Service(std::unique_ptr<store::Store> store, Slurm& slurm, slurm::JobControl& control,
                 const service::Clock& clock, const CentreRules& rules, const Wait& wait,
                 const std::function<void(const service::Alarm&)>& on_alarm)
    : clock_(clock),
      store_(std::move(store), wait),
      committer_(store_, rules.chain_key, clock, committer_options()),
      alarms_(on_alarm),
      authority_(authority_options(slurm), service::AccessTokens(), names_, view_),
      allowances_(rules.allowances),
      slurm_view_(slurm, clock),
      refresher_(slurm_view_, names_, view_, prices_, alarms_, clock,
                 refresher_options(rules, allowances_)),
      reconciler_(committer_, slurm, view_, prices_, alarms_,
                  reconciler_options(rules, allowances_)),
      operations_({committer_, prices_, view_, names_, authority_, alarms_, work_},
                  hooks_of(reconciler_, allowances_), rules.chain_key,
                  operations_options(slurm, rules)) {
  names_.add(1000, "alice");
  names_.add(1001, "bob");
  names_.add(slurm_user_id, "slurm");
  names_.learn({"alice", "bob", "slurm"});
  allowances_.on_change([this] { wants_refresh_ = true; });
  reconciler_.control_jobs(control);
}

std::int64_t period_of(Instant at) {
  return (at - ledger::testing::epoch).microseconds / period_length.microseconds;
}

Instant period_start(std::int64_t period) {
  return ledger::testing::epoch + Span{period_length.microseconds * period};
}

bool Service::start() {
  if (!committer_.start()) return false;
  follow_prices();
  refresh();
  return true;
}

void Service::follow_prices() {
  committer_.read([&](const ledger::Book& book) {
    require(prices_.follow(book).has_value(), "the prices cannot be read");
  });
}

void Service::refresh() {
  wants_refresh_ = false;
  refresher_.refresh_once();
}

Service::Submitted Service::submit(const std::string& token, const std::string& body) {
  return answer_of<api::SubmissionAnswer>([&](const auto& promise) {
    operations_.submit_job(authority_.local(slurm_user_id), token, body, promise);
  });
}

Service::Submitted Service::change(const api::JobChange& change) {
  return answer_of<api::SubmissionAnswer>([&](const auto& promise) {
    operations_.change_job(authority_.local(slurm_user_id), api::to_json(change), promise);
  });
}

bool Service::settle_by_hand(const api::BudgetReconcile& request) {
  return answer_of<api::BudgetReconcileAnswer>([&](const auto& promise) {
           operations_.reconcile(authority_.local(0), request, promise);
         })
      .has_value();
}

bool Service::refund(const std::string& account, const api::MoneyRefund& request) {
  return answer_of<api::Account>([&](const auto& promise) {
           operations_.refund(authority_.local(0), account, request, promise);
         })
      .has_value();
}

}  // namespace asbb::simulation
