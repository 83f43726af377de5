#include "service/budget_bounds.h"

namespace asbb::service {

Result<void> check_bounds(const BudgetBounds& bounds, const std::string& field, Micros amount,
                          const std::string& what) {
  if (amount >= bounds.least && amount <= bounds.most) return {};
  const bool is_small = amount < bounds.least;
  return fail(
      ErrorKind::invalid,
      field + ": " + what + to_display(amount) + " is " +
          (is_small ? "less than budget.min_budget_amount" : "more than budget.max_budget_amount") +
          " of the service's settings; allowed is " + to_display(bounds.least) + " to " +
          to_display(bounds.most),
      field);
}

}  // namespace asbb::service
