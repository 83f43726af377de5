#include "service/enforcer.h"

#include <algorithm>

#include "ledger/ledger.h"
#include "service/reconciler_pass.h"
#include "service/submission_messages.h"

namespace asbb::service {
namespace {

using ledger::EnforcementState;
using ledger::EnforcementStep;

constexpr const char* dry_word = "dry ";

std::string key_of(const DryLimit& limit) {
  return dry_word + limit.account + " " + limit.unit +
         (limit.partition.empty() ? "" : " " + limit.partition);
}

std::string limit_words(const DryLimit& limit) {
  return limit.partition.empty()
             ? "account " + limit.account
             : "the limit of account " + limit.account + " for partition " + limit.partition;
}

// Of the jobs that draw on the limit: what their ladders want for it.
std::set<EnforcementStep> steps_wanted(const DryLimit& limit, const SeenJobs& seen) {
  std::set<EnforcementStep> out;
  for (const PayingJob& job : seen.paying) {
    const bool draws = std::any_of(job.draws.begin(), job.draws.end(), [&](const Draw& draw) {
      return std::find(draw.legs.begin(), draw.legs.end(), limit.leg) != draw.legs.end();
    });
    if (!draws) continue;
    if (job.ladder.warn) out.insert(EnforcementStep::warn);
    if (job.ladder.stop_new) out.insert(EnforcementStep::stop_new);
    if (job.ladder.credit && limit.credit > Micros()) out.insert(EnforcementStep::credit);
  }
  return out;
}

}  // namespace

void Enforcer::pass(SeenJobs seen, Instant now, PassReport& report) {
  if (!enforcement_.enabled) return;
  now_ = now;
  report_ = &report;
  alarmed_.clear();
  if (!is_recalled_ && !recall()) return;
  forget_the_gone(seen);
  if (control_ != nullptr) finish_requeues(seen);
  leave_out_requeued(seen);
  for (PayingJob& job : seen.paying) {
    const auto deed = deeds_.find(job.key);
    job.acted_on = deed != deeds_.end() && deed->second.submit == job.submit;
  }
  const std::vector<DryLimit> dry =
      committer_.read([&](const ledger::Book& book) { return find_dry(book, seen.paying); });
  keep_limits(dry, seen);
  for (auto& [key, deed] : deeds_) deed.is_wanted = false;
  if (control_ != nullptr) {
    act_on(pick_jobs(dry, seen.paying, coming_back(seen)), seen);
  }
  end_unwanted(seen);
  raise_alarms(seen);
  report_ = nullptr;
}

void Enforcer::keep_limits(const std::vector<DryLimit>& dry, const SeenJobs& seen) {
  std::set<std::pair<std::string, std::string>> known;
  std::vector<DryLimit> written;
  for (const DryLimit& limit : dry) {
    known.emplace(limit.account, name_of(limit.leg));
    if (keep_steps(limit, steps_wanted(limit, seen))) written.push_back(limit);
  }
  if (!seen.is_complete) {
    // What nobody could look at stays as it is.
    const std::lock_guard lock(mutex_);
    for (const DryLimit& limit : written) {
      std::erase_if(dry_, [&](const DryLimit& old) { return old.leg == limit.leg; });
      dry_.push_back(limit);
    }
    return;
  }
  for (auto& [name, steps] : limits_) {
    if (!known.contains(name)) end_limit(name.second, steps, {});
  }
  std::erase_if(limits_, [](const auto& entry) { return entry.second.steps.empty(); });
  const std::lock_guard lock(mutex_);
  dry_ = std::move(written);
}

bool Enforcer::keep_steps(const DryLimit& limit, const std::set<Step>& wanted) {
  const std::string name = name_of(limit.leg);
  LimitSteps& known = limits_[{limit.account, name}];
  known.account = limit.account;
  known.partition = limit.partition;
  known.unit = limit.unit;
  const std::string reason =
      limit_words(limit) + " has run dry: " + to_display(limit.missing, limit.unit) + " missing";
  for (const Step step : wanted) {
    if (known.steps.contains(step)) continue;
    ledger::RecordEnforcement action;
    action.account = limit.account;
    action.step = step;
    action.unit = limit.unit;
    action.partition = limit.partition;
    action.limit = name;
    action.missing = limit.missing;
    if (!record(std::move(action), reason)) return known.steps.contains(Step::stop_new);
    known.steps.insert(step);
    report_->actions.push_back(reason + ": " + ledger::to_string(step));
  }
  end_limit(name, known, wanted);
  if (!wanted.contains(Step::warn)) return true;
  const std::string key = key_of(limit);
  const std::string message = dry_message(limit, wanted);
  report_->problems.push_back(message);
  alarms_.raise(key, message, now_);
  alarmed_.insert(key);
  return true;
}

// All steps but those that are kept.
void Enforcer::end_limit(const std::string& name, LimitSteps& known, const std::set<Step>& kept) {
  const std::set<Step> in_force = known.steps;
  for (const Step step : in_force) {
    if (kept.contains(step)) continue;
    ledger::RecordEnforcement action;
    action.account = known.account;
    action.step = step;
    action.state = State::ended;
    action.unit = known.unit;
    action.partition = known.partition;
    action.limit = name;
    if (!record(std::move(action),
                "account " + known.account + " has money again, or none of its jobs runs")) {
      return;
    }
    known.steps.erase(step);
    report_->actions.push_back(
        "account " + known.account +
        " has money again, or none of its jobs runs: " + ledger::to_string(step) + " has ended");
  }
}

std::string Enforcer::dry_message(const DryLimit& limit, const std::set<Step>& steps) const {
  std::string out = limit_words(limit) + " has run dry while " + std::to_string(limit.jobs) +
                    (limit.jobs == 1 ? " job runs" : " jobs run") + ": they need " +
                    to_display(limit.missing, limit.unit) + " more than there is";
  if (steps.contains(Step::stop_new)) out += "; new jobs are refused";
  if (steps.contains(Step::credit)) {
    out += "; those that run go on on credit, up to " + to_display(limit.credit, limit.unit);
  }
  return out + "; put money into it (asbb deposit), or end jobs";
}

std::optional<Denial> Enforcer::refusal_of(ledger::PlaceHold& place, Instant at) const {
  std::vector<DryLimit> dry;
  {
    const std::lock_guard lock(mutex_);
    dry = dry_;
  }
  if (dry.empty() || !enforcement_.enabled) return std::nullopt;
  return committer_.read([&](const ledger::Book& book) -> std::optional<Denial> {
    std::vector<ledger::PlacePart> passes;
    std::optional<Denial> denial;
    for (const ledger::PlacePart& part : place.parts) {
      auto refused = refusal_of(book, dry, place, part, at);
      if (!refused) passes.push_back(part);
      if (refused) denial = std::move(refused);
    }
    if (denial && (passes.empty() || !place.any_unit)) return denial;
    if (denial) place.parts = std::move(passes);
    return std::nullopt;
  });
}

std::optional<Denial> Enforcer::refusal_of(const ledger::Book& book,
                                           const std::vector<DryLimit>& dry,
                                           const ledger::PlaceHold& place,
                                           const ledger::PlacePart& part, Instant at) const {
  const ledger::Account* account = book.account(place.account);
  if (account == nullptr || part.amount.is_zero()) return std::nullopt;
  const auto chain = account_chain(book, account->id);
  if (!ladder_for(enforcement_, chain, place.partition).stop_new) return std::nullopt;
  const auto legs =
      ledger::find_legs(ledger::Stage(book), account->id, part.unit, place.partition, at).legs;
  for (const DryLimit& limit : dry) {
    if (std::find(legs.begin(), legs.end(), limit.leg) == legs.end()) continue;
    // What running jobs lack comes first, however much was put in since.
    const Micros missing = missing_now(book, limit);
    if (part.amount <= Micros() - missing) continue;
    // What is above is not for everybody's eyes (DESIGN 4.11).
    const std::string what = limit.account == account->name
                                 ? limit_words(limit) + " has run dry: its running jobs need " +
                                       to_display(std::max(missing, Micros()), limit.unit) +
                                       " more than there is\n"
                                 : "a limit above account " + account->name +
                                       " has run dry: running jobs need more than there is\n";
    return Denial{dry_code,
                  what + "new jobs on partition " + place.partition +
                      " wait until there is money again: ask who manages the account for some, "
                      "or use a partition without a price\n"};
  }
  return std::nullopt;
}

}  // namespace asbb::service
