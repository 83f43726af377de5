// Accounts, budgets, limits, what is carried over, and answers that are given again.
#include <algorithm>

#include "ledger/testing/reference.h"

namespace asbb::reference {
namespace {

constexpr Moment minute = 60'000'000;
constexpr Moment token_good_for = 24 * 60 * minute;
constexpr Moment token_ahead = 10 * minute;
constexpr std::size_t aliases_max = 100;
constexpr std::size_t owners_max = 20;
constexpr Amount factor_max = 100'000'000;
constexpr Amount whole = 1'000'000;

bool is_factor(const std::optional<Amount>& factor) {
  return !factor || (*factor >= 1 && *factor <= factor_max);
}

std::string why_not_owners(const std::vector<std::string>& owners) {
  if (owners.size() > owners_max) return "too_many_owners";
  for (const std::string& owner : owners) {
    const auto ats = std::count(owner.begin(), owner.end(), '@');
    const bool is_open = owner.starts_with('@') || owner.ends_with('@');
    const bool has_colon = std::count(owner.begin(), owner.end(), ':') > 0;
    if (!is_name(owner) || ats > 1 || is_open || has_colon) return "bad_name";
  }
  return {};
}

bool share_a_moment(const Period& one, Moment start, Moment end) {
  return std::max(one.start, start) < std::min(one.end, end);
}

}  // namespace

Answer no(const std::string& refusal) {
  Answer answer;
  answer.refusal = refusal;
  return answer;
}

bool is_name(const std::string& text) {
  static const std::string known =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.@+:";
  return !text.empty() && text.size() <= 128 && text[0] != '-' &&
         text.find_first_not_of(known) == std::string::npos;
}

bool is_unit(const std::string& text) {
  static const std::string letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
  static const std::string known = letters + "0123456789_-";
  return !text.empty() && text.size() <= 32 && letters.find(text[0]) != std::string::npos &&
         text.find_first_not_of(known) == std::string::npos;
}

bool is_text(const std::string& text) {
  return text.size() <= 2000 && std::count(text.begin(), text.end(), '\0') == 0;
}

bool is_limit(Amount amount) {
  return amount >= 0 && amount <= amount_max;
}

Answer Reference::decide(const Asked& asked, const Command& command) {
  if (const auto known = remembered_.find(asked.id); known != remembered_.end()) {
    if (known->second.body != asked.body) return no("request_id_conflict");
    Answer again = known->second.answer;
    again.is_repeated = true;
    return again;
  }
  carry(asked.at);
  const bool is_out_of_time = asked.minted && (asked.at - *asked.minted > token_good_for ||
                                               *asked.minted - asked.at > token_ahead);
  const Answer answer =
      is_out_of_time ? no("request_too_old")
                     : std::visit([&](const auto& ask) { return judge(asked, ask); }, command);
  carry(asked.at);
  if (!asked.id.empty() && (answer.refusal == "none" || asked.keeps_refusals)) {
    remembered_[asked.id] = {asked.body, answer};
  }
  return answer;
}

Account* Reference::find_account(const std::string& name) {
  for (Account& each : state_.accounts) {
    if (each.name == name || each.aliases.contains(name)) return &each;
  }
  return nullptr;
}

std::string Reference::why_not_standing(Number id) {
  for (; id != 0; id = account(id).parent) {
    const std::string& status = account(id).status;
    if (status == "closed") return "account_closed";
    if (status != "active") return "account_inactive";
  }
  return {};
}

Figures Reference::figures(const Period& of) {
  return {account(of.account).name, "", of.limit(), of.held, of.used, of.available()};
}

Figures Reference::figures(const Period& of, const std::string& partition) {
  const Partition& line = of.partitions.at(partition);
  const Amount limit = line.limit.value_or(0);
  const Amount available = line.limit ? limit - line.held - line.used : 0;
  return {account(of.account).name, partition, limit, line.held, line.used, available};
}

Answer Reference::refuse(const std::string& refusal, const Figures& line, Amount asked_for) {
  Answer answer = no(refusal);
  answer.line = line;
  answer.amount = asked_for;
  return answer;
}

// The one in force, else the next to come, else the last.
Period* Reference::nearest(Number account, const std::string& unit, Moment at) {
  Period* next = nullptr;
  Period* last = nullptr;
  for (Period& each : state_.periods) {
    if (each.account != account || each.unit != unit) continue;
    if (each.is_in_force(at)) return &each;
    if (each.start > at && (next == nullptr || each.start < next->start)) next = &each;
    if (each.end <= at && (last == nullptr || each.end > last->end)) last = &each;
  }
  return next != nullptr ? next : last;
}

std::string Reference::why_not(const NewPeriod& wanted, Number account, Number except) const {
  if (!is_unit(wanted.unit)) return "bad_name";
  if (!is_limit(wanted.limit) || !is_limit(wanted.credit)) return "bad_amount";
  if (wanted.rule < 0 || wanted.rule > whole) return "bad_amount";
  if (wanted.start >= wanted.end) return "bad_period";
  for (const Period& each : state_.periods) {
    if (each.account == account && each.unit == wanted.unit && each.id != except &&
        share_a_moment(each, wanted.start, wanted.end)) {
      return "budget_overlaps";
    }
  }
  return {};
}

// With the partition limits of the account's period before it.
Number Reference::add_period(Number account, const NewPeriod& wanted) {
  Period added;
  added.id = static_cast<Number>(state_.periods.size()) + 1;
  added.account = account;
  added.unit = wanted.unit;
  added.start = wanted.start;
  added.end = wanted.end;
  added.granted = wanted.limit;
  added.credit = wanted.credit;
  added.rule = wanted.rule;
  const Period* before = nullptr;
  for (const Period& each : state_.periods) {
    const bool is_before =
        each.account == account && each.unit == wanted.unit && each.start < wanted.start;
    if (is_before && (before == nullptr || before->start < each.start)) before = &each;
  }
  if (before != nullptr) {
    for (const auto& [partition, line] : before->partitions) {
      if (line.limit) added.partitions[partition].limit = line.limit;
    }
  }
  state_.periods.push_back(added);
  return added.id;
}

Answer Reference::judge(const Asked&, const CreateAccount& ask) {
  if (!is_name(ask.name)) return no("bad_name");
  if (!std::all_of(ask.texts.begin(), ask.texts.end(), is_text)) return no("bad_name");
  if (!is_factor(ask.factor)) return no("bad_amount");
  if (find_account(ask.name) != nullptr) return no("account_exists");
  const Account* parent = find_account(ask.parent);
  if (!ask.parent.empty() && parent == nullptr) return no("unknown_parent");
  if (parent != nullptr && parent->status == "closed") return no("account_closed");
  if (const std::string why = why_not_owners(ask.owners); !why.empty()) return no(why);
  if (ask.aliases.size() > aliases_max) return no("too_many_aliases");
  for (const std::string& alias : ask.aliases) {
    if (!is_name(alias)) return no("bad_name");
    if (alias == ask.name || find_account(alias) != nullptr) return no("alias_taken");
  }
  Account added;
  added.aliases = {ask.aliases.begin(), ask.aliases.end()};
  added.owners = {ask.owners.begin(), ask.owners.end()};
  added.id = static_cast<Number>(state_.accounts.size()) + 1;
  added.name = ask.name;
  added.parent = parent == nullptr ? 0 : parent->id;
  const auto periods_before = state_.periods.size();
  for (const NewPeriod& period : ask.periods) {
    if (const std::string why = why_not(period, added.id, 0); !why.empty()) {
      state_.periods.resize(periods_before);
      return no(why);
    }
    add_period(added.id, period);
  }
  state_.accounts.push_back(added);
  return {};
}

Answer Reference::judge(const Asked& asked, const UpdateAccount& ask) {
  Account* known = find_account(ask.name);
  if (known == nullptr) return no("unknown_account");
  if (!std::all_of(ask.texts.begin(), ask.texts.end(), is_text)) return no("bad_name");
  if (!is_factor(ask.factor)) return no("bad_amount");
  if (ask.status == "closed") return no("bad_name");
  Number parent = known->parent;
  if (ask.parent) {
    const Account* above = find_account(*ask.parent);
    if (above == nullptr && !ask.parent->empty()) return no("unknown_parent");
    if (above != nullptr && above->status == "closed") return no("account_closed");
    parent = above == nullptr ? 0 : above->id;
    for (Number id = parent; id != 0; id = account(id).parent) {
      if (id == known->id) return no("parent_cycle");
    }
  }
  const auto owners = ask.owners.value_or(std::vector<std::string>{});
  if (const std::string why = why_not_owners(owners); !why.empty()) return no(why);
  if (ask.aliases && ask.aliases->size() > aliases_max) return no("too_many_aliases");
  for (const std::string& alias : ask.aliases.value_or(std::vector<std::string>{})) {
    if (!is_name(alias)) return no("bad_name");
    const bool is_its_own = known->aliases.contains(alias);
    if (!is_its_own && find_account(alias) != nullptr) return no("alias_taken");
  }
  Answer answer = change_periods(asked, ask, *known);
  if (answer.refusal != "none") return answer;
  known->parent = parent;
  known->status = ask.status.value_or(known->status);
  known->may_convert = ask.may_convert.value_or(known->may_convert);
  if (ask.owners) known->owners = {ask.owners->begin(), ask.owners->end()};
  if (ask.aliases) known->aliases = {ask.aliases->begin(), ask.aliases->end()};
  return answer;
}

// The period that the update names is changed, or added; or none is named.
Answer Reference::change_periods(const Asked& asked, const UpdateAccount& ask,
                                 const Account& known) {
  if (!ask.limit && !ask.start && !ask.end && !ask.credit && !ask.rule) return {};
  if (!ask.limit || !ask.start || !ask.end) {
    Period* changed = nearest(known.id, ask.unit, asked.at);
    return changed == nullptr ? no("unknown_budget") : change_period(asked, ask, *changed);
  }
  if (*ask.start >= *ask.end) return no("bad_period");
  for (Period& each : state_.periods) {
    const bool is_meant = each.account == known.id && each.unit == ask.unit &&
                          share_a_moment(each, *ask.start, *ask.end);
    if (is_meant) return change_period(asked, ask, each);
  }
  if (ask.status.value_or(known.status) == "closed") return no("account_closed");
  const NewPeriod wanted{
      ask.unit, *ask.start, *ask.end, *ask.limit, ask.credit.value_or(0), ask.rule.value_or(0)};
  if (const std::string why = why_not(wanted, known.id, 0); !why.empty()) return no(why);
  Answer answer;
  answer.budget = add_period(known.id, wanted);
  return answer;
}

// What is declared is what people grant; what was carried comes on top.
Answer Reference::change_period(const Asked& asked, const UpdateAccount& ask, Period& changed) {
  const Figures now = figures(changed);
  const Amount committed = changed.held + changed.used;
  Period wanted = changed;
  if (ask.limit) {
    if (!is_limit(*ask.limit)) return no("bad_amount");
    wanted.granted = *ask.limit;
    if (wanted.limit() < changed.limit() && wanted.limit() < committed) {
      Answer answer = refuse("limit_below_committed", now, *ask.limit);
      answer.released = std::max<Amount>(changed.went_on - changed.came_in, 0);
      return answer;
    }
    if (wanted.limit() > amount_max) {
      return refuse("limit_too_large", now, wanted.limit() - changed.limit());
    }
  }
  wanted.start = ask.start.value_or(changed.start);
  wanted.end = ask.end.value_or(changed.end);
  wanted.credit = ask.credit.value_or(changed.credit);
  wanted.rule = ask.rule.value_or(changed.rule);
  const NewPeriod as_new{wanted.unit,    wanted.start,  wanted.end,
                         wanted.limit(), wanted.credit, wanted.rule};
  if (const std::string why = why_not(as_new, changed.account, changed.id); !why.empty()) {
    return no(why);
  }
  const bool moves = wanted.start != changed.start || wanted.end != changed.end;
  if (moves && !wanted.is_in_force(asked.at) && (changed.held != 0 || changed.used != 0)) {
    return refuse("budget_in_use", now, wanted.limit());
  }
  changed = wanted;
  Answer answer;
  answer.budget = changed.id;
  return answer;
}

Answer Reference::judge(const Asked& asked, const Import& ask) {
  const State before = state_;
  Answer answer;
  for (const CreateAccount& account : ask.accounts) {
    if (answer.refusal == "none") answer = judge(asked, account);
  }
  for (const AddPeriod& period : ask.periods) {
    if (answer.refusal == "none") answer = judge(asked, period);
  }
  if (answer.refusal != "none") state_ = before;
  return answer;
}

Answer Reference::judge(const Asked&, const CloseAccount& ask) {
  Account* known = find_account(ask.name);
  if (known == nullptr) return no("unknown_account");
  known->status = "closed";
  return {};
}

Answer Reference::judge(const Asked&, const AddPeriod& ask) {
  const Account* known = find_account(ask.account);
  if (known == nullptr) return no("unknown_account");
  if (known->status == "closed") return no("account_closed");
  if (const std::string why = why_not(ask.period, known->id, 0); !why.empty()) return no(why);
  Answer answer;
  answer.budget = add_period(known->id, ask.period);
  return answer;
}

// Holds in the periods after as well, up to the first that has another limit.
Answer Reference::judge(const Asked& asked, const LimitPartition& ask) {
  const Account* known = find_account(ask.account);
  if (known == nullptr) return no("unknown_account");
  if (known->status == "closed") return no("account_closed");
  if (!is_name(ask.partition)) return no("bad_name");
  if (!is_limit(ask.limit)) return no("bad_amount");
  Period* first = nearest(known->id, ask.unit, asked.at);
  if (first == nullptr) return no("unknown_budget");
  std::map<Moment, Period*> later;
  for (Period& each : state_.periods) {
    const bool is_same = each.account == known->id && each.unit == ask.unit;
    if (is_same && each.start >= first->start) later[each.start] = &each;
  }
  const std::optional<Amount> before = first->partitions.contains(ask.partition)
                                           ? first->partitions.at(ask.partition).limit
                                           : std::nullopt;
  std::vector<Period*> together;
  for (const auto& [start, each] : later) {
    const auto line = each->partitions.find(ask.partition);
    if (line != each->partitions.end() && line->second.limit && line->second.limit != before) break;
    together.push_back(each);
  }
  for (const Period* each : together) {
    const auto line = each->partitions.find(ask.partition);
    if (line == each->partitions.end()) continue;
    const bool is_raised = line->second.limit && ask.limit >= *line->second.limit;
    if (!is_raised && ask.limit < line->second.held + line->second.used) {
      return refuse("limit_below_committed", figures(*each, ask.partition), ask.limit);
    }
  }
  for (Period* each : together) each->partitions[ask.partition].limit = ask.limit;
  Answer answer;
  answer.budget = first->id;
  answer.amount = ask.limit;
  return answer;
}

Answer Reference::judge(const Asked&, const Prices&) {
  return {};
}

Answer Reference::judge(const Asked&, const Decline&) {
  Answer answer;
  answer.refusal = "declined";
  return answer;
}

Answer Reference::judge(const Asked&, const Carry&) {
  return {};  // it is done before and after everything
}

// Until nothing moves: of each period that has ended, its rule's part of all that it ever had and
// is neither held nor used, as far as the next one can take it.
void Reference::carry(Moment at) {
  for (bool has_moved = true; has_moved;) {
    has_moved = false;
    for (Period& ended : state_.periods) {
      if (ended.end > at || account(ended.account).status == "closed") continue;
      Period* next = nullptr;
      for (Period& each : state_.periods) {
        const bool follows =
            each.account == ended.account && each.unit == ended.unit && each.start >= ended.end;
        if (follows && (next == nullptr || each.start < next->start)) next = &each;
      }
      if (next == nullptr) continue;
      const Amount free = ended.granted + ended.came_in - ended.held - ended.used;
      const Amount part = free > 0 ? free * ended.rule / whole : 0;
      const Amount room = std::min(amount_max - next->limit(), count_max - next->came_in);
      const Amount goes = std::min({part - ended.went_on, room, count_max - ended.went_on});
      if (goes <= 0) continue;
      ended.went_on += goes;
      next->came_in += goes;
      has_moved = true;
    }
  }
}

}  // namespace asbb::reference
