// What the enforcer remembers: read back from the ledger after a start, written there before
// anything is done, and forgotten with the job.
#include <algorithm>

#include "base/text.h"
#include "ledger/ledger.h"
#include "ledger/record.h"
#include "service/enforcer.h"
#include "service/reconciler_pass.h"

namespace asbb::service {
namespace {

bool is_of_account(ledger::EnforcementStep step) {
  return step < ledger::EnforcementStep::requeue;
}

// Of a federation's job, whichever cluster it was first seen on.
std::vector<const ledger::Hold*> open_holds_of(const ledger::Book& book,
                                               const ledger::ShareKey& key) {
  std::vector<const ledger::Hold*> out;
  for (const ledger::Hold* hold : book.open_holds()) {
    if (hold->backfilled || !hold->job) continue;
    if (ledger::is_same_job(*hold->job, key.cluster, key.job_id)) out.push_back(hold);
  }
  return out;
}

}  // namespace

bool Enforcer::recall() {
  store::EntryQuery query;
  query.types = {ledger::EntryType::enforcement};
  limits_.clear();
  deeds_.clear();
  for (;;) {
    const auto page = committer_.store().entries(query);
    if (!page) {
      report_->problems.push_back("the ledger cannot be read, so no job is acted on: " +
                                  page.error().message);
      return false;
    }
    for (const auto& found : *page) recall(found.entry);
    if (page->size() < static_cast<std::size_t>(query.count_max)) break;
    query.after_sequence = page->back().entry.sequence;
  }
  std::erase_if(limits_, [](const auto& known) { return known.second.steps.empty(); });
  std::erase_if(deeds_, [](const auto& known) { return known.second.rungs.empty(); });
  is_recalled_ = true;
  return true;
}

void Enforcer::recall(const ledger::Entry& entry) {
  auto details = ledger::read_record(entry.details);
  if (!details) return;
  const auto step = ledger::parse_enforcement_step((*details)["step"]);
  const auto state = ledger::parse_enforcement_state((*details)["state"]);
  if (!step || !state) return;
  const bool is_over = *state == State::ended;
  if (is_of_account(*step)) {
    LimitSteps& known = limits_[{entry.account_name, (*details)["limit"]}];
    known.account = entry.account_name;
    known.partition = entry.partition;
    known.unit = entry.unit;
    is_over ? (void)known.steps.erase(*step) : (void)known.steps.insert(*step);
    return;
  }
  const Instant submit{parse_whole((*details)["submit_us"]).value_or(0)};
  Deed& deed = deeds_[entry.job];
  if (deed.submit != submit) deed = {};  // ids come back
  deed.submit = submit;
  deed.account = entry.account_name;
  deed.user = entry.user;
  deed.partition = entry.partition;
  deed.unit = entry.unit;
  deed.limit = (*details)["limit"];
  deed.gives_back = Micros(parse_whole((*details)["gives_back_micros"]).value_or(0));
  if (is_over) {
    deed.rungs.erase(*step);
  } else {
    deed.rungs[*step] = {*state, entry.at, entry.at, (*details)["how"], ""};
  }
}

// What is not known to have been written down is read back before anything else is done.
bool Enforcer::record(ledger::RecordEnforcement action, const std::string& reason) {
  action.missing = std::clamp(action.missing, Micros(), ledger::counter_max);
  const auto written = committer_.run(reconciler_command(std::move(action), reason));
  if (written && written->accepted()) return true;
  if (!written) is_recalled_ = false;
  report_->problems.push_back(
      "what is done about a dry account cannot be written down, so it is not done: " +
      (written ? std::string(to_string(written->refusal)) : written.error().message));
  return false;
}

bool Enforcer::record(const ledger::ShareKey& key, const Deed& deed, Step step, State state,
                      const std::string& how, Micros missing, const std::string& reason) {
  ledger::RecordEnforcement action;
  action.account = deed.account;
  action.step = step;
  action.state = state;
  action.unit = deed.unit;
  action.user = deed.user;
  action.partition = deed.partition;
  action.job = key;
  action.submit = deed.submit;
  action.limit = deed.limit;
  action.how = how;
  action.missing = missing;
  action.gives_back = deed.gives_back;
  return record(std::move(action), reason);
}

// Whether the money of a run that was ended is back where it came from, or nobody holds any for it.
// What was requeued gives it back when it has left the partition.
bool Enforcer::is_settled(const ledger::ShareKey& key, const Deed& deed) const {
  const bool is_requeued = deed.rungs.contains(Step::requeue);
  return committer_.read([&](const ledger::Book& book) {
    for (const ledger::Hold* hold : open_holds_of(book, key)) {
      const std::int64_t run = is_requeued ? key.run + 1 : key.run;
      if (!pays_for_run(scope_of(hold->group), key.task, key.cluster, run)) continue;
      const ledger::Share* share = book.share(hold->id, key);
      const bool is_back =
          !is_requeued && share != nullptr && share->status == ledger::ShareStatus::settled;
      if (!is_back) return false;
    }
    return true;
  });
}

// Runs that are over and settled.
void Enforcer::forget_the_gone(const SeenJobs& seen) {
  if (!seen.is_complete) return;
  std::erase_if(deeds_, [&](const auto& known) {
    const auto& [key, deed] = known;
    const auto requeue = deed.rungs.find(Step::requeue);
    const bool is_moved = requeue != deed.rungs.end() && requeue->second.state == State::done;
    const auto live = seen.live.find(key);
    if (!is_moved && live != seen.live.end() && live->second.submit == deed.submit) return false;
    if (requeue != deed.rungs.end() && !is_moved) {
      ledger::ShareKey next = key;
      ++next.run;
      if (seen.live.contains(next)) return false;
    }
    return is_settled(key, deed);
  });
}

ComingBack Enforcer::coming_back(const SeenJobs& seen) const {
  ComingBack out;
  for (const auto& [key, deed] : deeds_) {
    const bool is_ended = deed.rungs.contains(Step::cancel) || deed.rungs.contains(Step::requeue);
    const auto is_paying = std::any_of(seen.paying.begin(), seen.paying.end(),
                                       [&, &at = key](const auto& job) { return job.key == at; });
    if (!is_ended || is_paying) continue;
    const std::vector<ledger::Leg> legs =
        committer_.read([&, &at = key, &made = deed](const ledger::Book& book) {
          for (const ledger::Hold* hold : open_holds_of(book, at)) {
            for (const ledger::HoldPart& part : hold->parts) {
              if (part.unit == made.unit) return part.legs;
            }
          }
          return std::vector<ledger::Leg>{};
        });
    for (const ledger::Leg& leg : legs) out[name_of(leg)] += deed.gives_back;
  }
  return out;
}

// A job that is on its way to another partition is not acted on again. What this pass moved still
// shows the partition that it had.
void Enforcer::leave_out_requeued(SeenJobs& seen) const {
  const auto is_on_its_way = [&](const PayingJob& job, const ledger::ShareKey& key) {
    const auto deed = deeds_.find(key);
    if (deed == deeds_.end()) return false;
    const auto requeue = deed->second.rungs.find(Step::requeue);
    if (requeue == deed->second.rungs.end()) return false;
    const Rung& rung = requeue->second;
    if (rung.state == State::done) return rung.at == now_;
    const auto live = seen.live.find(job.key);
    return rung.state == State::begun || (live != seen.live.end() && live->second.is_held);
  };
  std::erase_if(seen.paying, [&](const PayingJob& job) {
    ledger::ShareKey before = job.key;
    --before.run;
    return is_on_its_way(job, before) || (job.waits && is_on_its_way(job, job.key));
  });
}

}  // namespace asbb::service
