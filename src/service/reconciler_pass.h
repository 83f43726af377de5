// One pass of the reconciler: what was read and what is done about it, in order: read the queues,
// bind, settle, look for jobs without a hold, sweep. Lives for one pass on the reconciler's thread.
// Inside src/service only.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "ledger/same_job.h"
#include "pricing/charge.h"
#include "service/hold_scope.h"
#include "service/reconciler.h"
#include "service/shape_cache.h"

namespace asbb::service {

class Reconciler::Pass {
 public:
  Pass(Reconciler& owner, Instant now) : owner_(owner), now_(now) {}

  PassReport run();

 private:
  struct OpenHold {
    ledger::Hold hold;
    std::vector<ledger::Share> shares;
  };
  // Jobs of one cluster that a rescan met and that have a hold.
  struct HeldJobs {
    std::map<ledger::HoldId, OpenHold> holds;
    std::set<std::int64_t> jobs;
    std::vector<std::pair<RecordName, std::size_t>> rows;  // and what they said
    bool waits = false;  // a record cannot be charged now, and is looked at again
  };
  // What slurmdbd told of an array's tasks.
  struct ToldTasks {
    std::set<std::int64_t> tasks;
    bool is_whole = true;  // each row said which tasks it stands for
  };
  // The end of a run that another one follows.
  struct EndedRow {
    ledger::HoldId hold;
    std::int64_t job_id = 0;
    std::vector<ledger::ShareKey> settling;  // by commands that have not run yet
    EndedRuns runs;
  };
  using QueueRows = std::vector<const slurm::QueueJob*>;
  using AccountingRows = std::vector<const slurm::AccountingRecord*>;
  enum class NextRun {
    none,
    over,     // slurmdbd has its end already
    goes_on,  // of another size, in the time that is left
    begins    // anew: it may need as much as the first
  };

  // reconciler_pass.cc
  void read_queues();
  void read_holds();
  // Open ones of Slurm jobs, as they are now.
  [[nodiscard]] std::vector<OpenHold> open_holds(bool (*is_wanted)(const ledger::Hold&)) const;
  [[nodiscard]] bool gives_way(const ledger::Hold& hold, const ledger::JobRef& job);
  void bind_sightings();
  [[nodiscard]] bool needs_accounting(const OpenHold& open) const;
  [[nodiscard]] QueueRows rows_of(const ledger::JobRef& job) const;
  // All jobs of the cluster; nothing when it did not answer, or not with all of them.
  [[nodiscard]] const slurm::QueueList* whole_queue(const std::string& cluster) const;
  [[nodiscard]] bool was_given_again(const ledger::JobRef& job, Instant submit) const;
  [[nodiscard]] bool is_its_row(const ledger::JobRef& job, const slurm::QueueJob& row) const;
  [[nodiscard]] std::optional<slurm::AccountingList> read_accounting(
      const std::string& cluster, const slurm::AccountingQuery& query);
  [[nodiscard]] ledger::Hold as_it_is(const ledger::Hold& hold) const;
  [[nodiscard]] std::string account_of(ledger::HoldId id) const;

  // reconciler_runs.cc
  [[nodiscard]] bool is_of_another_job(const ledger::Hold& hold,
                                       const slurm::AccountingRecord& record);
  [[nodiscard]] bool has_later_job(const ledger::Hold& hold, Instant submit) const;
  [[nodiscard]] bool was_told_again(const ledger::Hold& hold, Instant submit);
  // Another cluster of the federation has the job's next run; or nobody can tell yet.
  [[nodiscard]] bool may_be_same_job(const slurm::AccountingRecord& record,
                                     const slurm::QueueJob& row) const;
  [[nodiscard]] bool follows_elsewhere(const slurm::AccountingRecord& record) const;
  [[nodiscard]] bool may_follow_unseen(const slurm::AccountingRecord& record) const;
  // `runs`: the rows of that job or task, this one among them.
  [[nodiscard]] NextRun next_run(const slurm::AccountingRecord& record,
                                 const AccountingRows& runs) const;
  [[nodiscard]] std::string bearer_for(const slurm::AccountingRecord& record,
                                       const std::function<std::string()>& account) const;
  void note_bearer(const ledger::SettleShare& settle, const ledger::Outcome& outcome);
  void note_instances(const slurm::AccountingRecord& record, const pricing::Charge& charge);
  void arm_runs();
  [[nodiscard]] std::vector<ledger::Command> missing_runs(const OpenHold& open) const;
  [[nodiscard]] std::optional<std::string> alarm_of_uncovered(ledger::HoldId id);

