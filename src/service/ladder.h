// What has run dry, and which jobs a ladder of enforcement acts on (docs/concepts/job-life.md,
// "When an account runs dry"). Plain values and pure functions: they read a committed book and a
// list of jobs, and say who is next; nothing here does anything to a job. Any thread.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "config/config.h"
#include "ledger/book.h"

namespace asbb::service {

// Of the accounts, the nearest first, then of the partition, then of all.
[[nodiscard]] const config::Ladder& ladder_for(const config::Enforcement& enforcement,
                                               const std::vector<std::string>& accounts,
                                               const std::string& partition);
// Itself and those above it.
[[nodiscard]] std::vector<std::string> account_chain(const ledger::Book& book,
                                                     ledger::AccountId account);

// The money of one unit that a run of a job draws on limits.
struct Draw {
  std::string unit;
  std::vector<ledger::Leg> legs;
  Micros lacks;       // what it needs and no hold has, or has cost beyond its hold
  Micros gives_back;  // of its hold, when it ends now
};

// A run of a job that runs on a partition with a price, or that waits for a further run for which
// it lacks the money.
struct PayingJob {
  ledger::ShareKey key;
  std::string name;  // for Slurm: "7", or "7_3"
  std::string user;
  std::string account;  // that pays
  std::string partition;
  Instant submit;
  Instant start;  // of one that waits: when it was submitted
  bool waits = false;
  std::string why_not_moved;  // why it cannot be requeued elsewhere; empty: it can
  bool acted_on = false;
  std::vector<Draw> draws;  // one for each unit
  config::Ladder ladder;
  [[nodiscard]] bool is_uncovered() const;
};

// A limit on which jobs draw more than it has.
struct DryLimit {
  ledger::Leg leg;
  std::string account;    // whose limit it is
  std::string partition;  // empty: a budget
  std::string unit;
  Micros missing;          // above zero
  Micros lacks;            // of it, what jobs lack; the rest is beyond the limit already
  Micros credit;           // that its budget lends to jobs under way
  std::int64_t depth = 0;  // accounts above it
  std::int64_t jobs = 0;   // that draw on it now
  bool operator==(const DryLimit&) const = default;
};

// Of the limits that these jobs draw on, those that lack money; the narrowest first: partition
// limits before budgets, accounts before those above them.
[[nodiscard]] std::vector<DryLimit> find_dry(const ledger::Book& book,
                                             const std::vector<PayingJob>& jobs);

// As `missing` of that limit, with what the book has by now; at most zero: there is enough again.
[[nodiscard]] Micros missing_now(const ledger::Book& book, const DryLimit& limit);

struct Pick;
// Whether this job would still be picked, with what the book has by now on its limit.
[[nodiscard]] bool is_short_still(const ledger::Book& book, const Pick& pick);

// Names a limit: "b3", "l7".
[[nodiscard]] std::string name_of(const ledger::Leg& leg);

// What is on its way back to limits, by name: of jobs that were ended and are not settled yet.
using ComingBack = std::map<std::string, Micros>;

struct Pick {
  std::size_t job = 0;  // its place in the list
  DryLimit limit;
  Micros gives_back;  // to that limit
  Micros short_by;    // with that much more on the limit this job goes on; above zero
};

// The jobs to act on, in this order: those that were acted on already, then those that are not
// covered, then the one that started last. Of each dry limit only as many as it takes to be within
// the money again, or, where the job's ladder has `credit`, within the credit.
[[nodiscard]] std::vector<Pick> pick_jobs(const std::vector<DryLimit>& dry,
                                          const std::vector<PayingJob>& jobs, ComingBack back);

}  // namespace asbb::service
