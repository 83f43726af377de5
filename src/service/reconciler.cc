#include "service/reconciler.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/assert.h"
#include "service/log.h"
#include "service/reconciler_pass.h"

namespace asbb::service {
namespace {

constexpr Span fast_for = seconds(15);
constexpr Span fast_interval_min = seconds(1);
constexpr Span first_fast_wait = milliseconds(300);
constexpr std::int64_t duty_cycle = 5;  // rest at least this many times as long as a pass took

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
      options_(options) {}

Reconciler::~Reconciler() {
  stop();
}

void Reconciler::start() {
  ASBB_ASSERT(!thread_.joinable());
  thread_ = std::thread([this] { loop(); });
}

void Reconciler::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Reconciler::notify() {
  {
    const std::lock_guard lock(mutex_);
    fast_until_ = committer_.clock()() + fast_for;
  }
  wake_.notify_all();
}

void Reconciler::ask(std::function<void(const PassReport&)> done) {
  {
    const std::lock_guard lock(mutex_);
    asked_.push_back(std::move(done));
  }
  wake_.notify_all();
}

PassReport Reconciler::last_report() const {
  const std::lock_guard lock(mutex_);
  return last_report_;
}

PassReport Reconciler::run_pass() {
  const std::lock_guard one_at_a_time(pass_mutex_);
  PassReport report = Pass(*this, committer_.clock()()).run();
  const std::lock_guard lock(mutex_);
  report.number = last_report_.number + 1;
  last_report_ = report;
  return report;
}

void Reconciler::loop() {
  using Steady = std::chrono::steady_clock;
  Span took{};
  Instant fast_seen;
  for (;;) {
    std::vector<std::function<void(const PassReport&)>> asked;
    {
      std::unique_lock lock(mutex_);
      const auto until_notified = [&] {
        return stopping_ || !asked_.empty() || fast_until_ != fast_seen;
      };
      const bool fast = committer_.clock()() < fast_until_;
      const Span rest = std::max(fast ? fast_interval_min : options_.interval,
                                 Span{took.microseconds * duty_cycle});
      wake_.wait_for(lock, to_chrono(rest), until_notified);
      if (!stopping_ && asked_.empty() && fast_until_ != fast_seen) {
        // slurmdbd learns of an end a moment after the hook does.
        wake_.wait_for(lock, to_chrono(first_fast_wait),
                       [&] { return stopping_ || !asked_.empty(); });
      }
      if (stopping_) break;
      fast_seen = fast_until_;
      asked.swap(asked_);
    }
    const auto before = Steady::now();
    const PassReport report = run_pass();
    took.microseconds =
        std::chrono::duration_cast<std::chrono::microseconds>(Steady::now() - before).count();
    log_report(report, took);
    for (const auto& done : asked) done(report);
  }
}

}  // namespace asbb::service