  // reconciler_settle.cc
  void settle_bound();
  void settle_records(const OpenHold& open, const std::vector<slurm::AccountingRecord>& records,
                      std::vector<ledger::Command>& commands);
  void settle_row(const OpenHold& open, const slurm::AccountingRecord& told,
                  const AccountingRows& runs, std::vector<ledger::Command>& commands);
  [[nodiscard]] bool may_be_settled_elsewhere(const ledger::Hold& hold,
                                              const slurm::AccountingRecord& record,
                                              const ledger::ShareKey& key) const;
  [[nodiscard]] bool pays_for_account(const ledger::Hold& hold,
                                      const slurm::AccountingRecord& record) const;
  [[nodiscard]] std::optional<slurm::AccountingRecord> whole_row(
      const ledger::Hold& hold, const slurm::AccountingRecord& record);
  [[nodiscard]] std::optional<ledger::Command> settlement(const OpenHold& open,
                                                          const slurm::AccountingRecord& record,
                                                          std::int64_t task, NextRun next);
  // Whether the ledger has judged all of them.
  void note_ended_rows();
  bool run_settlements(std::vector<ledger::Command> commands);
  [[nodiscard]] bool may_have_run(const slurm::AccountingRecord& record);
  // Of a row that does not say all yet, for the alarm of a hold that waits for the rest.
  void note_untold(const OpenHold& open, const slurm::AccountingRecord& record);
  [[nodiscard]] bool has_told_all(const std::string& cluster);
  [[nodiscard]] bool had_told_all(const std::string& cluster) const;

  // reconciler_asked.cc
  void look_at_wanted_jobs();
  void explain_open_holds();
  [[nodiscard]] std::optional<std::string> why_open(const ledger::Hold& hold) const;
  [[nodiscard]] std::string why_bound_open(const ledger::Hold& hold) const;
  [[nodiscard]] std::string why_unbound_open(const ledger::Hold& hold) const;

  // reconciler_corrected.cc
  void check_settled(const ledger::Hold& hold, const slurm::AccountingRecord& record,
                     const ledger::Share& share);
  void check_settled(const ledger::Hold& hold, const slurm::AccountingRecord& record,
                     const ledger::Share& share, const pricing::Charge& charge);
  void check_backfilled(const slurm::AccountingRecord& record, const pricing::Charge& charge);
  void check_changed_records();
  [[nodiscard]] Result<Micros> corrected_by(const ledger::Hold& hold,
                                            const slurm::AccountingRecord& record,
                                            const ledger::Share& share) const;
  [[nodiscard]] Result<std::optional<std::string>> figure_set(const ledger::Hold& hold,
                                                              const slurm::AccountingRecord& record,
                                                              const ledger::Share& share) const;
  [[nodiscard]] std::string keeping_command(const ledger::Hold& hold,
                                            const slurm::AccountingRecord& record,
                                            const ledger::Share& share) const;
  void alarm_of_set_figure(const ledger::Hold& hold, const slurm::AccountingRecord& record,
                           const ledger::Share& share, const pricing::Charge& charge);

