// What has become of jobs that were changed (scontrol update): money set aside for a change becomes
// the job's hold once its record shows the change, and goes back once a later list shows that Slurm
// did not make it. Changes that nobody was asked about - an administrator's while the service was
// away, a cut, what the scheduler itself shortens - are followed from what the record shows.
#include <algorithm>
#include <limits>
#include <string_view>

#include "base/text.h"
#include "base/token.h"
#include "service/change_planner.h"
#include "service/digest.h"
#include "service/job_change.h"
#include "service/least_cost.h"
#include "service/reconciler_pass.h"

namespace asbb::service {
namespace {

bool lists_partition(const std::string& list, const std::string& word) {
  const auto parts = split(list, ',');
  return std::find(parts.begin(), parts.end(), word) != parts.end();
}

// Whether the row shows another job than the hold was measured by.
bool is_changed(const slurm::QueueJob& before, const slurm::QueueJob& now) {
  if (before.time_limit_minutes != now.time_limit_minutes || before.account != now.account) {
    return true;
  }
  if (before.partition != now.partition) {
    // The scheduler takes one of a list; that is no change, and neither is what it allocates.
    return is_pending(now) ? is_pending(before) : !lists_partition(before.partition, now.partition);
  }
  return is_pending(before) && is_pending(now) && size_of(before) != size_of(now);
}

// What the hold's tasks need now, each as much more or less as the price of one has changed.
ledger::PlaceHold scaled(const ledger::Hold& hold, const HoldPlan& before, const HoldPlan& after,
                         std::int64_t tasks) {
  ledger::PlaceHold place;
  place.partition = hold.partition;
  for (const ledger::HoldPart& part : hold.parts) {
    ledger::PlacePart now{part.unit, part_of_tasks(part.estimate, tasks, hold.task_count),
                          part_of_tasks(part.granted, tasks, hold.task_count), part.price_version};
    for (std::size_t i = 0; i < after.parts.size(); ++i) {
      const PlannedPart& to = after.parts[i];
      const auto from = std::find_if(
          before.parts.begin(), before.parts.end(),
          [&](const PlannedPart& was) { return was.estimate.unit == to.estimate.unit; });
      if (to.estimate.unit != part.unit || from == before.parts.end()) continue;
      const auto scale = [](Micros amount, Micros over, Micros under) {
        if (under.is_zero()) return over;
        const auto product = mul_div(amount.count(), over.count(), under.count(), Rounding::up);
        return product ? Micros(*product) : amount;
      };
      now.estimate = scale(now.estimate, to.estimate.total, from->estimate.total);
      now.amount = scale(now.amount, to.amount, from->amount);
    }
    place.parts.push_back(std::move(now));
  }
  return place;
}

ledger::PlaceHold priced_anew(const HoldPlan& plan, std::int64_t tasks) {
  ledger::PlaceHold place;
  place.account = plan.account;
  place.partition = plan.partition;
  place.parts = parts_of(plan, tasks);
  return place;
}

constexpr std::string_view change_word = "change ";

std::string change_key(const ledger::Hold& hold) {
  return std::string(change_word) + describe_job(hold);
}

// Whether so many tasks have just that of the hold already.
bool is_part_of(const ledger::Hold& hold, const ledger::PlaceHold& place, std::int64_t tasks) {
  return std::equal(place.parts.begin(), place.parts.end(), hold.parts.begin(), hold.parts.end(),
                    [&](const ledger::PlacePart& part, const ledger::HoldPart& had) {
                      return part.amount == part_of_tasks(had.granted, tasks, hold.task_count) &&
                             part.estimate == part_of_tasks(had.estimate, tasks, hold.task_count);
                    });
}

}  // namespace

bool is_live(const slurm::QueueJob& row) {
  return !row.status.revoked && !row.status.has_ended();
}

std::string describe_job(const ledger::Hold& hold) {
  return hold.job ? hold.job->cluster + " job " + std::to_string(hold.job->job_id)
                  : "hold " + hold.request_id;
}

std::string describe_job(const slurm::AccountingRecord& record) {
  return record.cluster + " job " + std::to_string(record.job_id);
}

Micros part_of_tasks(Micros whole, std::int64_t tasks, std::int64_t of) {
  const auto part = mul_div(whole.count(), tasks, of, Rounding::up);
  return part ? Micros(*part) : whole;
}

std::set<ledger::HoldId> Reconciler::Pass::holds_being_changed() const {
  std::set<ledger::HoldId> changing;
  for (const OpenHold& open : holds_) {
    if (is_proposal(open.hold)) changing.insert(proposal_of(open.hold.group)->hold);
  }
  return changing;
}

void Reconciler::Pass::follow_changes() {
  for (const auto& [cluster, list] : queues_) owner_.known_.see(cluster, list.jobs);
  std::vector<const OpenHold*> proposals;
  const std::set<ledger::HoldId> waiting = holds_being_changed();
  for (const OpenHold& open : holds_) {
    if (is_proposal(open.hold)) proposals.push_back(&open);
  }
  // The newest first: it was asked for on top of those before it.
  std::sort(proposals.begin(), proposals.end(),
            [](const OpenHold* a, const OpenHold* b) { return b->hold.id < a->hold.id; });
  for (const OpenHold* open : proposals) follow_proposal(open->hold);
  if (!proposals.empty()) read_holds();
  for (const OpenHold& open : holds_) {
    if (!open.hold.job || open.hold.backfilled) continue;
    if (waiting.contains(open.hold.id)) {
      alarmed_changes_.insert(change_key(open.hold));
    } else {
      follow_rows(open);
    }
  }
  // What follows must know which hold pays for which task now.
  if (replaced_) read_holds();
  clear_alarms_of_changes();
  std::set<ledger::HoldId> still_open;
  for (const OpenHold& open : holds_) still_open.insert(open.hold.id);
  std::erase_if(owner_.ended_runs_,
                [&](const auto& entry) { return !still_open.contains(entry.first.first); });
  std::erase_if(owner_.measured_, [&](const auto& entry) {
    const ledger::HoldId hold = entry.first.first;
    return !still_open.contains(hold) && !measured_now_.contains(hold);
  });
}

// The tasks of these rows that the hold still has to pay for; nothing when there is none, or when
// there are too many separate ones to write down.
std::optional<Tasks> Reconciler::Pass::leaving_tasks(const OpenHold& open,
                                                     const QueueRows& rows) const {
  const HoldScope scope = scope_of(open.hold.group);
  Tasks out;
  for (const slurm::QueueJob* row : rows) {
    for (const std::int64_t task : tasks_of(*row)) {
      const bool has_share =
          task >= 0 && std::any_of(open.shares.begin(), open.shares.end(),
                                   [&](const auto& share) { return share.key.task == task; });
      if (!has_share && pays_for(scope, task)) out.push_back(task);
    }
  }
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  const Tasks gone = tasks_of_text(scope.except).value_or(Tasks{});
  if (out.empty() || text_of_tasks(out).size() > task_text_max ||
      text_of_tasks(gone).size() + text_of_tasks(out).size() > task_text_max) {
    return std::nullopt;
  }
  return out;
}

// Those of its job that are charged, out of this hold or out of those before it.
RunCount Reconciler::Pass::runs_behind(const OpenHold& open) {
  RunCount runs = scope_of(open.hold.group).first_run;
  for (const ledger::Share& share : open.shares) count_run(runs, share.key);
  return runs;
}

bool Reconciler::Pass::replace(const OpenHold& open, const QueueRows& rows,
                               std::optional<ledger::HoldId> proposal,
                               std::optional<ledger::PlaceHold> place) {
  return replace(open, rows, proposal, std::move(place),
                 {"was changed", "follows its change", open.hold.placed_at});
}

bool Reconciler::Pass::replace(const OpenHold& open, const QueueRows& rows,
                               std::optional<ledger::HoldId> proposal,
                               std::optional<ledger::PlaceHold> place, const Cause& cause) {
  const auto tasks = leaving_tasks(open, rows);
  if (!tasks) return false;
  const bool runs =
      std::any_of(rows.begin(), rows.end(), [](const auto* row) { return !is_pending(*row); });
  const Leaving leaving{*tasks, runs_behind(open), runs};
  const auto placed = replace_tasks(open, leaving, proposal, std::move(place), cause);
  if (!placed || !*placed) return false;
  // The next change is told from these rows, however soon it follows.
  for (const slurm::QueueJob* row : rows) {
    const Tasks of_row = tasks_of(*row);
    if (of_row.empty()) continue;
    owner_.measured_.insert_or_assign(std::pair(**placed, of_row.front()), *row);
    measured_now_.insert(**placed);
  }
  return true;
}

Result<std::optional<ledger::HoldId>> Reconciler::Pass::replace_tasks(
    const OpenHold& open, const Leaving& leaving, std::optional<ledger::HoldId> proposal,
    std::optional<ledger::PlaceHold> place, const Cause& cause) {
  const Tasks& tasks = leaving.tasks;
  const bool is_array = tasks.front() >= 0;
  ledger::ReplaceHold action;
  action.hold = open.hold.id;
  action.task_count = static_cast<std::int64_t>(tasks.size());
  action.group = to_text(without(scope_of(open.hold.group), tasks, leaving.behind));
  action.proposal = proposal;
  if (place) {
    HoldScope scope;
    if (is_array) scope.only = text_of_tasks(tasks);
    if (!is_array) scope.first_run = leaving.behind;
    place->kind = ledger::HoldKind::slurm;
    place->user = open.hold.user;
    place->cluster = open.hold.cluster;
    place->task_count = action.task_count;
    place->group = to_text(scope);
    place->unbound_max = std::numeric_limits<std::int64_t>::max();
    place->period_at = cause.period_at;
    place->running = leaving.runs;
    action.place = std::move(place);
  }
  const auto outcome = owner_.committer_.run(
      reconciler_command(std::move(action), std::string("the job ") + cause.what));
  if (!outcome) {
    report_.problems.push_back(change_key(open.hold) + ": " + outcome.error().message);
    return tl::unexpected(outcome.error());
  }
  if (!outcome->accepted()) {
    change_problem(open.hold, std::string(" ") + cause.what + " and needs " +
                                  to_display(outcome->amount, outcome->unit) +
                                  " to be held, which is refused (" +
                                  std::string(to_string(outcome->refusal)) +
                                  "): what it costs beyond its hold will be an overrun");
    return std::nullopt;
  }
  replaced_ = true;
  ++report_.followed;
  report_.actions.push_back("the hold of " + describe_job(open.hold) + " " + cause.done + ": " +
                            to_display(outcome->released, open.hold.parts.front().unit) +
                            " back, " + to_display(outcome->amount, outcome->unit) + " held");
  return outcome->hold;
}

void Reconciler::Pass::change_problem(const ledger::Hold& hold, const std::string& what) {
  alarmed_changes_.insert(change_key(hold));
  problem(change_key(hold), describe_job(hold) + what);
}

// An alarm stays while a pass finds its cause: not after the hold followed, the change was taken
// back, the job is over or its hold closed.
void Reconciler::Pass::clear_alarms_of_changes() {
  clear_alarms_but(change_word, alarmed_changes_);
}

void Reconciler::Pass::clear_alarms_but(std::string_view word, const std::set<std::string>& kept) {
  if (queues_.size() != owner_.source_.clusters().size()) return;
  for (const Alarm& alarm : owner_.alarms_.list()) {
    if (alarm.key.starts_with(word) && !kept.contains(alarm.key)) owner_.alarms_.clear(alarm.key);
  }
}

void Reconciler::Pass::forget_measures(const ledger::Hold& hold) {
  std::erase_if(owner_.measured_, [&](const auto& entry) { return entry.first.first == hold.id; });
}

void Reconciler::Pass::measure(const ledger::Hold& hold, const slurm::QueueJob& row) {
  const Tasks tasks = tasks_of(row);
  if (tasks.empty()) return;
  owner_.measured_.insert_or_assign(std::pair(hold.id, tasks.front()), row);
}

// What one row of the hold's job shows against what it showed when the hold was measured.
void Reconciler::Pass::follow_rows(const OpenHold& open) {
  const HoldScope scope = scope_of(open.hold.group);
  QueueRows changed;
  QueueRows fresh;
  const slurm::QueueJob* before = nullptr;
  const auto first_measure =
      owner_.measured_.lower_bound({open.hold.id, std::numeric_limits<std::int64_t>::min()});
  const bool has_measure =
      first_measure != owner_.measured_.end() && first_measure->first.first == open.hold.id;
  for (const slurm::QueueJob* row : rows_of(*open.hold.job)) {
    if (!is_live(*row) || !pays_for_row(scope, *row) || awaits_runs(open, *row)) continue;
    if (!has_measure) {
      measure(open.hold, *row);
      if (fresh.empty() || !is_changed(*fresh.front(), *row)) fresh.push_back(row);
      continue;
    }
    const auto own = owner_.measured_.find({open.hold.id, tasks_of(*row).front()});
    const slurm::QueueJob& known =
        own == owner_.measured_.end() ? first_measure->second : own->second;
    if (!is_changed(known, *row)) continue;
    // Rows that changed alike are followed together.
    if (before == nullptr) before = &known;
    if (changed.empty() || !is_changed(*changed.front(), *row)) changed.push_back(row);
  }
  if (!fresh.empty() && !follow_first_rows(open, fresh)) forget_measures(open.hold);
  if (changed.empty()) return;
  const slurm::QueueJob was = *before;
  (void)remeasure_from(open, was, changed);
}

// Whether one task, or the job, costs more by what it shows than its part of the hold's estimate,
// at the prices that priced the hold.
bool Reconciler::Pass::outgrows(const ledger::Hold& hold, const slurm::QueueJob& row) {
  const auto history = owner_.prices_.history();
  for (const ledger::HoldPart& part : hold.parts) {
    const pricing::PriceBook* book = history->by_version(part.price_version);
    if (book == nullptr) continue;
    for (const LeastCost& cost :
         least_costs(row, *book, owner_.view_.cluster(row.cluster), shapes_)) {
      if (cost.unit == part.unit &&
          part_of_tasks(part.estimate, 1, hold.task_count) < cost.amount) {
        return true;
      }
    }
  }
  return false;
}

// Seen for the first time since the start, or since the hold was placed. What was asked for then is
// known as a rule, and a row that shows it is left alone, however Slurm rounds or spreads it.
// False: it was changed, and its hold could not follow.
bool Reconciler::Pass::follow_first_rows(const OpenHold& open, const QueueRows& rows) {
  const slurm::QueueJob& row = *rows.front();
  if (const auto request = owner_.known_.request(open.hold.request_id)) {
    const slurm::QueueJob was = as_submitted(row, *request);
    if (is_changed(was, row)) return remeasure_from(open, was, rows);
  }
  if (!outgrows(open.hold, row)) return true;
  const auto price = owner_.known_.pricer();
  const auto tasks = leaving_tasks(open, rows);
  if (!price || !tasks) return true;
  api::Submission request = submission_of(row);
  request.array = tasks->front() >= 0 ? "0" : "";
  const Verdict verdict = price(request);
  const auto* plan = std::get_if<HoldPlan>(&verdict);
  if (plan == nullptr || !has_units_of(open.hold, *plan)) return true;
  auto place = priced_anew(*plan, static_cast<std::int64_t>(tasks->size()));
  place.transaction_id = fresh_token(now_);
  return replace(open, rows, std::nullopt, std::move(place));
}

// False: the hold could not follow.
bool Reconciler::Pass::remeasure_from(const OpenHold& open, const slurm::QueueJob& was,
                                      const QueueRows& rows) {
  const auto price = owner_.known_.pricer();
  const auto tasks = leaving_tasks(open, rows);
  if (!price || !tasks) return true;
  const slurm::QueueJob& now = *rows.front();
  const auto one_task = [](api::Submission request, const slurm::QueueJob& row) {
    request.array = tasks_of(row).front() >= 0 ? "0" : "";
    return request;
  };
  api::Submission from = one_task(submission_of(was), was);
  api::Submission to = one_task(submission_of(now), now);
  // Once it runs, what it was given says nothing about what was asked for.
  if (!is_pending(now) || !is_pending(was)) {
    to = from;
    to.time_limit_minutes = now.time_limit_minutes;
    to.account = now.account;
    to.partition = lists_partition(was.partition, now.partition) ? was.partition : now.partition;
  }
  const Verdict after = price(to);
  if (const auto* denial = std::get_if<Denial>(&after)) {
    change_problem(open.hold, " was changed and cannot be priced: " + denial->message);
    return false;
  }
  std::optional<ledger::PlaceHold> place;
  const auto count = static_cast<std::int64_t>(tasks->size());
  if (const auto* plan = std::get_if<HoldPlan>(&after)) {
    const Verdict then = price(from);
    const auto* before = std::get_if<HoldPlan>(&then);
    const bool stays = before != nullptr && plan->account == account_of(open.hold.id) &&
                       plan->partition == open.hold.partition &&
                       (has_units_of(open.hold, *plan) || !is_pending(now));
    place = stays ? scaled(open.hold, *before, *plan, count) : priced_anew(*plan, count);
    if (stays && is_part_of(open.hold, *place, count)) {
      for (const slurm::QueueJob* row : rows) measure(open.hold, *row);
      return true;
    }
    place->account = plan->account;
    place->transaction_id = fresh_token(now_);
  }
  const std::string name = place ? place->transaction_id : std::string();
  if (!replace(open, rows, std::nullopt, std::move(place))) return false;
  auto request = owner_.known_.take_lowered(open.hold.request_id);
  if (!request) request = owner_.known_.request(open.hold.request_id);
  if (!request || (is_pending(now) && size_of(was) != size_of(now))) return true;
  follow(*request, now);
  if (!name.empty()) owner_.known_.priced(name, *request);
  return true;
}

}  // namespace asbb::service
