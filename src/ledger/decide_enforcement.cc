// What was done because an account ran dry (docs/concepts/job-life.md): entries alone, no money.
#include <algorithm>

#include "ledger/decide.h"
#include "ledger/record.h"
#include "ledger/words.h"

namespace asbb::ledger {
namespace {

constexpr Words<EnforcementStep, 6> steps{{{EnforcementStep::warn, "warn"},
                                           {EnforcementStep::stop_new, "stop_new"},
                                           {EnforcementStep::credit, "credit"},
                                           {EnforcementStep::requeue, "requeue"},
                                           {EnforcementStep::signal, "signal"},
                                           {EnforcementStep::cancel, "cancel"}}};
constexpr Words<EnforcementState, 4> states{{{EnforcementState::begun, "begun"},
                                             {EnforcementState::failed, "failed"},
                                             {EnforcementState::done, "done"},
                                             {EnforcementState::ended, "ended"}}};

// Steps of an account name no job, the others a run of one.
bool is_sound(EnforcementStep step, const ShareKey& job) {
  if (step < EnforcementStep::requeue) return job == ShareKey{};
  return job.external_id.empty() && !job.cluster.empty() && is_valid_text(job.cluster) &&
         job.job_id > 0 && job.task >= -1 && job.run >= 0;
}

bool is_sum(Micros amount) {
  return !amount.is_negative() && amount <= counter_max;
}

}  // namespace

const char* to_string(EnforcementStep step) {
  return word_of(steps, step);
}
const char* to_string(EnforcementState state) {
  return word_of(states, state);
}
std::optional<EnforcementStep> parse_enforcement_step(std::string_view text) {
  return value_of(steps, text);
}
std::optional<EnforcementState> parse_enforcement_state(std::string_view text) {
  return value_of(states, text);
}

Outcome decide_action(Stage& stage, const Context& context, const RecordEnforcement& action) {
  if (!has_reason(context)) return refuse(Refusal::reason_missing, "reason");
  const Account* account = stage.account(action.account);
  if (account == nullptr) return refuse(Refusal::unknown_account, "account");
  const auto texts = {&action.user, &action.partition, &action.limit, &action.how};
  if (!std::all_of(texts.begin(), texts.end(),
                   [](const auto* text) { return is_valid_text(*text); }) ||
      !is_valid_unit(action.unit)) {
    return refuse(Refusal::bad_name);
  }
  if (!is_sound(action.step, action.job)) return refuse(Refusal::bad_name, "job");
  if (!is_sum(action.missing) || !is_sum(action.gives_back)) {
    return refuse(Refusal::bad_amount, "missing");
  }
  Entry entry = account_entry(context, EntryType::enforcement, *account);
  entry.unit = action.unit;
  entry.user = action.user;
  entry.partition = action.partition;
  entry.job = action.job;
  entry.details = RecordWriter()
                      .add("step", to_string(action.step))
                      .add("state", to_string(action.state))
                      .add("submit_us", action.submit.microseconds)
                      .add("limit", action.limit)
                      .add("how", action.how)
                      .add("missing_micros", action.missing.count())
                      .add("gives_back_micros", action.gives_back.count())
                      .text();
  stage.add(std::move(entry));
  return {};
}

}  // namespace asbb::ledger
