// The auditor's checks of accounts, budgets and limits, and the sums they all share.
#include <algorithm>

#include "ledger/auditor_state.h"

namespace asbb::ledger {
namespace {

bool is_one_of(const std::string& word, std::initializer_list<const char*> words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

std::string name_of(const std::pair<char, std::int64_t>& leg) {
  return (leg.first == 'b' ? "budget " : "partition limit ") + std::to_string(leg.second);
}

}  // namespace

void Auditor::State::apply(const AuditRecord& record) {
  if (record.amount_micros < 0 && record.type != "adjustment") {
    problem(record.sequence, "the amount of a " + record.type + " is negative");
  }
  if (!sent.kind.empty() && record.type != sent.kind + "_in") {
    problem(record.sequence, "a " + sent.kind + " was sent and did not arrive");
    sent = {};
  }
  if (is_one_of(record.type, {"account_create", "account_update", "account_close"})) {
    account_entry(record);
  } else if (is_one_of(record.type, {"budget_create", "budget_update"})) {
    budget_entry(record);
  } else if (record.type == "limit_set") {
    limit_entry(record);
  } else if (record.type == "hold") {
    hold_entry(record);
  } else if (record.type == "bind") {
    bind_entry(record);
  } else if (is_one_of(record.type, {"charge", "release", "overrun", "refund", "write_off_out"})) {
    hold_money_entry(record);
  } else if (record.type == "adjustment") {
    adjustment_entry(record);
  } else if (is_one_of(record.type, {"deposit", "withdrawal", "transfer_out", "transfer_in",
                                     "carry_out", "carry_in", "convert_out", "convert_in"})) {
    moved_limit_entry(record);
  } else if (record.type == "write_off_in") {
    write_off_entry(record);
  } else if (record.type == "conversion_rate") {
    rate_entry(record);
  } else if (record.type == "enforcement") {
    enforcement_entry(record);
  } else if (record.type == "prices") {
    prices_entry(record);
  } else {
    problem(record.sequence, "nobody knows entries of type '" + record.type + "'");
  }
}

void Auditor::State::account_entry(const AuditRecord& record) {
  const auto known = accounts.find(record.account);
  if (record.type == "account_create") {
    if (known != accounts.end() || account_names.contains(record.account_name)) {
      problem(record.sequence, "account '" + record.account_name + "' is created twice");
      return;
    }
    account_names[record.account_name] = record.account;
    accounts[record.account].name = record.account_name;
  } else if (known == accounts.end() || known->second.name != record.account_name) {
    problem(record.sequence, "account '" + record.account_name + "' was never created");
    return;
  }
  AuditedAccount& account = accounts[record.account];
  if (record.type == "account_close") {
    account.status = "closed";
    return;
  }
  account.parent = audit_text(record.details, "parent");
  account.status = audit_text(record.details, "status");
  account.may_convert = audit_text(record.details, "may_convert") == "1";
  account.owners = record.details.contains("owners") ? audit_text(record.details, "owners") : "";
  may_carry(record.account, record.at_us);
  take_in_aliases(record);
  check_parents(record);
}

void Auditor::State::take_in_aliases(const AuditRecord& record) {
  AuditedAccount& account = accounts[record.account];
  for (const std::string& alias : account.aliases) account_names.erase(alias);
  account.aliases.clear();
  std::string_view left = record.details.contains("aliases")
                              ? std::string_view(record.details.find("aliases")->second)
                              : std::string_view();
  while (!left.empty()) {
    const std::string alias(left.substr(0, left.find(',')));
    left.remove_prefix(std::min(left.size(), alias.size() + 1));
    if (alias.empty() || !account_names.emplace(alias, record.account).second) {
      problem(record.sequence, "the alias '" + alias + "' of account '" + record.account_name +
                                   "' names an account already");
      continue;
    }
    account.aliases.push_back(alias);
  }
}

void Auditor::State::check_parents(const AuditRecord& record) {
  std::size_t steps = 0;
  for (std::string name = record.account_name; !name.empty();) {
    const auto found = account_names.find(name);
    if (found == account_names.end() || ++steps > accounts.size()) {
      problem(record.sequence, "above account '" + record.account_name +
                                   "' there is an unknown account or a circle");
      accounts[record.account].parent.clear();
      return;
    }
    name = accounts[found->second].parent;
  }
}

void Auditor::State::new_limit(const AuditRecord& record, AuditedLimit& limit, const char* what) {
  const bool is_lowered = !limit.is_limited || record.amount_micros < limit.limit;
  if (is_lowered && record.amount_micros < limit.held + limit.used) {
    problem(record.sequence, std::string(what) + " is lowered to " +
                                 audit_amount(record.amount_micros) + ", below what is held (" +
                                 audit_amount(limit.held) + ") and used (" +
                                 audit_amount(limit.used) + ")");
  }
  if (record.amount_micros > audit_limit_edge) {
    problem(record.sequence, std::string(what) + " is beyond what can be entered");
  }
  limit.is_limited = true;
  limit.limit = record.amount_micros;
}

void Auditor::State::budget_entry(const AuditRecord& record) {
  const std::string name = "budget " + std::to_string(record.budget);
  const auto known = budgets.find(record.budget);
  if ((known == budgets.end()) != (record.type == "budget_create") ||
      !accounts.contains(record.account)) {
    problem(record.sequence, name + " is created twice, changed before it was, or of no account");
    return;
  }
  if (known == budgets.end() && accounts[record.account].status == "closed") {
    problem(record.sequence, name + " is added to a closed account");
  }
  AuditedLimit& budget = budgets[record.budget];
  if (known == budgets.end()) {
    budget.account = record.account;
    budget.unit = record.unit;
    accounts[record.account].budgets.push_back(record.budget);
  }
  if (budget.account != record.account || budget.unit != record.unit) {
    problem(record.sequence, name + " changes its account or its unit");
  }
  const auto period_before = std::pair(budget.start_us, budget.end_us);
  budget.start_us = audit_number(record.details, "start_us").value_or(0);
  budget.end_us = audit_number(record.details, "end_us").value_or(0);
  const bool is_moved = period_before != std::pair(budget.start_us, budget.end_us);
  const bool covers_now = budget.start_us <= record.at_us && record.at_us < budget.end_us;
  if (is_moved && !covers_now && (budget.held != 0 || budget.used != 0)) {
    problem(record.sequence, name + " is moved away from what it holds and has used");
  }
  if (budget.end_us <= budget.start_us) problem(record.sequence, name + " ends before it starts");
  for (const std::int64_t id : accounts[budget.account].budgets) {
    const AuditedLimit& other = budgets[id];
    if (id == record.budget || other.unit != budget.unit) continue;
    if (other.start_us < budget.end_us && budget.start_us < other.end_us) {
      problem(record.sequence, name + " overlaps budget " + std::to_string(id));
    }
  }
  units[budget.unit].funded += record.amount_micros - budget.limit;
  new_limit(record, budget, "the budget");
  const AuditSum granted = record.amount_micros + budget.carried - budget.carried_in;
  if (audit_number(record.details, "granted_micros").value_or(record.amount_micros) != granted) {
    problem(record.sequence,
            name + " was granted " + audit_amount(granted) + ", and the entry says otherwise");
  }
  carry_ends.erase({period_before.second, record.budget});
  accounts[record.account].carrying -= budget.carry_share > 0 ? 1 : 0;
  budget.carry_share = audit_number(record.details, "carry_over_millionths").value_or(0);
  accounts[record.account].carrying += budget.carry_share > 0 ? 1 : 0;
  if (budget.carry_share > 0) carry_ends.insert({budget.end_us, record.budget});
  may_carry(record.account, record.at_us);
  if (budget.carry_share < 0 || budget.carry_share > 1'000'000) {
    problem(record.sequence, name + " carries over less than nothing, or more than all");
  }
  budget.credit = audit_number(record.details, "credit_limit_micros").value_or(0);
  if (budget.credit < 0 || budget.credit > audit_limit_edge) {
    problem(record.sequence, name + " lends less than nothing, or too much");
  }
}

void Auditor::State::limit_entry(const AuditRecord& record) {
  const auto id = audit_number(record.details, "limit");
  const auto budget = budgets.find(record.budget);
  if (!id || budget == budgets.end() || budget->second.account != record.account ||
      budget->second.unit != record.unit || record.partition.empty()) {
    problem(record.sequence, "a partition limit without a number, a partition or its budget");
    return;
  }
  if (!limits.contains(*id)) add_partition(record, record.budget, *id);
  AuditedLimit& limit = limits[*id];
  if (limit.budget != record.budget || limit.partition != record.partition) {
    problem(record.sequence, "partition limit " + std::to_string(*id) + " changes its place");
  }
  new_limit(record, limit, "the partition limit");
}

std::int64_t Auditor::State::partition_of(std::int64_t budget, const std::string& name) const {
  for (const std::int64_t id : budgets.at(budget).limits) {
    if (limits.at(id).partition == name) return id;
  }
  return 0;
}

void Auditor::State::add_partition(const AuditRecord& record, std::int64_t budget,
                                   std::int64_t id) {
  if (partition_of(budget, record.partition) != 0) {
    problem(record.sequence,
            "budget " + std::to_string(budget) + " has two counts for '" + record.partition + "'");
  }
  AuditedLimit fresh;
  fresh.account = budgets[budget].account;
  fresh.budget = budget;
  fresh.unit = record.unit;
  fresh.partition = record.partition;
  limits[id] = fresh;
  budgets[budget].limits.push_back(id);
}

void Auditor::State::prices_entry(const AuditRecord& record) {
  if (record.price_version != ++price_version) {
    problem(record.sequence, "price version " + std::to_string(record.price_version) +
                                 " stands where version " + std::to_string(price_version) +
                                 " must be");
    price_version = record.price_version;
  }
  price_texts.emplace_back(audit_number(record.details, "effective_from_us").value_or(0),
                           audit_digest(audit_text(record.details, "text")));
}

AuditedLimit* Auditor::State::leg(const std::pair<char, std::int64_t>& name) {
  auto& map = name.first == 'b' ? budgets : limits;
  const auto found = map.find(name.second);
  return found == map.end() ? nullptr : &found->second;
}

bool Auditor::State::check_legs(const AuditRecord& record, const AuditLegs& legs) {
  for (std::size_t i = 0; i < legs.size(); ++i) {
    const AuditedLimit* limit = leg(legs[i]);
    if (limit == nullptr || limit->unit != record.unit ||
        std::find(legs.begin(), legs.begin() + static_cast<std::ptrdiff_t>(i), legs[i]) !=
            legs.begin() + static_cast<std::ptrdiff_t>(i)) {
      problem(record.sequence,
              name_of(legs[i]) + " is unknown, of another unit, or drawn on twice");
      return false;
    }
  }
  if (legs.front() != std::pair('b', record.budget)) {
    problem(record.sequence, "the budget that pays is not the first that is drawn on");
    return false;
  }
  return true;
}

AuditLegs Auditor::State::expected_legs(const AuditRecord& record, std::int64_t at_us) const {
  AuditLegs out;
  auto account = accounts.find(record.account);
  while (account != accounts.end()) {
    for (const std::int64_t id : account->second.budgets) {
      const AuditedLimit& budget = budgets.at(id);
      if (budget.unit != record.unit || at_us < budget.start_us || at_us >= budget.end_us) continue;
      out.emplace_back('b', id);
      if (!record.partition.empty()) out.emplace_back('l', partition_of(id, record.partition));
    }
    const auto parent = account_names.find(account->second.parent);
    account = parent == account_names.end() ? accounts.end() : accounts.find(parent->second);
  }
  return out;
}

void Auditor::State::move(const AuditRecord& record, const AuditLegs& legs, AuditSum held,
                          AuditSum used) {
  for (const auto& name : legs) {
    AuditedLimit& limit = *leg(name);
    limit.held += held;
    limit.used += used;
    if (name.first == 'b') may_carry(limit.account, record.at_us);
    if (limit.held < 0) problem(record.sequence, name_of(name) + " holds less than nothing");
    if (limit.used < 0) problem(record.sequence, name_of(name) + " has used less than nothing");
    if (limit.held > audit_counter_edge || limit.used > audit_counter_edge ||
        limit.used < -audit_counter_edge) {
      problem(record.sequence, "a counter of " + name_of(name) + " is beyond what is counted");
    }
  }
}

}  // namespace asbb::ledger
