#include "service/usage_sums.h"

#include <algorithm>
#include <boost/container_hash/hash.hpp>
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

std::size_t UsageSums::Hash::operator()(const TaskKey& key) const {
  std::size_t seed = 0;
  for (const std::int64_t part : {key.job_id, key.task}) boost::hash_combine(seed, part);
  for (const Name part : {key.cluster, key.external_id}) boost::hash_combine(seed, part);
  return seed;
}

std::size_t UsageSums::Hash::operator()(const JobKey& key) const {
  return operator()(TaskKey{key.job_id, key.hold, key.cluster, key.external_id});
}

UsageSums::Name UsageSums::name_of(const std::string& text) {
  const auto [place, is_new] = numbers_.try_emplace(text, static_cast<Name>(names_.size()));
  if (is_new) names_.push_back(&place->first);
  return place->second;
}

void UsageSums::add(Kind kind, Name name, Micros amount, std::int32_t task, bool is_new) {
  Sum& sum = sums_[kind][name];
  sum.charged += amount;
  const Name first = first_names_[static_cast<std::size_t>(task)][kind];
  if (is_new || (first != name && other_names_.emplace(kind, task, name).second)) ++sum.jobs;
}

void UsageSums::add(const ledger::Entry& entry, const std::string& period_name) {
  if (entry.type == ledger::EntryType::adjustment) {
    adjusted_ += entry.amount;
    return;
  }
  const auto spent = spent_by(entry);
  if (!spent) return;
  charged_ += *spent;
  const ledger::ShareKey& key = entry.job;
  Names names{};
  names[period] = name_of(period_name);
  names[partition] = name_of(entry.partition);
  names[user] = name_of(entry.user);
  names[cluster] = name_of(key.cluster);
  names[account] = name_of(entry.account_name);
  const Name external_id = name_of(key.external_id);
  const auto [task, is_new] =
      tasks_.try_emplace({key.job_id, key.task, names[cluster], external_id},
                         static_cast<std::int32_t>(first_names_.size()));
  if (is_new) first_names_.push_back(names);
  for (std::size_t kind = 0; kind < kind_count; ++kind) {
    add(static_cast<Kind>(kind), names[kind], *spent, task->second, is_new);
  }
  const Job begun{{}, names[account], names[user], names[partition]};
  const JobKey whole{entry.hold.value, key.job_id, names[cluster], external_id};
  jobs_.try_emplace(whole, begun).first->second.charged += *spent;
}

std::vector<api::UsageLine> UsageSums::lines(Kind kind) const {
  std::vector<api::UsageLine> lines;
  for (const auto& [name, sum] : sums_[kind]) {
    lines.push_back({*names_[static_cast<std::size_t>(name)], sum.charged, sum.jobs});
  }
  std::sort(lines.begin(), lines.end(),
            [](const auto& a, const auto& b) { return a.name < b.name; });
  return lines;
}

api::UsageJob UsageSums::view_of(const Jobs::value_type& job) const {
  const auto& [key, sum] = job;
  const auto text = [&](Name name) { return *names_[static_cast<std::size_t>(name)]; };
  std::string id = text(key.external_id);
  if (id.empty()) id = key.job_id == 0 ? "-" : std::to_string(key.job_id);
  return {id,         text(key.cluster), text(sum.account), text(sum.user), text(sum.partition),
          sum.charged};
}

void UsageSums::add_largest(std::vector<api::UsageJob>& out) const {
  std::vector<const Jobs::value_type*> jobs;
  jobs.reserve(jobs_.size());
  for (const auto& job : jobs_) {
    if (job.second.charged > Micros()) jobs.push_back(&job);
  }
  const auto by = [](const auto* job) {
    const JobKey& key = job->first;
    return std::tuple(Micros() - job->second.charged, key.job_id, key.cluster, key.external_id,
                      key.hold);
  };
  const std::size_t count = std::min(jobs.size(), largest_jobs_max);
  std::partial_sort(jobs.begin(), jobs.begin() + static_cast<std::ptrdiff_t>(count), jobs.end(),
                    [&](const auto* a, const auto* b) { return by(a) < by(b); });
  for (std::size_t i = 0; i < count; ++i) out.push_back(view_of(*jobs[i]));
}

void UsageSums::fill(api::UnitUsage& usage) const {
  usage.charged = charged_;
  usage.adjusted = adjusted_;
  usage.jobs = static_cast<std::int64_t>(tasks_.size());
  usage.by_period = lines(period);
  usage.by_partition = lines(partition);
  usage.by_user = lines(user);
  usage.by_cluster = lines(cluster);
  usage.by_account = lines(account);
  for (auto* dearest_first :
       {&usage.by_partition, &usage.by_user, &usage.by_cluster, &usage.by_account}) {
    std::stable_sort(dearest_first->begin(), dearest_first->end(),
                     [](const auto& a, const auto& b) { return a.charged > b.charged; });
  }
  add_largest(usage.largest_jobs);
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
