// PUT /api/v1/slurm/submissions/{token}: the gate in front of sbatch.
#include <utility>

#include "api/json.h"
#include "base/assert.h"
#include "base/token.h"
#include "ledger/ledger.h"
#include "service/digest.h"
#include "service/operations.h"
#include "service/submission_messages.h"

namespace asbb::service {
namespace {

constexpr Span token_ahead_max = seconds(600);  // plugin-protocol.md 2
constexpr Span view_wanted_gap = seconds(5);  // users must not make the service ask Slurm for ever

// The same for every sending of one submission: the time it has left is not part of what it asks.
std::string digest_of(api::Submission submission) {
  submission.time_budget_ms = 1;
  return sha256_hex(api::to_json(submission));
}

std::optional<Denial> check_token(const std::string& token, Instant now) {
  if (!is_token(token)) {
    return Denial{"bad_token", "The submission carries no valid token; tell an administrator.\n"};
  }
  const Instant minted = token_time(token);
  if (minted + ledger::token_age_max < now || now + token_ahead_max < minted) {
    return Denial{"request_too_old",
                  "The submission's token is too old, or from the future: the clocks of slurmctld "
                  "and of the budget service must agree.\n"};
  }
  return std::nullopt;
}

}  // namespace

// What is known about a submission while the ledger decides.
struct Operations::Submitted {
  std::string token;
  std::string digest;
  std::string body;
  Caller caller;
  api::Submission asked;
  HoldPlan plan;            // without an account when the ledger only has to repeat its answer
  ledger::PlaceHold place;  // what the plan holds; moved to the ledger
  Instant deadline;
  bool denied_on_silence = true;
  std::string constraint;  // where the hold lacks units: which clusters the job may go to
  std::string priced_by;   // where there is an advisor: which of the two, for the ledger
  std::string advised;     // a line for the user, where the advisor's word counts
};

void Operations::submit_job(const Caller& caller, const std::string& token, const std::string& body,
                            const Promise<api::SubmissionAnswer>& promise) {
  if (!caller.may_submit) {
    promise([caller]() -> Reply<api::SubmissionAnswer> { return not_allowed(caller); });
    return;
  }
  const Instant at = now();
  const Instant started_at = with_.committer.ledger_time();
  if (const auto denial = check_token(token, at)) {
    return answer_with(promise, denied(denial->code, denial->message));
  }
  auto submission = api::from_json<api::Submission>(body);
  if (!submission) {
    return answer_with(promise, denied("bad_request", "The job's request cannot be read: " +
                                                          submission.error().message + "\n"));
  }
  if (hooks_.allowances != nullptr) hooks_.allowances->told(submission->allowances_spent);
  ledger::PlaceHold place;
  Verdict verdict = judge(*submission, at, place);
  // Asked again: the ledger repeats its answer, whatever the gate says by now.
  const bool is_again = !std::holds_alternative<HoldPlan>(verdict) && is_answered(token);
  if (is_again) {
    verdict = HoldPlan{};
    place = place_of(HoldPlan{});
  }
  if (std::holds_alternative<NoHoldNeeded>(verdict)) {
    known_.submitted(token, body);
    return answer_with(promise, allowed());
  }
  if (auto* denial = std::get_if<Denial>(&verdict)) {
    want_view(denial->code);
    if (denial->code == dry_code) denial->message += elsewhere(caller, *submission);
    note_component(token, *submission, false);
    return decline(caller, token, *submission, *denial, promise);
  }
  auto submitted = std::make_shared<Submitted>();
  submitted->token = token;
  submitted->digest = digest_of(*submission);
  submitted->body = body;
  submitted->caller = caller;
  submitted->plan = std::move(std::get<HoldPlan>(verdict));
  submitted->place = std::move(place);
  submitted->deadline = started_at + milliseconds(submission->time_budget_ms);
  submitted->denied_on_silence = submission->on_silence == api::OnSilence::deny;
  submitted->asked = std::move(*submission);
  price_and_place(submitted, promise);
}

// With the advisor's word where there is one in time. What the ledger has answered already it only
// repeats.
void Operations::price_and_place(const std::shared_ptr<Submitted>& submitted,
                                 const Promise<api::SubmissionAnswer>& promise) {
  const AdviceSeam* seam = hooks_.advice;
  const auto part = seam == nullptr ? std::nullopt : seam->part_of(submitted->plan);
  if (!part || is_answered(submitted->token)) return place_hold(submitted, promise);
  const Span left = submitted->deadline - with_.committer.ledger_time();
  seam->ask(submitted->plan, *part, AdviceSeam::wait_of(left),
            [this, seam, submitted, promise, part](const Result<advisor::Advice>& advice) {
              const PricedBy by = seam->apply(advice, *part, submitted->plan, submitted->place);
              submitted->priced_by = by.reason;
              if (by.is_advisor) submitted->advised = by.reason + "\n";
              place_hold(submitted, promise);
            });
}

// By the gate, and whether what would pay has run dry.
Verdict Operations::judge(const api::Submission& submission, Instant at, ledger::PlaceHold& place) {
  Verdict verdict = gate_.judge(submission, at);
  const auto* plan = std::get_if<HoldPlan>(&verdict);
  if (plan == nullptr) return verdict;
  place = place_of(*plan);
  if (!hooks_.stop) return verdict;
  if (auto denial = hooks_.stop(place, at)) return std::move(*denial);
  return verdict;
}

// The same token is refused in the same words from now on, unless it was for want of a view. The
// refusal stands whether or not it could be kept.
void Operations::decline(const Caller& caller, const std::string& token,
                         const api::Submission& submission, const Denial& denial,
                         const Promise<api::SubmissionAnswer>& promise) {
  const auto refusal = denied(denial.code, denial.message);
  if (denial.code == "cluster_unknown" || denial.code == "associations_unknown") {
    return answer_with(promise, refusal);
  }
  auto submitted = std::make_shared<Submitted>();
  submitted->token = token;
  submitted->asked = submission;
  const auto user = with_.names.known_name(static_cast<std::uint32_t>(submission.user_id));
  ledger::Command made;
  made.context.request_id = token;
  made.context.body_digest = digest_of(submission);
  made.context.actor = caller.actor;
  made.action = ledger::Decline{denial.code, denial.message,
                                user ? *user : "uid " + std::to_string(submission.user_id)};
  // Another answer may have been on its way when this one was made; then that one counts.
  const auto done = [this, promise, refusal, submitted](Result<ledger::Outcome> outcome) {
    promise(
        [this, refusal, submitted, outcome = std::move(outcome)]() -> Reply<api::SubmissionAnswer> {
          if (!outcome) return refusal;
          return answer_of(*submitted, *outcome);
        });
  };
  if (!with_.committer.submit(std::move(made), done)) answer_with(promise, refusal);
}

// A user, account or partition that was made a moment ago is not in the view yet: read it soon.
void Operations::want_view(const std::string& denial) {
  const bool is_about_view = denial == "cluster_unknown" || denial == "associations_unknown" ||
                             denial == "unknown_partition" || denial == "user_unknown" ||
                             denial == "account_not_usable";
  if (!is_about_view || !hooks_.view_wanted) return;
  const std::int64_t at = now().microseconds;
  std::int64_t last = view_wanted_us_.load();
  if (at - last < view_wanted_gap.microseconds) return;
  if (view_wanted_us_.compare_exchange_strong(last, at)) hooks_.view_wanted();
}

void Operations::note_held(Submitted& submitted, ledger::HoldId id) {
  if (submitted.plan.parts.size() > 1) {
    submitted.constraint = with_.committer.read([&](const ledger::Book& book) {
      const ledger::Hold* hold = book.hold(id);
      return hold == nullptr ? std::string() : constraint_of(submitted.plan, *hold);
    });
  }
  if (submitted.constraint.empty()) return known_.submitted(submitted.token, submitted.body);
  api::Submission restricted = submitted.asked;
  restricted.cluster_features = submitted.constraint;
  known_.priced(submitted.token, restricted);
}

// When a component of a heterogeneous job is refused, none of them will be a job: what the others
// were given is looked for at once. A plugin that lets jobs pass in silence may not have heard it.
void Operations::note_component(const std::string& token, const api::Submission& asked,
                                bool is_allowed) {
  if (asked.het_group.empty()) return;
  if (is_allowed) return known_.het_groups.joined(asked.het_group, token);
  if (asked.on_silence != api::OnSilence::deny) return;
  if (known_.het_groups.refused(asked.het_group, now()) && hooks_.notify) hooks_.notify();
}

void Operations::place_hold(const std::shared_ptr<Submitted>& submitted,
                            const Promise<api::SubmissionAnswer>& promise) {
  ledger::PlaceHold place = std::move(submitted->place);
  place.deadline = submitted->deadline;
  // A plugin that lets jobs pass in silence may not hear where this one must not go.
  place.any_unit = place.any_unit && submitted->denied_on_silence;
  place.unbound_max = options_.unbound_holds_max;
  ledger::Command made;
  made.context.request_id = submitted->token;
  made.context.body_digest = submitted->digest;
  made.context.actor = submitted->caller.actor;
  made.context.reason = submitted->priced_by;
  made.action = std::move(place);
  // On the committer's thread. A job that the plugin has refused in the meantime gives its money
  // back at once; what is lost after this moment is found by the sweep.
  const auto done = [this, submitted, promise](Result<ledger::Outcome> outcome) {
    const bool fresh = outcome && outcome->accepted() && !outcome->replayed;
    if (fresh) note_held(*submitted, outcome->hold);
    if (fresh && submitted->denied_on_silence &&
        submitted->deadline < with_.committer.ledger_time()) {
      ledger::Command undo;
      undo.context.actor = submitted->caller.actor;
      undo.context.reason = "the answer was late, and the job was refused";
      undo.action = ledger::VoidHold{outcome->hold};
      (void)with_.committer.submit(std::move(undo), [](const Result<ledger::Outcome>&) {});
      outcome->refusal = ledger::Refusal::expired;
    }
    if (outcome) note_component(submitted->token, submitted->asked, outcome->accepted());
    promise([this, submitted, outcome = std::move(outcome)]() -> Reply<api::SubmissionAnswer> {
      if (!outcome) return problem(outcome.error());
      return answer_of(*submitted, *outcome);
    });
  };
  if (!with_.committer.submit(std::move(made), done)) {
    promise([]() -> Reply<api::SubmissionAnswer> { return too_busy(); });
  }
}

api::SubmissionAnswer Operations::refusal_of(const Submitted& submitted,
                                             const ledger::Outcome& outcome) {
  if (outcome.refusal == ledger::Refusal::declined) return denied(outcome.code, outcome.message);
  HoldPlan plan = submitted.plan;
  if (plan.account.empty()) {  // answered from memory, and nothing would be held now
    plan.account = with_.committer.read([&](const ledger::Book& book) {
      const ledger::Account* account = book.account(outcome.account);
      return account == nullptr ? submitted.asked.account : account->name;
    });
    plan.slurm_account = submitted.asked.account.empty() ? plan.account : submitted.asked.account;
    plan.partition = submitted.asked.partition;
  }
  std::string message = refused_message(plan, outcome) + submitted.advised;
  if (may_pay_elsewhere(outcome.refusal)) message += elsewhere(submitted.caller, submitted.asked);
  api::SubmissionAnswer refused = denied(ledger::to_string(outcome.refusal), message);
  refused.account = plan.slurm_account;
  refused.partition = plan.partition;
  refused.unit = outcome.unit;
  refused.estimated_cost = outcome.estimate;
  if (refused.unit.empty() && !plan.parts.empty()) {
    refused.unit = plan.parts.front().estimate.unit;
    refused.estimated_cost = plan.parts.front().estimate.total;
  }
  return refused;
}

Reply<api::SubmissionAnswer> Operations::answer_of(const Submitted& submitted,
                                                   ledger::Outcome outcome) {
  if (!outcome.accepted()) return refusal_of(submitted, outcome);
  api::SubmissionAnswer answer = allowed();
  answer.account = submitted.plan.account;
  answer.partition = submitted.plan.partition;
  std::string restricted;
  std::vector<ledger::PlacePart> parts = parts_of(submitted.plan);
  if (outcome.replayed || !submitted.constraint.empty()) {
    // What was set aside, whatever it would be now; it may have been given back since.
    store::HoldQuery query;
    query.id = outcome.hold;
    const auto found = with_.committer.find_holds(query);
    if (!found) return problem(found.error());
    ASBB_ASSERT(!found->empty());
    const ledger::Hold& hold = found->front().hold;
    if (hold.status == ledger::HoldStatus::closed && !hold.job) {
      outcome.refusal = ledger::Refusal::expired;
      return refusal_of(submitted, outcome);
    }
    answer.account = with_.committer.read(
        [&](const ledger::Book& book) { return book.account(hold.account)->name; });
    answer.partition = hold.partition;
    answer.cluster_features = constraint_of(submitted.plan, hold);
    restricted = restricted_message(submitted.plan, hold);
    parts.clear();
    for (const ledger::HoldPart& part : hold.parts) {
      parts.push_back({part.unit, part.estimate, part.granted, part.price_version});
    }
  }
  answer.unit = outcome.unit;
  answer.estimated_cost = outcome.estimate;
  answer.hold_amount = outcome.amount;
  answer.transaction_id = submitted.token;
  if (options_.say_held) answer.message = held_message(answer.account, parts);
  answer.message += submitted.advised + restricted;
  return answer;
}

}  // namespace asbb::service
