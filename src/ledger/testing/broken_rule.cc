// What must hold of every book after every command, counted from the objects themselves.
#include <algorithm>

#include "ledger/testing/test_ledger.h"

namespace asbb::ledger::testing {
namespace {

using LegSums = std::map<std::pair<bool, std::int64_t>, Micros>;  // (is a budget, id) -> held

std::string of_hold(const Hold& hold, const std::string& what) {
  return "hold " + std::to_string(hold.id.value) + ": " + what;
}

std::string broken_share(const Hold& hold, const Share& share) {
  if (share.held.size() != hold.parts.size()) return of_hold(hold, "a share lacks a part");
  for (std::size_t i = 0; i < hold.parts.size(); ++i) {
    const HoldPart& part = hold.parts[i];
    const auto most = mul_div(part.granted.count(), 1, hold.task_count, Rounding::up);
    if (share.held[i].is_negative() || share.held[i] > Micros(*most)) {
      return of_hold(hold, "a share is below zero or above its task's part");
    }
    if (share.status == ShareStatus::open || part.unit != share.unit) continue;
    if (share.charged > share.held[i] || share.charged + share.released != share.held[i]) {
      return of_hold(hold, "charged and released are not what the share held");
    }
  }
  if (share.refunded.is_negative() || share.refunded > share.actual) {
    return of_hold(hold, "a run got back more than it cost");
  }
  if (share.status == ShareStatus::settled && share.charged + share.overrun != share.actual) {
    return of_hold(hold, "charged and overrun are not the actual cost");
  }
  return {};
}

struct ShareCounts {
  std::int64_t open = 0;
  std::int64_t tasks = 0;
  std::int64_t waiting = 0;  // tasks whose latest run was requeued, on each cluster
};

bool are_of_one_task(const Share& share, const Share& other) {
  return other.key.job_id == share.key.job_id && other.key.task == share.key.task &&
         other.key.external_id == share.key.external_id;
}

bool is_before(const Share& share, const Share& other) {
  return std::pair(share.key.run, share.id) < std::pair(other.key.run, other.id);
}

// Later runs of a task hide the earlier ones.
bool is_latest(const Share& share, const std::vector<const Share*>& shares) {
  return std::none_of(shares.begin(), shares.end(), [&](const Share* other) {
    return are_of_one_task(share, *other) && is_before(share, *other);
  });
}

// Whether a run of the task has not been requeued, and was its cluster's last.
bool has_last_run(const Share& task, const std::vector<const Share*>& shares) {
  return std::any_of(shares.begin(), shares.end(), [&](const Share* share) {
    if (!are_of_one_task(task, *share) || share->requeued) return false;
    return std::none_of(shares.begin(), shares.end(), [&](const Share* other) {
      return are_of_one_task(task, *other) && other->key.cluster == share->key.cluster &&
             is_before(*share, *other);
    });
  });
}

ShareCounts count_shares(const std::vector<const Share*>& shares) {
  ShareCounts counts;
  for (const Share* share : shares) {
    counts.open += share->status == ShareStatus::open ? 1 : 0;
    if (!is_latest(*share, shares)) continue;
    ++counts.tasks;
    counts.waiting += has_last_run(*share, shares) ? 0 : 1;
  }
  return counts;
}

std::string broken_hold(const Book& book, const Hold& hold, LegSums& sums) {
  const auto shares = book.shares_of(hold.id);
  for (const Share* share : shares) {
    if (std::string fault = broken_share(hold, *share); !fault.empty()) return fault;
  }
  const ShareCounts counts = count_shares(shares);
  if (hold.open_shares != counts.open) return of_hold(hold, "its open shares are miscounted");
  if (hold.status == HoldStatus::closed) {
    if (counts.open != 0 || hold.pending_runs != 0) return of_hold(hold, "closed too early");
  } else {
    if (hold.tasks_opened != std::min(counts.tasks, hold.task_count)) {
      return of_hold(hold, "its tasks are miscounted");
    }
    if (hold.pending_runs != counts.waiting) return of_hold(hold, "its runs are miscounted");
    if (counts.open == 0 && counts.waiting == 0 && counts.tasks >= hold.task_count) {
      return of_hold(hold, "open though nothing more can come of it");
    }
  }
  for (std::size_t i = 0; i < hold.parts.size(); ++i) {
    const HoldPart& part = hold.parts[i];
    Micros open = part.unopened;
    for (const Share* share : shares) {
      if (share->status == ShareStatus::open) open += share->held[i];
    }
    if (part.unopened.is_negative()) return of_hold(hold, "less than nothing is unopened");
    if (hold.status == HoldStatus::closed && !open.is_zero()) {
      return of_hold(hold, "closed with money");
    }
    for (const Leg& leg : part.legs) sums[{leg.kind == Leg::Kind::budget, leg.id}] += open;
  }
  return {};
}

std::string broken_counter(bool is_budget, std::int64_t id, Micros held, Micros used,
                           const LegSums& sums) {
  const std::string name = (is_budget ? "budget " : "limit ") + std::to_string(id);
  const auto found = sums.find({is_budget, id});
  const Micros open = found == sums.end() ? Micros() : found->second;
  if (held.is_negative()) return name + " holds less than nothing";
  if (used.is_negative()) return name + " has used less than nothing";
  if (held != open) {
    return name + " holds " + to_decimal(held) + ", its holds " + to_decimal(open);
  }
  const Micros edge = counter_max;
  if (held > edge || used > edge) return name + " is out of bounds";
  return {};
}

}  // namespace

std::string broken_rule(const Book& book) {
  LegSums sums;
  for (const Account* account : book.accounts()) {
    if (book.account(account->name) != account) return "a name stands for another account";
    for (const std::string& alias : account->aliases) {
      if (book.account(alias) != account) return "an alias stands for another account";
    }
  }
  std::map<std::pair<std::string, AccountId>, std::int64_t> unbound;
  for (std::int64_t id = 1; id <= book.counters().hold; ++id) {
    const Hold* hold = book.hold(HoldId{id});
    if (hold == nullptr) continue;
    if (std::string fault = broken_hold(book, *hold, sums); !fault.empty()) return fault;
    if (hold->kind != HoldKind::slurm) continue;
    unbound[{hold->user, hold->account}] += hold->status == HoldStatus::open && !hold->job ? 1 : 0;
  }
  for (const auto& [owner, count] : unbound) {
    if (book.unbound_count(owner.first, owner.second) != count) return "unbound is miscounted";
  }
  for (std::int64_t id = 1; id <= book.counters().budget; ++id) {
    const Budget* budget = book.budget(BudgetId{id});
    std::string fault = broken_counter(true, id, budget->held, budget->used, sums);
    if (!fault.empty()) return fault;
    if (budget->limit.is_negative() || budget->limit > max_amount ||
        budget->carried.is_negative() || budget->carried_in.is_negative()) {
      return "budget " + std::to_string(id) + " carried too much";
    }
  }
  for (std::int64_t id = 1; id <= book.counters().limit; ++id) {
    const PartitionLimit* limit = book.limit(LimitId{id});
    std::string fault = broken_counter(false, id, limit->held, limit->used, sums);
    if (!fault.empty()) return fault;
  }
  return {};
}

// By the definition alone, and in another way than the ledger: per budget the part of all that is
// neither held nor used of what it ever had.
std::string left_to_carry(const Book& book, Instant at) {
  for (const Account* account : book.accounts()) {
    if (account->status == AccountStatus::closed) continue;
    const auto budgets = book.budgets_of(account->id);  // in order of start
    for (auto old = budgets.begin(); old != budgets.end(); ++old) {
      const Budget& ended = **old;
      const auto next = std::find_if(old + 1, budgets.end(), [&](const Budget* budget) {
        return budget->unit == ended.unit && budget->start >= ended.end;
      });
      if (ended.end > at || next == budgets.end()) continue;
      __extension__ using Wide = __int128;
      const Wide had = Wide(ended.limit.count()) + ended.carried.count();
      const Wide free = had - ended.held.count() - ended.used.count();
      const Wide part = free > 0 ? free * ended.carry_over_millionths / carry_all : 0;
      const Wide room = Wide(max_amount.count()) - (*next)->limit.count();
      const Wide countable = Wide(counter_max.count()) - ended.carried.count();
      const Wide taken_in = Wide(counter_max.count()) - (*next)->carried_in.count();
      const Wide due = std::min({part - ended.carried.count(), room, countable, taken_in});
      if (due <= 0) continue;
      return "budget " + std::to_string(ended.id.value) + ": " +
             to_decimal(Micros(static_cast<std::int64_t>(due)));
    }
  }
  return {};
}

AuditTables tables_of(const Book& book) {
  AuditTables tables;
  for (std::int64_t id = 1; id <= book.counters().budget; ++id) {
    const Budget& row = *book.budget(BudgetId{id});
    tables.budgets[id] = {row.limit.count(), row.held.count(), row.used.count()};
  }
  for (std::int64_t id = 1; id <= book.counters().limit; ++id) {
    const PartitionLimit& row = *book.limit(LimitId{id});
    AuditFigures figures{std::nullopt, row.held.count(), row.used.count()};
    if (row.limit) figures.limit_micros = row.limit->count();
    tables.limits[id] = figures;
  }
  for (const Hold* hold : book.open_holds()) {
    const auto shares = book.shares_of(hold->id);
    for (std::size_t i = 0; i < hold->parts.size(); ++i) {
      Micros open = hold->parts[i].unopened;
      for (const Share* share : shares) {
        if (share->status == ShareStatus::open) open += share->held[i];
      }
      tables.open_holds[{hold->id.value, hold->parts[i].unit}] = open.count();
    }
  }
  return tables;
}

}  // namespace asbb::ledger::testing
