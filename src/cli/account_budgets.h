// The budgets that 'asbb account create' is given: amounts with their units over one period, and
// further periods. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "api/account.h"
#include "base/result.h"

namespace asbb::cli {

struct BudgetFlags {
  std::vector<std::string> budgets;  // AMOUNT or AMOUNTUNIT, from `start` to `end`
  std::vector<std::string> periods;  // FIRST..LAST:AMOUNT or FIRST..LAST:AMOUNTUNIT
  std::optional<std::string> start;
  std::optional<std::string> end;
  std::string unit;  // of amounts that name none; empty: the service's
  std::string carry_over;
  std::optional<std::string> credit_limit;
};

// All of them, or what is wrong in a sentence that names the flag.
[[nodiscard]] Result<std::vector<api::NewBudget>> read_budgets(const BudgetFlags& flags);

// What is wrong with --carry-over; nothing when it is empty or right.
[[nodiscard]] std::optional<Error> carry_over_fault(const std::string& text);

}  // namespace asbb::cli