  // reconciler_change.cc
  void follow_changes();
  // Those that money is set aside for a change of, which Slurm has not been seen to make.
  [[nodiscard]] std::set<ledger::HoldId> holds_being_changed() const;
  void follow_proposal(const ledger::Hold& money);
  void follow_rows(const OpenHold& open);
  void measure(const ledger::Hold& hold, const slurm::QueueJob& row);
  [[nodiscard]] bool may_give_back(const ledger::Hold& money, const Proposal& proposal) const;
  [[nodiscard]] QueueRows rows_of_change(const ledger::Hold& money, const Proposal& proposal) const;
  [[nodiscard]] Tasks unheld_tasks(const OpenHold& open, const QueueRows& rows) const;
  void become_hold(const ledger::Hold& money, Proposal proposal, const QueueRows& rows);
  void replace_with_money(const OpenHold& open, const QueueRows& rows, const ledger::Hold& money,
                          std::optional<ledger::HoldId> proposal, ledger::PlaceHold place);
  void adopt(const ledger::Hold& money, const Proposal& proposal, const QueueRows& rows);
  void give_back(const ledger::Hold& money, const std::string& why);
  // Why a job's tasks get another hold, and the moment whose period pays it.
  struct Cause {
    const char* what;  // "the job ..."
    const char* done;  // "the hold of the job ..."
    std::optional<Instant> period_at;
  };
  [[nodiscard]] static RunCount runs_behind(const OpenHold& open);
  [[nodiscard]] bool replace(const OpenHold& open, const QueueRows& rows,
                             std::optional<ledger::HoldId> proposal,
                             std::optional<ledger::PlaceHold> place);
  [[nodiscard]] bool replace(const OpenHold& open, const QueueRows& rows,
                             std::optional<ledger::HoldId> proposal,
                             std::optional<ledger::PlaceHold> place, const Cause& cause);
  // What leaves a hold: the job itself (-1) after those runs, or these tasks of its array.
  struct Leaving {
    Tasks tasks;
    RunCount behind;
    bool runs = false;  // or has run: budgets lend it up to their credit
  };
  // The new hold, or the old one where nothing is placed. Nothing: the ledger refuses it. An error:
  // it could not be asked now.
  [[nodiscard]] Result<std::optional<ledger::HoldId>> replace_tasks(
      const OpenHold& open, const Leaving& leaving, std::optional<ledger::HoldId> proposal,
      std::optional<ledger::PlaceHold> place, const Cause& cause);
  [[nodiscard]] std::optional<Tasks> leaving_tasks(const OpenHold& open,
                                                   const QueueRows& rows) const;
  [[nodiscard]] bool outgrows(const ledger::Hold& hold, const slurm::QueueJob& row);
  [[nodiscard]] bool follow_first_rows(const OpenHold& open, const QueueRows& rows);
  void change_problem(const ledger::Hold& hold, const std::string& what);
  void clear_alarms_of_changes();
  // Those whose key begins so, once every controller has answered.
  void clear_alarms_but(std::string_view word, const std::set<std::string>& kept);
  void forget_measures(const ledger::Hold& hold);
  [[nodiscard]] bool remeasure_from(const OpenHold& open, const slurm::QueueJob& was,
                                    const QueueRows& rows);
  // reconciler_tasks.cc
  void note_told_tasks(const OpenHold& open, const slurm::AccountingRecord& record);
  [[nodiscard]] std::optional<std::set<std::int64_t>> seen_tasks(const OpenHold& open) const;
  void release_gone_tasks();
  void release_tasks(const ledger::Hold& hold, std::int64_t seen);

  // reconciler_periods.cc
  void move_periods();
  [[nodiscard]] std::optional<Instant> period_end(const ledger::Hold& hold) const;
  [[nodiscard]] ledger::PlaceHold same_place(const OpenHold& open, std::int64_t tasks) const;
  [[nodiscard]] bool move_to_period(const OpenHold& open, Instant ended);
  [[nodiscard]] bool move_rows(const OpenHold& open, const QueueRows& rows,
                               std::optional<Instant> period_at);
  [[nodiscard]] bool began_in_another(const OpenHold& open, Instant start) const;
  [[nodiscard]] bool awaits_earlier_run(const OpenHold& open, const slurm::AccountingRecord& record,
                                        const AccountingRows& runs) const;
  [[nodiscard]] bool goes_to_next_period(const OpenHold& open,
                                         const slurm::AccountingRecord& record, std::int64_t task,
                                         const AccountingRows& runs);
  [[nodiscard]] bool has_unsettled_runs(const OpenHold& open, const slurm::QueueJob& row) const;
  [[nodiscard]] Reconciler::EndedRuns ended_runs(const OpenHold& open,
                                                 const slurm::QueueJob& row) const;
  [[nodiscard]] bool awaits_runs(const OpenHold& open, const slurm::QueueJob& row);

  // reconciler_units.cc
  [[nodiscard]] QueueRows rows_of_units(const OpenHold& open) const;
  [[nodiscard]] std::vector<ledger::PlacePart> parts_needed(const ledger::Hold& hold,
                                                            const QueueRows& rows) const;
  [[nodiscard]] bool may_drop_units(const OpenHold& open, const slurm::QueueJob& row) const;
  [[nodiscard]] bool may_need_other_units(const OpenHold& open) const;
  void follow_units(const OpenHold& open);
  void follow_all_units();

