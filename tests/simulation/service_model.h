// One life of the budget service in the simulated centre: the daemon's parts put together as it
// does, without its threads. Made anew after each crash; what it only remembers is then gone. It
// may be killed while it calls upon its database: then Killed flies through all of it. One thread.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "service/operations.h"
#include "service/reconciler.h"
#include "service/refresher.h"
#include "simulation/slurm_model.h"
#include "slurm/fake.h"
#include "store/fault_store.h"

namespace asbb::simulation {

struct Killed {};

// Budgets follow each other in periods of this length, from the beginning of the world on.
inline constexpr Span period_length = hours(24 * 5);
[[nodiscard]] std::int64_t period_of(Instant at);
[[nodiscard]] Instant period_start(std::int64_t period);

// What the whole centre has in common, whoever lives.
struct CentreRules {
  store::ChainKey chain_key{3, 1, 4};
  service::RunCostPolicy run_costs;
  std::map<std::string, std::int64_t> carry_over_millionths;  // by account
  bool moves_waiting = true;
  bool moves_running = false;
  config::Enforcement enforcement{.enabled = false, .ladder = {}, .accounts = {}, .partitions = {}};
  service::AllowanceSettings allowances;
  service::SilencePolicy silence;
  std::string policy_folder;  // that the plugins read
};

// The clusters as they are to be read, while their controllers answer.
class SlurmView final : public slurm::ClusterView {
 public:
  SlurmView(Slurm& slurm, service::Clock clock) : slurm_(slurm), clock_(std::move(clock)) {}
  [[nodiscard]] std::vector<std::string> clusters() const override { return slurm_.clusters(); }
  [[nodiscard]] Result<slurm::ClusterSnapshot> read_cluster(const std::string& cluster) override;
  [[nodiscard]] Result<slurm::Associations> read_associations(const std::string& cluster) override;

 private:
  Slurm& slurm_;
  const service::Clock clock_;
};

class Service {
 public:
  using Submitted = service::Reply<api::SubmissionAnswer>;
  // Called when the database makes it wait; may throw Killed.
  using Wait = std::function<void()>;

  Service(std::unique_ptr<store::Store> store, Slurm& slurm, slurm::JobControl& control,
          const service::Clock& clock, const CentreRules& rules, const Wait& wait,
          const std::function<void(const service::Alarm&)>& on_alarm);

  // False: the database does not let it.
  [[nodiscard]] bool start();

  // Looks at the clusters and writes the policy files.
  void refresh();
  // Whether the files do not say yet what they are to.
  [[nodiscard]] bool wants_refresh() const { return wants_refresh_; }
  void follow_prices();

  [[nodiscard]] Submitted submit(const std::string& token, const std::string& body);
  [[nodiscard]] Submitted change(const api::JobChange& change);
  // An administrator ends what nobody will ever hear of.
  [[nodiscard]] bool settle_by_hand(const api::BudgetReconcile& request);
  [[nodiscard]] bool refund(const std::string& account, const api::MoneyRefund& request);
  service::PassReport run_pass() { return reconciler_.run_pass(); }

  [[nodiscard]] store::FaultStore& store() { return store_; }
  [[nodiscard]] service::Committer& committer() { return committer_; }
  [[nodiscard]] service::Alarms& alarms() { return alarms_; }

 private:
  const service::Clock clock_;
  store::FaultStore store_;
  service::Committer committer_;
  service::Prices prices_;
  slurm::ClusterCache view_;
  slurm::FakeUserNames names_;
  service::Alarms alarms_;
  service::WorkQueue work_{0, 16};
  service::Authority authority_;
  service::Allowances allowances_;
  SlurmView slurm_view_;
  bool wants_refresh_ = false;
  service::Refresher refresher_;
  service::Reconciler reconciler_;
  service::Operations operations_;
};

// service_view.cc: what the clusters are made of, and who may use what there.
[[nodiscard]] slurm::ClusterSnapshot cluster_of(const std::string& name, Instant read_at);
[[nodiscard]] slurm::Associations associations_of(bool is_federation, Instant read_at);
[[nodiscard]] api::Submission submission_of(const std::string& cluster, const Request& request,
                                            api::OnSilence on_silence, const std::string& spent);

}  // namespace asbb::simulation
