#include "store/broken_rows.h"

namespace asbb::store {

std::vector<Breakage> breakages() {
  using ledger::HoldStatus;
  return {
      {"held below zero", [](Batch& b) { b.budgets[0].held = Micros(-1); }},
      {"limit below zero", [](Batch& b) { b.budgets[0].limit = Micros(-1); }},
      {"limit out of range", [](Batch& b) { b.budgets[0].limit = Micros(max_amount.count() + 1); }},
      {"credit below zero", [](Batch& b) { b.budgets[0].credit_limit = Micros(-1); }},
      {"carries over more than all",
       [](Batch& b) { b.budgets[0].carry_over_millionths = ledger::carry_all + 1; }},
      {"carries over less than nothing", [](Batch& b) { b.budgets[0].carry_over_millionths = -1; }},
      {"carried less than nothing", [](Batch& b) { b.budgets[0].carried = Micros(-1); }},
      {"less than nothing carried in", [](Batch& b) { b.budgets[0].carried_in = Micros(-1); }},
      {"ends when it starts", [](Batch& b) { b.budgets[0].end = b.budgets[0].start; }},
      {"no unit", [](Batch& b) { b.budgets[0].unit.clear(); }},
      {"no such account", [](Batch& b) { b.budgets[0].account = ledger::AccountId{77}; }},
      {"used below zero", [](Batch& b) { b.budgets[0].used = Micros(-1); }},
      {"used of a limit", [](Batch& b) { b.limits[0].used = Micros(-1); }},
      {"limit of a limit", [](Batch& b) { b.limits[0].limit = Micros(-1); }},
      {"held of a limit", [](Batch& b) { b.limits[0].held = Micros(-1); }},
      {"second limit of a partition", [](Batch& b) { b.limits[0].id = ledger::LimitId{2}; }},
      {"no such budget", [](Batch& b) { b.limits[0].budget = ledger::BudgetId{77}; }},
      {"no such parent", [](Batch& b) { b.accounts[0].parent = ledger::AccountId{77}; }},
      {"own parent", [](Batch& b) { b.accounts[0].parent = b.accounts[0].id; }},
      {"second account of a name", [](Batch& b) { b.accounts[0].id = ledger::AccountId{2}; }},
      {"account without a name", [](Batch& b) { b.accounts[0].name.clear(); }},
      {"unopened below zero", [](Batch& b) { b.holds[0].parts[0].unopened = Micros(-1); }},
      {"granted below zero", [](Batch& b) { b.holds[0].parts[0].granted = Micros(-1); }},
      {"two parts of a unit", [](Batch& b) { b.holds[0].parts.push_back(b.holds[0].parts[0]); }},
      {"no task", [](Batch& b) { b.holds[0].task_count = 0; }},
      {"more tasks than it has", [](Batch& b) { b.holds[0].tasks_opened = 2; }},
      {"open shares below zero", [](Batch& b) { b.holds[0].open_shares = -1; }},
      {"closed with an open share",
       [](Batch& b) {
         b.holds[0].status = HoldStatus::closed;
         b.holds[0].open_shares = 1;
       }},
      {"second hold of a token", [](Batch& b) { b.holds[0].id = ledger::HoldId{3}; }},
      {"hold without an account", [](Batch& b) { b.holds[0].account = {}; }},
      {"share holds below zero", [](Batch& b) { b.shares[0].held[0] = Micros(-1); }},
      {"charged below zero", [](Batch& b) { b.shares[0].charged = Micros(-1); }},
      {"refunded beyond the cost", [](Batch& b) { b.shares[0].refunded = Micros(1); }},
      {"refunded below zero", [](Batch& b) { b.shares[0].refunded = Micros(-1); }},
      {"second share of a run", [](Batch& b) { b.shares[0].id = ledger::ShareId{2}; }},
      {"no such hold", [](Batch& b) { b.shares[0].hold = ledger::HoldId{77}; }},
      {"price version 0", [](Batch& b) { b.prices[0].version = 0; }},
      {"rate version 0", [](Batch& b) { b.rates[0].version = 0; }},
      {"rate of nothing", [](Batch& b) { b.rates[0].rate = Micros(); }},
      {"rate between a unit and itself",
       [](Batch& b) { b.rates[0].to_unit = b.rates[0].from_unit; }},
      {"rate from no unit", [](Batch& b) { b.rates[0].from_unit.clear(); }},
      {"answer to no id", [](Batch& b) { b.answers[0].request_id.clear(); }},
      {"charge below zero", [](Batch& b) { b.entries[0].entry.amount = Micros(-1); }},
      {"entry without a record", [](Batch& b) { b.entries[0].record.clear(); }},
      {"entry of no account", [](Batch& b) { b.entries[0].entry.account.value = 77; }},
      {"entry of no hold", [](Batch& b) { b.entries[0].entry.hold.value = 77; }},
  };
}

}  // namespace asbb::store
