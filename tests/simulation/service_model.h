// One life of the budget service in the simulated centre: the daemon's parts put together as it
// does, without its threads. Made anew after each crash; what it only remembers is then gone. It
// may be killed while it calls upon its database: then Killed flies through all of it. One thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "service/operations.h"
#include "service/reconciler.h"
#include "simulation/slurm_model.h"
#include "slurm/fake.h"
#include "store/fault_store.h"

namespace asbb::simulation {

struct Killed {};

// What the whole centre has in common, whoever lives.
struct CentreRules {
  store::ChainKey chain_key{3, 1, 4};
  service::RunCostPolicy run_costs;
  bool moves_waiting = true;
  bool moves_running = false;
};

class Service {
 public:
  using Submitted = service::Reply<api::SubmissionAnswer>;
  // Called when the database makes it wait; may throw Killed.
  using Wait = std::function<void()>;

  Service(std::unique_ptr<store::Store> store, Slurm& slurm, const service::Clock& clock,
          const CentreRules& rules, const Wait& wait,
          const std::function<void(const service::Alarm&)>& on_alarm);

  // False: the database does not let it.
  [[nodiscard]] bool start();

  // Looks at the clusters whose controllers it reaches, as the refresher does.
  void refresh();
  void follow_prices();

  [[nodiscard]] Submitted submit(const std::string& token, const std::string& body);
  [[nodiscard]] Submitted change(const api::JobChange& change);
  // An administrator ends what nobody will ever hear of.
  [[nodiscard]] bool settle_by_hand(const api::BudgetReconcile& request);
  service::PassReport run_pass() { return reconciler_.run_pass(); }

  [[nodiscard]] store::FaultStore& store() { return store_; }
  [[nodiscard]] service::Committer& committer() { return committer_; }
  [[nodiscard]] service::Alarms& alarms() { return alarms_; }

 private:
  Slurm& slurm_;
  const service::Clock clock_;
  store::FaultStore store_;
  service::Committer committer_;
  service::Prices prices_;
  slurm::ClusterCache view_;
  slurm::FakeUserNames names_;
  service::Alarms alarms_;
  service::WorkQueue work_{0, 16};
  service::Authority authority_;
  service::Reconciler reconciler_;
  service::Operations operations_;
};

// service_view.cc: what the clusters are made of, and who may use what there.
[[nodiscard]] slurm::ClusterSnapshot cluster_of(const std::string& name, Instant read_at);
[[nodiscard]] slurm::Associations associations_of(bool is_federation, Instant read_at);
[[nodiscard]] api::Submission submission_of(const std::string& cluster, const Request& request,
                                            api::OnSilence on_silence);

}  // namespace asbb::simulation
