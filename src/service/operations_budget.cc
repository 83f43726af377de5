// POST /budget/check and /budget/reconcile: holds and settlements of programs that are not Slurm.
#include <algorithm>
#include <iterator>
#include <memory>
#include <utility>

#include "api/json.h"
#include "base/assert.h"
#include "base/text.h"
#include "ledger/same_job.h"
#include "service/digest.h"
#include "service/job_holds.h"
#include "service/log.h"
#include "service/moves.h"
#include "service/operations.h"
#include "service/paying_account.h"

namespace asbb::service {
namespace {

constexpr std::int64_t minute_s = 60;

// `cpus` and `gpus` are of the whole job, as the clients of this route count them; memory is per
// node, as with sbatch --mem.
pricing::JobRequest job_request(const api::BudgetCheck& check) {
  pricing::JobRequest request;
  request.min_nodes = request.max_nodes = check.nodes;
  request.min_cpus = std::max(check.cpus, check.nodes);
  if (check.gpus > 0) request.tres_per_job = "gres:gpu:" + std::to_string(check.gpus);
  if (check.memory_mb) request.memory_per_node_mb = *check.memory_mb;
  const std::int64_t minutes = (check.wall_time_s + minute_s - 1) / minute_s;
  request.time_limit = pricing::TimeLimit{minutes, false};
  return request;
}

// A partition that no cluster view knows, as large as what is asked: the price book alone decides.
pricing::PartitionShape made_up_shape(const api::BudgetCheck& check, const std::string& cluster) {
  const auto per_node = [&](std::int64_t of_job) {
    return std::max<std::int64_t>(1, (of_job + check.nodes - 1) / check.nodes);
  };
  pricing::NodeShape node;
  node.count = check.nodes;
  node.cpus = node.cores_per_socket = per_node(check.cpus);
  node.memory_mb = check.memory_mb.value_or(0);
  if (check.gpus > 0) node.gpus_by_type[""] = per_node(check.gpus);
  pricing::PartitionShape shape;
  shape.cluster = cluster;
  shape.name = check.partition;
  shape.nodes.push_back(std::move(node));
  return shape;
}

// The clusters for which the price book has a rate of the partition, one that is free included; ""
// stands for the rates of every cluster.
std::vector<std::string> priced_clusters(const pricing::PriceBook& book,
                                         const api::BudgetCheck& check) {
  if (!check.cluster.empty()) {
    if (book.find(check.cluster, check.partition) == nullptr) return {};
    return {check.cluster};
  }
  std::vector<std::string> clusters;
  for (const pricing::Rate& rate : book.rates) {
    if (rate.partition == check.partition && rate.cluster != "*") clusters.push_back(rate.cluster);
  }
  if (clusters.empty() && book.find("", check.partition) != nullptr) clusters.emplace_back();
  return clusters;
}

// A name that is misspelt must not be free of charge.
api::Problem unknown_partition(const api::BudgetCheck& check) {
  const std::string where = check.cluster.empty() ? "" : " on cluster " + check.cluster;
  return problem(400, "VALIDATION_ERROR",
                 "partition: " + in_quotes(check.partition) + " is not known" + where +
                     ": neither to a cluster that has been read nor to the price book in force; "
                     "give one partition by its exact name",
                 "partition")
      .value();
}

api::BudgetCheckAnswer free_of_charge(const api::BudgetCheck& check) {
  api::BudgetCheckAnswer answer;
  answer.available = true;
  answer.message = "Partition '" + check.partition + "' has no price: nothing is held.";
  return answer;
}

// The account has run dry while jobs run.
api::BudgetCheckAnswer stopped_answer(const Denial& denial, const pricing::Estimate& estimate,
                                      Micros factor) {
  api::BudgetCheckAnswer answer;
  answer.unit = estimate.unit;
  answer.estimated_cost = estimate.total;
  answer.code = denial.code;
  answer.message = denial.message;
  answer.details.hold_percentage = factor;
  return answer;
}

api::BudgetCheckAnswer check_answer(const ledger::Outcome& outcome, const std::string& account,
                                    Micros factor, const std::string& transaction_id) {
  api::BudgetCheckAnswer answer;
  answer.available = outcome.accepted();
  answer.unit = outcome.unit;
  answer.estimated_cost = outcome.estimate;
  answer.details.hold_percentage = factor;
  answer.budget_remaining = outcome.leg.available;
  if (outcome.accepted()) {
    answer.hold_amount = outcome.amount;
    answer.budget_remaining -= outcome.amount;
    answer.transaction_id = transaction_id;
    answer.message = to_display(outcome.amount, outcome.unit) + " held.";
    return answer;
  }
  answer.code = ledger::to_string(outcome.refusal);
  answer.message = sentence_of(outcome, account);
  return answer;
}

// Of the budget that pays and its limit for the partition, without what was held just now.
void add_details(api::BudgetCheckAnswer& answer, const ledger::Book& book,
                 const ledger::Outcome& outcome, const std::string& partition) {
  const ledger::Budget* budget = book.budget(outcome.budget);
  if (budget == nullptr) return;
  answer.details.account_balance = budget->limit - budget->used;
  answer.details.current_hold = std::max(budget->held - answer.hold_amount, Micros());
  for (const ledger::PartitionLimit* limit : book.limits_of(budget->id)) {
    if (limit->partition != partition || !limit->limit) continue;
    answer.details.partition_limit = *limit->limit;
    answer.details.partition_used = limit->used;
  }
}

// Refusals that say "there is no money" are answers; clients take every other status as an outage.
bool is_about_money(ledger::Refusal refusal) {
  return refusal == ledger::Refusal::insufficient_budget ||
         refusal == ledger::Refusal::partition_limit_exceeded ||
         refusal == ledger::Refusal::no_budget || refusal == ledger::Refusal::budget_not_in_force;
}

api::BudgetReconcileAnswer reconcile_answer(const ledger::Outcome& outcome,
                                            const std::string& transaction_id) {
  api::BudgetReconcileAnswer answer;
  answer.success = true;
  answer.unit = outcome.unit;
  answer.original_hold = outcome.granted;
  answer.actual_charge = outcome.charged + outcome.overrun;
  answer.refund_amount = outcome.released;
  answer.overrun = outcome.overrun;
  answer.transaction_id = transaction_id;
  answer.message = to_display(answer.actual_charge, outcome.unit) + " charged, " +
                   to_display(outcome.released, outcome.unit) + " given back.";
  return answer;
}

}  // namespace

// What a check needs to know before the ledger is asked.
struct Operations::Checked {
  std::string account;
  Micros factor;
  pricing::Estimate estimate;
  Micros amount;
  pricing::JobRequest request;
  std::vector<pricing::SharedShape> shapes;
  std::shared_ptr<const pricing::PriceHistory> prices;  // keeps `book`
  const pricing::PriceBook* book = nullptr;
};

namespace {

// Empty when nothing would fit.
std::string recommend(const pricing::JobRequest& request,
                      const std::vector<pricing::SharedShape>& shapes,
                      const pricing::PriceBook& book, Micros available, Micros factor) {
  const auto minutes = pricing::longest_fitting_minutes(request, shapes, book, available, factor);
  if (!minutes) return {};
  return "A wall time of at most " + pricing::to_string(pricing::TimeLimit{*minutes, false}) +
         " would fit.";
}

}  // namespace

Micros Operations::hold_factor_of(const ledger::Account& account) const {
  return account.hold_factor_millionths ? Micros(*account.hold_factor_millionths)
                                        : options_.gate.hold_factor;
}

Reply<Operations::Checked> Operations::price_check(const api::BudgetCheck& request) {
  Checked checked;
  const bool is_known = with_.committer.read([&](const ledger::Book& book) {
    const ledger::Account* account = book.account(request.account);
    for (const std::string& cluster : options_.clusters) {
      if (account != nullptr) break;
      const auto associations = with_.view.associations(cluster);
      account = paying_account(book, associations.get(), cluster, request.account);
    }
    if (account == nullptr) return false;
    checked.account = account->name;
    checked.factor = hold_factor_of(*account);
    return true;
  });
  if (!is_known) return no_such_account(request.account);
  // A list would be priced as a name that nobody knows.
  if (request.partition.find(',') != std::string::npos) {
    return tl::unexpected(unknown_partition(request));
  }
  checked.prices = with_.prices.history();
  checked.book = checked.prices->in_force(now());
  if (checked.book == nullptr) return checked;
  std::vector<pricing::SharedShape>& shapes = checked.shapes;
  for (const std::string& cluster : options_.clusters) {
    if (!request.cluster.empty() && request.cluster != cluster) continue;
    const auto snapshot = with_.view.cluster(cluster);
    const SharedShape shape = snapshot ? shapes_.shape(snapshot, request.partition) : nullptr;
    if (shape) shapes.push_back(shape);
  }
  if (shapes.empty()) {
    for (const std::string& cluster : priced_clusters(*checked.book, request)) {
      shapes.push_back(
          std::make_shared<const pricing::PartitionShape>(made_up_shape(request, cluster)));
    }
  }
  if (shapes.empty()) return tl::unexpected(unknown_partition(request));
  checked.request = job_request(request);
  auto estimate =
      pricing::estimate(checked.request, shapes, *checked.book, pricing::EstimateLines::left_out);
  if (!estimate) {
    return problem(400, "VALIDATION_ERROR", estimate.error().sentence, estimate.error().field);
  }
  const auto amount = pricing::hold_amount(estimate->total, checked.factor);
  if (!amount) {
    return problem(400, "VALIDATION_ERROR", "The cost is larger than what can be held.",
                   "wall_time");
  }
  checked.estimate = std::move(*estimate);
  checked.amount = *amount;
  return checked;
}

void Operations::check(const Caller& caller, const api::BudgetCheck& request,
                       const Promise<api::BudgetCheckAnswer>& promise) {
  using Answer = api::BudgetCheckAnswer;
  if (!caller.may_check) return fail_with(promise, not_allowed(caller).value());
  ledger::PlaceHold place;
  place.transaction_id = fresh_token(now());
  const std::string fresh_id = place.transaction_id;
  const std::string key =
      request.request_id.empty() ? fresh_id : caller.actor + ":" + request.request_id;
  auto priced = price_check(request);
  const bool is_held = priced && priced->estimate.priced;
  // Asked again: the ledger repeats its answer, whatever the job would cost by now.
  if (!is_held && !is_answered("check:" + key)) {
    if (!priced) return fail_with(promise, priced.error());
    return promise([request]() -> Reply<Answer> { return free_of_charge(request); });
  }
  // Shared, because the functions that carry it to the answer are copied on their way.
  const auto checked = std::make_shared<const Checked>(priced ? std::move(*priced) : Checked{});
  if (is_held) {
    const pricing::Estimate& estimate = checked->estimate;
    place.kind = ledger::HoldKind::external;
    place.account = checked->account;
    place.user = request.user_id;
    place.cluster = request.cluster.empty() ? estimate.cluster : request.cluster;
    place.partition = request.partition;
    place.parts.push_back({estimate.unit, estimate.total, checked->amount, estimate.price_version});
    const auto denial = hooks_.stop && !is_answered("check:" + key) ? hooks_.stop(place, now())
                                                                    : std::optional<Denial>();
    if (denial)
      return promise([=]() -> Reply<Answer> {
        return stopped_answer(*denial, checked->estimate, checked->factor);
      });
  }
  ledger::Command made = command(caller, std::move(place));
  made.context.request_id = "check:" + key;
  api::BudgetCheck asked = request;
  asked.request_id.clear();
  made.context.body_digest = sha256_hex(api::to_json(asked));
  auto done = [this, promise, checked, request, fresh_id](Result<ledger::Outcome> outcome) {
    promise([this, request, checked, fresh_id, outcome = std::move(outcome)]() -> Reply<Answer> {
      if (!outcome) return problem(outcome.error());
      return answer_of(request, *checked, fresh_id, *outcome);
    });
  };
  if (!with_.committer.submit(std::move(made), std::move(done))) {
    promise([]() -> Reply<Answer> { return too_busy(); });
  }
}

Reply<api::BudgetCheckAnswer> Operations::answer_of(const api::BudgetCheck& request,
                                                    const Checked& checked,
                                                    const std::string& fresh_id,
                                                    const ledger::Outcome& outcome) const {
  std::string account = checked.account.empty() ? request.account : checked.account;
  Micros factor = checked.factor;
  with_.committer.read([&](const ledger::Book& book) {
    const ledger::Account* known = book.account(outcome.account);
    if (!outcome.replayed || known == nullptr) return;
    account = known->name;
    factor = hold_factor_of(*known);
  });
  if (!outcome.accepted() && !is_about_money(outcome.refusal)) {
    return tl::unexpected(problem_of(outcome, account, {{"request_id", request.request_id}}));
  }
  const auto id = outcome.replayed ? transaction_of(outcome) : Reply<std::string>(fresh_id);
  if (!id) return tl::unexpected(id.error());
  api::BudgetCheckAnswer answer = check_answer(outcome, account, factor, *id);
  with_.committer.read(
      [&](const ledger::Book& book) { add_details(answer, book, outcome, request.partition); });
  const bool is_same_price =
      checked.estimate.total == outcome.estimate && checked.amount == outcome.amount;
  if (!answer.available && checked.book != nullptr && is_same_price) {
    answer.recommendation = recommend(checked.request, checked.shapes, *checked.book,
                                      outcome.leg.available, checked.factor);
  }
  return answer;
}

// The public name of the hold that an earlier sending of the same request placed.
Reply<std::string> Operations::transaction_of(const ledger::Outcome& outcome) const {
  if (!outcome.hold.is_set()) return std::string();
  store::HoldQuery query;
  query.id = outcome.hold;
  const auto found = with_.committer.find_holds(query);
  if (!found) return problem(found.error());
  ASBB_ASSERT(!found->empty());
  return found->front().hold.request_id;
}

Reply<std::vector<store::HoldRecord>> Operations::find_holds(
    const api::BudgetReconcile& request) const {
  store::HoldQuery query;
  if (!request.transaction_id.empty()) {
    query.request_id = request.transaction_id;
    auto found = with_.committer.find_holds(query);
    if (!found) return problem(found.error());
    if (!found->empty()) return std::vector{std::move(found->back())};
    return problem(404, "NOT_FOUND", "There is no transaction '" + request.transaction_id + "'.",
                   "transaction_id");
  }
  const auto key = slurm_key(request.job_id);
  std::vector<store::HoldRecord> known;
  for (const std::string& cluster : options_.clusters) {
    if (!key) break;
    const bool may_have_it =
        request.cluster.empty() || request.cluster == cluster || ledger::is_federated(key->job_id);
    if (!may_have_it) continue;
    query.cluster = cluster;
    query.job_id = key->job_id;
    auto found = with_.committer.find_holds(query);
    if (!found) return problem(found.error());
    if (found->empty()) continue;
    if (!known.empty() && !ledger::is_same_job(*known.front().hold.job, cluster, key->job_id)) {
      return conflict("several_clusters",
                      "Both " + known.front().hold.job->cluster + " and " + cluster +
                          " have a job " + in_quotes(request.job_id) +
                          " with a hold: say which cluster is meant.",
                      "cluster");
    }
    std::move(found->begin(), found->end(), std::back_inserter(known));
  }
  if (known.empty()) {
    return problem(
        404, "NOT_FOUND",
        "No hold is known for job '" + request.job_id + "': give the transaction_id of its check.",
        "transaction_id");
  }
  std::stable_sort(known.begin(), known.end(), [](const auto& a, const auto& b) {
    return a.hold.job->submit_time < b.hold.job->submit_time;
  });
  drop_over(known);
  keep_last_job(known);
  return known;
}

// The settlement that is asked for, or why it cannot be.
Reply<ledger::Action> Operations::find_settlement(
    const Caller& caller, const api::BudgetReconcile& request,
    const std::vector<store::HoldRecord>& holds) const {
  const store::HoldRecord& record = hold_for(holds, request.job_id);
  const ledger::Hold& hold = record.hold;
  ledger::SettleShare settle;
  settle.hold = hold.id;
  settle.actual = request.actual_cost;
  settle.cause = "reported";
  settle.unit = request.unit.empty() ? hold.parts.front().unit : request.unit;
  if (hold.kind == ledger::HoldKind::external) {
    settle.key.external_id = request.job_id;
    return settle;
  }
  // Slurm's accounting settles its own jobs; a person may do it where that is lost.
  if (!caller.may_admin) return not_allowed(caller);
  const auto key = slurm_key(request.job_id);
  const std::string cluster =
      request.cluster.empty() && hold.job ? hold.job->cluster : request.cluster;
  // No job was ever seen with its token, and somebody has found out that it used nothing.
  if (!hold.job && settle.actual.is_zero()) return ledger::VoidHold{hold.id};
  if (!key || !hold.job || !ledger::is_same_job(*hold.job, cluster, key->job_id)) {
    return conflict("bound_elsewhere", "This hold does not belong to that job.", "job_id");
  }
  settle.key = *key;
  settle.key.cluster = cluster;
  settle.key.run = run_to_settle(record, settle.key);
  return settle;
}

void Operations::reconcile(const Caller& caller, const api::BudgetReconcile& request,
                           const Promise<api::BudgetReconcileAnswer>& promise) {
  using Answer = api::BudgetReconcileAnswer;
  if (!caller.may_check) return fail_with(promise, not_allowed(caller).value());
  const auto found = find_holds(request);
  auto settle = found ? find_settlement(caller, request, *found)
                      : Reply<ledger::Action>(tl::unexpected(found.error()));
  const std::string key = request.request_id.empty()
                              ? std::string()
                              : "reconcile:" + caller.actor + ":" + request.request_id;
  // Asked again: the ledger repeats its answer.
  if (!settle && !is_answered(key)) return fail_with(promise, settle.error());
  ledger::Command made =
      command(caller, settle ? std::move(*settle) : ledger::Action{ledger::SettleShare{}},
              "reported by " + caller.actor);
  if (!key.empty()) {
    made.context.request_id = key;
    api::BudgetReconcile asked = request;
    asked.request_id.clear();
    made.context.body_digest = sha256_hex(api::to_json(asked));
  }
  commit<Answer>(
      std::move(made), "", promise,
      [this, job = request.job_id,
       actor = caller.actor](const ledger::Outcome& outcome) -> Reply<Answer> {
        const auto id = transaction_of(outcome);
        if (!id) return tl::unexpected(id.error());
        auto answer = reconcile_answer(outcome, *id);
        if (!outcome.replayed) {
          const std::string account = with_.committer.read(
              [&](const ledger::Book& book) { return book.account(outcome.account)->name; });
          log_info("charged " + to_display(answer.actual_charge, answer.unit) + " to account " +
                   account + " for job " + in_quotes(job) + " (reported by " + actor + ")");
        }
        return answer;
      },
      {{"request_id", request.request_id}});
}

}  // namespace asbb::service
