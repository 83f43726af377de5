// What must be true of the ledger, known from the simulated Slurm alone: which submissions were
// promised money, what each run really used, and what that costs by the tariff's own arithmetic.
// Asks the independent auditor and the chain as well. Breaks the run with a sentence. One thread.
#pragma once

#include <deque>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "ledger/auditor.h"
#include "simulation/service_model.h"
#include "simulation/tariff.h"

namespace asbb::simulation {

// A submission as its plugin knows it.
struct Asked {
  std::string token;
  std::string cluster;
  Request request;
  Instant at;                      // the world's time
  std::int64_t first_version = 0;  // of the prices, as they may have been for the service
  std::int64_t last_version = 0;
  bool is_promised = false;  // the service said that the money is set aside
  const Job* job = nullptr;  // null: Slurm never made one of it
};

class Truth {
 public:
  Truth(const Slurm& slurm, const Tariff& tariff, const CentreRules& rules, Coverage& coverage)
      : slurm_(slurm), tariff_(tariff), rules_(rules), coverage_(coverage) {}

  // The world's submissions; they stay where they are.
  Asked& add(Asked asked) { return asked_.emplace_back(std::move(asked)); }
  [[nodiscard]] std::deque<Asked>& asked() { return asked_; }
  void note_alarm(const service::Alarm& alarm) { alarmed_.insert(alarm.key); }
  [[nodiscard]] bool was_alarmed(const std::string& key) const { return alarmed_.contains(key); }
  // The one that the ledger means; null: there was none.
  [[nodiscard]] const Job* job_of(const ledger::JobRef& ref) const;
  [[nodiscard]] const Job* job_of_token(const std::string& token) const;

  // Reads what was written since the last look: chain, sequence and the auditor's opinion.
  void look(store::Store& reader);
  // The same from the beginning, after a crash: nothing that was seen may be missing.
  void look_again(store::Store& reader);

  // After a promise: no leg of its hold is overspent by it, and it is as much as was to be.
  void check_promise(const Asked& asked, const api::SubmissionAnswer& answer,
                     const ledger::Book& book) const;
  // What holds after every step.
  void check_step(Service& service) const;
  // After everything has ended, and been seen: each run is charged once what it cost.
  void check_end(Service& service, store::Store& reader);

 private:
  // What the ledger took for one run.
  struct Charge {
    ledger::ShareKey key;
    ledger::HoldId hold;
    std::string account;
    std::string unit;
    std::int64_t micros = 0;
    std::int64_t written_off = 0;
    Instant at;
    ledger::BudgetId budget;
  };
  using Charges = std::map<std::pair<const Job*, std::int64_t>, std::vector<Charge>>;

  void add_entry(const store::ChainedEntry& entry);
  [[nodiscard]] Charges charges_by_job(store::Store& reader) const;
  void check_task(const Job& job, const Task& task, std::vector<Charge> charges) const;
  void check_run(const Job& job, const Task& task, const Run& run, const Charge& charge) const;
  [[nodiscard]] std::set<std::int64_t> versions_of(const Job& job, const Run& run) const;
  [[nodiscard]] std::set<std::int64_t> costs_of(const Job& job, const Run& run) const;
  void check_alarms(Service& service) const;
  void check_holds_are_closed(Service& service) const;
  void check_promises_were_kept(store::Store& reader) const;
  [[nodiscard]] const Asked* asked_of(const Job& job) const;

  const Slurm& slurm_;
  const Tariff& tariff_;
  const CentreRules& rules_;
  Coverage& coverage_;
  std::deque<Asked> asked_;
  std::set<std::string> alarmed_;  // keys that were ever raised
  std::vector<std::string> records_;
  store::ChainValue head_{};
  ledger::Auditor auditor_;
  std::map<std::pair<ledger::HoldId, ledger::ShareKey>, Charge> charges_;
};

}  // namespace asbb::simulation
