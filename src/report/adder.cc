#include "report/adder.h"

#include <algorithm>
#include <tuple>

#include "base/assert.h"
#include "base/zone.h"

namespace asbb::report {
namespace {

constexpr std::int64_t millionths = 1'000'000;

Effort effort_of(const Run& run) {
  Effort effort;
  effort.runs = 1;
  if (run.wait_seconds) {
    effort.waits = 1;
    effort.wait_seconds = effort.longest_wait_seconds = *run.wait_seconds;
  }
  effort.core_seconds = run.used_seconds * run.cores;
  if (run.asked_seconds) {
    effort.asked_core_seconds = *run.asked_seconds * run.cores;
    effort.used_core_seconds = effort.core_seconds;
  }
  return effort;
}

}  // namespace

void Effort::add(const Effort& other) {
  runs += other.runs;
  waits += other.waits;
  wait_seconds += other.wait_seconds;
  longest_wait_seconds = std::max(longest_wait_seconds, other.longest_wait_seconds);
  core_seconds += other.core_seconds;
  asked_core_seconds += other.asked_core_seconds;
  used_core_seconds += other.used_core_seconds;
}

std::optional<std::int64_t> Effort::mean_wait_seconds() const {
  if (waits == 0) return std::nullopt;
  return mul_div(wait_seconds, 1, waits, Rounding::half_even);
}

std::optional<std::int64_t> Effort::efficiency_permille() const {
  if (asked_core_seconds == 0) return std::nullopt;
  return mul_div(used_core_seconds, 1000, asked_core_seconds, Rounding::half_even);
}

std::optional<Micros> converted(Micros amount, const Rate& rate) {
  const auto count = mul_div(amount.count(), rate.rate.count(), millionths, Rounding::half_even);
  if (!count) return std::nullopt;
  return Micros(*count);
}

Adder::Adder(Dual& report, UseJob use_job, PriceOf price_of)
    : report_(report), use_job_(std::move(use_job)), price_of_(std::move(price_of)) {
  report_.all = Line{};
  report_.all.charged.resize(report_.units.size());
  report_.adjusted.resize(report_.units.size());
}

std::size_t Adder::unit_index(const std::string& unit) const {
  const auto found = std::lower_bound(report_.units.begin(), report_.units.end(), unit);
  ASBB_ASSERT(found != report_.units.end() && *found == unit);
  return static_cast<std::size_t>(found - report_.units.begin());
}

Line& Adder::line_of(Lines& lines, const Key& key) {
  Line& line = lines[key];
  if (line.charged.empty()) {
    line.name = key.first;
    line.cluster = key.second;
    line.charged.resize(report_.units.size());
  }
  return line;
}

void Adder::add_amount(Lines& lines, const Key& key, std::size_t unit, Micros amount) {
  auto& charged = line_of(lines, key).charged[unit];
  charged = charged.value_or(Micros()) + amount;
  met_.insert({&lines, key});
}

std::string Adder::day_of(Instant at) {
  if (day_.empty() || at < day_start_ || !(at < day_end_)) {
    const Day day = asbb::day_of(at, report_.zone).value_or(Day{});
    day_start_ = start_of_day(day, report_.zone).value_or(at);
    day_end_ = start_of_day(next_day(day), report_.zone).value_or(at);
    day_ = to_string(day);
  }
  return day_;
}

void Adder::add(const Fact& fact) {
  const JobName& name = fact.spending ? fact.spending->job : fact.run->job;
  if (has_job_ && name != job_name_) end_job();
  if (!has_job_) {
    has_job_ = true;
    job_name_ = name;
    job_ = JobLine{};
    job_.line.name = name.id;
    job_.line.cluster = name.cluster;
    job_.line.charged.resize(report_.units.size());
    met_.clear();
    runs_.clear();
  }
  if (fact.spending) {
    add_spending(*fact.spending);
  } else {
    add_run(*fact.run);
  }
}

void Adder::add_spending(const Spending& spending) {
  const std::size_t unit = unit_index(spending.unit);
  for (auto* total : {&report_.all.charged[unit], &job_.line.charged[unit]}) {
    *total = total->value_or(Micros()) + spending.amount;
  }
  const std::string& cluster = spending.job.cluster;
  add_amount(clusters_, {cluster, ""}, unit, spending.amount);
  add_amount(partitions_, {spending.partition, cluster}, unit, spending.amount);
  add_amount(users_, {spending.user, ""}, unit, spending.amount);
  add_amount(accounts_, {spending.account, ""}, unit, spending.amount);
  add_amount(days_, {day_of(spending.at), ""}, unit, spending.amount);
  job_.account = spending.account;
  job_.user = spending.user;
  job_.partition = spending.partition;
}

// Whether they are a charged job's is known at the job's end.
void Adder::add_run(const Run& run) {
  runs_.push_back(run);
  if (met_.empty()) {
    job_.account = run.account;
    job_.user = run.user;
    job_.partition = run.partition;
  }
  job_.ended = std::max(job_.ended.value_or(run.end), run.end);
  job_.line.effort.add(effort_of(run));
}

void Adder::add_effort(const Run& run) {
  const Effort effort = effort_of(run);
  report_.all.effort.add(effort);
  // A run may have been on another partition than the one that was charged.
  line_of(clusters_, {run.job.cluster, ""}).effort.add(effort);
  line_of(partitions_, {run.partition, run.job.cluster}).effort.add(effort);
  line_of(users_, {run.user.empty() ? job_.user : run.user, ""}).effort.add(effort);
  line_of(accounts_, {run.account, ""}).effort.add(effort);
  line_of(days_, {day_of(run.end), ""}).effort.add(effort);
}

void Adder::end_uncharged_job() {
  // A job that was cancelled before it began used nothing that could cost anything.
  if (job_.line.effort.core_seconds == 0) return;
  // It is named by that of its runs which most likely cost something.
  std::pair<Price, std::string> likely;
  for (const Run& run : runs_) {
    if (run.used_seconds * run.cores == 0) continue;
    const Price price = price_of_(job_name_.cluster, run.partition, run.start);
    if (likely.second.empty() || likely.first < price) likely = {price, run.partition};
  }
  const auto& [price, partition] = likely;
  Uncharged& line = uncharged_[{{partition, job_name_.cluster}, price}];
  line.price = price;
  line.partition = partition;
  line.cluster = job_name_.cluster;
  ++line.jobs;
  line.core_seconds += job_.line.effort.core_seconds;
  if (use_job_) use_job_(job_);
}

void Adder::end_job() {
  has_job_ = false;
  if (met_.empty()) return end_uncharged_job();
  ++report_.all.jobs;
  job_.line.jobs = 1;
  for (const auto& [lines, key] : met_) ++(*lines)[key].jobs;
  for (const Run& run : runs_) add_effort(run);
  if (runs_.empty()) ++report_.jobs_without_accounting;
  if (!use_job_) return;
  set_total(job_.line);
  use_job_(job_);
}

void Adder::set_total(Line& line) const {
  if (report_.total_unit.empty()) return;
  Micros total;
  for (std::size_t i = 0; i < line.charged.size(); ++i) {
    if (!line.charged[i]) continue;
    std::optional<Micros> part;
    if (report_.units[i] == report_.total_unit) part = line.charged[i];
    for (const Rate& rate : report_.rates) {
      if (rate.from_unit == report_.units[i]) part = converted(*line.charged[i], rate);
    }
    const auto sum = part ? total.plus(*part) : std::nullopt;
    if (!sum) return;
    total = *sum;
  }
  line.total = total;
}

std::vector<Line> Adder::taken(Lines& lines, bool largest_first) const {
  std::vector<Line> out;
  for (auto& [key, line] : lines) {
    set_total(line);
    out.push_back(std::move(line));
  }
  if (!largest_first) return out;
  std::stable_sort(out.begin(), out.end(), [](const Line& a, const Line& b) {
    return std::tie(b.total, b.charged) < std::tie(a.total, a.charged);
  });
  return out;
}

void Adder::finish() {
  if (has_job_) end_job();
  set_total(report_.all);
  report_.by_cluster = taken(clusters_, true);
  report_.by_partition = taken(partitions_, true);
  report_.by_user = taken(users_, true);
  report_.by_account = taken(accounts_, true);
  report_.by_day = taken(days_, false);
  for (auto& [key, line] : uncharged_) report_.uncharged.push_back(std::move(line));
}

}  // namespace asbb::report
