// POST /api/v1/quote: the gate's own judgement of a job, and the ledger's, on a stage that is
// thrown away.
#include <algorithm>
#include <array>
#include <future>
#include <memory>
#include <utility>

#include "base/text.h"
#include "base/token.h"
#include "service/operations.h"
#include "service/submission_messages.h"

namespace asbb::service {
namespace {

constexpr std::int64_t nobody = 4'294'967'294;  // an id that the system's user database has not
constexpr std::size_t partitions_shown_max = 8;

ledger::Command place_command(ledger::PlaceHold place, const std::string& actor, Instant at,
                              std::int64_t unbound_max) {
  place.unbound_max = unbound_max;
  ledger::Command command;
  command.context.request_id = make_token(at, {});
  command.context.actor = actor;
  command.context.at = at;
  command.action = std::move(place);
  return command;
}

api::QuotePart part_view(const HoldPlan& plan, const PlannedPart& part) {
  api::QuotePart view;
  view.unit = part.estimate.unit;
  view.cluster = part.estimate.cluster;
  view.partition = part.estimate.partition;
  view.price_version = part.estimate.price_version;
  view.estimated_cost = part.estimate.total;
  view.hold_amount = part.amount;
  auto explained = pricing::estimate(plan.request, part.shapes, *plan.book);
  if (explained) view.lines = std::move(explained->lines);
  return view;
}

std::vector<ledger::LegFigures> legs_of(const ledger::Book& book, const HoldPlan& plan,
                                        const std::string& unit, Instant at) {
  std::vector<ledger::LegFigures> figures;
  const ledger::Account* account = book.account(plan.account);
  if (account == nullptr) return figures;
  const ledger::Stage stage(book);
  for (const ledger::Leg& leg : find_legs(stage, account->id, unit, plan.partition, at).legs) {
    const bool is_limit = leg.kind == ledger::Leg::Kind::partition_limit;
    if (is_limit && !stage.limit(ledger::LimitId{leg.id})->limit) continue;
    figures.push_back(figures_of(stage, leg));
  }
  return figures;
}

std::int64_t nodes_of(const HoldPlan& plan) {
  std::int64_t nodes = 0;
  for (const PlannedPart& part : plan.parts) nodes = std::max(nodes, part.estimate.bound.nodes);
  return nodes;
}

// The same job on at most so many nodes, with as many tasks on each.
api::Submission on_nodes(api::Submission job, std::int64_t nodes, std::int64_t of) {
  const auto scale = [&](std::optional<std::int64_t>& count) {
    if (count && *count > 0) count = std::max<std::int64_t>(1, *count / of * nodes);
  };
  scale(job.num_tasks);
  scale(job.min_cpus);
  scale(job.max_cpus);
  job.min_nodes = std::min(job.min_nodes.value_or(1), nodes);
  job.max_nodes = nodes;
  return job;
}

// Whether the partition would take a job of that length and account at all.
bool may_run_there(const slurm::PartitionInfo& partition, const api::Submission& job,
                   const std::string& account) {
  const auto names = [&](const std::vector<std::string>& accounts) {
    return std::find(accounts.begin(), accounts.end(), account) != accounts.end();
  };
  const bool is_long = job.time_limit_minutes && *job.time_limit_minutes != api::unlimited &&
                       partition.max_time_minutes != slurm::unlimited &&
                       *job.time_limit_minutes > partition.max_time_minutes;
  return partition.state == "UP" && !partition.is_hidden && !is_long &&
         (partition.allow_accounts.empty() || names(partition.allow_accounts)) &&
         !names(partition.deny_accounts);
}

// Requests that name what one cluster alone has, and those that stay with other jobs.
bool is_bound_to_cluster(const api::Submission& job) {
  return job.het_job_offset || !job.req_nodes.empty() || !job.reservation.empty() ||
         !job.features.empty() || !job.licenses.empty() || !job.dependency.empty();
}

// Whether the plan looked at what the job would cost on that cluster.
bool was_planned_for(const HoldPlan& plan, const std::string& cluster) {
  if (plan.clusters.empty()) return cluster == plan.cluster;
  return std::any_of(plan.clusters.begin(), plan.clusters.end(), [&](const ClusterChoice& choice) {
    return choice.name == cluster && choice.is_viable && !choice.units.empty();
  });
}

// Those of the list that the cluster has, or its default one.
std::string partitions_on(const slurm::ClusterSnapshot& cluster, const std::string& list) {
  std::string known;
  for (const std::string_view name : split(list, ',')) {
    if (name.empty() || cluster.partition(name) == nullptr) continue;
    known += (known.empty() ? "" : ",") + std::string(name);
  }
  const auto* its_default = cluster.default_partition();
  const bool wants_default = known.empty() && !list.empty() && its_default != nullptr;
  return wants_default ? its_default->name : known;
}

// The job names a partition that slurmctld would not take. The gate leaves that to it, but whoever
// compares clusters must not take it for one that costs nothing.
bool lacks_partition(const slurm::ClusterSnapshot* cluster, const api::Submission& job,
                     api::Quote& quote) {
  const bool is_asked_of_several = job.clusters.find(',') != std::string::npos;
  if (cluster == nullptr || is_asked_of_several) return false;
  for (const std::string_view name : split(job.partition, ',')) {
    if (name.empty() || cluster->partition(name) != nullptr) continue;
    quote.decision = "deny";
    quote.code = "unknown_partition";
    quote.message = "Partition " + in_quotes(std::string(name)) + " is not known on cluster '" +
                    job.cluster + "'.\n";
    return true;
  }
  return false;
}

// Nor for one where nothing has a price and he may not use his account.
bool lacks_account(const SubmissionGate& gate, const api::Submission& job, api::Quote& quote) {
  const auto denial = gate.unusable_account(job);
  if (!denial) return false;
  quote.decision = "deny";
  quote.code = denial->code;
  quote.message = denial->message;
  return true;
}

bool shares_unit(const HoldPlan& one, const HoldPlan& other) {
  return std::any_of(one.parts.begin(), one.parts.end(), [&](const PlannedPart& part) {
    return std::any_of(other.parts.begin(), other.parts.end(), [&](const PlannedPart& its) {
      return its.estimate.unit == part.estimate.unit;
    });
  });
}

}  // namespace

// A job as it would be judged at this moment.
struct Operations::Trial {
  Verdict verdict;
  ledger::Outcome outcome;                            // of a HoldPlan
  std::vector<std::vector<ledger::LegFigures>> legs;  // for each part
  std::string restricted;  // a sentence, where only some of the clusters can be paid
  bool is_above = false;   // what refuses it is a limit whose figures the caller may not see
  PricedBy by;             // where an advisor was asked

