// Many accounts at once, and budgets for others: what an administrator brings in a file.
#include "ledger/decide.h"

namespace asbb::ledger {

Outcome decide_action(Stage& stage, const Context& context, const ImportAccounts& action) {
  // All of it or nothing: what is refused further down must leave no trace here.
  Stage trial = stage;
  Outcome outcome;
  const auto take = [&](const auto& list, const std::string& name) {
    for (std::size_t i = 0; i < list.size(); ++i) {
      outcome = decide_action(trial, context, list[i]);
      if (outcome.accepted()) continue;
      outcome.field = name + "[" + std::to_string(i) + "]." + outcome.field;
      return false;
    }
    return true;
  };
  if (take(action.accounts, "accounts") && take(action.budgets, "budgets")) {
    stage = std::move(trial);
  }
  return outcome;
}

}  // namespace asbb::ledger
