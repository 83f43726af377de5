// Looks at all budgets and alarms from time to time and tells people what they have to know: finds,
// has the alert book remember, and sends what is due. A thread of its own, so that a channel which
// does not answer keeps nobody waiting. Owned by the program; what it is given outlives it. It
// reads the ledger and changes nothing in it.
#pragma once

#include <atomic>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include "alerts/alert_book.h"
#include "alerts/channel.h"
#include "insight/budget_rules.h"
#include "service/alarms.h"
#include "service/committer.h"

namespace asbb::service {

// What each account spent, hour by hour, in the days that the rules look at.
class LateSpending {
 public:
  explicit LateSpending(store::Store& store) : store_(store) {}

  // Reads the entries since it was last called; those of the last days when it never was.
  [[nodiscard]] Result<void> follow(Instant now);
  // Of these accounts together, in one unit.
  [[nodiscard]] insight::Rate rate_of(const std::vector<std::string>& accounts,
                                      const std::string& unit, Instant since, Instant now) const;

 private:
  store::Store& store_;
  std::int64_t last_sequence_ = 0;
  std::map<std::tuple<std::string, std::string, std::int64_t>, Micros> hours_;
};

struct AlertWatchOptions {
  config::Alerts alerts;
  std::string zone = "UTC";  // of the digest's hour, and of periods' last days
};

class AlertWatch {
 public:
  AlertWatch(const Committer& committer, store::Store& store, Alarms& alarms, Clock clock,
             AlertWatchOptions options);
  AlertWatch(const AlertWatch&) = delete;
  AlertWatch& operator=(const AlertWatch&) = delete;
  ~AlertWatch();

  // Reads what was told before and makes the channels. broken: a channel cannot be used as it is
  // set up; nothing is started then.
  [[nodiscard]] Result<void> start();
  void stop();

  // One look on the caller's thread, and everything sent that is due; for tests. After start, the
  // thread alone does so.
  void look_once();

  [[nodiscard]] alerts::AlertBook& book() { return book_; }
  [[nodiscard]] const config::Alerts& settings() const { return options_.alerts; }

 private:
  [[nodiscard]] Result<void> open();
  void loop();
  [[nodiscard]] std::vector<alerts::Finding> findings(Instant now);
  void add_notices(std::vector<alerts::Finding>& out, const ledger::Book& book, Instant now) const;
  [[nodiscard]] insight::WatchedBudget watched(const ledger::Book& book,
                                               const ledger::Account& account,
                                               const ledger::Budget& budget, Instant now) const;
  void make_digest(Instant now);
  void send_due();
  void keep_alarm(const Result<void>& outcome);

  const Committer& committer_;
  Alarms& alarms_;
  const Clock clock_;
  const AlertWatchOptions options_;
  LateSpending spending_;
  bool knows_spending_ = false;
  alerts::AlertBook book_;
  std::atomic<bool> stopping_ = false;
  std::map<std::string, std::unique_ptr<alerts::Channel>> channels_;

  std::mutex mutex_;
  std::condition_variable wake_;
  std::thread thread_;
};

}  // namespace asbb::service
