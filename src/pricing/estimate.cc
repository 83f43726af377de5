#include "pricing/estimate.h"

#include <algorithm>

#include "pricing/cost.h"
#include "pricing/count.h"
#include "pricing/demand.h"

namespace asbb::pricing {
namespace {

using Unexpected = tl::unexpected<RefusedEstimate>;
using Candidates = std::vector<const PartitionShape*>;

constexpr std::int64_t seconds_per_minute = 60;

// A candidate that costs something, with the most it can give to the job.
struct Plan {
  const PartitionShape* partition = nullptr;
  const Rate* rate = nullptr;
  Demand demand;
};

struct Plans {
  std::vector<Plan> plans;  // none when no candidate has a price
  std::int64_t task_count = 1;
};

struct Limit {
  std::int64_t minutes = 0;
  std::string source;  // for people: where the limit comes from
};

Unexpected refuse(EstimateRefusal code, std::string sentence, std::string field = {}) {
  return Unexpected({code, std::move(sentence), std::move(field)});
}

Unexpected refuse_too_large() {
  return refuse(EstimateRefusal::too_large,
                "This job would cost more than can be counted; ask for less time, fewer nodes or "
                "fewer array tasks.");
}

tl::expected<std::vector<Plan>, RefusedEstimate> priced_candidates(const Candidates& candidates,
                                                                   const PriceBook& book) {
  std::vector<Plan> plans;
  for (const PartitionShape* candidate : candidates) {
    const PartitionShape& partition = *candidate;
    const Rate* rate = book.find_priced(partition.cluster, partition.name);
    if (rate == nullptr) continue;
    if (!plans.empty() && plans.front().rate->unit != rate->unit) {
      return refuse(EstimateRefusal::mixed_units,
                    "Partition " + plans.front().partition->name + " is priced in " +
                        plans.front().rate->unit + " and partition " + partition.name + " in " +
                        rate->unit + "; name partitions of one unit in --partition.",
                    "partition");
    }
    if (partition.hidden_nodes > 0) {
      return refuse(EstimateRefusal::hidden_nodes,
                    "Slurm does not show " + std::to_string(partition.hidden_nodes) +
                        " nodes of partition " + partition.name + " of cluster " +
                        partition.cluster +
                        ", so no price can be given for jobs there; an administrator has to set "
                        "PrivateData=cloud in its slurm.conf, which shows nodes that are powered "
                        "down.",
                    "partition");
    }
    plans.push_back({&partition, rate, {}});
  }
  return plans;
}

tl::expected<std::int64_t, RefusedEstimate> count_tasks(const JobRequest& request,
                                                        const std::vector<Plan>& plans) {
  if (request.array.empty()) return 1;
  std::optional<std::int64_t> limit = plans.front().partition->max_array_size;
  for (const Plan& plan : plans) {
    const auto& other = plan.partition->max_array_size;
    limit = limit && other ? std::optional(std::max(*limit, *other)) : std::nullopt;
  }
  const auto count = count_array_tasks(request.array, limit);
  if (!count) return refuse(EstimateRefusal::bad_array, count.error().message + ".", "array");
  return *count;
}

tl::expected<Plans, RefusedEstimate> make_plans(const JobRequest& request,
                                                const Candidates& candidates, const PriceBook& book,
                                                EstimateLines lines) {
  if (candidates.empty()) {
    return refuse(EstimateRefusal::no_partition, "There is no partition where this job may run.",
                  "partition");
  }
  auto plans = priced_candidates(candidates, book);
  if (!plans) return Unexpected(plans.error());
  if (plans->empty()) return Plans{};
  const auto checked = check_request(request);
  if (!checked) return Unexpected(checked.error());
  const auto task_count = count_tasks(request, *plans);
  if (!task_count) return Unexpected(task_count.error());
  for (Plan& plan : *plans) {
    auto demand = largest_demand(*checked, *plan.partition, *plan.rate, lines);
    if (!demand) return Unexpected(demand.error());
    plan.demand = std::move(*demand);
  }
  return Plans{std::move(*plans), *task_count};
}

// The time limit that will hold on this partition: the job's, else the partition's default, else
// its maximum (sbatch(1), --time).
tl::expected<Limit, RefusedEstimate> time_limit(const JobRequest& request,
                                                const PartitionShape& partition) {
  const auto finite = [](const std::optional<TimeLimit>& limit) {
    return limit && !limit->unlimited;
  };
  if (request.time_limit && request.time_limit->unlimited) {
    return refuse(EstimateRefusal::unlimited_time,
                  "A job without a time limit has no largest cost; give --time.", "time_limit");
  }
  if (request.time_limit) {
    const std::int64_t minutes = request.time_limit->minutes;
    if (minutes <= 0 || minutes > max_time_limit_minutes) {
      return refuse(EstimateRefusal::bad_time_limit,
                    "A time limit of " + std::to_string(minutes) +
                        " minutes cannot be priced; give --time with at least a minute.",
                    "time_limit");
    }
    return Limit{minutes, "as asked"};
  }
  if (finite(partition.default_time)) {
    return Limit{partition.default_time->minutes,
                 "the default of partition " + partition.name + ", as --time was not given"};
  }
  if (finite(partition.max_time)) {
    return Limit{partition.max_time->minutes,
                 "the maximum of partition " + partition.name + ", as --time was not given"};
  }
  return refuse(
      EstimateRefusal::no_time_limit,
      "Partition " + partition.name + " has neither a default nor a maximum time; give --time.",
      "time_limit");
}

// How long the job may run and be billed for.
tl::expected<std::int64_t, RefusedEstimate> longest_run_seconds(const Plan& plan,
                                                                std::int64_t minutes) {
  const auto& over = plan.partition->over_time_limit;
  if (over && over->unlimited) {
    return refuse(EstimateRefusal::unlimited_over_time_limit,
                  "OverTimeLimit is UNLIMITED for partition " + plan.partition->name +
                      ", so no job there has a largest cost; an administrator has to bound it.",
                  "partition");
  }
  const std::int64_t total = plus(minutes, over ? std::max<std::int64_t>(0, over->minutes) : 0);
  return billed_seconds(*plan.rate, times(total, seconds_per_minute));
}

std::vector<std::string> explain(const Estimate& estimate, const Plan& plan, const Limit& limit) {
  std::vector<std::string> lines = {"partition " + estimate.partition + " of cluster " +
                                    estimate.cluster + ", price book " +
                                    std::to_string(estimate.price_version)};
  lines.insert(lines.end(), plan.demand.lines.begin(), plan.demand.lines.end());
  lines.push_back("an hour: " + hourly_terms(*plan.rate, plan.demand.bound) + " " + estimate.unit);
  lines.push_back("time limit " + to_string(TimeLimit{limit.minutes, false}) + ", " + limit.source);
  const std::int64_t limit_seconds = limit.minutes * seconds_per_minute;
  if (estimate.billed_seconds > limit_seconds) {
    const auto& over = plan.partition->over_time_limit;
    lines.push_back(
        "billed at most " + std::to_string(estimate.billed_seconds) + " s, " +
        (over && over->minutes > 0 ? "with OverTimeLimit" : "the shortest that is billed"));
  }
  if (estimate.task_count > 1) {
    lines.push_back(std::to_string(estimate.task_count) + " array tasks x " +
                    to_display(estimate.per_task, estimate.unit));
  }
  lines.push_back("at most " + to_display(estimate.total, estimate.unit));
  return lines;
}

EstimateResult price(const Plan& plan, const Limit& limit, std::int64_t task_count,
                     std::int64_t price_version, EstimateLines lines) {
  const auto seconds = longest_run_seconds(plan, limit.minutes);
  if (!seconds) return Unexpected(seconds.error());
  const auto per_task = cost(*plan.rate, plan.demand.bound, *seconds, Rounding::up);
  if (!per_task) return refuse_too_large();
  const auto total = per_task->times(task_count);
  if (!total || *total > max_amount) return refuse_too_large();
  Estimate out;
  out.priced = true;
  out.unit = plan.rate->unit;
  out.per_task = *per_task;
  out.task_count = task_count;
  out.total = *total;
  out.cluster = plan.partition->cluster;
  out.partition = plan.partition->name;
  out.price_version = price_version;
  out.time_limit_minutes = limit.minutes;
  out.billed_seconds = *seconds;
  out.bound = plan.demand.bound;
  if (lines == EstimateLines::wanted) out.lines = explain(out, plan, limit);
  return out;
}

Estimate unpriced(const PartitionShape& partition, const PriceBook& book) {
  Estimate out;
  out.cluster = partition.cluster;
  out.partition = partition.name;
  out.price_version = book.version;
  out.lines = {"partition " + partition.name + " of cluster " + partition.cluster +
               " has no price"};
  return out;
}

// Hold of a job with this time limit; nothing when it cannot be counted.
std::optional<Micros> hold_for(const Plans& plans, std::int64_t minutes, Micros factor) {
  Micros largest;
  for (const Plan& plan : plans.plans) {
    const auto seconds = longest_run_seconds(plan, minutes);
    if (!seconds) return std::nullopt;
    const auto per_task = cost(*plan.rate, plan.demand.bound, *seconds, Rounding::up);
    const auto total = per_task ? per_task->times(plans.task_count) : std::nullopt;
    if (!total) return std::nullopt;
    largest = std::max(largest, *total);
  }
  return largest > max_amount ? std::nullopt : hold_amount(largest, factor);
}

Candidates pointers_to(const std::vector<PartitionShape>& shapes) {
  Candidates pointers;
  for (const PartitionShape& shape : shapes) pointers.push_back(&shape);
  return pointers;
}

Candidates pointers_to(const std::vector<SharedShape>& shapes) {
  Candidates pointers;
  for (const SharedShape& shape : shapes) pointers.push_back(shape.get());
  return pointers;
}

EstimateResult estimate_of(const JobRequest& request, const Candidates& candidates,
                           const PriceBook& book, EstimateLines lines) {
  const auto plans = make_plans(request, candidates, book, lines);
  if (!plans) return Unexpected(plans.error());
  if (plans->plans.empty()) return unpriced(*candidates.front(), book);
  std::optional<Estimate> dearest;
  for (const Plan& plan : plans->plans) {
    const auto limit = time_limit(request, *plan.partition);
    if (!limit) return Unexpected(limit.error());
    auto priced = price(plan, *limit, plans->task_count, book.version, lines);
    if (!priced) return priced;
    if (!dearest || priced->total > dearest->total) dearest = std::move(*priced);
  }
  return std::move(*dearest);
}

std::optional<std::int64_t> fitting_minutes(const JobRequest& request, const Candidates& candidates,
                                            const PriceBook& book, Micros available,
                                            Micros factor) {
  const auto plans = make_plans(request, candidates, book, EstimateLines::left_out);
  if (!plans || plans->plans.empty()) return std::nullopt;
  std::int64_t longest = max_time_limit_minutes;
  for (const Plan& plan : plans->plans) {
    const auto& limit = plan.partition->max_time;
    if (limit && !limit->unlimited) longest = std::min(longest, limit->minutes);
  }
  const auto fits = [&](std::int64_t minutes) {
    const auto hold = hold_for(*plans, minutes, factor);
    return hold && *hold <= available;
  };
  if (longest < 1 || !fits(1)) return std::nullopt;
  std::int64_t fitting = 1;
  while (fitting < longest) {
    const std::int64_t middle = fitting + (longest - fitting + 1) / 2;
    if (fits(middle)) {
      fitting = middle;
    } else {
      longest = middle - 1;
    }
  }
  return fitting;
}

}  // namespace

std::string_view to_string(EstimateRefusal refusal) {
  switch (refusal) {
    case EstimateRefusal::no_partition:
      return "no_partition";
    case EstimateRefusal::no_time_limit:
      return "no_time_limit";
    case EstimateRefusal::unlimited_time:
      return "unlimited_time";
    case EstimateRefusal::unlimited_over_time_limit:
      return "unlimited_over_time_limit";
    case EstimateRefusal::bad_time_limit:
      return "bad_time_limit";
    case EstimateRefusal::bad_array:
      return "bad_array";
    case EstimateRefusal::bad_tres:
      return "bad_tres";
    case EstimateRefusal::bad_number:
      return "bad_number";
    case EstimateRefusal::no_such_node:
      return "no_such_node";
    case EstimateRefusal::hidden_nodes:
      return "hidden_nodes";
    case EstimateRefusal::mixed_units:
      return "mixed_units";
    case EstimateRefusal::too_large:
      return "too_large";
  }
  return "";
}

EstimateResult estimate(const JobRequest& request, const std::vector<SharedShape>& candidates,
                        const PriceBook& book, EstimateLines lines) {
  return estimate_of(request, pointers_to(candidates), book, lines);
}

EstimateResult estimate(const JobRequest& request, const std::vector<PartitionShape>& candidates,
                        const PriceBook& book) {
  return estimate_of(request, pointers_to(candidates), book, EstimateLines::wanted);
}

std::optional<Micros> hold_amount(Micros total, Micros factor) {
  constexpr std::int64_t micros_per_unit = 1'000'000;
  if (total.is_negative() || factor.is_negative()) return std::nullopt;
  const auto amount = mul_div(total.count(), factor.count(), micros_per_unit, Rounding::up);
  if (!amount || *amount > max_amount.count()) return std::nullopt;
  return Micros(*amount);
}

std::optional<std::int64_t> longest_fitting_minutes(const JobRequest& request,
                                                    const std::vector<SharedShape>& candidates,
                                                    const PriceBook& book, Micros available,
                                                    Micros factor) {
  return fitting_minutes(request, pointers_to(candidates), book, available, factor);
}

std::optional<std::int64_t> longest_fitting_minutes(const JobRequest& request,
                                                    const std::vector<PartitionShape>& candidates,
                                                    const PriceBook& book, Micros available,
                                                    Micros factor) {
  return fitting_minutes(request, pointers_to(candidates), book, available, factor);
}

}  // namespace asbb::pricing
