#include "service/reconciler.h"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <utility>

#include "base/assert.h"
#include "service/log.h"
#include "service/reconciler_pass.h"
#include "service/recovery.h"

namespace asbb::service {
namespace {

constexpr Span fast_for = seconds(15);
constexpr Span fast_interval_min = seconds(1);
constexpr Span first_fast_wait = milliseconds(300);
constexpr std::int64_t duty_cycle = 5;  // rest at least this many times as long as Slurm was busy

std::chrono::microseconds to_chrono(Span span) {
  return std::chrono::microseconds(span.microseconds);
}

// Problems are alarms and logged as such.
void log_report(const PassReport& report, Span took) {
  for (const std::string& action : report.actions) log_info(action);
  log_debug("pass " + std::to_string(report.number) + " took " +
            std::to_string(took.microseconds / 1'000) + " ms: " + std::to_string(report.bound) +
            " bound, " + std::to_string(report.settled) + " settled, " +
            std::to_string(report.charged_without_hold) + " charged without a hold, " +
            std::to_string(report.voided) + " voided, " + std::to_string(report.problems.size()) +
            " problems");
}

}  // namespace

Reconciler::Reconciler(Committer& committer, slurm::JobSource& source,
                       const slurm::ClusterCache& view, const Prices& prices, Alarms& alarms,
                       ReconcilerOptions options)
    : committer_(committer),
      source_(source),
      view_(view),
      prices_(prices),
      alarms_(alarms),
      options_(options),
      enforcer_(committer, alarms, options_.enforcement) {}

Reconciler::~Reconciler() {
  stop();
}

void Reconciler::start() {
  ASBB_ASSERT(!thread_.joinable());
  thread_ = std::thread([this] { loop(); });
  watch_thread_ = std::thread([this] { watch(); });
}

void Reconciler::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  asked_changed_.notify_all();
  if (thread_.joinable()) thread_.join();
  if (watch_thread_.joinable()) watch_thread_.join();
  std::vector<Asked> unanswered;
  {
    const std::lock_guard lock(mutex_);
    unanswered.swap(asked_);
    std::move(planned_.begin(), planned_.end(), std::back_inserter(unanswered));
    planned_.clear();
  }
  for (const Asked& ask : unanswered) ask.done(fail(ErrorKind::unavailable, "the service stops"));
}

void Reconciler::notify() {
  {
    const std::lock_guard lock(mutex_);
    fast_until_ = committer_.clock()() + fast_for;
  }
  wake_.notify_all();
}

void Reconciler::ask(const PassQuestion& question, PassAnswer done) {
  {
    const std::lock_guard lock(mutex_);
    if (!question.plans) want(question);
    (question.plans ? planned_ : asked_)
        .push_back({std::move(done), Steady::now() + to_chrono(options_.answer_within)});
  }
  wake_.notify_all();
  asked_changed_.notify_all();
}

void Reconciler::say_step(const std::string& step) {
  const std::lock_guard lock(mutex_);
  step_ = step;
}

// REQUIRES: mutex_ is held.
std::vector<Reconciler::Asked> Reconciler::take_late(Steady::time_point at) {
  std::vector<Asked> late;
  for (std::vector<Asked>* asked : {&served_, &asked_, &planned_}) {
    const auto first = std::stable_partition(asked->begin(), asked->end(),
                                             [&](const Asked& ask) { return ask.answer_by > at; });
    std::move(first, asked->end(), std::back_inserter(late));
    asked->erase(first, asked->end());
  }
  return late;
}

// Answers whom a pass keeps waiting: Slurm's commands may hang, one after the other.
void Reconciler::watch() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    const std::vector<Asked> late = take_late(Steady::now());
    if (!late.empty()) {
      const Error error{ErrorKind::unavailable,
                        "the pass over the jobs is not done after " +
                            std::to_string(options_.answer_within.microseconds / 1'000'000) +
                            " s: it waits for " + step_ + "; it goes on, ask again in a while",
                        ""};
      lock.unlock();
      for (const Asked& ask : late) ask.done(tl::unexpected(error));
      lock.lock();
      continue;
    }
    Steady::time_point next = Steady::time_point::max();
    for (const Asked& ask : served_) next = std::min(next, ask.answer_by);
    for (const Asked& ask : asked_) next = std::min(next, ask.answer_by);
    for (const Asked& ask : planned_) next = std::min(next, ask.answer_by);
    if (next == Steady::time_point::max()) {
      asked_changed_.wait(lock);
    } else {
      asked_changed_.wait_until(lock, next);
    }
  }
}

