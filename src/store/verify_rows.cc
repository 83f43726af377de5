#include "store/verify_rows.h"

#include <functional>
#include <map>
#include <string>

namespace asbb::store {
namespace {

std::string digits(std::int64_t value) {
  return std::to_string(value);
}

// As the auditor names a share inside its hold.
std::string share_name(const ledger::ShareKey& key) {
  std::string name;
  for (const std::string& part :
       {key.cluster, digits(key.job_id), digits(key.task), digits(key.run), key.external_id}) {
    name += std::to_string(part.size()) + ':' + part;
  }
  return name;
}

std::string row_of(const ledger::Account& account, const std::string& parent) {
  std::string text = "name " + account.name + ", parent " + parent + ", status " +
                     to_string(account.status) + ", converts " + (account.may_convert ? "1" : "0") +
                     ", aliases";
  for (const std::string& alias : account.aliases) text += " " + alias;
  text += ", owners ";
  for (const std::string& owner : account.owners) {
    text += (owner == account.owners.front() ? "" : ",") + owner;
  }
  return text;
}

std::string row_of(const ledger::Budget& budget) {
  return "account " + digits(budget.account.value) + ", unit " + budget.unit + ", from " +
         digits(budget.start.microseconds) + " to " + digits(budget.end.microseconds) +
         ", credit " + digits(budget.credit_limit.count()) + ", carries over " +
         digits(budget.carry_over_millionths) + ", carried " + digits(budget.carried.count()) +
         ", carried in " + digits(budget.carried_in.count());
}

std::string row_of(const ledger::Hold& hold, const ledger::HoldPart& part) {
  const ledger::JobRef job = hold.job.value_or(ledger::JobRef{});
  std::string text = std::string("kind ") + to_string(hold.kind) + ", request " + hold.request_id +
                     ", account " + digits(hold.account.value) + ", user " + hold.user +
                     ", partition " + hold.partition + ", job " + job.cluster + "/" +
                     digits(job.job_id) + "/" + digits(job.submit_time.microseconds) + ", pays " +
                     digits(part.budget.value) + ", prices " + digits(part.price_version) +
                     ", legs";
  for (const ledger::Leg& leg : part.legs) {
    text += (leg.kind == ledger::Leg::Kind::budget ? " b" : " l") + digits(leg.id);
  }
  return text;
}

std::string row_of(const ledger::Share& share) {
  const bool adds_up = share.charged + share.overrun == share.actual;
  if (adds_up && share.actual.is_zero() && share.charged.is_zero() && share.refunded.is_zero()) {
    return std::string(ledger::audit_nothing);
  }
  return "cost " + digits(share.actual.count()) + " " + share.unit + ", charged " +
         digits(share.charged.count()) + ", overrun " + digits(share.overrun.count()) +
         ", refunded " + digits(share.refunded.count());
}

}  // namespace

void add_rows(const ledger::Hold& hold, const std::vector<const ledger::Share*>& shares,
              ledger::AuditRows& rows) {
  const std::string name = "hold " + digits(hold.id.value);
  for (const ledger::HoldPart& part : hold.parts) {
    rows[name + " (" + part.unit + ")"] = row_of(hold, part);
  }
  for (const ledger::Share* share : shares) {
    if (share->status != ledger::ShareStatus::settled) continue;
    rows["run of " + name + " (" + share_name(share->key) + ")"] = row_of(*share);
  }
}

void add_rows(const Snapshot& snapshot, ledger::AuditRows& rows) {
  std::map<ledger::AccountId, std::string> names;
  for (const ledger::Account& account : snapshot.accounts) names[account.id] = account.name;
  for (const ledger::Account& account : snapshot.accounts) {
    const auto parent = names.find(account.parent);
    rows["account " + digits(account.id.value)] =
        row_of(account, parent == names.end() ? std::string() : parent->second);
  }
  for (const ledger::Budget& budget : snapshot.budgets) {
    rows["terms of budget " + digits(budget.id.value)] = row_of(budget);
  }
  for (const ledger::PartitionLimit& limit : snapshot.limits) {
    rows["place of limit " + digits(limit.id.value)] =
        "budget " + digits(limit.budget.value) + ", partition " + limit.partition;
  }
  for (const ledger::ConversionRate& rate : snapshot.rates) {
    rows["rate " + digits(rate.version)] = rate.from_unit + " to " + rate.to_unit + ": " +
                                           digits(rate.rate.count()) + " from " +
                                           digits(rate.effective_from.microseconds);
  }
  for (const ledger::PriceVersion& prices : snapshot.prices) {
    const std::string_view text = prices.text;
    rows["prices " + digits(prices.version)] =
        "from " + digits(prices.effective_from.microseconds) + ", " + std::to_string(text.size()) +
        " bytes " + std::to_string(std::hash<std::string_view>{}(text));
  }
}

}  // namespace asbb::store
