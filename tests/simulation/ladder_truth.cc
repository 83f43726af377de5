#include "simulation/ladder_truth.h"

#include <algorithm>

#include "ledger/record.h"

namespace asbb::simulation {
namespace {

constexpr Span clocks_differ = seconds(700);  // of the service, before and after a step

bool is_of_account(ledger::EnforcementStep step) {
  return step < ledger::EnforcementStep::requeue;
}

std::string name_of(const Deed& deed) {
  return deed.verb + " of " + deed.cluster + " job " + std::to_string(deed.job->id) + " (number " +
         std::to_string(deed.job->number) + ")";
}

// As the service names the run that slurmctld shows.
ledger::ShareKey key_of(const Deed& deed) {
  const std::int64_t id = deed.job->het_id != 0 ? deed.job->het_id : deed.job->id;
  return {deed.cluster, id, deed.task->index, deed.task->restarts, ""};
}

}  // namespace

void LadderTruth::forget() {
  limits_.clear();
  jobs_.clear();
}

void LadderTruth::add(const ledger::Entry& entry) {
  if (entry.type != ledger::EntryType::enforcement) return;
  require(rules_.enforcement.enabled, "enforcement is off, and there is an entry of it");
  auto details = ledger::read_record(entry.details);
  require(details.has_value(), "an entry of enforcement cannot be read");
  const auto step = ledger::parse_enforcement_step((*details)["step"]);
  const auto state = ledger::parse_enforcement_state((*details)["state"]);
  require(step && state, "an entry of enforcement has no step");
  const std::string word = ledger::to_string(*step);
  const bool begins = *state == ledger::EnforcementState::begun;
  const bool ends = *state == ledger::EnforcementState::ended;
  const Begun begun{entry.sequence, entry.at, (*details)["how"]};
  const auto keep = [&](auto& known, const auto& key) {
    require(begins != known.contains(key),
            word + (begins ? " has begun twice" : " goes on without a beginning"));
    if (begins) known[key] = begun;
    if (ends) known.erase(key);
  };
  if (is_of_account(*step)) {
    keep(limits_, LimitStep{entry.account_name, (*details)["limit"], *step});
  } else {
    const std::int64_t submit = std::stoll((*details)["submit_us"]);
    keep(jobs_, JobStep{entry.job, submit, *step});
  }
  if (begins) ++coverage_.happened["ladder: " + word + " is written down"];
  if (ends) ++coverage_.happened["ladder: it is over"];
}

// The account's own, or of the one above; then the partition's; then that of all.
const config::Ladder& LadderTruth::ladder_of(const std::string& account,
                                             const std::string& partition) const {
  for (const std::string& name : {account, std::string("lab")}) {
    const auto own = rules_.enforcement.accounts.find(name);
    if (own != rules_.enforcement.accounts.end()) return own->second;
  }
  const auto there = rules_.enforcement.partitions.find(partition);
  if (there != rules_.enforcement.partitions.end()) return there->second;
  return rules_.enforcement.ladder;
}

const LadderTruth::Begun* LadderTruth::begun(const ledger::ShareKey& key, Instant submit,
                                             Step step) const {
  const auto found = jobs_.find({key, submit.microseconds, step});
  return found == jobs_.end() ? nullptr : &found->second;
}

// Whether anything that the job may draw on has more held and used than its limit; `lends`: beyond
// what it lends.
bool LadderTruth::is_dry(const ledger::Book& book, const Job& job, bool lends) const {
  std::set<std::string> names = job.accounts;
  names.insert("lab");
  for (const std::string& name : names) {
    for (const ledger::Budget* budget : book.budgets_of(book.account(name)->id)) {
      const Micros credit = lends ? budget->credit_limit : Micros();
      if (budget->available() + credit < Micros()) return true;
      for (const ledger::PartitionLimit* limit : book.limits_of(budget->id)) {
        if (limit->limit && *limit->limit < limit->held + limit->used) return true;
      }
    }
  }
  return false;
}

// Jobs that run beyond their hold or without one count as well, and what they lack is nowhere in
// the book.
bool LadderTruth::may_lack_unseen() const {
  return std::any_of(slurm_.jobs().begin(), slurm_.jobs().end(), [](const auto& job) {
    if (!job->is_alive()) return false;
    return std::any_of(job->tasks.begin(), job->tasks.end(), [&](const Task& task) {
      return task.is_alive() && (task.restarts > 0 || !job->is_held_for || job->is_changed ||
                                 job->is_acted_on || task.suspended_seconds > 0);
    });
  });
}

void LadderTruth::check_deed(const Deed& deed, const ledger::Book& book, Instant service_now) {
  require(rules_.enforcement.enabled, "enforcement is off: " + name_of(deed));
  const ledger::ShareKey key = key_of(deed);
  if (deed.verb == "move" || deed.verb == "release") {
    // Of the run before, or of this one where it waited without money.
    ledger::ShareKey before = key;
    --before.run;
    const bool is_written = std::any_of(jobs_.begin(), jobs_.end(), [&](const auto& known) {
      const auto& [run, submit, step] = known.first;
      return step == Step::requeue && (run == key || run == before) &&
             (deed.verb == "release" || known.second.how == deed.how);
    });
    return require(is_written, name_of(deed) + " is not written down");
  }
  check_step(deed, key, service_now);
  const config::Ladder& ladder = ladder_of(deed.task->account, deed.task->partition);
  require(may_lack_unseen() || is_dry(book, *deed.job, ladder.credit),
          name_of(deed) + ", and there is money");
}

void LadderTruth::check_step(const Deed& deed, const ledger::ShareKey& key, Instant service_now) {
  const config::Ladder& ladder = ladder_of(deed.task->account, deed.task->partition);
  const std::string name = name_of(deed);
  const Instant submit = deed.task->submit;
  const bool is_clear = !deed.job->is_changed;  // else the ladder is that of another account
  if (deed.verb == "requeue") {
    require(begun(key, submit, Step::requeue) != nullptr, name + " is not written down");
    require(!is_clear || !ladder.requeue_to.empty(), name + " is on no ladder");
    require(deed.job->het_id == 0, name + ": het jobs are not requeued");
  } else if (deed.verb == "signal") {
    const Begun* entry = begun(key, submit, Step::signal);
    require(entry != nullptr, name + " is not written down");
    require(!is_clear || ladder.signal == deed.how, name + " is on no ladder");
    ++signals_[entry->sequence];
  } else {
    require(begun(key, submit, Step::cancel) != nullptr, name + " is not written down");
    require(!is_clear || ladder.cancel, name + " is on no ladder");
    if (!is_clear || ladder.signal.empty() || deed.task->state == Task::State::pending) return;
    const Begun* signal = begun(key, submit, Step::signal);
    require(signal != nullptr, name + ": it was not signalled");
    require(signal->at + ladder.grace <= service_now + clocks_differ,
            name + " before its grace is over");
  }
}

void LadderTruth::check_refusal(const std::string& account, const std::string& partition) const {
  require(rules_.enforcement.enabled && ladder_of(account, partition).stop_new,
          "a job of " + account + " is stopped, which is on no ladder");
  const bool is_in_force = std::any_of(limits_.begin(), limits_.end(), [&](const auto& known) {
    const auto& [of, limit, step] = known.first;
    return of == account || of == "lab";
  });
  require(is_in_force, "a job of " + account + " is stopped, and nothing is written down of it");
}

void LadderTruth::check_end() const {
  for (const auto& [key, begun] : limits_) {
    throw Broken{std::get<0>(key) + " is said to be dry in the end"};
  }
}

}  // namespace asbb::simulation