  [[nodiscard]] const HoldPlan* plan() const { return std::get_if<HoldPlan>(&verdict); }
  [[nodiscard]] bool granted() const {
    return std::holds_alternative<NoHoldNeeded>(verdict) ||
           (plan() != nullptr && outcome.accepted());
  }
  [[nodiscard]] api::QuoteFit as_fit(const std::string& change,
                                     const std::string& arguments) const {
    api::QuoteFit fit;
    fit.change = change;
    fit.arguments = arguments;
    if (plan() == nullptr) return fit;
    const PlannedPart& part = plan()->parts.front();
    fit.unit = part.estimate.unit;
    fit.estimated_cost = part.estimate.total;
    fit.hold_amount = part.amount;
    return fit;
  }
};

// Waits for the advisor: no controller does for a quote.
PricedBy Operations::advise_trial(HoldPlan& plan, ledger::PlaceHold& place) const {
  constexpr Span patience = seconds(1);
  const auto part = hooks_.advice == nullptr ? std::nullopt : hooks_.advice->part_of(plan);
  if (!part) return {};
  const auto told = std::make_shared<std::promise<Result<advisor::Advice>>>();
  hooks_.advice->ask(plan, *part, patience,
                     [told](const Result<advisor::Advice>& advice) { told->set_value(advice); });
  return hooks_.advice->apply(told->get_future().get(), *part, plan, place);
}

Operations::Trial Operations::try_job(const Caller& caller, const api::Submission& job,
                                      Asking asking) {
  const Instant at = now();
  ledger::PlaceHold place;
  Trial trial{judge(job, at, place), {}, {}, {}, false, {}};
  auto* plan = std::get_if<HoldPlan>(&trial.verdict);
  if (plan == nullptr) return trial;
  if (asking == Asking::advisor_too) trial.by = advise_trial(*plan, place);
  const ledger::Command command =
      place_command(std::move(place), caller.actor, at, options_.unbound_holds_max);
  with_.committer.read([&](const ledger::Book& book) {
    ledger::Stage stage(book);
    trial.outcome = decide(stage, command);
    if (const ledger::Hold* hold = stage.hold(trial.outcome.hold)) {
      trial.restricted = restricted_message(*plan, *hold);
    }
    for (const PlannedPart& part : plan->parts) {
      trial.legs.push_back(legs_of(book, *plan, part.estimate.unit, at));
    }
  });
  trial.is_above = !trial.outcome.accepted() && !trial.outcome.leg.account.empty() &&
                   !may_see(caller, trial.outcome.leg.account);
  return trial;
}

Reply<api::Quote> Operations::quote(const Caller& caller, const api::QuoteRequest& request) {
  const bool for_himself = request.user.empty() || request.user == caller.user;
  if (!for_himself && !caller.may_read) return not_allowed(caller);
  api::Quote quote;
  quote.user = for_himself ? caller.user : request.user;
  if (quote.user.empty()) {
    if (caller.is_anonymous) return not_allowed(caller);
    return problem(400, "VALIDATION_ERROR", "user: say whose job it would be", "user");
  }
  api::Submission job = request.job;
  if (job.cluster.empty() && options_.clusters.size() == 1) job.cluster = options_.clusters.front();
  if (job.cluster.empty()) {
    return problem(400, "VALIDATION_ERROR", "cluster: there are several; name one", "cluster");
  }
  if (auto unknown = check_cluster(job.cluster)) return tl::unexpected(std::move(*unknown));
  const auto id = with_.names.known_id(quote.user);
  job.user_id = id ? static_cast<std::int64_t>(*id) : nobody;
  quote.cluster = job.cluster;

  const Trial trial = try_job(caller, job, Asking::advisor_too);
  quote.decision = trial.granted() ? "allow" : "deny";
  if (const auto* denial = std::get_if<Denial>(&trial.verdict)) {
    want_view(denial->code);
    quote.code = denial->code;
    quote.message = denial->message;
    if (denial->code == dry_code) quote.message += elsewhere(caller, job);
    return quote;
  }
  const HoldPlan* plan = trial.plan();
  const auto read = with_.view.cluster(job.cluster);
  if (lacks_partition(read.get(), job, quote) ||
      (plan == nullptr && lacks_account(gate_, job, quote))) {
    want_view(quote.code);
    return quote;
  }
  if (plan == nullptr) {
    quote.message = "Nothing that this job may use has a price: no hold is needed.\n";
    return quote;
  }
  quote.account = plan->account;
  quote.task_count = plan->task_count;
  for (std::size_t i = 0; i < plan->parts.size(); ++i) {
    api::QuotePart part = part_view(*plan, plan->parts[i]);
    if (i == trial.by.part && !trial.by.reason.empty()) {
      part.priced_by = trial.by.is_advisor ? "advisor" : "price_book";
      part.lines.push_back(trial.by.reason);
    }
    for (const ledger::LegFigures& leg : trial.legs[i]) {
      api::QuoteLeg view{leg.account, leg.partition, {}, {}, {}, {}, false};
      view.fits = leg.available >= part.hold_amount;
      if (may_see(caller, leg.account)) {
        view.limit = leg.limit;
        view.held = leg.held;
        view.used = leg.used;
        view.available = leg.available;
      }
      part.legs.push_back(std::move(view));
    }
    quote.parts.push_back(std::move(part));
  }
  if (trial.granted()) {
    quote.message = would_hold_message(*plan) + trial.restricted;
    return quote;
  }
  quote.code = ledger::to_string(trial.outcome.refusal);
  quote.message = refused_message(*plan, trial.outcome);
  if (may_pay_elsewhere(trial.outcome.refusal)) quote.message += elsewhere(caller, job);
  if (is_for_money(trial.outcome.refusal)) quote.fits = fits_of(caller, job, trial);
  return quote;
}

// Where the account could pay for the job in another unit: tried, not reckoned, so that it is true
// of this job. Nobody learns more than what is left of the account that he may spend from.
std::string Operations::elsewhere(const Caller& caller, const api::Submission& job) {
  const Verdict here = gate_.judge(job, now());
  const auto* plan = std::get_if<HoldPlan>(&here);
  if (plan == nullptr || is_bound_to_cluster(job)) return {};
  const auto associations = with_.view.associations(job.cluster);
  std::string text;
  for (const std::string& name : options_.clusters) {
    const auto snapshot = with_.view.cluster(name);
    if (!snapshot || was_planned_for(*plan, name)) continue;
    const bool is_reached = associations && associations->knows_cluster(name);
    api::Submission there = job;
    there.cluster = name;
    there.clusters = is_reached ? name : std::string();
    there.cluster_features.clear();
    there.spank.cloud = false;
    there.partition = partitions_on(*snapshot, job.partition);
    const std::string partition = there.partition == job.partition ? "" : there.partition;
    const Trial trial = try_job(caller, there);
    const HoldPlan* other = trial.plan();
    if (!trial.granted() || other == nullptr || other->account != plan->account) continue;
    if (shares_unit(*plan, *other) || !trial.restricted.empty()) continue;
    const std::string command = (is_reached ? "sbatch -M " : "asbb submit --cluster=") + name +
                                (partition.empty() ? "" : " -p " + partition) + " ...\n";
    for (std::size_t i = 0; i < other->parts.size(); ++i) {
      std::optional<Micros> left;
      for (const ledger::LegFigures& leg : trial.legs[i]) {
        if (leg.account != plan->account) continue;
        left = left ? std::min(*left, leg.available) : leg.available;
      }
      if (!left) continue;
      text += "The account has " + to_display(*left, other->parts[i].estimate.unit) + " left on " +
              name + ": " + command;
      break;
    }
  }
  return text;
}

std::vector<api::QuoteFit> Operations::fits_of(const Caller& caller, const api::Submission& job,
                                               const Trial& refused) {
  std::vector<api::QuoteFit> fits;
  const HoldPlan& plan = *refused.plan();
  if (!refused.is_above) {
    std::int64_t minutes = pricing::max_time_limit_minutes;
    for (std::size_t i = 0; i < plan.parts.size(); ++i) {
      for (const ledger::LegFigures& leg : refused.legs[i]) {
        minutes = std::min(minutes, longest_fitting_minutes(plan.request, plan.parts[i].shapes,
                                                            *plan.book, leg.available, plan.factor)
                                        .value_or(0));
      }
    }
    api::Submission shorter = job;
    shorter.time_limit_minutes = minutes;
    const Trial trial =
        minutes > 0 ? try_job(caller, shorter) : Trial{Denial{}, {}, {}, {}, false, {}};
    if (trial.granted()) {
      fits.push_back(
          trial.as_fit("time", "--time=" + pricing::to_string(pricing::TimeLimit{minutes, false})));
    }
    const std::int64_t asked = nodes_of(plan);
    std::int64_t fitting = 0;
    for (std::int64_t low = 1, high = asked - 1; low <= high;) {
      const std::int64_t middle = low + (high - low) / 2;
      const bool fits_there = try_job(caller, on_nodes(job, middle, asked)).granted();
      if (fits_there) fitting = middle;
      fits_there ? low = middle + 1 : high = middle - 1;
    }
    if (fitting > 0) {
      const api::Submission smaller = on_nodes(job, fitting, asked);
      std::string arguments = "--nodes=" + std::to_string(fitting);
      if (smaller.num_tasks) arguments += " --ntasks=" + std::to_string(*smaller.num_tasks);
      fits.push_back(try_job(caller, smaller).as_fit("nodes", arguments));
    }
  }
  const auto others = other_partitions(caller, job);
  fits.insert(fits.end(), others.begin(), others.end());
  return fits;
}

std::vector<api::QuoteFit> Operations::other_partitions(const Caller& caller,
                                                        const api::Submission& job) {
  std::vector<api::QuoteFit> fits;
  const auto cluster = with_.view.cluster(job.cluster);
  if (!cluster) return fits;
  const auto named = split(job.partition, ',');
  for (const slurm::PartitionInfo& partition : cluster->partitions) {
    const bool was_named = std::find(named.begin(), named.end(), partition.name) != named.end() ||
                           (job.partition.empty() && partition.is_default);
    if (was_named || !may_run_there(partition, job, job.account)) continue;
    api::Submission elsewhere = job;
    elsewhere.partition = partition.name;
    const Trial trial = try_job(caller, elsewhere);
    if (trial.granted()) fits.push_back(trial.as_fit("partition", "--partition=" + partition.name));
    if (fits.size() == partitions_shown_max) break;
  }
  std::stable_sort(fits.begin(), fits.end(), [](const auto& a, const auto& b) {
    return a.estimated_cost < b.estimated_cost;
  });
  return fits;
}

}  // namespace asbb::service
