// What must be true of the ledger, known from the simulated Slurm alone: which submissions were
// promised money, what each run really used, and what that costs by the tariff's own arithmetic.
// Asks the independent auditor and the chain as well. Breaks the run with a sentence. One thread.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "ledger/auditor.h"
#include "simulation/allowance_truth.h"
#include "simulation/ladder_truth.h"
#include "simulation/service_model.h"
#include "simulation/tariff.h"

namespace asbb::simulation {

// A message reaches the service no later than this.
inline constexpr Span message_late = hours(3);

// A submission as its plugin knows it.
struct Asked {
  std::string token;
  std::string cluster;
  Request request;
  Instant at;                      // the world's time
  std::int64_t first_version = 0;  // of the prices, as they may have been for the service
  std::int64_t last_version = 0;
  bool is_promised = false;         // the service said that the money is set aside
  const Job* job = nullptr;         // null: Slurm never made one of it
  std::string comment = {};         // the job's, as the plugin left it
  std::int64_t offline_micros = 0;  // that were taken of an allowance
};

// "onprem job 7_3 (number 12)"
[[nodiscard]] std::string name_of(const Job& job, const Task& task);

class Truth {
 public:
  Truth(const Slurm& slurm, const Tariff& tariff, const CentreRules& rules, Coverage& coverage)
      : ladder(slurm, rules, coverage),
        allowances(tariff, rules, coverage),
        slurm_(slurm),
        tariff_(tariff),
        rules_(rules),
        coverage_(coverage) {}

  LadderTruth ladder;
  AllowanceTruth allowances;

  // The world's submissions; they stay where they are.
  Asked& add(Asked asked) { return asked_.emplace_back(std::move(asked)); }
  [[nodiscard]] std::deque<Asked>& asked() { return asked_; }
  void note_alarm(const service::Alarm& alarm) { alarmed_[alarm.key] = alarm.message; }
  // At that time everything could be read and written, and a pass came to its end.
  void note_good_pass(Instant at) { good_passes_.push_back(at); }
  // The row of a run that has ended says something else from now on, and passes will read it again.
  void note_correction(const Run& run);
  [[nodiscard]] bool was_alarmed(const std::string& key) const { return alarmed_.contains(key); }
  // Something that was charged once, and that a person may give back; null: there is nothing.
  struct Charged {
    ledger::HoldId hold;
    std::string account;
    std::string unit;
    std::int64_t micros = 0;
    ledger::BudgetId budget;
  };
  [[nodiscard]] std::optional<Charged> something_charged(Chance& chance) const;
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
  void check_end(Service& service, store::Store& reader, Instant now);

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
  void add_money(const ledger::Entry& entry);
  void add_charge(const ledger::Entry& entry);
  [[nodiscard]] Charges charges_by_job(store::Store& reader) const;
  void check_task(const Job& job, const Task& task, std::vector<Charge> charges) const;
  [[nodiscard]] bool is_borne(const Run& run) const;  // by another account
  void check_run(const Job& job, const Task& task, const Run& run, const Charge& charge) const;
  [[nodiscard]] std::set<std::int64_t> versions_of(const Job& job, const Run& run,
                                                   Instant charged_at) const;
  [[nodiscard]] std::set<std::int64_t> costs_of(const Job& job, const Run& run,
                                                Instant charged_at) const;
  [[nodiscard]] bool is_endless(const std::string& key) const;
  void check_alarms(Service& service, Instant now) const;
  [[nodiscard]] bool is_left_to_people(Service& service, const ledger::Hold& hold) const;
  [[nodiscard]] std::set<std::int64_t> kept_allowances() const;
  void check_holds_are_closed(Service& service) const;
  // Of a task's runs the nth is charged to the period that the rules say.
  void check_period(const Job& job, const Task& task, const Run& run, bool is_first,
                    const Charge& charge) const;
  void check_moved(const Job& job, const Task& task, const Run& run, bool is_first,
                   std::int64_t period) const;
  void check_correction(const Job& job, const Task& task, const Run& run,
                        const Charge& charge) const;
  // What every budget has used and carried over, from what was charged and put in.
  void check_budgets(const ledger::Book& book, Instant now) const;
  void check_covered(store::Store& reader) const;
  void check_promises_were_kept(store::Store& reader) const;
  [[nodiscard]] const Asked* asked_of(const Job& job) const;

  const Slurm& slurm_;
  const Tariff& tariff_;
  const CentreRules& rules_;
  Coverage& coverage_;
  std::deque<Asked> asked_;
  std::map<std::string, std::string> alarmed_;  // that were ever raised, with the last message
  std::vector<Instant> good_passes_;
  std::set<std::tuple<std::string, std::int64_t, std::int64_t>>
      corrected_;  // rows: cluster, job id, time of submission
  std::vector<std::string> records_;
  store::ChainValue head_{};
  ledger::Auditor auditor_;
  std::map<std::pair<ledger::HoldId, ledger::ShareKey>, Charge> charges_;
  struct BudgetFacts {
    std::string account;
    std::string unit;
    std::int64_t period = 0;
    std::int64_t granted = 0;
    std::int64_t used = 0;  // of its own account, without what is below
    bool is_late = false;   // something was used of it after its end
  };
  std::map<std::int64_t, BudgetFacts> budgets_;
  std::map<ledger::HoldId, std::int64_t> refunded_;
  std::map<ledger::HoldId, std::int64_t> covers_;  // holds of jobs that an allowance let in
};

}  // namespace asbb::simulation
