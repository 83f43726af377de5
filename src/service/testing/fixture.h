// A service without its doors, for tests of this folder: a committer on a store in memory, prices,
// a clock that is set by hand, and helpers that speak the ledger's commands. One thread of its own:
// the committer's.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>

#include "base/token.h"
#include "service/committer.h"
#include "service/prices.h"
#include "store/fault_store.h"
#include "store/memory_store.h"

namespace asbb::service::testing {

Instant at(const char* text);
Micros money(const char* text);

class Fixture : public ::testing::Test {
 public:
  Fixture();
  ~Fixture() override;

  [[nodiscard]] Instant now() const { return Instant{now_us_.load()}; }
  void set_now(Instant to) { now_us_ = to.microseconds; }
  void pass_time(Span span) { set_now(now() + span); }

  ledger::Outcome run(ledger::Action action, const std::string& request_id = {});
  void account(const std::string& name, const std::string& parent, const char* limit);
  void set_prices(const std::string& yaml);
  std::string token();

  // What a job of alice in proj001 asks for; a test changes what it is about.
  [[nodiscard]] ledger::PlaceHold submission(const char* amount) const;
  // Places a hold as a submission does; gives its token.
  std::string hold(const char* amount, std::int64_t tasks = 1, const std::string& user = "alice");

  // The period of proj001 and of its parent ends then.
  void end_period(Instant when);
  // A day for both, with that much for proj001 and 100 for its parent.
  void add_period(Instant start, const char* limit);
  // Of proj001, the oldest first.
  [[nodiscard]] std::vector<ledger::Budget> periods() const;

  [[nodiscard]] ledger::Budget budget(const std::string& account) const;
  [[nodiscard]] ledger::Hold find(const std::string& request_id) const;

  // held and used of proj001, and the same of its parent, whose counters follow.
  void expect_balance(const char* held, const char* used);

 protected:
  std::atomic<std::int64_t> now_us_{parse_rfc3339("2025-06-01T12:00:00Z")->microseconds};
  store::FaultStore store_{std::make_unique<store::MemoryStore>()};
  std::int64_t price_version_ = 1;  // of the holds that hold() places
  Prices prices_;
  std::unique_ptr<Committer> committer_ = std::make_unique<Committer>(
      store_, store::ChainKey{1, 2, 3}, [this] { return now(); }, CommitterOptions{});
  int tokens_ = 0;
};

}  // namespace asbb::service::testing
