// Ties holds to jobs, settles what has ended, charges what ran without a hold, and voids holds
// whose job never came to be (DESIGN 4.8, 4.9). The truth is slurmctld's list and slurmdbd's
// records, read in passes by one thread of its own; hooks only wake it. A second thread answers
// those who asked for a pass that Slurm keeps waiting. It changes the ledger through the committer
// alone, and never voids on age: what it cannot read, it leaves as it is.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "service/alarms.h"
#include "service/allowances.h"
#include "service/clock.h"
#include "service/committer.h"
#include "service/enforcer.h"
#include "service/known_jobs.h"
#include "service/prices.h"
#include "service/run_cost.h"
#include "slurm/cluster_cache.h"
#include "slurm/job_source.h"

namespace asbb::service {

struct ReconcilerOptions {
  Span interval = seconds(15);          // between passes when nothing wakes it
  Span rescan_interval = seconds(300);  // between looks for jobs that ran without a hold
  // How far back the first look after a start reaches at least, and how much of an outage that was
  // longer is looked at in one pass.
  Span rescan_window = hours(24 * 7);
  Span sweep_grace_min = seconds(60);  // a hold younger than this is never voided
  bool recovers = true;                // holds without a job are voided; otherwise only reported
  Span recovery_interval{};            // between looks for them; 0: in each pass
  Span hold_alarm_after = hours(24);   // an open hold that nothing explains is alarmed after this
  Span pieces_grace = seconds(600);    // until a job's end without nodes is taken at its word
  Span answer_within = seconds(20);    // who asks for a pass is told so when it takes longer
  RunCostPolicy run_costs;
  bool moves_waiting = true;   // at a period's end, the holds of jobs that wait go to the next one
  bool moves_running = false;  // and those of jobs that run
  bool looks_back = true;      // for jobs that ran without a hold
  // What may be spent while the service is away; outlives the reconciler. Null: nothing is done.
  Allowances* allowances = nullptr;
  // What is done about accounts that run dry.
  config::Enforcement enforcement = {
      .enabled = false, .ladder = {}, .accounts = {}, .partitions = {}};
};

// What Slurm says of one job id, on all clusters.
struct JobSight {
  std::vector<slurm::QueueJob> rows;  // of slurmctld
  std::vector<slurm::AccountingRecord> records;
  std::set<std::string> unread;  // clusters of which not all could be read
};

// What somebody wants to know beside what is done.
struct PassQuestion {
  std::int64_t job_id = 0;  // of an array: the array's; 0: of none
  bool explains = false;    // why the holds that stay open are open
  bool recovers = false;    // holds without a job are voided, whatever the options say
  bool plans = false;       // not a pass: what one would do, on a copy of the book (recovery.h)
};

// Why a hold is still open after a pass.
struct OpenFinding {
  ledger::HoldId hold;
  std::string why;  // a sentence
};

struct RecoveryPlan;

struct PassReport {
  Instant at;
  std::int64_t number = 0;                  // of passes since the start
  std::map<std::string, Instant> complete;  // by cluster, the last pass that could read all of it
  std::int64_t bound = 0;
  std::int64_t settled = 0;
  std::int64_t charged_without_hold = 0;
  std::int64_t voided = 0;
  std::int64_t followed = 0;                // changes of jobs that their holds now cover
  std::int64_t acts_left = 0;               // on jobs of dry accounts, left to the next pass
  Span in_vain{};                           // of its time, spent on controllers that did not answer
  std::vector<std::string> problems;        // what could not be read or done, as sentences
  std::vector<std::string> actions;         // what was done, a sentence each
  std::map<std::int64_t, JobSight> sights;  // of the jobs that were asked for
  std::vector<OpenFinding> findings;        // of holds that no job that waits or runs explains
  std::shared_ptr<const RecoveryPlan> plan;
};

// `unavailable`: the pass is not over yet; the sentence says what it waits for.
using PassAnswer = std::function<void(const Result<PassReport>&)>;

class Reconciler {
 public:
  Reconciler(Committer& committer, slurm::JobSource& source, const slurm::ClusterCache& view,
             const Prices& prices, Alarms& alarms, ReconcilerOptions options);
  Reconciler(const Reconciler&) = delete;
  Reconciler& operator=(const Reconciler&) = delete;
  ~Reconciler();

  void start();
  void stop();