PassReport Reconciler::last_report() const {
  const std::lock_guard lock(mutex_);
  return last_report_;
}

void Reconciler::want(const PassQuestion& question) {
  if (question.job_id > 0) wanted_.jobs.insert(question.job_id);
  wanted_.explains = wanted_.explains || question.explains;
  wanted_.recovers = wanted_.recovers || question.recovers;
}

PassReport Reconciler::run_pass(const PassQuestion& question) {
  const std::lock_guard one_at_a_time(pass_mutex_);
  {
    const std::lock_guard lock(mutex_);
    want(question);
  }
  PassReport report = Pass(*this, committer_.clock()()).run();
  watch_ledger(report.at);
  const std::lock_guard lock(mutex_);
  report.number = last_report_.number + 1;
  report.complete.merge(last_report_.complete);
  last_report_ = report;
  return report;
}

void Reconciler::watch_ledger(Instant at) {
  constexpr const char* key = "ledger";
  if (committer_.is_healthy()) return alarms_.clear(key);
  alarms_.raise(key,
                "it cannot be written: nothing is granted or charged until it can. The service's "
                "log has the database's reason; a full disk, for one, needs room",
                at);
}

// What a pass would do, for those who ask; the next pass is none the later for it.
void Reconciler::serve_plans() {
  {
    const std::lock_guard lock(mutex_);
    step_ = "a pass on a copy of the ledger";
    served_.swap(planned_);
  }
  const auto plan = plan_recovery(committer_, source_, view_, prices_, options_);
  std::vector<Asked> served;
  {
    const std::lock_guard lock(mutex_);
    served.swap(served_);
  }
  PassReport report;
  if (plan) report.plan = std::make_shared<const RecoveryPlan>(*plan);
  for (const Asked& ask : served) {
    ask.done(plan ? Result<PassReport>(report) : Result<PassReport>(tl::unexpected(plan.error())));
  }
}

void Reconciler::loop() {
  Span took{};
  bool is_unfinished = false;
  Instant fast_seen;
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      const auto until_notified = [&] {
        return stopping_ || !asked_.empty() || !planned_.empty() || fast_until_ != fast_seen;
      };
      const bool fast = is_unfinished || committer_.clock()() < fast_until_;
      const Span rest = std::max(fast ? fast_interval_min : options_.interval,
                                 Span{took.microseconds * duty_cycle});
      wake_.wait_for(lock, to_chrono(rest), until_notified);
      if (!stopping_ && asked_.empty() && fast_until_ != fast_seen) {
        // slurmdbd learns of an end a moment after the hook does.
        wake_.wait_for(lock, to_chrono(first_fast_wait),
                       [&] { return stopping_ || !asked_.empty(); });
      }
      if (stopping_) break;
      if (!planned_.empty()) {
        lock.unlock();
        serve_plans();
        continue;
      }
      fast_seen = fast_until_;
      step_ = "the ledger";
      served_.swap(asked_);
      if (!served_.empty()) next_sweep_ = Instant();  // who asks wants to know now
    }
    const auto before = Steady::now();
    const PassReport report = run_pass();
    took.microseconds =
        std::chrono::duration_cast<std::chrono::microseconds>(Steady::now() - before).count();
    log_report(report, took);
    is_unfinished = report.acts_left > 0;
    // Who is away is not spared by a rest, and those that answer wait for no one.
    took.microseconds -= report.in_vain.microseconds;
    std::vector<Asked> served;
    {
      const std::lock_guard lock(mutex_);
      served.swap(served_);
    }
    for (const Asked& ask : served) ask.done(report);
  }
}

}  // namespace asbb::service
