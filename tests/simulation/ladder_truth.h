// What must be true of a ladder of enforcement, known from its entries and from what was done to
// the simulated jobs: nothing is done that was not written down first, none of it twice, none of it
// without a reason, and nothing at all where it is switched off. Breaks the run with a sentence.
// One thread.
#pragma once

#include <map>
#include <set>
#include <string>
#include <tuple>

#include "ledger/book.h"
#include "simulation/service_model.h"
#include "simulation/slurm_control.h"

namespace asbb::simulation {

class LadderTruth {
 public:
  LadderTruth(const Slurm& slurm, const CentreRules& rules, Coverage& coverage)
      : slurm_(slurm), rules_(rules), coverage_(coverage) {}

  void add(const ledger::Entry& entry);
  // All entries come again.
  void forget();

  // Just before it happens; all entries until then have been added.
  void check_deed(const Deed& deed, const ledger::Book& book, Instant service_now);
  // The submission was refused because an account ran dry.
  void check_refusal(const std::string& account, const std::string& partition) const;
  // No job lives any more.
  void check_end() const;

 private:
  using Step = ledger::EnforcementStep;
  using LimitStep = std::tuple<std::string, std::string, Step>;      // account, limit
  using JobStep = std::tuple<ledger::ShareKey, std::int64_t, Step>;  // and its time of submission
  struct Begun {
    std::int64_t sequence = 0;
    Instant at;
    std::string how;
  };

  [[nodiscard]] const config::Ladder& ladder_of(const std::string& account,
                                                const std::string& partition) const;
  [[nodiscard]] const Begun* begun(const ledger::ShareKey& key, Instant submit, Step step) const;
  [[nodiscard]] bool is_dry(const ledger::Book& book, const Job& job, bool lends) const;
  [[nodiscard]] bool may_lack_unseen() const;
  void check_step(const Deed& deed, const ledger::ShareKey& key, Instant service_now);

  const Slurm& slurm_;
  const CentreRules& rules_;
  Coverage& coverage_;
  std::map<LimitStep, Begun> limits_;
  std::map<JobStep, Begun> jobs_;
  std::map<std::int64_t, std::int64_t> signals_;  // that arrived, by the entry that announced them
};

}  // namespace asbb::simulation
