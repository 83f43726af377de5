// POST /api/v1/slurm/changes: the gate in front of scontrol update.
#include <utility>

#include "api/json.h"
#include "service/digest.h"
#include "service/operations.h"
#include "service/submission_messages.h"

namespace asbb::service {
// What is known about a change while the ledger decides about its holds, one after the other.
struct Operations::Changing {
  std::string actor;
  ChangePlan plan;
  std::size_t next = 0;
  std::vector<std::pair<ledger::HoldId, std::string>> placed;  // with their names
  Instant deadline;
  bool denied_on_silence = true;
  api::SubmissionAnswer answer;
};

Changer Operations::changer_of(const api::JobChange& change) const {
  const auto id = static_cast<std::uint32_t>(change.submit_uid);
  Changer changer;
  changer.user = with_.names.known_name(id).value_or(std::string());
  const Caller caller = with_.authority.local(id);
  changer.associations = with_.view.associations(change.cluster);
  changer.is_administrator =
      caller.may_submit || caller.may_admin ||
      (changer.associations && !changer.user.empty() &&
       changer.associations->admin_level(changer.user) != slurm::AdminLevel::none);
  return changer;
}

void Operations::change_job(const Caller& caller, const std::string& body,
                            const Promise<api::SubmissionAnswer>& promise) {
  if (!caller.may_submit) {
    promise([caller]() -> Reply<api::SubmissionAnswer> { return not_allowed(caller); });
    return;
  }
  const Instant started_at = with_.committer.ledger_time();
  auto change = api::from_json<api::JobChange>(body);
  if (!change) {
    return answer_with(promise, denied("bad_request", "The change of the job cannot be read: " +
                                                          change.error().message + "\n"));
  }
  auto changing = std::make_shared<Changing>();
  changing->actor = caller.actor;
  changing->deadline = started_at + milliseconds(change->time_budget_ms);
  changing->denied_on_silence = change->on_silence == api::OnSilence::deny;
  changing->answer = allowed();
  ChangePlanner planner(with_.committer, known_);
  changing->plan = planner.plan(*change, changer_of(*change));
  // What the job shows next decides about what is set aside here.
  if (hooks_.notify && (changing->plan.denial || !changing->plan.steps.empty())) hooks_.notify();
  if (changing->plan.denial) {
    want_view(changing->plan.denial->code);
    return answer_with(promise,
                       denied(changing->plan.denial->code, changing->plan.denial->message));
  }
  place_next(changing, promise);
}

void Operations::place_next(const std::shared_ptr<Changing>& changing,
                            const Promise<api::SubmissionAnswer>& promise) {
  // The same change asked for again, as by a controller that did not hear the answer.
  const auto is_placed = [&](const ChangeStep& step) {
    const std::string same = known_.same_proposal(step.place.group);
    return !same.empty() && with_.committer.read([&](const ledger::Book& book) {
      const ledger::Hold* hold = book.hold_of_request(same);
      return hold != nullptr && hold->status == ledger::HoldStatus::open && !hold->job;
    });
  };
  while (changing->next < changing->plan.steps.size() &&
         is_placed(changing->plan.steps[changing->next])) {
    ++changing->next;
  }
  if (changing->next == changing->plan.steps.size()) return answer_with(promise, changing->answer);
  ChangeStep& step = changing->plan.steps[changing->next];
  step.place.transaction_id = fresh_token(now());
  step.place.kind = ledger::HoldKind::slurm;
  step.place.deadline = changing->deadline;
  step.place.unbound_max = options_.unbound_holds_max;
  if (hooks_.stop && !changing->plan.may_be_uncovered) {
    if (const auto denial = hooks_.stop(step.place, now())) {
      undo_change(*changing);
      return answer_with(promise, denied(denial->code, denial->message));
    }
  }
  ledger::Command made;
  made.context.actor = changing->actor;
  made.context.reason = "a change of the job is asked for";
  made.action = step.place;
  const bool queued = with_.committer.submit(
      std::move(made), [this, changing, promise](const Result<ledger::Outcome>& outcome) {
        change_decided(changing, outcome, promise);
      });
  if (!queued) promise([]() -> Reply<api::SubmissionAnswer> { return too_busy(); });
}

// Gives back what was set aside for a change that is refused after all.
void Operations::undo_change(const Changing& changing) {
  for (const auto& [hold, name] : changing.placed) {
    (void)known_.settle(name);
    ledger::Command undo;
    undo.context.actor = changing.actor;
    undo.context.reason = "the change was refused";
    undo.action = ledger::VoidHold{hold};
    (void)with_.committer.submit(std::move(undo), [](const Result<ledger::Outcome>&) {});
  }
}

// On the committer's thread.
void Operations::change_decided(const std::shared_ptr<Changing>& changing,
                                const Result<ledger::Outcome>& outcome,
                                const Promise<api::SubmissionAnswer>& promise) {
  const ChangeStep& step = changing->plan.steps[changing->next];
  if (!outcome) {
    undo_change(*changing);
    promise([error = outcome.error()]() -> Reply<api::SubmissionAnswer> { return problem(error); });
    return;
  }
  const bool is_late =
      changing->denied_on_silence && changing->deadline < with_.committer.ledger_time();
  if (outcome->accepted()) {
    known_.propose(step.place.transaction_id, step.name, step.place.group, step.changed);
    changing->placed.emplace_back(outcome->hold, step.place.transaction_id);
    api::SubmissionAnswer& answer = changing->answer;
    answer.account = step.place.account;
    answer.partition = step.place.partition;
    answer.unit = outcome->unit;
    answer.estimated_cost += outcome->estimate;
    answer.hold_amount += outcome->amount;
    answer.transaction_id = step.place.transaction_id;
  } else if (!changing->plan.may_be_uncovered) {
    undo_change(*changing);
    api::SubmissionAnswer refused =
        denied(ledger::to_string(outcome->refusal), refused_change_message(step, *outcome));
    refused.account = step.plan.slurm_account;
    refused.partition = step.plan.partition;
    refused.unit = outcome->unit;
    return answer_with(promise, std::move(refused));
  }
  if (is_late) {
    undo_change(*changing);
    return answer_with(promise, denied("expired", "The budget service was too slow; try again.\n"));
  }
  ++changing->next;
  place_next(changing, promise);
}

}  // namespace asbb::service
