// What the rows of the tables must say besides money that is held and used; store/verify_rows.cc
// writes the same words from the tables.
#include "ledger/auditor_state.h"

namespace asbb::ledger {
namespace {

std::string digits(AuditSum value) {
  return std::to_string(audit_narrow(value));
}

std::string row_of(const AuditedAccount& account) {
  std::string text = "name " + account.name + ", parent " + account.parent + ", status " +
                     account.status + ", converts " + (account.may_convert ? "1" : "0") +
                     ", aliases";
  for (const std::string& alias : account.aliases) text += " " + alias;
  return text + ", owners " + account.owners;
}

std::string row_of(const AuditedLimit& budget) {
  return "account " + digits(budget.account) + ", unit " + budget.unit + ", from " +
         digits(budget.start_us) + " to " + digits(budget.end_us) + ", credit " +
         digits(budget.credit) + ", carries over " + digits(budget.carry_share) + ", carried " +
         digits(budget.carried) + ", carried in " + digits(budget.carried_in);
}

std::string row_of(const AuditedHold& hold, const AuditedPart& part) {
  std::string text = "kind " + hold.kind + ", request " + hold.name + ", account " +
                     digits(hold.account) + ", user " + hold.user + ", partition " +
                     hold.partition + ", job " + (hold.bound ? hold.cluster : "") + "/" +
                     digits(hold.job_id) + "/" + digits(hold.submit_us) + ", pays " +
                     digits(part.budget) + ", prices " + digits(part.price_version) + ", legs";
  for (const auto& [kind, id] : part.legs) text += std::string(" ") + kind + digits(id);
  return text;
}

}  // namespace

AuditRows Auditor::State::rows_of_hold(std::int64_t id) const {
  AuditRows out;
  const auto known = holds.find(id);
  if (known == holds.end()) return out;
  const AuditedHold& hold = known->second;
  const std::string name = "hold " + digits(id);
  for (const auto& [unit, part] : hold.parts) out[name + " (" + unit + ")"] = row_of(hold, part);
  for (const auto& [job, settled] : hold.settlements) {
    const AuditSum cost = settled.charge + settled.overrun;
    out["run of " + name + " (" + job + ")"] =
        cost == 0
            ? std::string(audit_nothing)
            : "cost " + digits(cost) + " " + settled.unit + ", charged " + digits(settled.charge) +
                  ", overrun " + digits(settled.overrun) + ", refunded " + digits(settled.refunded);
  }
  return out;
}

AuditRows Auditor::State::rows() const {
  AuditRows out;
  for (const auto& [id, account] : accounts) out["account " + digits(id)] = row_of(account);
  for (const auto& [id, budget] : budgets) out["terms of budget " + digits(id)] = row_of(budget);
  for (const auto& [id, limit] : limits) {
    out["place of limit " + digits(id)] =
        "budget " + digits(limit.budget) + ", partition " + limit.partition;
  }
  for (std::size_t i = 0; i < rates.size(); ++i) {
    out["rate " + std::to_string(i + 1)] = rates[i].from_unit + " to " + rates[i].to_unit + ": " +
                                           digits(rates[i].rate) + " from " +
                                           digits(rates[i].effective_us);
  }
  for (std::size_t i = 0; i < price_texts.size(); ++i) {
    out["prices " + std::to_string(i + 1)] =
        "from " + digits(price_texts[i].first) + ", " + price_texts[i].second;
  }
  return out;
}

}  // namespace asbb::ledger
