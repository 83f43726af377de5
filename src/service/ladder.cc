#include "service/ladder.h"

#include <algorithm>
#include <set>
#include <tuple>

#include "ledger/ledger.h"

namespace asbb::service {
namespace {

// As much as can be counted, where it would be more.
Micros added(Micros one, Micros other) {
  const auto sum = one.plus(other);
  return sum ? std::min(*sum, ledger::counter_max) : ledger::counter_max;
}

bool draws_on(const Draw& draw, const ledger::Leg& leg) {
  return std::find(draw.legs.begin(), draw.legs.end(), leg) != draw.legs.end();
}

// What the limit gets when the job ends; nothing where it does not draw on it.
std::optional<Micros> worth_of(const PayingJob& job, const ledger::Leg& leg) {
  std::optional<Micros> sum;
  for (const Draw& draw : job.draws) {
    if (!draws_on(draw, leg)) continue;
    sum = added(sum.value_or(Micros()), added(draw.lacks, draw.gives_back));
  }
  return sum;
}

// The limit as it is without what the jobs lack; nothing where a partition has no limit.
std::optional<DryLimit> limit_of(const ledger::Book& book, const ledger::Leg& leg) {
  const ledger::PartitionLimit* partition = nullptr;
  ledger::BudgetId budget_id{leg.id};
  if (leg.kind == ledger::Leg::Kind::partition_limit) {
    partition = book.limit(ledger::LimitId{leg.id});
    if (partition == nullptr || !partition->limit) return std::nullopt;
    budget_id = partition->budget;
  }
  const ledger::Budget* budget = book.budget(budget_id);
  if (budget == nullptr) return std::nullopt;
  const auto chain = account_chain(book, budget->account);
  DryLimit out;
  out.leg = leg;
  out.account = chain.front();
  out.unit = budget->unit;
  out.depth = static_cast<std::int64_t>(chain.size()) - 1;
  if (partition == nullptr) {
    out.missing = Micros() - budget->available();
    out.credit = budget->credit_limit;
  } else {
    out.partition = partition->partition;
    out.missing = partition->held + partition->used - *partition->limit;
  }
  return out;
}

// Who is acted on before whom.
auto order_of(const PayingJob& job) {
  return std::tuple(!job.acted_on, !job.is_uncovered(), -job.start.microseconds, -job.key.job_id,
                    -job.key.task);
}

}  // namespace

bool PayingJob::is_uncovered() const {
  return std::any_of(draws.begin(), draws.end(),
                     [](const Draw& draw) { return draw.lacks > Micros(); });
}

std::string name_of(const ledger::Leg& leg) {
  return ledger::to_string(std::vector<ledger::Leg>{leg});
}

std::vector<std::string> account_chain(const ledger::Book& book, ledger::AccountId account) {
  std::vector<std::string> out;
  for (const ledger::Account* at = book.account(account); at != nullptr;
       at = book.account(at->parent)) {
    out.push_back(at->name);
  }
  return out;
}

const config::Ladder& ladder_for(const config::Enforcement& enforcement,
                                 const std::vector<std::string>& accounts,
                                 const std::string& partition) {
  for (const std::string& account : accounts) {
    const auto own = enforcement.accounts.find(account);
    if (own != enforcement.accounts.end()) return own->second;
  }
  const auto found = enforcement.partitions.find(partition);
  return found == enforcement.partitions.end() ? enforcement.ladder : found->second;
}

std::vector<DryLimit> find_dry(const ledger::Book& book, const std::vector<PayingJob>& jobs) {
  struct Drawn {
    ledger::Leg leg;
    Micros lacks;
    std::int64_t jobs = 0;
  };
  std::map<std::string, Drawn> drawn;
  for (const PayingJob& job : jobs) {
    for (const Draw& draw : job.draws) {
      for (const ledger::Leg& leg : draw.legs) {
        Drawn& sum = drawn[name_of(leg)];
        sum.leg = leg;
        sum.lacks = added(sum.lacks, draw.lacks);
        ++sum.jobs;
      }
    }
  }
  std::vector<DryLimit> out;
  for (const auto& [name, sum] : drawn) {
    auto limit = limit_of(book, sum.leg);
    if (!limit) continue;
    limit->missing = added(limit->missing, sum.lacks);
    limit->lacks = sum.lacks;
    limit->jobs = sum.jobs;
    if (limit->missing > Micros()) out.push_back(std::move(*limit));
  }
  std::sort(out.begin(), out.end(), [](const DryLimit& one, const DryLimit& other) {
    const auto rank = [](const DryLimit& limit) {
      return std::tuple(-limit.depth, limit.partition.empty(), limit.leg.id);
    };
    return rank(one) < rank(other);
  });
  return out;
}

Micros missing_now(const ledger::Book& book, const DryLimit& limit) {
  const auto now = limit_of(book, limit.leg);
  return now ? added(now->missing, limit.lacks) : Micros();
}

bool is_short_still(const ledger::Book& book, const Pick& pick) {
  const Micros since_then = pick.limit.missing - missing_now(book, pick.limit);
  return since_then < pick.short_by;
}

std::vector<Pick> pick_jobs(const std::vector<DryLimit>& dry, const std::vector<PayingJob>& jobs,
                            ComingBack back) {
  std::vector<std::size_t> order(jobs.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::sort(order.begin(), order.end(), [&](std::size_t one, std::size_t other) {
    return order_of(jobs[one]) < order_of(jobs[other]);
  });
  std::vector<Pick> picks;
  std::set<std::size_t> picked;
  for (const DryLimit& limit : dry) {
    const std::string name = name_of(limit.leg);
    for (const std::size_t at : order) {
      const PayingJob& job = jobs[at];
      const auto worth = worth_of(job, limit.leg);
      if (!worth || picked.contains(at) || !job.ladder.acts_on_jobs()) continue;
      const Micros allowed = job.ladder.credit ? limit.credit : Micros();
      const Micros short_by = limit.missing - back[name] - allowed;
      if (short_by <= Micros()) continue;
      picks.push_back({at, limit, *worth, short_by});
      picked.insert(at);
      for (const Draw& each : job.draws) {
        for (const ledger::Leg& leg : each.legs) {
          Micros& coming = back[name_of(leg)];
          coming = added(coming, added(each.lacks, each.gives_back));
        }
      }
    }
  }
  return picks;
}

}  // namespace asbb::service
