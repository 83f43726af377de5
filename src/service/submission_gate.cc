#include "service/submission_gate.h"

#include <algorithm>
#include <utility>

#include "base/money.h"
#include "base/text.h"
#include "service/paying_account.h"
#include "service/shapes.h"
#include "slurm/slurm_text.h"

namespace asbb::service {
namespace {

// The same for an account that does not exist and for one that is not the user's.
Denial not_yours(const std::string& account, const std::string& cluster) {
  return {"account_not_usable", "You may not use account " + in_quotes(account) + " on cluster '" +
                                    cluster + "', or there is no such account.\n"};
}

// Of the partitions that a job lists, those with a limit of their own anywhere between the account
// and the top.
std::vector<std::string> limited_partitions(const ledger::Book& book,
                                            const ledger::Account& account,
                                            const std::vector<std::string>& partitions) {
  std::vector<std::string> limited;
  for (const ledger::Account* at = &account; at != nullptr; at = book.account(at->parent)) {
    for (const ledger::Budget* budget : book.budgets_of(at->id)) {
      for (const ledger::PartitionLimit* limit : book.limits_of(budget->id)) {
        if (!limit->limit) continue;
        const std::string& name = limit->partition;
        if (std::find(partitions.begin(), partitions.end(), name) != partitions.end() &&
            std::find(limited.begin(), limited.end(), name) == limited.end()) {
          limited.push_back(name);
        }
      }
    }
  }
  return limited;
}

// Dearest within each unit is the estimate's; across units the first unit's counts.
void name_partition(HoldPlan& plan) {
  const pricing::Estimate& first = plan.parts.front().estimate;
  if (plan.partition.empty()) plan.partition = first.partition;
  plan.task_count = first.task_count;
}

}  // namespace

Verdict SubmissionGate::judge(const api::Submission& submission, Instant now) {
  HoldPlan plan;
  plan.prices = prices_.history();
  plan.book = plan.prices->in_force(now);
  if (plan.book == nullptr) return NoHoldNeeded{};
  const ViewReader view{view_, shapes_, now, options_.view_age_max, options_.clusters};
  const auto candidates = find_candidates(submission, *plan.book, view);
  if (!candidates) return candidates.error();
  if (candidates->units.empty()) return NoHoldNeeded{};
  if (options_.refuses_scrontab && submission.cron.value_or(false)) {
    return Denial{"scrontab_refused", "Jobs of scrontab are not accepted on partition '" +
                                          candidates->partitions.front() +
                                          "', which costs money: submit each with sbatch.\n"};
  }

  plan.cluster = submission.cluster;
  const auto associations = view.fresh_associations(submission.cluster);
  if (!associations) return associations_unknown(submission.cluster);
  if (auto denial = find_account(submission, *associations, plan)) return std::move(*denial);
  plan.request = job_request(submission);
  if (auto denial = count_nodes(submission, plan)) return std::move(*denial);
  plan.request.listed = candidates->listed;
  if (auto denial = read_ledger(*associations, *candidates, plan)) return std::move(*denial);
  if (auto denial = price(*candidates, plan)) return std::move(*denial);
  plan.clusters = candidates->clusters;
  name_partition(plan);
  return plan;
}

// --nodelist. More names than a few times the cluster's nodes are a mistake or an attempt to keep
// the service busy.
std::optional<Denial> SubmissionGate::count_nodes(const api::Submission& submission,
                                                  HoldPlan& plan) const {
  constexpr std::size_t repeats_max = 4;
  if (submission.req_nodes.empty()) return std::nullopt;
  const auto cluster = view_.cluster(submission.cluster);
  const std::size_t known = cluster ? cluster->nodes.size() : 0;
  const auto nodes =
      slurm::expand_hostlist(submission.req_nodes, repeats_max * std::max<std::size_t>(known, 16));
  if (!nodes) return Denial{"bad_nodelist", nodes.error().message + "\n"};
  plan.request.required_nodes = static_cast<std::int64_t>(nodes->size());
  return std::nullopt;
}

std::optional<Denial> SubmissionGate::find_account(const api::Submission& submission,
                                                   const slurm::Associations& associations,
                                                   HoldPlan& plan) const {
  const std::string& cluster = submission.cluster;
  const auto user = names_.known_name(static_cast<std::uint32_t>(submission.user_id));
  if (!user) {
    if (!submission.account.empty()) return not_yours(submission.account, cluster);
    return Denial{"user_unknown", "Slurm's accounting knows no user with id " +
                                      std::to_string(submission.user_id) + " on cluster '" +
                                      cluster + "'.\n"};
  }
  plan.user = *user;
  std::string account = submission.account;
  if (account.empty()) account = associations.default_account(cluster, *user);
  if (account.empty()) {
    return Denial{"no_default_account", "You have no default account on cluster '" + cluster +
                                            "': name one with --account.\n"};
  }
  if (!associations.may_use(cluster, *user, account)) return not_yours(account, cluster);
  plan.slurm_account = associations.account_name(cluster, account);
  return std::nullopt;
}

std::optional<Denial> SubmissionGate::unusable_account(const api::Submission& submission) const {
  const auto cluster = view_.cluster(submission.cluster);
  const auto associations = view_.associations(submission.cluster);
  const bool is_asked =
      cluster && associations &&
      cluster->accounting_storage_enforce.find("associations") != std::string::npos;
  HoldPlan plan;
  return is_asked ? find_account(submission, *associations, plan) : std::nullopt;
}

std::optional<Denial> SubmissionGate::read_ledger(const slurm::Associations& associations,
                                                  const Candidates& candidates,
                                                  HoldPlan& plan) const {
  return committer_.read([&](const ledger::Book& book) -> std::optional<Denial> {
    const ledger::Account* account =
        paying_account(book, &associations, plan.cluster, plan.slurm_account);
    if (account == nullptr) {
      return Denial{"no_budget", "Account '" + plan.slurm_account +
                                     "' has no budget, and partition '" +
                                     candidates.partitions.front() +
                                     "' costs money: ask for one, or use another partition.\n"};
    }
    plan.account = account->name;
    plan.factor = account->hold_factor_millionths ? Micros(*account->hold_factor_millionths)
                                                  : options_.hold_factor;
    if (candidates.partitions.size() < 2) return std::nullopt;
    const auto limited = limited_partitions(book, *account, candidates.partitions);
    if (limited.size() > 1) {
      return Denial{"several_limits", "Account '" + plan.slurm_account +
                                          "' has limits of its own for partitions '" + limited[0] +
                                          "' and '" + limited[1] + "': name one of them.\n"};
    }
    if (!limited.empty()) plan.partition = limited.front();
    return std::nullopt;
  });
}

std::optional<Denial> SubmissionGate::price(const Candidates& candidates, HoldPlan& plan) const {
  for (const UnitCandidates& unit : candidates.units) {
    auto estimate =
        pricing::estimate(plan.request, unit.shapes, *plan.book, pricing::EstimateLines::left_out);
    if (!estimate) {
      return Denial{std::string(to_string(estimate.error().code)),
                    estimate.error().sentence + "\n"};
    }
    const auto amount = pricing::hold_amount(estimate->total, plan.factor);
    if (!amount) {
      return Denial{"too_large", "The cost of this job is larger than what can be held.\n"};
    }
    plan.parts.push_back({unit.shapes, std::move(*estimate), *amount});
  }
  return std::nullopt;
}

Micros of_tasks(Micros each, std::int64_t count) {
  const auto all = mul_div(each.count(), count, 1, Rounding::up);
  return all ? Micros(*all) : max_amount;
}

std::vector<ledger::PlacePart> parts_of(const HoldPlan& plan, std::int64_t task_count) {
  std::vector<ledger::PlacePart> parts;
  for (const PlannedPart& part : plan.parts) {
    parts.push_back({part.estimate.unit, of_tasks(part.estimate.total, task_count),
                     of_tasks(part.amount, task_count), part.estimate.price_version});
  }
  return parts;
}

ledger::PlaceHold place_of(const HoldPlan& plan) {
  ledger::PlaceHold place;
  place.kind = ledger::HoldKind::slurm;
  place.account = plan.account;
  place.user = plan.user;
  place.cluster = plan.cluster;
  place.partition = plan.partition;
  place.task_count = plan.task_count;
  place.parts = parts_of(plan);
  std::vector<std::string> units;
  for (const ledger::PlacePart& part : place.parts) units.push_back(part.unit);
  place.any_unit = can_be_restricted(plan.clusters, units);
  return place;
}

std::string constraint_of(const HoldPlan& plan, const ledger::Hold& hold) {
  if (plan.parts.size() <= hold.parts.size()) return {};
  std::set<std::string> units;
  for (const ledger::HoldPart& part : hold.parts) units.insert(part.unit);
  return constraint_for(plan.clusters, units).value_or(std::string());
}

}  // namespace asbb::service