  // Before start(); outlives this. Without it no job is acted on.
  void control_jobs(slurm::JobControl& control) { enforcer_.use(control); }
  // Why this money is not set aside now, because an account ran dry. Any thread.
  [[nodiscard]] std::optional<Denial> refusal_of(ledger::PlaceHold& place, Instant at) const {
    return enforcer_.refusal_of(place, at);
  }

  // A hook says that something happened to a job: passes follow quickly for a while. Any thread;
  // never blocks.
  void notify();

  // Runs a pass soon and hands over what it did, or after `answer_within` that it is not done; on a
  // thread of the reconciler. `done` must not block. Any thread; never blocks.
  void ask(PassAnswer done) { ask(PassQuestion{}, std::move(done)); }
  void ask(const PassQuestion& question, PassAnswer done);

  // One pass on the caller's thread; for tests and for `ask`. Never two at a time.
  PassReport run_pass() { return run_pass(PassQuestion{}); }
  PassReport run_pass(const PassQuestion& question);

  [[nodiscard]] PassReport last_report() const;

  // What is known of jobs, for whoever prices changes of them; lives as long as this.
  [[nodiscard]] KnownJobs& known_jobs() { return known_; }

 private:
  class Pass;
  using Steady = std::chrono::steady_clock;
  // Of all that ask for a pass.
  struct Wanted {
    std::set<std::int64_t> jobs;
    bool explains = false;
    bool recovers = false;
  };
  struct Asked {
    PassAnswer done;
    Steady::time_point answer_by;
  };

  void loop();
  void want(const PassQuestion& question);  // REQUIRES: mutex_ is held
  void watch_ledger(Instant at);
  void serve_plans();
  void watch();
  [[nodiscard]] std::vector<Asked> take_late(Steady::time_point at);
  void say_step(const std::string& step);

  Committer& committer_;
  slurm::JobSource& source_;
  const slurm::ClusterCache& view_;
  const Prices& prices_;
  Alarms& alarms_;
  const ReconcilerOptions options_;
  Enforcer enforcer_;

  std::mutex pass_mutex_;
  Instant next_rescan_;
  Instant next_sweep_;
  std::map<std::string, Instant> scanned_until_;  // by cluster; empty until the first look
  std::map<std::string, Instant> told_until_;     // the last look at a cluster that had told all
  std::map<std::string, std::set<std::int64_t>> begun_;  // jobs that cost and run, by cluster
  KnownJobs known_;
  // The rows that holds were last measured by, by hold and task; the reconciler's thread.
  std::map<std::pair<ledger::HoldId, std::int64_t>, slurm::QueueJob> measured_;
  // Of jobs that ran before, by hold and the job's or the task's own id, as far as slurmdbd's rows
  // are settled: slurmctld counts restarts, and slurmdbd has a row for each size as well.
  struct EndedRuns {
    std::int64_t restarts = 0;
    std::int64_t resizes = 0;
  };
  std::map<std::pair<ledger::HoldId, std::int64_t>, EndedRuns> ended_runs_;
  // Of arrays of which the last pass missed tasks, those that it saw; the reconciler's thread.
  std::map<ledger::HoldId, std::set<std::int64_t>> seen_tasks_;
  using RecordName = std::pair<std::string, std::int64_t>;  // cluster and db_index
  // What those records said that need no further look; the reconciler's thread, as what follows.
  std::map<RecordName, std::size_t> done_records_;
  std::map<RecordName, slurm::AccountingRecord> changed_records_;  // after their charge: alarms
  std::set<std::string> ask_first_;  // clusters with ended rows that lack something

  // Tokens of jobs let through that have their hold; the reconciler's thread, as these are:
  std::set<std::string> covered_;
  std::set<ledger::HoldId> retired_;                 // holds of allowances, not to be published
  std::map<std::string, std::string> short_covers_;  // alarms of jobs, with their tokens

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  Instant fast_until_;
  std::vector<Asked> asked_;    // of the next pass
  std::vector<Asked> served_;   // of the pass that runs
  std::vector<Asked> planned_;  // of no pass
  Wanted wanted_;               // of the next pass
  std::string step_;            // what it waits for
  std::condition_variable asked_changed_;
  PassReport last_report_;
  std::thread thread_;
  std::thread watch_thread_;
};

}  // namespace asbb::service
