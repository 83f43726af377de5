// /accounts/{account}/usage: what an account and those below it cost in a window, by partition,
// user and cluster. Entries are posted once, on the budget that pays, so the sums count nothing
// twice.
#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "service/account_view.h"
#include "service/operations.h"

namespace asbb::service {
namespace {

using ledger::EntryType;
using JobKey = std::tuple<std::string, std::int64_t, std::int64_t, std::string>;

constexpr std::int64_t page_size = 10'000;

struct Sum {
  Micros charged;
  std::set<JobKey> jobs;
};

struct UnitSums {
  Sum all;
  Micros adjusted;
  std::map<std::string, Sum> by_partition;
  std::map<std::string, Sum> by_user;
  std::map<std::string, Sum> by_cluster;
};

JobKey job_key(const ledger::Entry& entry) {
  const ledger::ShareKey& job = entry.job;
  return {job.cluster, job.job_id, job.task, job.external_id};
}

void add(Sum& sum, Micros amount, const JobKey& job) {
  sum.charged += amount;
  sum.jobs.insert(job);
}

void add(UnitSums& sums, const ledger::Entry& entry) {
  if (entry.type == EntryType::adjustment) {
    sums.adjusted += entry.amount;
    return;
  }
  const bool goes_back = entry.type == EntryType::refund || entry.type == EntryType::write_off_out;
  const Micros amount = goes_back ? Micros() - entry.amount : entry.amount;
  const JobKey job = job_key(entry);
  add(sums.all, amount, job);
  add(sums.by_partition[entry.partition], amount, job);
  add(sums.by_user[entry.user], amount, job);
  add(sums.by_cluster[entry.job.cluster], amount, job);
}

std::vector<api::UsageLine> lines_of(const std::map<std::string, Sum>& sums) {
  std::vector<api::UsageLine> lines;
  for (const auto& [name, sum] : sums) {
    lines.push_back({name, sum.charged, static_cast<std::int64_t>(sum.jobs.size())});
  }
  std::stable_sort(lines.begin(), lines.end(),
                   [](const auto& a, const auto& b) { return a.charged > b.charged; });
  return lines;
}

void set_sums(api::UnitUsage& usage, const UnitSums& sums) {
  usage.charged = sums.all.charged;
  usage.adjusted = sums.adjusted;
  usage.jobs = static_cast<std::int64_t>(sums.all.jobs.size());
  usage.by_partition = lines_of(sums.by_partition);
  usage.by_user = lines_of(sums.by_user);
  usage.by_cluster = lines_of(sums.by_cluster);
}

Result<void> add_entries(store::Store& store, store::EntryQuery query,
                         std::map<std::string, UnitSums>& units) {
  query.count_max = page_size;
  for (;;) {
    const auto entries = store.entries(query);
    if (!entries) return tl::unexpected(entries.error());
    for (const store::ChainedEntry& chained : *entries) {
      add(units[chained.entry.unit], chained.entry);
    }
    if (static_cast<std::int64_t>(entries->size()) < page_size) return {};
    query.after_sequence = entries->back().entry.sequence;
  }
}

// The window that was asked for, else the period of the leading budget.
Result<void> set_window(api::Usage& usage, const api::Account& account,
                        const api::UsageQuery& query, const std::string& zone, Instant now) {
  usage.start_date = account.start_date.value_or(account.created_at);
  usage.end_date = account.end_date.value_or(now + Span{1});
  if (query.start_date) {
    const auto from = api::period_start(*query.start_date, zone);
    if (!from) return tl::unexpected(from.error());
    usage.start_date = *from;
  }
  if (query.end_date) {
    const auto until = api::period_end(*query.end_date, zone);
    if (!until) return tl::unexpected(until.error());
    usage.end_date = *until;
  }
  if (usage.end_date <= usage.start_date) {
    return fail(ErrorKind::invalid,
                "end_date: the window must end after it starts, but it would go from " +
                    to_rfc3339(usage.start_date) + " to " + to_rfc3339(usage.end_date),
                "end_date");
  }
  return {};
}

}  // namespace

Reply<api::Usage> Operations::usage(const Caller& caller, const std::string& account,
                                    const api::UsageQuery& query) const {
  if (caller.is_anonymous) return not_allowed(caller);
  if (!with_.authority.may_see(caller, account)) return no_such_account(account);
  auto shown = show_account(account);
  if (!shown) return tl::unexpected(shown.error());
  api::Usage usage;
  usage.account = account;
  if (auto window = set_window(usage, *shown, query, options_.zone, now()); !window) {
    return problem(window.error());
  }
  store::EntryQuery entries;
  entries.types = {EntryType::charge,        EntryType::overrun,      EntryType::refund,
                   EntryType::write_off_out, EntryType::write_off_in, EntryType::adjustment};
  entries.from = usage.start_date;
  entries.until = usage.end_date;
  std::map<std::string, UnitSums> sums;
  const auto names =
      with_.committer.read([&](const ledger::Book& book) { return subtree(book, account); });
  for (const std::string& name : names) {
    entries.account = name;
    if (auto added = add_entries(with_.committer.store(), entries, sums); !added) {
      return problem(added.error());
    }
  }
  for (const api::Budget& budget : shown->budgets) {
    if (budget.in_force) sums.try_emplace(budget.unit);
  }
  for (const auto& [unit, unit_sums] : sums) {
    if (!query.unit.empty() && query.unit != unit) continue;
    api::UnitUsage& line = usage.units.emplace_back();
    line.unit = unit;
    for (const api::Budget& budget : shown->budgets) {
      if (budget.unit != unit || !budget.in_force) continue;
      line.limit = budget.limit;
      line.used = budget.used;
      line.held = budget.held;
      line.available = budget.available;
    }
    set_sums(line, unit_sums);
  }
  return usage;
}

}  // namespace asbb::service
