#include "service/usage_sums.h"

#include <algorithm>
#include <utility>

#include "base/zone.h"
#include "service/account_view.h"

namespace asbb::service {
namespace {

constexpr std::size_t largest_jobs_max = 10;
constexpr std::size_t idle_holds_max = 10;

}  // namespace

std::vector<ledger::EntryType> spending_types() {
  using ledger::EntryType;
  return {EntryType::charge,        EntryType::overrun,      EntryType::refund,
          EntryType::write_off_out, EntryType::write_off_in, EntryType::adjustment};
}

std::optional<Micros> spent_by(const ledger::Entry& entry) {
  switch (entry.type) {
    case ledger::EntryType::charge:
    case ledger::EntryType::overrun:
    case ledger::EntryType::write_off_in:
      return entry.amount;
    case ledger::EntryType::refund:
    case ledger::EntryType::write_off_out:
      return Micros() - entry.amount;
    default:
      return std::nullopt;
  }
}

void PeriodNames::find(Instant at) {
  day_ = day_of(at, zone_).value_or(Day{});
  start_ = start_of_day(day_, zone_).value_or(at);
  end_ = start_of_day(next_day(day_), zone_).value_or(at);
  constexpr std::size_t year_length = 4;
  constexpr std::size_t month_length = 7;
  name_ = asbb::to_string(day_);
  if (kind_ == "month") name_.resize(month_length);
  if (kind_ == "year") name_.resize(year_length);
}

const std::string& PeriodNames::name(Instant at) {
  if (name_.empty() || at < start_ || !(at < end_)) find(at);
  return name_;
}

Day PeriodNames::day(Instant at) {
  static_cast<void>(name(at));
  return day_;
}

void UsageSums::add(Sum& sum, Micros amount, std::int64_t task) {
  sum.charged += amount;
  sum.jobs.insert(task);
}

void UsageSums::add(const ledger::Entry& entry, const std::string& period) {
  if (entry.type == ledger::EntryType::adjustment) {
    adjusted_ += entry.amount;
    return;
  }
  const auto spent = spent_by(entry);
  if (!spent) return;
  const ledger::ShareKey& key = entry.job;
  const auto task = tasks_
                        .try_emplace(TaskKey{key.cluster, key.job_id, key.task, key.external_id},
                                     static_cast<std::int64_t>(tasks_.size()))
                        .first->second;
  add(all_, *spent, task);
  add(periods_[period], *spent, task);
  add(partitions_[entry.partition], *spent, task);
  add(users_[entry.user], *spent, task);
  add(clusters_[key.cluster], *spent, task);
  add(accounts_[entry.account_name], *spent, task);
  api::UsageJob& job = jobs_[JobKey{entry.hold.value, key.cluster, key.job_id, key.external_id}];
  if (job.job_id.empty()) {
    const std::string id = key.job_id == 0 ? "-" : std::to_string(key.job_id);
    job.job_id = key.external_id.empty() ? id : key.external_id;
    job.cluster = key.cluster;
    job.account = entry.account_name;
    job.user = entry.user;
    job.partition = entry.partition;
  }
  job.charged += *spent;
}

std::vector<api::UsageLine> UsageSums::lines(const Sums& sums) {
  std::vector<api::UsageLine> lines;
  for (const auto& [name, sum] : sums) {
    lines.push_back({name, sum.charged, static_cast<std::int64_t>(sum.jobs.size())});
  }
  return lines;
}

void UsageSums::fill(api::UnitUsage& usage) const {
  usage.charged = all_.charged;
  usage.adjusted = adjusted_;
  usage.jobs = static_cast<std::int64_t>(all_.jobs.size());
  usage.by_period = lines(periods_);
  usage.by_partition = lines(partitions_);
  usage.by_user = lines(users_);
  usage.by_cluster = lines(clusters_);
  usage.by_account = lines(accounts_);
  for (auto* dearest_first :
       {&usage.by_partition, &usage.by_user, &usage.by_cluster, &usage.by_account}) {
    std::stable_sort(dearest_first->begin(), dearest_first->end(),
                     [](const auto& a, const auto& b) { return a.charged > b.charged; });
  }
  std::vector<const api::UsageJob*> jobs;
  jobs.reserve(jobs_.size());
  for (const auto& [key, job] : jobs_) {
    if (job.charged > Micros()) jobs.push_back(&job);
  }
  const std::size_t count = std::min(jobs.size(), largest_jobs_max);
  std::partial_sort(jobs.begin(), jobs.begin() + static_cast<std::ptrdiff_t>(count), jobs.end(),
                    [](const auto* a, const auto* b) {
                      return std::tie(b->charged, a->job_id) < std::tie(a->charged, b->job_id);
                    });
  for (std::size_t i = 0; i < count; ++i) usage.largest_jobs.push_back(*jobs[i]);
}

Micros held_by_runs(const ledger::Book& book, const ledger::Hold& hold, std::size_t part) {
  Micros held;
  for (const ledger::Share* share : book.shares_of(hold.id)) {
    if (share->status == ledger::ShareStatus::open) held += share->held[part];
  }
  return held;
}

void add_holds(const ledger::Book& book, const std::set<std::string>& accounts,
               std::map<std::string, api::UnitUsage>& units) {
  for (const ledger::Hold* hold : book.open_holds()) {  // in order of id, so the oldest first
    const ledger::Account* account = book.account(hold->account);
    if (account == nullptr || !accounts.contains(account->name)) continue;
    std::vector<api::OpenHold> views;
    for (std::size_t i = 0; i < hold->parts.size(); ++i) {
      const ledger::HoldPart& part = hold->parts[i];
      api::UnitUsage& unit = units[part.unit];
      unit.held_running += held_by_runs(book, *hold, i);
      unit.held_waiting += part.unopened;
      if (part.unopened.is_zero()) continue;
      ++unit.holds_waiting;
      if (unit.idle_holds.size() >= idle_holds_max) continue;
      if (views.empty()) add_hold_view(book, *hold, views);
      unit.idle_holds.push_back(views[i]);
      unit.idle_holds.back().held = part.unopened;
    }
  }
}

}  // namespace asbb::service
