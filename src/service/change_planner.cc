#include "service/change_planner.h"

#include <algorithm>

#include "base/text.h"
#include "base/token.h"
#include "ledger/same_job.h"
#include "service/job_change.h"
#include "service/reply.h"

namespace asbb::service {

// A hold of the job, and how many of its tasks the change concerns.
struct ChangePlanner::Held {
  ledger::Hold hold;
  std::string account;
  std::int64_t task_count = 0;
  const slurm::QueueJob* row = nullptr;  // one of those tasks, as slurmctld showed it last
};

struct ChangePlanner::Job {
  std::string token;
  std::int64_t root = 0;
  std::string tasks;  // empty: all
  KnownJobs::Jobs seen;
  std::vector<const slurm::QueueJob*> rows;  // of `seen`, alive, of the tasks named
  std::vector<Held> holds;
  std::string owner;
};

namespace {

std::int64_t root_of(const slurm::QueueJob& row) {
  return row.array_job_id != 0 ? row.array_job_id : row.job_id;
}

bool overlaps(const Tasks& of_row, const std::string& tasks) {
  if (tasks.empty()) return true;
  const Tasks named = tasks_of_text(tasks).value_or(Tasks{});
  return std::any_of(of_row.begin(), of_row.end(), [&](std::int64_t task) {
    return task < 0 || std::binary_search(named.begin(), named.end(), task);
  });
}

// Tasks of the hold that have not ended, of those that are named.
std::int64_t open_tasks(const ledger::Book& book, const ledger::Hold& hold,
                        const std::string& tasks) {
  const HoldScope scope = scope_of(hold.group);
  Tasks settled;
  for (const ledger::Share* share : book.shares_of(hold.id)) {
    if (share->status == ledger::ShareStatus::settled && !share->requeued) {
      settled.push_back(share->key.task);
    }
  }
  std::sort(settled.begin(), settled.end());
  settled.erase(std::unique(settled.begin(), settled.end()), settled.end());
  if (tasks.empty()) return hold.task_count - static_cast<std::int64_t>(settled.size());
  const Tasks named = tasks_of_text(tasks).value_or(Tasks{});
  return std::count_if(named.begin(), named.end(), [&](std::int64_t task) {
    return pays_for(scope, task) && !std::binary_search(settled.begin(), settled.end(), task);
  });
}

const PlannedPart* planned_part(const HoldPlan& plan, const std::string& unit) {
  for (const PlannedPart& part : plan.parts) {
    if (part.estimate.unit == unit) return &part;
  }
  return nullptr;
}

// amount x over / under, never below nothing; `otherwise` where that cannot be said.
Micros in_proportion(Micros amount, Micros over, Micros under, Micros otherwise) {
  if (under.is_zero()) return otherwise;
  const auto scaled = mul_div(amount.count(), over.count(), under.count(), Rounding::up);
  return scaled ? Micros(*scaled) : otherwise;
}

// What is needed beyond what the hold has; empty when nothing is.
std::vector<ledger::PlacePart> more_parts(const ledger::Hold& hold, const HoldPlan& before,
                                          const HoldPlan& after, std::int64_t task_count) {
  std::vector<ledger::PlacePart> parts;
  bool needs_more = false;
  for (const ledger::HoldPart& part : hold.parts) {
    const PlannedPart* now = planned_part(after, part.unit);
    const PlannedPart* then = planned_part(before, part.unit);
    if (now == nullptr || then == nullptr) return {};
    const auto more = [&](Micros all, Micros to, Micros from) {
      const Micros each = in_proportion(all, Micros(1), Micros(hold.task_count), all);
      return std::max(in_proportion(each, to, from, to) - each, Micros());
    };
    const Micros amount = more(part.granted, now->amount, then->amount);
    const Micros estimate = more(part.estimate, now->estimate.total, then->estimate.total);
    needs_more = needs_more || !amount.is_zero();
    parts.push_back({part.unit, of_tasks(estimate, task_count), of_tasks(amount, task_count),
                     part.price_version});
  }
  return needs_more ? parts : std::vector<ledger::PlacePart>{};
}

// The origin of a federated job has asked already, and hands the change on to the others.
bool is_of_a_sibling(const api::JobChange& change, const std::vector<const slurm::QueueJob*>& rows,
                     std::int64_t root) {
  if (rows.empty()) return ledger::is_federated(root);
  const std::string& origin = rows.front()->federation_origin;
  return !origin.empty() && to_lower(origin) != to_lower(change.cluster);
}

// A coordinator lets no account pay that is none of his; one that does not exist reads the same.
std::optional<Denial> refuse_account(const api::JobChange& change, const Changer& changer) {
  const std::string& account = change.asked.account;
  if (account.empty() ||
      changer.associations->is_coordinator(change.cluster, changer.user, account) ||
      changer.associations->may_use(change.cluster, changer.user, account)) {
    return std::nullopt;
  }
  return Denial{"account_not_usable", "You neither coordinate account " + in_quotes(account) +
                                          " nor may use it on cluster '" + change.cluster +
                                          "', or there is no such account.\n"};
}

// Each task is priced by itself; an array stays on its cluster.
api::Submission single_task(api::Submission request) {
  if (!request.array.empty()) request.array = "0";
  return request;
}

}  // namespace

bool has_units_of(const ledger::Hold& hold, const HoldPlan& plan) {
  return hold.parts.size() == plan.parts.size() &&
         std::all_of(plan.parts.begin(), plan.parts.end(), [&](const PlannedPart& planned) {
           return std::any_of(hold.parts.begin(), hold.parts.end(),
                              [&](const auto& part) { return part.unit == planned.estimate.unit; });
         });
}

// slurmctld asks for each component of a het job by the name that scontrol was given, which is the
// leader's as a rule ("7", "7+1"): its own token says which of them is meant.
void ChangePlanner::find_component(Job& job) const {
  if (job.token.empty() || job.root == 0) return;
  const auto request = known_.request(job.token);
  bool is_component = request && (request->het_job_offset || !request->het_group.empty());
  if (job.seen) {
    for (const slurm::QueueJob& row : *job.seen) {
      if (row.het_job_id == 0 || find_token(row.admin_comment) != job.token) continue;
      job.root = row.job_id;
      return;
    }
    is_component = is_component || std::any_of(job.seen->begin(), job.seen->end(), [&](auto& row) {
                     return row.het_job_id != 0 && row.het_job_id == job.root &&
                            !find_token(row.admin_comment).empty();
                   });
  }
  if (is_component) job.root = 0;
}

void ChangePlanner::find_rows(const api::JobChange& change, Job& job) const {
  job.seen = known_.jobs(change.cluster);
  find_component(job);
  if (!job.seen) return;
  for (const slurm::QueueJob& row : *job.seen) {
    if (row.status.revoked || row.status.has_ended()) continue;
    const bool is_named = job.root > 0 && (row.job_id == job.root || root_of(row) == job.root);
    const bool has_token = !job.token.empty() && find_token(row.admin_comment) == job.token;
    if (!is_named && !has_token) continue;
    // A task that has a number of its own may be named by it.
    if (is_named && root_of(row) != job.root && row.array_task_id) {
      job.root = root_of(row);
      job.tasks = std::to_string(*row.array_task_id);
    }
    if (!overlaps(tasks_of(row), job.tasks)) continue;
    job.rows.push_back(&row);
    if (job.root == 0) job.root = root_of(row);
    if (job.owner.empty()) job.owner = row.user;
  }
}

void ChangePlanner::find_holds(const api::JobChange& change, Job& job) const {
  committer_.read([&](const ledger::Book& book) {
    std::vector<const ledger::Hold*> found;
    const auto add = [&](const ledger::Hold* hold) {
      const bool counts = hold != nullptr && hold->kind == ledger::HoldKind::slurm &&
                          hold->status == ledger::HoldStatus::open && !hold->backfilled &&
                          !is_proposal(*hold);
      if (counts && std::find(found.begin(), found.end(), hold) == found.end()) {
        found.push_back(hold);
      }
    };
    const ledger::Hold* first = job.token.empty() ? nullptr : book.hold_of_request(job.token);
    add(first);
    if (first != nullptr && first->job) {
      for (const ledger::Hold* hold : book.holds_of_job(first->job->cluster, first->job->job_id)) {
        add(hold);
      }
    } else if (first == nullptr && job.root > 0) {
      for (const ledger::Hold* hold : book.holds_of_job(change.cluster, job.root)) add(hold);
    }
    for (const ledger::Hold* hold : found) {
      Held held{*hold, book.account(hold->account)->name, open_tasks(book, *hold, job.tasks),
                nullptr};
      const HoldScope scope = scope_of(hold->group);
      for (const slurm::QueueJob* row : job.rows) {
        const Tasks tasks = tasks_of(*row);
        const bool pays = std::any_of(tasks.begin(), tasks.end(),
                                      [&](std::int64_t task) { return pays_for(scope, task); });
        if (pays && held.row == nullptr) held.row = row;
      }
      job.owner = hold->user;
      if (held.task_count > 0) job.holds.push_back(std::move(held));
    }
  });
}

ChangePlanner::Job ChangePlanner::find(const api::JobChange& change) const {
  Job job;
  if (is_token(change.token)) job.token = change.token;
  if (const auto name = parse_job_name(change.job)) {
    job.root = name->id;
    job.tasks = name->tasks;
  }
  find_rows(change, job);
  find_holds(change, job);
  return job;
}

std::optional<api::Submission> ChangePlanner::basis(const Job& job, const Held* held) const {
  auto request = known_.request(held == nullptr ? job.token : held->hold.request_id);
  const slurm::QueueJob* row = held == nullptr ? nullptr : held->row;
  if (row == nullptr && !job.rows.empty()) row = job.rows.front();
  if (!request && row != nullptr) request = submission_of(*row);
  if (!request) return std::nullopt;
  if (held == nullptr && row != nullptr) follow(*request, *row);
  return single_task(std::move(*request));
}

Proposal ChangePlanner::proposal(const api::JobChange& change, const Job& job, const Held* held,
                                 const api::Submission& changed) const {
  Proposal out;
  if (held != nullptr) out.hold = held->hold.id;
  if (job.root == 0) out.token = job.token;
  out.job = job.root;
  out.tasks = job.tasks.size() <= task_text_max ? job.tasks : std::string();
  out.account = change.asked.account;
  out.partition = change.asked.partition;
  if (change.asked.time_limit_minutes || change.end_time) {
    out.time_limit_minutes = changed.time_limit_minutes;
  }
  const slurm::QueueJob* row = held == nullptr ? nullptr : held->row;
  if (touches_size(change) && row != nullptr && is_pending(*row)) out.size = size_of(*row);
  if (out.size.size() > 300) out.size.clear();
  return out;
}

void ChangePlanner::plan_hold(const api::JobChange& change, const Job& job, const Held& held,
                              ChangePlan& plan) {
  const auto before = basis(job, &held);
  if (!before) {
    plan.denial = Denial{"job_unknown",
                         "The budget service has not seen this job yet; try again in a minute.\n"};
    return;
  }
  std::optional<Instant> start;
  if (held.row != nullptr) start = held.row->start;
  const api::Submission from = single_task(known_.latest(held.hold.request_id).value_or(*before));
  const api::Submission changed = with_change(from, change, start);
  if (changed == from && from == *before) return;  // it is so already: its hold stays as it is
  const auto price = known_.pricer();
  const Verdict after = price(changed);
  if (const auto* denial = std::get_if<Denial>(&after)) {
    plan.denial = *denial;
    return;
  }
  if (std::holds_alternative<NoHoldNeeded>(after)) return;
  const auto& now = std::get<HoldPlan>(after);
  Proposal proposal = this->proposal(change, job, &held, changed);
  proposal.moves = now.account != held.account || now.partition != held.hold.partition ||
                   !has_units_of(held.hold, now);
  ChangeStep step{held.hold.request_id, {}, changed, now};
  if (proposal.moves) {
    step.place.parts = parts_of(now, held.task_count);
  } else {
    const Verdict then = price(*before);
    const auto* known = std::get_if<HoldPlan>(&then);
    step.place.parts = more_parts(held.hold, known == nullptr ? now : *known, now, held.task_count);
  }
  if (step.place.parts.empty()) {
    known_.lowered(held.hold.request_id, changed);
    return;
  }
  step.place.account = proposal.moves ? now.account : held.account;
  step.place.partition = proposal.moves ? now.partition : held.hold.partition;
  step.place.user = held.hold.user;
  step.place.cluster = change.cluster;
  step.place.task_count = held.task_count;
  step.place.group = to_text(proposal);
  plan.steps.push_back(std::move(step));
}

void ChangePlanner::plan_unheld(const api::JobChange& change, const Job& job, ChangePlan& plan) {
  const auto before = basis(job, nullptr);
  if (!before) {
    plan.denial = Denial{"job_unknown",
                         "The budget service has not seen this job yet; try again in a minute.\n"};
    return;
  }
  std::optional<Instant> start;
  if (!job.rows.empty()) start = job.rows.front()->start;
  const auto latest = known_.latest(job.token);
  const bool was_changed = latest && latest != known_.request(job.token);
  const api::Submission from = was_changed ? single_task(*latest) : *before;
  const api::Submission changed = with_change(from, change, start);
  Verdict after = known_.pricer()(changed);
  if (const auto* denial = std::get_if<Denial>(&after)) plan.denial = *denial;
  if (!std::holds_alternative<HoldPlan>(after)) return;
  auto& now = std::get<HoldPlan>(after);
  std::int64_t task_count = 0;
  for (const slurm::QueueJob* row : job.rows) {
    task_count += static_cast<std::int64_t>(tasks_of(*row).size());
  }
  if (!job.tasks.empty()) {
    task_count = static_cast<std::int64_t>(tasks_of_text(job.tasks).value_or(Tasks{0}).size());
  }
  ChangeStep step{job.token, {}, changed, std::move(now)};
  Proposal proposal = this->proposal(change, job, nullptr, changed);
  proposal.moves = true;
  step.place.parts = parts_of(step.plan, std::max<std::int64_t>(task_count, 1));
  step.place.account = step.plan.account;
  step.place.partition = step.plan.partition;
  step.place.user = step.plan.user;
  step.place.cluster = change.cluster;
  step.place.task_count = std::max<std::int64_t>(task_count, 1);
  step.place.group = to_text(proposal);
  plan.steps.push_back(std::move(step));
}

// Of a job without a hold that no list has shown yet. What is not known at all is refused later.
bool ChangePlanner::is_submitter(const api::JobChange& change, const Job& job) const {
  const auto request = known_.request(job.token);
  return !request || request->user_id == change.submit_uid;
}

// slurmctld lets a coordinator of the job's account change it. Every account that the job's tasks
// have must be his, so that he learns figures of no other.
bool ChangePlanner::may_coordinate(const api::JobChange& change, const Job& job,
                                   const Changer& changer) const {
  if (!changer.associations || changer.user.empty()) return false;
  const auto is_his = [&](const std::string& account) {
    return changer.associations->is_coordinator(change.cluster, changer.user, account);
  };
  if (!job.rows.empty()) {
    return std::all_of(job.rows.begin(), job.rows.end(),
                       [&](const auto* row) { return is_his(row->account); });
  }
  // Not listed yet: as it was submitted.
  const auto request = known_.request(job.token);
  if (!request) return false;
  return is_his(request->account.empty()
                    ? changer.associations->default_account(change.cluster, job.owner)
                    : request->account);
}

ChangePlan ChangePlanner::plan(const api::JobChange& change, const Changer& changer) {
  ChangePlan plan;
  const Job job = find(change);
  if (job.token.empty() && is_of_a_sibling(change, job.rows, job.root)) return plan;
  if (job.owner.empty() && job.token.empty() && !changer.is_administrator) {
    plan.denial = Denial{"job_unknown",
                         "The budget service has not seen this job yet; try again in a minute.\n"};
    return plan;
  }
  // Slurm asks before it looks whether somebody may change the job at all. What a stranger wants
  // sets no money aside and is told nothing; should Slurm let it happen, it is followed.
  const bool is_owner = !changer.user.empty() &&
                        (job.owner.empty() ? is_submitter(change, job) : changer.user == job.owner);
  if (!is_owner && !changer.is_administrator) {
    if (!may_coordinate(change, job, changer)) return plan;
    plan.denial = refuse_account(change, changer);
    if (plan.denial) return plan;
  }
  plan.may_be_uncovered = changer.is_administrator && !job.rows.empty() &&
                          std::none_of(job.rows.begin(), job.rows.end(),
                                       [](const auto* row) { return is_pending(*row); });
  if (job.holds.empty()) plan_unheld(change, job, plan);
  for (const Held& held : job.holds) {
    if (!plan.denial) plan_hold(change, job, held, plan);
  }
  // An administrator changes what nobody has priced yet: followed when it is seen.
  const bool is_unknown = plan.denial && plan.denial->code == "job_unknown";
  if (is_unknown && changer.is_administrator) plan.denial.reset();
  return plan;
}

std::string refused_change_message(const ChangeStep& step, const ledger::Outcome& outcome) {
  const bool is_money = outcome.refusal == ledger::Refusal::insufficient_budget ||
                        outcome.refusal == ledger::Refusal::partition_limit_exceeded;
  if (!is_money) return sentence_of(outcome, step.plan.account) + "\n";
  const std::string& unit = outcome.unit;
  const PlannedPart* part = planned_part(step.plan, unit);
  std::string text = "account " + step.plan.slurm_account + ": ";
  if (part != nullptr) {
    text += "with this change ";
    text += step.place.task_count > 1 ? "each of the tasks" : "the job";
    text += " may cost " + to_display(part->estimate.total, unit) + ", and ";
  }
  text += to_display(outcome.amount, unit) + " more must be held\n";
  if (outcome.leg.account != step.plan.account) {
    return text + "a budget above account " + step.plan.account + " has less than that left\n";
  }
  const std::string where = outcome.leg.partition.empty()
                                ? "the budget of account " + outcome.leg.account
                                : "the limit of account " + outcome.leg.account +
                                      " for partition " + outcome.leg.partition;
  return text + "only " + to_display(std::max(outcome.leg.available, Micros()), unit) +
         " is available in " + where + "\n";
}

}  // namespace asbb::service