  // reconciler_enforce.cc
  void enforce();
  using HoldsByJob = std::multimap<std::int64_t, const OpenHold*>;
  [[nodiscard]] SeenJobs seen_jobs(const HoldsByJob& holds, bool exactly);
  void note_paying(const slurm::QueueJob& row, const HoldsByJob& holds, SeenJobs& seen,
                   bool exactly);
  [[nodiscard]] std::vector<Draw> draws_of_hold(const slurm::QueueJob& row, const OpenHold& open,
                                                bool exactly);
  [[nodiscard]] std::vector<Draw> draws_without_hold(const slurm::QueueJob& row,
                                                     std::string& account);
  [[nodiscard]] std::optional<pricing::Charge> cost_so_far(const slurm::QueueJob& row,
                                                           const pricing::PriceBook* book) const;

  // reconciler_rescan.cc
  void rescan();
  [[nodiscard]] bool rescan_cluster(const std::string& cluster);
  [[nodiscard]] bool rescan_begun(const slurm::AccountingList& list, HeldJobs& held);
  [[nodiscard]] Result<void> recall_scans();
  void note_unreadable(const slurm::AccountingList& list);
  void rescan_record(const slurm::AccountingRecord& record, HeldJobs& held);
  void check_without_run(const slurm::AccountingRecord& record, HeldJobs& held);
  [[nodiscard]] const std::set<std::int64_t>* charged_tasks(const slurm::AccountingRecord& record);
  void hold_back(const slurm::AccountingRecord& record, std::vector<OpenHold> open, HeldJobs& held);
  [[nodiscard]] bool settle_held(const std::string& cluster, const HeldJobs& held);
  [[nodiscard]] bool is_paid(const HeldJobs& held, const slurm::AccountingRecord& record);
  void alarm_incomplete(const slurm::AccountingRecord& record, HeldJobs& held);
  void alarm_endless(const slurm::AccountingList& list);
  [[nodiscard]] bool is_shown(const slurm::AccountingRecord& record) const;
  [[nodiscard]] bool charge_to_its_account(const slurm::AccountingRecord& record);
  [[nodiscard]] Result<std::vector<OpenHold>> holds_by_siblings(
      const slurm::AccountingRecord& record);
  [[nodiscard]] Result<std::optional<ledger::Hold>> backfill_of(
      const slurm::AccountingRecord& record) const;
  void release_charged(const OpenHold& open, const slurm::AccountingRecord& record,
                       std::int64_t task, const std::string& why);
  [[nodiscard]] Result<std::vector<OpenHold>> holds_of(const slurm::AccountingRecord& record);
  [[nodiscard]] bool charge_without_hold(const slurm::AccountingRecord& record,
                                         const pricing::Charge& charge);

  // reconciler_allowances.cc
  // A job that a plugin let through on an allowance.
  struct LetThrough {
    std::string token;
    AllowanceTag tag;
    ledger::JobRef ref;
    std::string account;  // as Slurm has it
    std::string user;
    std::string partition;  // may be a list
    std::optional<Instant> started;
  };
  // The hold that keeps an allowance now.
  struct Funding {
    std::optional<ledger::Hold> hold;
    Micros granted;
    Micros spent;             // of it, as far as anybody knows
    bool is_usable = false;   // of the unit and size that is wanted, in force
    bool has_others = false;  // older ones, which have not come back yet
    [[nodiscard]] Micros left() const {
      return is_usable ? granted - std::min(spent, granted) : Micros();
    }
    // Whether it is better than none until a larger one can be set aside, with so much more.
    [[nodiscard]] bool keeps(Micros available) const {
      return is_usable && granted <= left() + left() && available + available < granted;
    }
  };
  void cover_sightings();
  [[nodiscard]] std::vector<ledger::Hold> allowance_holds() const;
  [[nodiscard]] bool has_hold(const std::string& token);
  [[nodiscard]] static LetThrough let_through(const slurm::QueueJob& row, const std::string& token,
                                              const AllowanceTag& tag);
  [[nodiscard]] static LetThrough let_through(const slurm::AccountingRecord& record,
                                              const std::string& token, const AllowanceTag& tag);
  [[nodiscard]] Result<bool> cover(const LetThrough& job);
  [[nodiscard]] Result<bool> run_cover(ledger::CoverJob action, const LetThrough& job);
  [[nodiscard]] static std::string priced_partition(const LetThrough& job,
                                                    const pricing::PriceBook* book);
  [[nodiscard]] Result<std::optional<OpenHold>> cover_record(const slurm::AccountingRecord& record);
  void tend_allowances();
  [[nodiscard]] std::vector<AllowanceSpender> spenders_of(
      const std::string& cluster, const slurm::Associations& associations,
      const std::vector<PublishedAllowance>& allowances) const;
  [[nodiscard]] Funding funding_of(const std::string& cluster, const std::string& account,
                                   const AllowanceSetting& setting) const;
  [[nodiscard]] PublishedAllowance tend_allowance(const std::string& cluster,
                                                  const std::string& account,
                                                  const AllowanceSetting& setting);
  [[nodiscard]] std::optional<ledger::Hold> fund(const std::string& cluster,
                                                 const std::string& account,
                                                 const AllowanceSetting& setting,
                                                 const Funding& before, Micros& available);
  void clear_short_covers();
  [[nodiscard]] bool is_provided_for(const LetThrough& job);
  [[nodiscard]] bool is_provided_for(const slurm::AccountingRecord& record,
                                     const AllowanceTag& tag);
  [[nodiscard]] std::optional<std::string> proof_of_end(const ledger::Hold& hold,
                                                        Instant withdrawn);
  void give_back_allowance(const ledger::Hold& hold);

