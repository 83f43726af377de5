// A client of the service under load, and what all of them were told: holds, settles, refunds,
// transfers, closes and reopens, changes limits and reads, by chance, on accounts that all clients
// share. For tests only; a client lives on its own thread, Told is safe on any.
#pragma once

#include <chrono>
#include <fstream>
#include <map>
#include <mutex>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "base/money.h"
#include "http/raw_client.h"

namespace asbb::http {

using Steady = std::chrono::steady_clock;

inline constexpr const char* json_header = "Content-Type: application/json\r\n";

// Below the account `lab`. Plenty of money; limits change all the time.
inline const std::vector<std::string> shared_accounts{"proj001", "proj002", "nih-r01"};
// Closed and opened again while others hold against them.
inline const std::vector<std::string> unruly_accounts{"open01", "open02"};
// One short period follows the other; what is left is carried over: all of it, or half.
inline const std::vector<std::string> brief_accounts{"term-all", "term-half"};

struct Held {
  std::string account;
  Micros amount;
  std::string transaction{};
};

// What the service acknowledged. Thread-safe.
class Told {
 public:
  void held(const std::string& transaction, const Held& hold) {
    const std::lock_guard lock(mutex_);
    const auto [known, added] = holds_.try_emplace(transaction, hold);
    if (known->second.account != hold.account || known->second.amount != hold.amount) {
      wrongs_.push_back(transaction + ": held twice with other facts");
    }
  }
  void charged(const std::string& transaction, Micros amount) {
    const std::lock_guard lock(mutex_);
    const auto [known, added] = charges_.try_emplace(transaction, amount);
    if (known->second != amount) wrongs_.push_back(transaction + ": charged twice");
  }
  void refunded(const std::string& account, const std::string& transaction, Micros amount) {
    const std::lock_guard lock(mutex_);
    adjusted_[account] -= amount;
    refunded_[transaction] += amount;
    ++refunds_;
  }
  void moved(const std::string& from, const std::string& to, Micros amount) {
    const std::lock_guard lock(mutex_);
    moved_[from] -= amount;
    moved_[to] += amount;
    ++transfers_;
  }
  void adjusted(const std::string& account, Micros amount) {
    const std::lock_guard lock(mutex_);
    adjusted_[account] += amount;
    ++adjustments_;
  }
  void allowed(const std::string& token) {
    const std::lock_guard lock(mutex_);
    tokens_.insert(token);
  }
  void closed() {
    const std::lock_guard lock(mutex_);
    ++closed_;
  }
  // A run of a job as slurmdbd shows it, and what it costs proj001.
  void ran(const std::string& accounting, const std::string& row, Micros cost) {
    const std::lock_guard lock(mutex_);
    std::ofstream(accounting, std::ios::app) << row + "\n" << std::flush;
    adjusted_["proj001"] += cost;
    ++runs_;
  }
  std::int64_t next_job() {
    const std::lock_guard lock(mutex_);
    return ++jobs_;
  }
  void reopened() {
    const std::lock_guard lock(mutex_);
    ++reopened_;
  }
  void wrong(const std::string& what) {
    const std::lock_guard lock(mutex_);
    wrongs_.push_back(what);
  }

  // Once the clients are done.
  [[nodiscard]] Micros used_of(const std::string& account) const {
    Micros sum = adjusted_.contains(account) ? adjusted_.at(account) : Micros();
    for (const auto& [transaction, amount] : charges_) {
      if (holds_.at(transaction).account == account) sum += amount;
    }
    return sum;
  }
  [[nodiscard]] Micros held_of(const std::string& account) const {
    Micros sum;
    for (const auto& [transaction, hold] : holds_) {
      if (hold.account == account && !charges_.contains(transaction)) sum += hold.amount;
    }
    return sum;
  }

  std::mutex mutex_;
  std::map<std::string, Held> holds_;       // by transaction
  std::map<std::string, Micros> charges_;   // by transaction
  std::map<std::string, Micros> adjusted_;  // by account
  std::map<std::string, Micros> refunded_;  // by transaction
  std::map<std::string, Micros> moved_;     // by account: what came in by transfers, less what went
  std::set<std::string> tokens_;            // of submissions that were allowed
  int adjustments_ = 0;
  int runs_ = 0;
  std::int64_t jobs_ = 0;
  int refunds_ = 0;
  int transfers_ = 0;
  int closed_ = 0;
  int reopened_ = 0;
  std::vector<std::string> wrongs_;
};

// One of many: does this and that, by chance, for as long as it is told.
class LoadClient {
 public:
  // `accounting`: the file of rows that sacct shows.
  LoadClient(std::string socket, std::string accounting, int number, Told& told);
  // At the end the jobs that were requeued have run to their end.
  void run_until(Steady::time_point end);

 private:
  std::size_t below(std::size_t end) {
    return std::uniform_int_distribution<std::size_t>(0, end - 1)(random_);
  }
  const std::string& one_of(const std::vector<std::string>& names) {
    return names[below(names.size())];
  }
  const std::string& some_account();
  std::string next_key() { return name_ + "-" + std::to_string(++number_); }

  RawAnswer ask(const std::string& method, const std::string& target, const std::string& body,
                const std::string& headers);
  // Fails the test unless the status is one of those that are right.
  RawAnswer expect(const std::vector<int>& right, const std::string& method,
                   const std::string& target, const std::string& body = {},
                   const std::string& headers = {});
  // The same again, now and then, must be answered alike.
  RawAnswer expect_alike(const std::vector<int>& right, const std::string& method,
                         const std::string& target, const std::string& body);

  // The transaction; empty when there was no money, or the account is closed.
  std::string check(const std::string& key, const std::string& account, std::int64_t cpus);
  void charge(const std::string& transaction, Micros cost, const std::vector<int>& right);

  void hold();
  void settle();
  void hold_shared();
  void settle_shared();
  void submit();
  void run_job(const std::string& token);
  void finish_job();
  void write_run(std::int64_t job, const std::string& token, bool is_last);
  void adjust();
  void refund();
  void transfer();
  void change_limits();
  void close_account();
  void close_or_open();
  void read();

  const std::string socket_;
  const std::string accounting_;
  const std::string name_;
  std::mt19937 random_;
  Told& told_;
  RawClient client_;
  int number_ = 0;
  std::vector<Held> open_;                                      // its own
  std::vector<Held> charged_;                                   // its own
  std::vector<std::pair<std::int64_t, std::string>> requeued_;  // jobs and their tokens
  std::vector<std::string> shared_;                             // seen
};

}  // namespace asbb::http
