// What an administrator allows budgets to be: bounds against slips of whoever types an amount.
// Pure; any thread.
#pragma once

#include <string>

#include "base/money.h"
#include "base/result.h"

namespace asbb::service {

struct BudgetBounds {
  Micros least;  // of a limit and of a deposit, in whichever unit
  Micros most = max_amount;
  bool lends_to_running = false;  // a budget without a credit limit gets one as large as itself
};

// invalid: the amount is out of the bounds; `field` is at fault, and `what` says what the amount
// is where it is not the field's own.
[[nodiscard]] Result<void> check_bounds(const BudgetBounds& bounds, const std::string& field,
                                        Micros amount, const std::string& what = {});

}  // namespace asbb::service