  // reconciler_sweep.cc
  void sweep();
  [[nodiscard]] bool absent_from_queues(const ledger::Hold& hold) const;
  template <typename Row>
  [[nodiscard]] bool is_like(const ledger::Hold& hold, const Row& row,
                             const std::string& cluster) const;
  [[nodiscard]] bool may_wait_without_token(const ledger::Hold& hold);
  void alarm_tokenless(const ledger::Hold& hold, const std::string& cluster, std::int64_t job_id);
  [[nodiscard]] std::optional<std::vector<slurm::AccountingList>> read_settled_accounting(
      Instant since);
  [[nodiscard]] bool absent_from_accounting(const ledger::Hold& hold,
                                            const slurm::AccountingList& list);
  void void_hold(const ledger::Hold& hold, const std::vector<slurm::AccountingList>& lists);
  void alarm_unexplained();
  void alarm_bound(const OpenHold& open);
  void clear_alarms_of_closed();

  void problem(const std::string& key, const std::string& message);
  [[nodiscard]] std::vector<Result<ledger::Outcome>> run_all(std::vector<ledger::Command> commands);

  Reconciler& owner_;
  const Instant now_;
  Wanted wanted_;
  PassReport report_;
  std::map<std::string, slurm::QueueList> queues_;  // of the clusters that answered
  std::vector<OpenHold> holds_;                     // open ones of Slurm jobs
  bool replaced_ = false;                           // holds_ is older than a hold that was replaced
  std::set<ledger::HoldId> measured_now_;           // holds that were placed in this pass
  std::set<std::string> alarmed_changes_;  // keys of alarms that this pass found a cause of
  ShapeCache shapes_;
  // Tasks of runs that are over and go on into the next period.
  std::set<std::pair<ledger::HoldId, std::int64_t>> moved_on_;
  std::map<ledger::ShareKey, ledger::HoldId> settling_;           // by commands of this pass
  std::vector<EndedRow> ended_rows_;                              // of those commands
  std::map<std::string, ledger::JobRef, std::less<>> open_jobs_;  // of those, by request id
  std::map<std::string, std::optional<ledger::JobRef>, std::less<>> jobs_of_tokens_;  // looked up
  // Rows of an id on a cluster, looked up.
  std::map<std::pair<std::string, std::int64_t>, std::vector<slurm::AccountingRecord>> told_of_ids_;
  std::map<std::pair<std::string, std::int64_t>, std::set<std::int64_t>> charged_tasks_;
  std::map<std::string, bool> told_all_;  // by controller, as far as it was asked in this pass
  std::set<std::string> unread_;          // clusters whose slurmdbd did not answer
  std::map<ledger::HoldId, ToldTasks> told_tasks_;  // of arrays
  std::set<std::string> told_whole_;                // and nothing of it could not be read
  std::set<std::string> told_;                      // clusters whose slurmdbd told of bound holds
  std::map<ledger::HoldId, std::string> untold_;    // what it said that is not all
};

// How much later than what it proves a list of that cluster's jobs must be read.
[[nodiscard]] Span grace_of(const slurm::ClusterCache& view, const std::string& cluster,
                            Span least);

// The id under which every task of an array, or the job itself, is known.
[[nodiscard]] std::int64_t root_id(const slurm::QueueJob& job);
[[nodiscard]] std::int64_t root_id(const slurm::AccountingRecord& record);

// The job that the row, a QueueJob or an AccountingRecord, is of. A requeue moves the time of
// submission on; of a job that ran before it is no later than when its token was made.
[[nodiscard]] ledger::JobRef job_of(const slurm::QueueJob& row);
[[nodiscard]] ledger::JobRef job_of(const slurm::AccountingRecord& row);

// Whether the row's job, or what is left of its array, waits or runs on that cluster.
[[nodiscard]] bool is_live(const slurm::QueueJob& row);

// "onprem job 7", for people.
[[nodiscard]] std::string describe_job(const ledger::Hold& hold);
[[nodiscard]] std::string describe_job(const slurm::AccountingRecord& record);

// Each of so many tasks' part of the whole, rounded up.
[[nodiscard]] Micros part_of_tasks(Micros whole, std::int64_t tasks, std::int64_t of);

// The tasks that the row stands for; -1 alone: a job that is no array.
[[nodiscard]] Tasks tasks_of(const slurm::AccountingRecord& record);

// The account that would have paid had the job been seen at its submission; when there is none, the
// record's own, for the ledger to refuse by its name.
[[nodiscard]] std::string payer_of(const slurm::AccountingRecord& record,
                                   const slurm::ClusterCache& view, const Committer& committer);

// Whether a row of that submit time can be the job's: a requeue moves the time on, and an earlier
// one belongs to another job whose id came back.
[[nodiscard]] bool is_since_submit(const ledger::JobRef& job, Instant submit);

// Whether that is the job's own submission. Its token is made shortly before it, and no id comes
// back before that.
[[nodiscard]] bool is_same_submission(const ledger::JobRef& job, Instant submit);

// Whether that is the job which the hold of the token names. One that was first seen when it was
// requeued was submitted when its token was made.
[[nodiscard]] bool is_one_job(const ledger::JobRef& named, const ledger::JobRef& job,
                              std::string_view token);

// Whether the row, a QueueJob or an AccountingRecord, is the job's or one of its tasks'.
template <typename Row>
[[nodiscard]] bool is_row_of(const ledger::JobRef& job, const Row& row) {
  return ledger::is_same_job(job, row.cluster, root_id(row)) && is_since_submit(job, row.submit);
}

// Whether the hold was placed after the job was let in without an answer.
[[nodiscard]] bool is_late(const ledger::Hold& hold, const ledger::JobRef& job);

// Whether the row says all that a charge needs: it has ended, and either ran or never will have.
// slurmdbd hears of a job in pieces: in a burst an ended row may lack its partition, nodes or start
// for a moment. What failed without a second on any node, and what ran without a partition or an
// account, is taken at its word once it ended longer than `grace` ago.
[[nodiscard]] bool is_complete(const slurm::AccountingRecord& record, Instant now, Span grace);

// Whether a start and what was allocated are told.
[[nodiscard]] bool was_allocated(const slurm::AccountingRecord& record);

// Of these the share with that key, when it is settled; else null.
[[nodiscard]] const ledger::Share* settled_share(const std::vector<ledger::Share>& shares,
                                                 const ledger::ShareKey& key);

// Whether one of the record's tasks was charged for a run out of these: also one that has left the
// hold since.
[[nodiscard]] bool has_charged_some(const std::vector<ledger::Share>& shares,
                                    const slurm::AccountingRecord& record);

// The part whose own prices price that partition in its unit: what the job is charged there by.
// Null when the hold has none.
[[nodiscard]] const ledger::HoldPart* paying_part(const ledger::Hold& hold,
                                                  const pricing::PriceHistory& history,
                                                  const std::string& cluster,
                                                  const std::string& partition);

// Whether anything was allocated, and nodes given.
[[nodiscard]] bool has_run(const slurm::AccountingRecord& record);

// The request id under which a record is charged without a hold.
[[nodiscard]] std::string unheld_id(const slurm::AccountingRecord& record);

// The same for what says the same, as far as a charge goes.
[[nodiscard]] std::size_t fingerprint_of(const slurm::AccountingRecord& record);

// What slurmdbd says the record used, at the rates of `book`. Where a price tells instance types
// apart, the view says which type each node is; `unavailable` while the view is older than the
// record and lacks one of its nodes.
[[nodiscard]] Result<pricing::Charge> charge_of(const pricing::PriceBook& book,
                                                const slurm::AccountingRecord& record,
                                                const slurm::ClusterCache& view);

inline constexpr const char* reconciler_name = "reconciler";  // in the ledger, as who did it
[[nodiscard]] ledger::Command reconciler_command(ledger::Action action, std::string reason);

}  // namespace asbb::service
