// /integration/budget-context/{job}: what a launcher of nodes has to know before it starts any for
// a job: whether its money is set aside and its account can still pay.
#include <algorithm>
#include <utility>

#include "base/text.h"
#include "ledger/same_job.h"
#include "service/operations.h"
#include "service/usage_sums.h"

namespace asbb::service {
namespace {

// The number of "123" or "123_4".
std::optional<std::int64_t> job_number(const std::string& text) {
  const auto parts = split(text, '_');
  const auto job = parse_count(parts.front());
  const bool is_task = parts.size() == 2 && parse_count(parts.back()).has_value();
  if (!job || *job < 1 || (parts.size() > 1 && !is_task)) return std::nullopt;
  return job;
}

void refuse_burst(api::JobContext& context, const char* code, std::string reason) {
  context.should_burst = false;
  context.code = code;
  context.reason = std::move(reason);
}

// Whether the account can pay for what it already set aside.
void judge(const ledger::Book& book, const store::HoldRecord& record, const ledger::Budget& budget,
           Instant at, api::JobContext& context) {
  const std::string job = "job " + context.job_id;
  const ledger::Account* account = book.account(record.hold.account);
  if (record.hold.status == ledger::HoldStatus::closed) {
    return refuse_burst(context, "settled", "The money of " + job + " is settled: it has ended.");
  }
  if (account->status != ledger::AccountStatus::active) {
    return refuse_burst(context, "account_inactive",
                        "Account " + account->name + " is " + ledger::to_string(account->status) +
                            ": an administrator can make it active.");
  }
  if (context.max_total_cost <= Micros()) {
    return refuse_burst(context, "no_hold", "No money is set aside any more for " + job + ".");
  }
  if (!budget.covers(at)) {
    return refuse_burst(context, "budget_ended",
                        "The budget that pays for " + job + " is not in force now.");
  }
  if (context.budget_available.is_negative()) {
    return refuse_burst(context, "overdrawn",
                        "Account " + context.paying_account + " lacks " +
                            to_display(Micros() - context.budget_available, context.unit) +
                            ": more was spent than its budget has.");
  }
  context.should_burst = true;
  context.code = "ok";
  context.reason =
      to_display(context.max_total_cost, context.unit) + " is set aside for " + job + ".";
}

void fill(const ledger::Book& book, const store::HoldRecord& record, Instant at,
          api::JobContext& context) {
  const ledger::Hold& hold = record.hold;
  context.cluster = hold.job ? hold.job->cluster : hold.cluster;
  context.user = hold.user;
  context.partition = hold.partition;
  context.transaction_id = hold.request_id;
  const ledger::HoldPart& part = hold.parts.front();
  context.unit = part.unit;
  context.estimate = part.estimate;
  context.granted = part.granted;
  context.price_version = part.price_version;
  context.max_total_cost = part.unopened;
  for (const ledger::Share& share : record.shares) {
    if (share.status == ledger::ShareStatus::open) context.max_total_cost += share.held.front();
  }
  const ledger::Budget* budget = book.budget(part.budget);
  context.paying_account = book.account(budget->account)->name;
  context.budget_limit = budget->limit;
  context.budget_used = budget->used;
  context.budget_held = budget->held;
  context.budget_available = budget->available();
  context.budget_end = budget->end;
  judge(book, record, *budget, at, context);
}

// An open hold before a closed one, then the newest submission.
bool is_better(const ledger::Hold& a, const ledger::Hold& b) {
  const auto rank = [](const ledger::Hold& hold) {
    return std::tuple(hold.status == ledger::HoldStatus::open, hold.placed_at, hold.id.value);
  };
  return rank(b) < rank(a);
}

}  // namespace

Reply<api::JobContext> Operations::job_context(const Caller& caller, const std::string& job,
                                               const std::string& cluster) const {
  if (caller.is_anonymous) return not_allowed(caller);
  const auto number = job_number(job);
  if (!number) {
    return problem(400, "VALIDATION_ERROR",
                   "job_id: " + in_quotes(job) +
                       " is not a Slurm job id such as 123, or 123_4 for an array task",
                   "job_id");
  }
  if (!cluster.empty()) {
    if (auto unknown = check_cluster(cluster)) return tl::unexpected(std::move(*unknown));
  }
  std::optional<store::HoldRecord> best;
  for (const std::string& known : options_.clusters) {
    const bool is_asked =
        cluster.empty() || to_lower(cluster) == to_lower(known) || ledger::is_federated(*number);
    if (!is_asked) continue;
    auto holds = with_.committer.find_holds({{}, {}, known, *number});
    if (!holds) return problem(holds.error());
    for (store::HoldRecord& record : *holds) {
      if (!best || is_better(record.hold, best->hold)) best = std::move(record);
    }
  }
  api::JobContext context;
  context.job_id = job;
  context.as_of = now();
  if (best) {
    context.account = with_.committer.read([&](const ledger::Book& book) {
      const ledger::Account* account = book.account(best->hold.account);
      return account == nullptr ? std::string() : account->name;
    });
  }
  // What the caller may not see reads like what does not exist.
  if (!best || !may_see(caller, context.account)) {
    context.account.clear();
    context.cluster = cluster;
    refuse_burst(context, "no_hold",
                 "No money is set aside for job " + job + ": it is free, unknown, or not yours.");
    return context;
  }
  with_.committer.read(
      [&](const ledger::Book& book) { fill(book, *best, context.as_of, context); });
  return context;
}

}  // namespace asbb::service
