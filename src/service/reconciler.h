// Ties holds to jobs, settles what has ended, charges what ran without a hold, and voids holds
// whose job never came to be (DESIGN 4.8, 4.9). The truth is slurmctld's list and slurmdbd's
// records, read in passes by one thread of its own; hooks only wake it. It changes the ledger
// through the committer alone, and never voids on age: what it cannot read, it leaves as it is.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "service/alarms.h"
#include "service/clock.h"
#include "service/committer.h"
#include "service/prices.h"
#include "slurm/cluster_cache.h"
#include "slurm/job_source.h"

namespace asbb::service {

struct ReconcilerOptions {
  Span interval = seconds(15);          // between passes when nothing wakes it
  Span rescan_interval = seconds(300);  // between looks for jobs that ran without a hold
  Span rescan_window = hours(24 * 7);   // how far back the first look after a start reaches
  Span sweep_grace_min = seconds(60);   // a hold younger than this is never voided
  Span hold_alarm_after = hours(24);    // an open hold that nothing explains is alarmed after this
};

struct PassReport {
  Instant at;
  std::int64_t number = 0;  // of passes since the start
  std::int64_t bound = 0;
  std::int64_t settled = 0;
  std::int64_t charged_without_hold = 0;
  std::int64_t voided = 0;
  std::vector<std::string> problems;  // what could not be read or done, as sentences
  std::vector<std::string> actions;   // what was done, a sentence each
};

class Reconciler {
 public:
  Reconciler(Committer& committer, slurm::JobSource& source, const slurm::ClusterCache& view,
             const Prices& prices, Alarms& alarms, ReconcilerOptions options);
  Reconciler(const Reconciler&) = delete;
  Reconciler& operator=(const Reconciler&) = delete;
  ~Reconciler();

  void start();
  void stop();

  // A hook says that something happened to a job: passes follow quickly for a while. Any thread;
  // never blocks.
  void notify();

  // Runs a pass soon and hands over what it did; called on the reconciler's thread. Any thread;
  // never blocks.
  void ask(std::function<void(const PassReport&)> done);

  // One pass on the caller's thread; for tests and for `ask`. Never two at a time.
  PassReport run_pass();

  [[nodiscard]] PassReport last_report() const;

 private:
  class Pass;

  void loop();

  Committer& committer_;
  slurm::JobSource& source_;
  const slurm::ClusterCache& view_;
  const Prices& prices_;
  Alarms& alarms_;
  const ReconcilerOptions options_;

  std::mutex pass_mutex_;
  Instant next_rescan_;
  Instant scanned_until_;
  std::set<std::pair<std::string, std::int64_t>>
      done_records_;  // (cluster, db_index) since the last rescan

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  Instant fast_until_;
  std::vector<std::function<void(const PassReport&)>> asked_;
  PassReport last_report_;
  std::thread thread_;
};

}  // namespace asbb::service
