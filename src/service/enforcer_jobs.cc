// What the enforcer does to jobs: the rungs requeue, signal and cancel. Each is written down before
// it is done. One that fails is written down too, once, and tried again in each pass.
#include <algorithm>

#include "service/enforcer.h"
#include "service/reconciler_pass.h"

namespace asbb::service {
namespace {

constexpr std::string_view ladder_word = "ladder ";
constexpr std::int64_t requeues_max = 3;   // some jobs cannot be: sbatch --no-requeue, salloc
constexpr Span again_after = seconds(60);  // slurmctld may take its KillWait to end a job

std::string key_of(const ledger::ShareKey& key) {
  return std::string(ladder_word) + key.cluster + " job " + std::to_string(key.job_id) +
         (key.task < 0 ? "" : "_" + std::to_string(key.task));
}

const char* deed_of(ledger::EnforcementStep step) {
  if (step == ledger::EnforcementStep::requeue) return "requeued";
  return step == ledger::EnforcementStep::signal ? "signalled" : "cancelled";
}

}  // namespace

std::string Enforcer::describe(const ledger::ShareKey& key, const Deed& deed) {
  return key.cluster + " job " + std::to_string(key.job_id) +
         (key.task < 0 ? "" : "_" + std::to_string(key.task)) + " of " + deed.user + " (account " +
         deed.account + ", which has run dry)";
}

Enforcer::Rung* Enforcer::begin(const ledger::ShareKey& key, Deed& deed, Step step,
                                const std::string& how, Micros missing, const std::string& reason) {
  const auto known = deed.rungs.find(step);
  if (known != deed.rungs.end()) return &known->second;
  if (!record(key, deed, step, State::begun, how, missing, reason)) return nullptr;
  Rung& rung = deed.rungs[step];
  rung.how = how;
  rung.at = now_;
  return &rung;
}

// What came of it.
void Enforcer::tell(const ledger::ShareKey& key, Deed& deed, Step step, const Result<void>& did) {
  Rung& rung = deed.rungs.at(step);
  rung.tried_at = now_;
  if (did) {
    rung.failure.clear();
    report_->actions.push_back(describe(key, deed) + " was " + deed_of(step) +
                               (rung.how.empty() ? "" : ": " + rung.how));
    if (rung.state != State::failed || step == Step::requeue) return;
    if (!record(key, deed, step, State::done, rung.how, Micros(), "it was tried again")) return;
    rung.state = State::done;
    rung.at = now_;
    return;
  }
  ++acts_failed_;
  rung.failure = did.error().message;
  report_->problems.push_back(describe(key, deed) + " could not be " + deed_of(step) + ": " +
                              rung.failure);
  if (rung.state == State::failed) return;
  if (!record(key, deed, step, State::failed, rung.how, Micros(), rung.failure)) return;
  rung.state = State::failed;
  rung.at = now_;
}

// When something that was done already, or failed, was last tried; before all time where what comes
// next is new.
Instant Enforcer::retried_at(const PayingJob& job) const {
  const auto known = deeds_.find(job.key);
  if (known == deeds_.end() || known->second.submit != job.submit) return Instant();
  if (known->second.rungs.empty()) return Instant();
  const auto& [step, rung] = *known->second.rungs.rbegin();
  return step == Step::signal && rung.state != State::failed ? Instant() : rung.tried_at;
}

// What is new comes first, in its order, then what was tried longest ago: jobs that Slurm does not
// let go keep no others waiting. Slurm takes its time, and money may arrive meanwhile.
void Enforcer::act_on(std::vector<Pick> picks, const SeenJobs& seen) {
  const auto retried = [&](const Pick& pick) { return retried_at(seen.paying[pick.job]); };
  std::stable_sort(picks.begin(), picks.end(), [&](const Pick& one, const Pick& other) {
    return retried(one) < retried(other);
  });
  acts_ = 0;
  acts_failed_ = 0;
  std::int64_t left = 0;
  for (const Pick& pick : picks) {
    const bool is_short =
        committer_.read([&](const ledger::Book& book) { return is_short_still(book, pick); });
    if (!is_short) continue;
    const PayingJob& job = seen.paying[pick.job];
    if (acts_ < acts_max && is_recalled_) {
      act(job, pick);
      continue;
    }
    ++left;
    const auto known = deeds_.find(job.key);
    if (known != deeds_.end() && known->second.submit == job.submit) known->second.is_wanted = true;
  }
  // Where all that was tried failed, nothing is gained by haste.
  if (acts_failed_ < acts_) report_->acts_left = left;
}

void Enforcer::act(const PayingJob& job, const Pick& pick) {
  const auto [known, is_new] = deeds_.try_emplace(job.key);
  Deed& deed = known->second;
  if (is_new || deed.submit != job.submit) {
    deed = {};
    deed.submit = job.submit;
    deed.account = job.account;
    deed.user = job.user;
    deed.partition = job.partition;
    deed.unit = pick.limit.unit;
    deed.limit = name_of(pick.limit.leg);
    deed.gives_back = std::min(pick.gives_back, max_amount);
  }
  deed.name = job.name;
  deed.is_wanted = true;
  const Micros missing = pick.limit.missing;
  const std::string reason = "account " + pick.limit.account +
                             " has run dry: " + to_display(missing, pick.limit.unit) + " missing";
  const config::Ladder& ladder = job.ladder;
  const bool moves = !ladder.requeue_to.empty() && ladder.requeue_to != job.partition &&
                     job.why_not_moved.empty() && deed.requeues_failed < requeues_max;
  if (moves) return requeue(job, deed, missing, reason);
  if (!ladder.signal.empty() && !job.waits && !signal(job, deed, missing, reason)) return;
  if (ladder.cancel) cancel(job, deed, missing, reason);
}

// A job that waits only has to be moved (finish_requeues).
void Enforcer::requeue(const PayingJob& job, Deed& deed, Micros missing,
                       const std::string& reason) {
  const bool is_new = !deed.rungs.contains(Step::requeue);
  Rung* rung = begin(job.key, deed, Step::requeue, job.ladder.requeue_to, missing, reason);
  if (rung == nullptr) return;
  const bool is_due =
      is_new || rung->state == State::failed || rung->tried_at + again_after <= now_;
  if (!is_due) return;
  ++acts_;
  const auto did = job.waits ? control_->move(job.key.cluster, job.name, job.ladder.requeue_to)
                             : control_->requeue_held(job.key.cluster, job.name);
  if (!did) ++deed.requeues_failed;
  tell(job.key, deed, Step::requeue, did);
  if (did) rung->state = State::begun;
}

// True when the next rung may follow: the grace is over.
bool Enforcer::signal(const PayingJob& job, Deed& deed, Micros missing, const std::string& reason) {
  const bool is_new = !deed.rungs.contains(Step::signal);
  Rung* rung = begin(job.key, deed, Step::signal, job.ladder.signal, missing, reason);
  if (rung == nullptr) return false;
  if (is_new || rung->state == State::failed) {
    ++acts_;
    tell(job.key, deed, Step::signal, control_->signal(job.key.cluster, job.name, rung->how));
  }
  return rung->state != State::failed && rung->at + job.ladder.grace <= now_;
}

void Enforcer::cancel(const PayingJob& job, Deed& deed, Micros missing, const std::string& reason) {
  const bool is_new = !deed.rungs.contains(Step::cancel);
  Rung* rung = begin(job.key, deed, Step::cancel, "", missing, reason);
  if (rung == nullptr) return;
  const bool is_due =
      is_new || rung->state == State::failed || rung->tried_at + again_after <= now_;
  if (!is_due) return;
  ++acts_;
  tell(job.key, deed, Step::cancel, control_->cancel(job.key.cluster, job.name));
}

// Goes on whether or not the account has money by now: a job that was requeued waits, held, until
// it is let go in its new partition.
void Enforcer::finish_requeues(const SeenJobs& seen) {
  std::multimap<Instant, std::map<ledger::ShareKey, Deed>::value_type*> open;  // the oldest first
  for (auto& known : deeds_) {
    const auto requeue = known.second.rungs.find(Step::requeue);
    if (requeue == known.second.rungs.end() || requeue->second.state == State::done) continue;
    open.emplace(requeue->second.tried_at, &known);
  }
  acts_ = 0;
  for (const auto& [tried_at, known] : open) {
    if (acts_ >= acts_max) return;
    auto& [key, deed] = *known;
    const auto requeue = deed.rungs.find(Step::requeue);
    ledger::ShareKey next = key;
    ++next.run;
    const auto again = seen.live.find(next);
    const auto same = seen.live.find(key);
    if (again != seen.live.end() && deed.submit <= again->second.submit) {
      // Of one that failed nobody knows whether Slurm did it all the same: then the job is held.
      const bool is_ours = requeue->second.state == State::begun || again->second.is_held;
      if (is_ours) finish_requeue(key, deed, again->second);
    } else if (same != seen.live.end() && same->second.submit == deed.submit &&
               same->second.is_pending && requeue->second.state == State::begun) {
      finish_requeue(key, deed, same->second);
    }
  }
}

void Enforcer::finish_requeue(const ledger::ShareKey& key, Deed& deed, const LiveRun& run) {
  Rung& rung = deed.rungs.at(Step::requeue);
  const bool is_there = run.partition == rung.how;
  if (!run.is_pending && !(run.is_running && is_there)) {
    // Somebody else had it run again where it was: that run is another one.
    if (run.is_running && record(key, deed, Step::requeue, State::ended, rung.how, Micros(),
                                 "it runs again in partition " + run.partition)) {
      deed.rungs.erase(Step::requeue);
    }
    return;
  }
  deed.name = run.name;
  if (run.is_pending) ++acts_;
  Result<void> did;
  if (run.is_pending && !is_there) {
    did = control_->move(key.cluster, run.name, rung.how);
  }
  if (did && run.is_pending) did = control_->release(key.cluster, run.name);
  if (!did) return tell(key, deed, Step::requeue, did);
  rung.failure.clear();
  if (!record(key, deed, Step::requeue, State::done, rung.how, Micros(),
              "it waits in its new partition")) {
    return;
  }
  rung.state = State::done;
  rung.at = now_;
  report_->actions.push_back(describe(key, deed) + " was moved to partition " + rung.how);
}

// Of jobs that nothing has to be done to any more: the account has money again, or others gave back
// enough. What was ended stays so. What is on a cluster that cannot be seen waits; what another
// cluster has does not matter: with money a grace is over, and the next one is a whole one.
void Enforcer::end_unwanted(const SeenJobs& seen) {
  for (auto known = deeds_.begin(); known != deeds_.end();) {
    auto& [key, deed] = *known;
    const auto live = seen.live.find(key);
    const bool is_live = live != seen.live.end() && live->second.submit == deed.submit;
    const auto requeue = deed.rungs.find(Step::requeue);
    const bool is_moving = requeue != deed.rungs.end() && requeue->second.state != State::failed;
    const auto cancel = deed.rungs.find(Step::cancel);
    const bool is_ending = cancel != deed.rungs.end() && cancel->second.state != State::failed;
    const bool is_seen = is_live && seen.complete.contains(key.cluster);
    if (deed.is_wanted || !is_seen || is_moving || is_ending) {
      ++known;
      continue;
    }
    bool is_over = true;
    for (const auto& [step, rung] : std::map(deed.rungs)) {
      if (!record(key, deed, step, State::ended, rung.how, Micros(),
                  "account " + deed.account + " has money again, or others gave back enough")) {
        is_over = false;
        break;
      }
      deed.rungs.erase(step);
    }
    if (is_over) alarms_.clear(key_of(key));
    known = is_over ? deeds_.erase(known) : std::next(known);
  }
}

void Enforcer::raise_alarms(const SeenJobs& seen) {
  for (const auto& [key, deed] : deeds_) {
    if (deed.rungs.empty()) continue;
    const auto& [step, rung] = *deed.rungs.rbegin();
    const auto live = seen.live.find(key);
    const bool is_live = live != seen.live.end() && live->second.submit == deed.submit;
    std::string message = describe(key, deed);
    if (!rung.failure.empty()) {
      message +=
          " could not be " + std::string(deed_of(step)) + " and is tried again: " + rung.failure;
    } else if (step == Step::requeue) {
      message += " was requeued to partition " + rung.how;
    } else if (step == Step::signal) {
      message += " was sent " + rung.how + " at " + to_rfc3339(rung.at) +
                 "; what its ladder has next follows after the grace, unless there is money again";
    } else {
      message += " was cancelled";
    }
    if (rung.failure.empty() && !is_live && step != Step::requeue) continue;
    const std::string alarm = key_of(key);
    alarmed_.insert(alarm);
    alarms_.raise(alarm, message, now_);
  }
  if (!seen.is_complete) return;
  for (const Alarm& alarm : alarms_.list()) {
    const bool is_ours = alarm.key.starts_with(ladder_word) || alarm.key.starts_with("dry ");
    if (is_ours && !alarmed_.contains(alarm.key)) alarms_.clear(alarm.key);
  }
}

}  // namespace asbb::service
