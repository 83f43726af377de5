// What must be true of what is spent while the service is away, known from the ledger's entries,
// the tariff and a count of its own: each job takes no less than it can cost, from a generation
// that is its account's, in force and on its cluster; no generation gives more than it has, but for
// what a lost counter forgot. Breaks the run with a sentence. One thread.
#pragma once

#include <map>
#include <set>
#include <string>

#include "ledger/book.h"
#include "simulation/plugin_model.h"
#include "simulation/service_model.h"
#include "simulation/tariff.h"

namespace asbb::simulation {

class AllowanceTruth {
 public:
  AllowanceTruth(const Tariff& tariff, const CentreRules& rules, Coverage& coverage)
      : tariff_(tariff), rules_(rules), coverage_(coverage) {}

  void add(const ledger::Entry& entry);
  void forget() { generations_.clear(); }

  // The service wrote its files with the prices of that version, 0: without any.
  void note_written(std::int64_t version);
  [[nodiscard]] bool has_prices() const { return version_ > 0; }
  // What the plugin said of a job that nobody answered for; all entries until then have been added.
  void check(const std::string& cluster, const Request& request, const LetThrough& said,
             Instant now);

  // The counter's file reached the disk, or is there again as it was then; or it is damaged.
  void note_saved(const std::string& cluster);
  void note_restored(const std::string& cluster);
  void note_damaged(const std::string& cluster);

  // Of each account and cluster the newest generation alone is left, beside `kept`: those from
  // which a job took whose end nobody will ever tell. Nothing else is held.
  void check_end(const ledger::Book& book, const std::set<std::int64_t>& kept) const;
  // Whether the alarm says, rightly, that there is not enough money for an allowance.
  [[nodiscard]] bool explains(const std::string& alarm, const ledger::Book& book,
                              Instant now) const;

 private:
  struct Generation {
    std::string cluster;
    std::string account;
    std::string unit;
    std::int64_t micros = 0;
    Instant at;
  };
  using Spent = std::map<std::int64_t, std::int64_t>;  // by generation

  [[nodiscard]] bool has_allowance(const std::string& cluster, const std::string& account) const;
  void check_taken(const std::string& cluster, const Request& request, const LetThrough& said,
                   Instant now);

  const Tariff& tariff_;
  const CentreRules& rules_;
  Coverage& coverage_;
  std::map<std::int64_t, Generation> generations_;
  std::int64_t version_ = 0;
  std::int64_t written_until_ = 0;      // generations that the files were written with
  std::map<std::string, Spent> spent_;  // by cluster
  std::map<std::string, Spent> saved_;
  std::map<std::string, std::int64_t> useless_until_;  // generations that a damaged file ends
  std::map<std::string, std::int64_t> saved_useless_;
};

}  // namespace asbb::simulation
