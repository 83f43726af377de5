// How accounts are shown. Pure, but for what it prints through the context.
#pragma once

#include <string>
#include <vector>

#include "api/account.h"
#include "cli/context.h"

namespace asbb::cli {

// One row per budget in force, or per account that has none.
[[nodiscard]] Table accounts_table(const std::vector<api::Account>& accounts);

// The same for programs: columns that do not depend on the accounts.
[[nodiscard]] Table accounts_csv(const std::vector<api::Account>& accounts);

// Everything about one account, in the output form that was asked for; the exit code.
[[nodiscard]] int show_account(const Context& context, const api::Account& account,
                               const std::vector<api::OpenHold>& holds);

// The first that is in force in that unit, or in any when `unit` is empty; nullptr without one.
[[nodiscard]] const api::Budget* budget_in_force(const api::Account& account,
                                                 const std::string& unit);

// "Account proj001 created: 50.00 USD from 2025-01-01 to 2025-12-31."
[[nodiscard]] std::string creation_sentence(const api::Account& account);

// "proj001 may spend 20.00 USD on partition gpu-aws: 5.00 used, 2.00 held, 13.00 available."
[[nodiscard]] std::string limit_sentence(const api::Account& account, const std::string& partition,
                                         const std::string& unit);

// " (USD)" when all are the same, which then stands in the header; "" when a column has to say it.
[[nodiscard]] std::string common_unit(const std::vector<std::string>& units);

}  // namespace asbb::cli
