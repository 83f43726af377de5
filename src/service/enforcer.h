// Climbs the ladder of enforcement for accounts that run dry, and down again (docs/concepts/
// job-life.md). Owned by the reconciler, which calls it once in each pass, on its thread; only
// `refusal_of` may be called from any thread. Everything it does is an entry in the ledger before
// it is done, and what it did is read back from there after a restart: nothing is done twice to a
// run of a job, and a grace time goes on. It never acts on a job that is not in the list it is
// given, nor on more than `acts_max` jobs in a pass.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "service/alarms.h"
#include "service/committer.h"
#include "service/ladder.h"
#include "service/submission_candidates.h"
#include "slurm/job_control.h"

namespace asbb::service {

struct PassReport;

// A run of a job that slurmctld shows as waiting or running.
struct LiveRun {
  std::string name;  // for Slurm
  std::string partition;
  Instant submit;
  bool is_pending = false;  // and nothing of an earlier run is left on a node
  bool is_running = false;
  bool is_held = false;
};

// The controller comes first: what is left is done in the next pass. As many again may be let go
// in the partition to which they were requeued.
inline constexpr std::int64_t acts_max = 50;

// What a pass has seen.
struct SeenJobs {
  std::vector<PayingJob> paying;
  std::map<ledger::ShareKey, LiveRun> live;
  std::set<std::string> complete;  // clusters whose list shows all there is
  bool is_complete = false;        // every controller has answered: what is not here is gone
};

class Enforcer {
 public:
  Enforcer(Committer& committer, Alarms& alarms, config::Enforcement enforcement)
      : committer_(committer), alarms_(alarms), enforcement_(std::move(enforcement)) {}

  // Before the first pass; outlives this. Without one, jobs are left alone.
  void use(slurm::JobControl& control) { control_ = &control; }
  [[nodiscard]] bool is_enabled() const { return enforcement_.enabled; }
  [[nodiscard]] const config::Enforcement& enforcement() const { return enforcement_; }

  void pass(SeenJobs seen, Instant now, PassReport& report);

  // Why this money is not set aside now: what it would draw on has run dry, and its ladder stops
  // new jobs. Known from the first pass after a start on. Of a hold with
  // `any_unit` the parts that may not be are taken away instead, as long as one is left.
  [[nodiscard]] std::optional<Denial> refusal_of(ledger::PlaceHold& place, Instant at) const;

 private:
  using Step = ledger::EnforcementStep;
  using State = ledger::EnforcementState;
  struct Rung {
    State state = State::begun;
    Instant at;        // of the last entry
    Instant tried_at;  // when it was last done, or tried
    std::string how;
    std::string failure;
  };
  // What was done to one run of a job.
  struct Deed {
    Instant submit;
    std::string name;
    std::string account;
    std::string user;
    std::string partition;
    std::string unit;
    std::string limit;
    Micros gives_back;
    std::map<Step, Rung> rungs;
    std::int64_t requeues_failed = 0;
    bool is_wanted = false;  // in this pass
  };
  // What is in force for a limit.
  struct LimitSteps {
    std::string account;
    std::string partition;
    std::string unit;
    std::set<Step> steps;
  };

  // enforcer_memory.cc
  [[nodiscard]] bool recall();
  void recall(const ledger::Entry& entry);
  void forget_the_gone(const SeenJobs& seen);
  [[nodiscard]] bool is_settled(const ledger::ShareKey& key, const Deed& deed) const;
  [[nodiscard]] ComingBack coming_back(const SeenJobs& seen) const;
  void leave_out_requeued(SeenJobs& seen) const;
  [[nodiscard]] bool record(ledger::RecordEnforcement action, const std::string& reason);
  [[nodiscard]] bool record(const ledger::ShareKey& key, const Deed& deed, Step step, State state,
                            const std::string& how, Micros missing, const std::string& reason);

  // enforcer.cc
  void keep_limits(const std::vector<DryLimit>& dry, const SeenJobs& seen);
  // False: that new jobs are stopped could not be written down.
  [[nodiscard]] bool keep_steps(const DryLimit& limit, const std::set<Step>& wanted);
  void end_limit(const std::string& name, LimitSteps& known, const std::set<Step>& kept);
  [[nodiscard]] std::optional<Denial> refusal_of(const ledger::Book& book,
                                                 const std::vector<DryLimit>& dry,
                                                 const ledger::PlaceHold& place,
                                                 const ledger::PlacePart& part, Instant at) const;
  [[nodiscard]] std::string dry_message(const DryLimit& limit, const std::set<Step>& steps) const;

  // enforcer_jobs.cc
  void act_on(std::vector<Pick> picks, const SeenJobs& seen);
  [[nodiscard]] Instant retried_at(const PayingJob& job) const;
  void act(const PayingJob& job, const Pick& pick);
  void requeue(const PayingJob& job, Deed& deed, Micros missing, const std::string& reason);
  [[nodiscard]] bool signal(const PayingJob& job, Deed& deed, Micros missing,
                            const std::string& reason);
  void cancel(const PayingJob& job, Deed& deed, Micros missing, const std::string& reason);
  void finish_requeues(const SeenJobs& seen);
  void finish_requeue(const ledger::ShareKey& key, Deed& deed, const LiveRun& run);
  void end_unwanted(const SeenJobs& seen);
  void raise_alarms(const SeenJobs& seen);
  // The rung, begun and written down; null when that could not be written down.
  [[nodiscard]] Rung* begin(const ledger::ShareKey& key, Deed& deed, Step step,
                            const std::string& how, Micros missing, const std::string& reason);
  void tell(const ledger::ShareKey& key, Deed& deed, Step step, const Result<void>& did);
  [[nodiscard]] static std::string describe(const ledger::ShareKey& key, const Deed& deed);

  Committer& committer_;
  Alarms& alarms_;
  const config::Enforcement enforcement_;
  slurm::JobControl* control_ = nullptr;

  // The reconciler's thread.
  bool is_recalled_ = false;
  std::map<std::pair<std::string, std::string>, LimitSteps> limits_;  // by account and limit
  std::map<ledger::ShareKey, Deed> deeds_;
  Instant now_;
  PassReport* report_ = nullptr;
  std::int64_t acts_ = 0;         // on jobs in this pass
  std::int64_t acts_failed_ = 0;  // of them
  std::set<std::string> alarmed_;

  mutable std::mutex mutex_;
  std::vector<DryLimit> dry_;  // that new jobs are measured by
};

}  // namespace asbb::service
