// Judges a change of a job before slurmctld makes it: which holds it concerns, and what must be set
// aside besides for it. Slurm may still refuse the change, so nothing is ever taken away here: what
// the job then shows settles it (reconciler_change.cc). Any thread; never blocks on Slurm.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "api/submission.h"
#include "service/hold_scope.h"
#include "service/known_jobs.h"
#include "service/submission_gate.h"
#include "slurm/associations.h"

namespace asbb::service {

// One hold to be placed, unbound, until the change is seen.
struct ChangeStep {
  std::string name;  // of the hold or the job that it concerns, in KnownJobs
  ledger::PlaceHold place;
  api::Submission changed;
  HoldPlan plan;  // of one task as it would be
};

struct ChangePlan {
  std::optional<Denial> denial;
  std::vector<ChangeStep> steps;
  // What runs already is followed, whether there is money or not.
  bool may_be_uncovered = false;
};

// Who asks.
struct Changer {
  std::string user;  // empty when unknown
  bool is_administrator = false;
  // Of the change's cluster; null when they were never read.
  std::shared_ptr<const slurm::Associations> associations;
};

class ChangePlanner {
 public:
  ChangePlanner(const Committer& committer, KnownJobs& known)
      : committer_(committer), known_(known) {}

  [[nodiscard]] ChangePlan plan(const api::JobChange& change, const Changer& changer);

 private:
  struct Job;
  struct Held;

  [[nodiscard]] Job find(const api::JobChange& change) const;
  void find_component(Job& job) const;
  void find_rows(const api::JobChange& change, Job& job) const;
  void find_holds(const api::JobChange& change, Job& job) const;
  [[nodiscard]] bool is_submitter(const api::JobChange& change, const Job& job) const;
  [[nodiscard]] bool may_coordinate(const api::JobChange& change, const Job& job,
                                    const Changer& changer) const;
  [[nodiscard]] std::optional<api::Submission> basis(const Job& job, const Held* held) const;
  void plan_hold(const api::JobChange& change, const Job& job, const Held& held, ChangePlan& plan);
  void plan_unheld(const api::JobChange& change, const Job& job, ChangePlan& plan);
  [[nodiscard]] Proposal proposal(const api::JobChange& change, const Job& job, const Held* held,
                                  const api::Submission& changed) const;

  const Committer& committer_;
  KnownJobs& known_;
};

// Whether the hold has money of the units that the plan needs, and of no others.
[[nodiscard]] bool has_units_of(const ledger::Hold& hold, const HoldPlan& plan);

// "account proj001: with this change the job may cost $2, and $1.2 more must be held for it\n...".
[[nodiscard]] std::string refused_change_message(const ChangeStep& step,
                                                 const ledger::Outcome& outcome);

}  // namespace asbb::service
