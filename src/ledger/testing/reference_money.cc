// Money that people move: corrections, deposits, transfers, refunds, write-offs, conversions.
#include <algorithm>
#include <limits>

#include "ledger/testing/reference.h"

namespace asbb::reference {
namespace {

constexpr Amount rate_max = 1'000'000'000'000;
constexpr Amount whole = 1'000'000;

bool is_reason(const std::string& text) {
  return is_text(text) && text.find_first_not_of(" \t\r\n") != std::string::npos;
}

// Why an amount cannot be moved.
std::string why_not_moved(const Asked& asked, Amount amount) {
  if (amount < 1 || amount > amount_max) return "bad_amount";
  return is_reason(asked.reason) ? "" : "reason_missing";
}

std::string why_no_units(const std::string& from_unit, const std::string& to_unit) {
  if (!is_unit(from_unit) || !is_unit(to_unit)) return "bad_name";
  return from_unit == to_unit ? "same_unit" : "";
}

// Of a job, whatever cluster, task or run, where none is named.
bool is_meant(const RunName& run, const RunName& named) {
  if (!named.external.empty()) return run.external == named.external;
  if (!run.external.empty() || run.job != named.job) return false;
  return (named.cluster.empty() || run.cluster == named.cluster) &&
         (named.task < 0 || run.task == named.task) && (named.run < 0 || run.run == named.run);
}

const Part* part_of(const Hold& hold, const std::string& unit) {
  for (const Part& part : hold.parts) {
    if (part.unit == unit) return &part;
  }
  return nullptr;
}

bool is_job(const RunName& run) {
  return run.external.empty() && !run.cluster.empty() && is_text(run.cluster) && run.job > 0 &&
         run.task >= -1 && run.run >= 0;
}

}  // namespace

Answer Reference::judge(const Asked& asked, const Correct& ask) {
  const Account* known = find_account(ask.account);
  if (known == nullptr) return no("unknown_account");
  const bool says_nothing = ask.amount == 0 && !ask.job;
  if (says_nothing || ask.amount > amount_max || ask.amount < -amount_max) {
    return no("bad_amount");
  }
  if (ask.job && !is_job(*ask.job)) return no("bad_name");
  if (!is_reason(asked.reason)) return no("reason_missing");
  std::vector<Number> periods;
  const std::string why = drawn_on(known->id, ask.unit, asked.at, false, periods);
  if (!why.empty()) return no(why);
  for (const Number id : periods) {
    if (period(id).used + ask.amount >= 0) continue;
    return refuse("exceeds_used", figures(period(id)), ask.amount);
  }
  if (!can_count(periods, "", 0, ask.amount)) return no("overflow");
  Answer answer;
  answer.budget = periods.front();
  answer.amount = ask.amount;
  answer.line = figures(period(periods.front()));
  count(periods, "", 0, ask.amount);
  return answer;
}

// Also of a closed account.
Answer Reference::find_source(const Asked& asked, const std::string& name, const std::string& unit,
                              Amount amount, Period*& found) {
  const Account* known = find_account(name);
  if (known == nullptr) return no("unknown_account");
  found = nearest(known->id, unit, asked.at);
  if (found == nullptr) return no("unknown_budget");
  if (found->available() < amount) return refuse("exceeds_available", figures(*found), amount);
  return {};
}

Answer Reference::find_target(const Asked& asked, const std::string& name, const std::string& unit,
                              Amount amount, Period*& found) {
  const Account* known = find_account(name);
  if (known == nullptr) return no("unknown_account");
  if (known->status == "closed") return no("account_closed");
  found = nearest(known->id, unit, asked.at);
  if (found == nullptr) return no("unknown_budget");
  if (found->end <= asked.at) return refuse("budget_ended", figures(*found), amount);
  if (found->limit() + amount > amount_max) {
    return refuse("limit_too_large", figures(*found), amount);
  }
  return {};
}

Answer Reference::judge(const Asked& asked, const Move& ask) {
  if (const std::string why = why_not_moved(asked, ask.amount); !why.empty()) return no(why);
  Period* from = nullptr;
  Period* to = nullptr;
  Answer answer;
  if (ask.from) answer = find_source(asked, *ask.from, ask.unit, ask.amount, from);
  if (ask.to && answer.refusal == "none") {
    answer = find_target(asked, *ask.to, ask.unit, ask.amount, to);
  }
  if (answer.refusal != "none") return answer;
  if (from == to) return no("same_budget");
  if (from != nullptr) from->granted -= ask.amount;
  if (to != nullptr) to->granted += ask.amount;
  const Period& told = from != nullptr ? *from : *to;
  answer.budget = told.id;
  answer.amount = ask.amount;
  answer.line = figures(told);
  return answer;
}

// The settled runs that are meant, first settled first, and what each gives back.
Answer Reference::claim(const Asked& asked, const GiveBack& ask, std::vector<Claim>& claims) {
  if (find_hold(ask.first_hold) == nullptr) return no("unknown_hold");
  const std::string why = why_not_moved(asked, ask.amount.value_or(1));
  if (!why.empty()) return no(why);
  bool has_unit = false;
  Amount most = 0;
  for (const Number id : ask.holds) {
    Hold* hold = find_hold(id);
    if (hold == nullptr) return no("unknown_hold");
    const Part* paid = part_of(*hold, ask.unit);
    if (paid == nullptr) continue;
    has_unit = true;
    for (Run& run : hold->runs) {
      if (!run.is_settled || run.unit != ask.unit) continue;
      if (ask.run && !is_meant(run.name, *ask.run)) continue;
      claims.push_back({hold, paid, &run, 0});
      most += run.actual - run.given_back;
    }
  }
  if (!has_unit) return no("unit_not_held");
  std::sort(claims.begin(), claims.end(), [](const Claim& one, const Claim& other) {
    return std::pair(one.run->settled_at, one.run->seen) <
           std::pair(other.run->settled_at, other.run->seen);
  });
  Answer answer;
  answer.hold = ask.first_hold;
  answer.amount = ask.amount.value_or(std::min(most, amount_max));
  answer.released = 0;
  for (const Claim& claim : claims) {
    const Amount sum = *answer.released + claim.run->given_back;
    if (sum <= std::numeric_limits<std::int64_t>::max()) answer.released = sum;
  }
  if (most == 0 || most < *answer.amount) {
    answer.refusal = "exceeds_charge";
    answer.charged = most;
    return answer;
  }
  Amount left = *answer.amount;
  for (Claim& claim : claims) {
    claim.back = std::min(left, claim.run->actual - claim.run->given_back);
    left -= claim.back;
  }
  std::erase_if(claims, [](const Claim& claim) { return claim.back == 0; });
  return answer;
}

// The first line, hold by hold, that has used less than all of it together.
std::optional<Figures> Reference::used_less(const std::vector<Claim>& claims) {
  std::map<std::pair<Number, std::string>, Amount> sums;  // of budgets and partitions in them
  std::set<std::pair<Number, const Claim*>> in_order;
  for (const Claim& claim : claims) {
    in_order.emplace(claim.hold->id, &claim);
    for (const Number id : claim.paid->periods) {
      sums[{id, ""}] += claim.back;
      if (!claim.hold->partition.empty()) sums[{id, claim.hold->partition}] += claim.back;
    }
  }
  for (const auto& [hold, claim] : in_order) {
    for (const Number id : claim->paid->periods) {
      const Period& each = period(id);
      if (each.used < sums.at({id, ""})) return figures(each);
      const std::string& partition = claim->hold->partition;
      if (partition.empty()) continue;
      if (each.partitions.at(partition).used < sums.at({id, partition})) {
        return figures(each, partition);
      }
    }
  }
  return std::nullopt;
}

Answer Reference::judge(const Asked& asked, const GiveBack& ask) {
  std::vector<Claim> claims;
  const Answer answer = claim(asked, ask, claims);
  return answer.refusal == "none" ? take_back(asked, claims, ask.to, answer) : answer;
}

// What a run was just charged, and no other run's cost.
Amount Reference::write_off(const Asked& asked, const Settle& ask, Hold& hold, Run& run) {
  if (!why_not_moved(asked, ask.actual).empty()) return 0;
  Answer answer;
  answer.amount = ask.actual;
  const std::vector<Claim> claims{{&hold, part_of(hold, ask.unit), &run, ask.actual}};
  answer = take_back(asked, claims, ask.bearer, answer);
  return answer.refusal == "none" ? ask.actual : 0;
}

Answer Reference::take_back(const Asked& asked, const std::vector<Claim>& claims,
                            const std::optional<std::string>& to_name, Answer answer) {
  const Amount amount = *answer.amount;
  if (const auto line = used_less(claims)) return refuse("exceeds_used", *line, amount);
  std::vector<Number> bearers;
  if (to_name) {
    const Account* to = find_account(*to_name);
    if (to == nullptr) return no("unknown_account");
    if (to->status == "closed") return no("account_closed");
    const std::string why = drawn_on(to->id, claims.front().paid->unit, asked.at, false, bearers);
    if (!why.empty()) return no(why);
    for (const Claim& each : claims) {
      if (each.paid->periods.front() == bearers.front()) return no("same_budget");
    }
    if (!can_count(bearers, "", 0, amount)) return no("overflow");
  }
  for (const Claim& each : claims) {
    count(each.paid->periods, each.hold->partition, 0, -each.back);
    each.run->given_back += each.back;
  }
  count(bearers, "", 0, amount);
  const Number payer = claims.front().paid->periods.front();
  answer.budget = payer;
  answer.line = figures(period(payer));
  return answer;
}

Answer Reference::judge(const Asked&, const Rate& ask) {
  if (const std::string why = why_no_units(ask.from_unit, ask.to_unit); !why.empty()) {
    return no(why);
  }
  if (ask.rate < 1 || ask.rate > rate_max) return no("bad_amount");
  state_.rates.push_back(ask);
  return {};
}

Answer Reference::judge(const Asked& asked, const Convert& ask) {
  if (const std::string why = why_not_moved(asked, ask.amount); !why.empty()) return no(why);
  if (const std::string why = why_no_units(ask.from_unit, ask.to_unit); !why.empty()) {
    return no(why);
  }
  const Account* known = find_account(ask.account);
  if (known == nullptr) return no("unknown_account");
  if (!known->may_convert) return no("conversion_not_allowed");
  const Rate* in_force = nullptr;
  for (const Rate& rate : state_.rates) {
    if (rate.from_unit != ask.from_unit || rate.to_unit != ask.to_unit || rate.from > asked.at) {
      continue;
    }
    if (in_force == nullptr || rate.from >= in_force->from) in_force = &rate;
  }
  if (in_force == nullptr) return no("no_conversion_rate");
  const Amount arrives = ask.amount * in_force->rate / whole;
  if (arrives > amount_max) return no("overflow");
  if (arrives == 0) return no("converts_to_nothing");
  Period* from = nullptr;
  Period* to = nullptr;
  Answer answer = find_source(asked, ask.account, ask.from_unit, ask.amount, from);
  if (answer.refusal == "none") {
    answer = find_target(asked, ask.account, ask.to_unit, arrives, to);
  }
  if (answer.refusal != "none") return answer;
  from->granted -= ask.amount;
  to->granted += arrives;
  answer.budget = from->id;
  answer.amount = ask.amount;
  answer.converted = arrives;
  answer.line = figures(*from);
  return answer;
}

// Moves nothing: it only has to say what it is about.
Answer Reference::judge(const Asked& asked, const Enforce& ask) {
  if (!is_reason(asked.reason)) return no("reason_missing");
  if (find_account(ask.account) == nullptr) return no("unknown_account");
  if (!is_unit(ask.unit) || !std::all_of(ask.texts.begin(), ask.texts.end(), is_text)) {
    return no("bad_name");
  }
  const RunName& run = ask.run;
  if (ask.is_of_account ? run != RunName{"", 0, -1, 0, ""} : !is_job(run)) return no("bad_name");
  for (const Amount sum : ask.sums) {
    if (sum < 0 || sum > 4 * amount_max) return no("bad_amount");
  }
  return {};
}

}  // namespace asbb::reference
