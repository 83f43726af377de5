// What a user reads from sbatch: sentences, a line each, without the "asbb: " that the plugin puts
// before them. Pure but for arithmetic of prices; figures of an account above the user's are
// never shown.
#pragma once

#include <string>
#include <vector>

#include "ledger/command.h"
#include "service/submission_gate.h"

namespace asbb::service {

// The code of a refusal because what would pay has run dry.
inline constexpr const char* dry_code = "account_dry";

// There is too little money.
[[nodiscard]] bool is_for_money(ledger::Refusal refusal);
// The same, or none at all of that unit.
[[nodiscard]] bool may_pay_elsewhere(ledger::Refusal refusal);

// The two answers that the plugin is given; what else they carry is added by whom it concerns.
[[nodiscard]] api::SubmissionAnswer allowed();
[[nodiscard]] api::SubmissionAnswer denied(const std::string& code, const std::string& message);

// "account proj001 has no $1.20 left for the other clusters: this job runs on onprem only\n", where
// the hold has not all the units of the plan; else nothing.
[[nodiscard]] std::string restricted_message(const HoldPlan& plan, const ledger::Hold& hold);

// "held $1.20 of account proj001 (estimate $1.00)\n"
[[nodiscard]] std::string held_message(const std::string& account,
                                       const std::vector<ledger::PlacePart>& parts);

// The same of a job that was only asked about.
[[nodiscard]] std::string would_hold_message(const HoldPlan& plan);

// Why the ledger did not place the hold: the estimate, what is available and on which limit, the
// longest time limit that would fit; of a limit above the account, only that it does not.
[[nodiscard]] std::string refused_message(const HoldPlan& plan, const ledger::Outcome& outcome);

}  // namespace asbb::service
