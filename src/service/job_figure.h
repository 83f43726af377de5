// A charge that an administrator set himself: the words by which the ledger keeps it, so that the
// reconciler knows what he knew, and the arithmetic of what a job is charged now. Inside
// src/service only.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/money.h"
#include "ledger/types.h"
#include "service/committer.h"
#include "store/store.h"

namespace asbb::service {

// What slurmdbd says that a run cost, where that is not what was charged for it.
struct ToldCost {
  std::int64_t db_index = 0;
  Micros amount;
  std::string unit;
};

// "sets onprem job 7_4 to ": how such a reason begins. `task` below 0: the job has no tasks.
[[nodiscard]] std::string figure_prefix(const std::string& cluster, std::int64_t job_id,
                                        std::int64_t task);

// "sets onprem job 7 to 5.00 USD where record 3 says 4.00 USD: the invoice says so". As many
// records as there is room for.
[[nodiscard]] std::string figure_reason(const std::string& prefix, Micros amount,
                                        const std::string& unit, const std::vector<ToldCost>& told,
                                        const std::string& reason);

// Whether such a reason was given by somebody who knew that the record said so.
[[nodiscard]] bool knows(std::string_view reason, const ToldCost& told);

// What settled runs of that task (-1: of a job without tasks) are charged in that unit,
// less what was given back.
[[nodiscard]] Micros charged_of(const std::vector<store::HoldRecord>& holds, std::int64_t task,
                                const std::string& unit);

// What was entered by hand for that job or task (`key`; a task below 0: the job) in that unit
// beside its charges: by figures that were set and by corrections of its records.
// REQUIRES: there are holds.
[[nodiscard]] Result<Micros> adjusted_for(const Committer& committer,
                                          const std::vector<store::HoldRecord>& holds,
                                          const std::string& cluster, const ledger::ShareKey& key,
                                          const std::string& unit);

}  // namespace asbb::service
