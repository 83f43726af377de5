#include "simulation/truth.h"

#include <algorithm>
#include <tuple>

#include "ledger/record.h"
#include "ledger/same_job.h"
#include "ledger/testing/test_ledger.h"
#include "service/allowances.h"

namespace asbb::simulation {
namespace {

std::string text_of(const std::set<std::int64_t>& amounts) {
  std::string text;
  for (const std::int64_t amount : amounts) {
    text += (text.empty() ? "" : " or ") + std::to_string(amount);
  }
  return text;
}

}  // namespace

std::string name_of(const Job& job, const Task& task) {
  std::string name = job.cluster + " job " + std::to_string(job.id);
  if (task.index >= 0) name += "_" + std::to_string(task.index);
  return name + " (number " + std::to_string(job.number) + ")";
}

void Truth::look(store::Store& reader) {
  for (;;) {
    store::EntryQuery query;
    query.after_sequence = static_cast<std::int64_t>(records_.size());
    const auto page = reader.entries(query);
    require(page.has_value(), "the entries cannot be read");
    for (const store::ChainedEntry& entry : *page) add_entry(entry);
    if (static_cast<std::int64_t>(page->size()) < query.count_max) break;
  }
}

void Truth::look_again(store::Store& reader) {
  const std::vector<std::string> before = std::move(records_);
  records_.clear();
  charges_.clear();
  budgets_.clear();
  refunded_.clear();
  covers_.clear();
  ladder.forget();
  allowances.forget();
  head_ = {};
  auditor_ = ledger::Auditor();
  look(reader);
  require(before.size() <= records_.size(), "entries are lost");
  require(std::equal(before.begin(), before.end(), records_.begin()), "an entry has changed");
}

void Truth::add_entry(const store::ChainedEntry& chained) {
  const ledger::Entry& entry = chained.entry;
  require(entry.sequence == static_cast<std::int64_t>(records_.size()) + 1, "a sequence has a gap");
  require(chained.record == ledger::canonical_record(entry), "a record is not its entry's");
  head_ = store::chain_next(rules_.chain_key, head_, chained.record);
  require(chained.chain == head_, "the chain is broken");
  records_.push_back(chained.record);
  auditor_.add(chained.record);
  ladder.add(entry);
  allowances.add(entry);
  add_charge(entry);
  add_money(entry);
}

void Truth::add_charge(const ledger::Entry& entry) {
  const bool is_charge =
      entry.type == ledger::EntryType::charge || entry.type == ledger::EntryType::overrun;
  if (!is_charge && entry.type != ledger::EntryType::write_off_out) return;
  Charge& charge = charges_[{entry.hold, entry.job}];
  if (!is_charge) {
    charge.written_off += entry.amount.count();
    return;
  }
  // The charge and the overrun of one settlement are written at one moment.
  const bool is_first = charge.unit.empty();
  const bool is_its_overrun = charge.at == entry.at && entry.type == ledger::EntryType::overrun;
  require(is_first || is_its_overrun, "a run is settled twice: " + entry.job.cluster + " job " +
                                          std::to_string(entry.job.job_id) + " run " +
                                          std::to_string(entry.job.run));
  charge.key = entry.job;
  charge.hold = entry.hold;
  charge.account = entry.account_name;
  charge.unit = entry.unit;
  charge.micros += entry.amount.count();
  charge.at = entry.at;
  charge.budget = entry.budget;
}

void Truth::check_promise(const Asked& asked, const api::SubmissionAnswer& answer,
                          const ledger::Book& book) const {
  const ledger::Hold* hold = book.hold_of_request(asked.token);
  require(hold != nullptr, asked.token + " is promised money, and has no hold");
  for (const ledger::HoldPart& part : hold->parts) {
    for (const ledger::Leg& leg : part.legs) {
      const bool is_budget = leg.kind == ledger::Leg::Kind::budget;
      const ledger::PartitionLimit* limit =
          is_budget ? nullptr : book.limit(ledger::LimitId{leg.id});
      if (!is_budget && !limit->limit) continue;
      const Micros left = is_budget ? book.budget(ledger::BudgetId{leg.id})->available()
                                    : *limit->limit - limit->held - limit->used;
      require(!left.is_negative(), asked.token + " overspends a leg");
    }
  }
  if (asked.request.is_federated || !asked.request.tasks.empty()) return;
  const Cost first = tariff_.hold(asked.first_version, asked.cluster, asked.request);
  const Cost last = tariff_.hold(asked.last_version, asked.cluster, asked.request);
  const std::int64_t held = answer.hold_amount.count();
  require(answer.unit == last.unit && (held == first.micros || held == last.micros),
          asked.token + " holds " + std::to_string(held) + ", not " + std::to_string(last.micros));
}

void Truth::check_step(Service& service) const {
  service.committer().read([&](const ledger::Book& book) {
    const std::string broken = ledger::testing::broken_rule(book);
    require(broken.empty(), broken);
    for (const Asked& asked : asked_) {
      if (!asked.is_promised || asked.job == nullptr || !asked.job->needs_hold()) continue;
      const ledger::Hold* hold = book.hold_of_request(asked.token);
      bool is_held = hold != nullptr && hold->status == ledger::HoldStatus::open;
      for (const ledger::Hold* other : book.holds_of_job(asked.job->cluster, asked.job->id)) {
        is_held = is_held || (other->status == ledger::HoldStatus::open && !other->backfilled);
      }
      require(is_held, asked.job->cluster + " job " + std::to_string(asked.job->id) +
                           " lives, and its hold is gone");
    }
  });
}

const Job* Truth::job_of(const ledger::JobRef& ref) const {
  constexpr Span rounding = seconds(2);
  const Job* found = nullptr;
  for (const auto& job : slurm_.jobs()) {
    if (!ledger::is_same_job(ref, job->cluster, job->id)) continue;
    if (job->submit <= ref.submit_time + rounding) found = job.get();
  }
  return found;
}

const Job* Truth::job_of_token(const std::string& token) const {
  const auto found = std::find_if(asked_.begin(), asked_.end(),
                                  [&](const Asked& asked) { return asked.token == token; });
  return found == asked_.end() ? nullptr : found->job;
}

Truth::Charges Truth::charges_by_job(store::Store& reader) const {
  Charges sorted;
  for (const auto& [key, charge] : charges_) {
    store::HoldQuery query;
    query.id = charge.hold;
    const auto hold = reader.find_holds(query);
    require(hold.has_value() && hold->size() == 1 && hold->front().hold.job.has_value(),
            "a charge of a hold without a job");
    const ledger::JobRef& ref = *hold->front().hold.job;
    const Job* job = job_of_token(hold->front().hold.request_id);
    if (job == nullptr || !ledger::is_same_job(ref, job->cluster, job->id)) job = job_of(ref);
    require(job != nullptr, "a charge of a job that never was");
    sorted[{job, charge.key.task}].push_back(charge);
  }
  return sorted;
}

const Asked* Truth::asked_of(const Job& job) const {
  const auto found = std::find_if(asked_.begin(), asked_.end(),
                                  [&](const Asked& asked) { return asked.job == &job; });
  return found == asked_.end() ? nullptr : &*found;
}

// The price of the hold; of a job without one, that of its start. Where the service may have placed
// the hold late, or anew for a change (of a size that came after this one, too), any that was in
// force meanwhile.
std::set<std::int64_t> Truth::versions_of(const Job& job, const Run& run,
                                          Instant charged_at) const {
  const Asked& asked = *asked_of(job);
  if (asked.is_promised && !job.is_changed && !job.request.is_federated) {
    return {asked.first_version, asked.last_version};
  }
  const std::int64_t at_start = tariff_.version_at(run.start);
  const bool may_be_anew = job.is_changed || job.request.is_federated;
  std::int64_t last = may_be_anew ? tariff_.version_at(charged_at) : at_start;
  if (!asked.is_promised) last = std::max(last, tariff_.version_at(asked.at + message_late));
  std::set<std::int64_t> versions;
  for (std::int64_t version = asked.first_version; version <= last; ++version) {
    versions.insert(version);
  }
  versions.insert(at_start);
  return versions;
}

std::set<std::int64_t> Truth::costs_of(const Job& job, const Run& run, Instant charged_at) const {
  std::set<std::int64_t> costs;
  Run corrected = run;
  corrected.elapsed_seconds += run.corrected_seconds;
  for (const std::int64_t version : versions_of(job, run, charged_at)) {
    costs.insert(tariff_.charge(version, run).micros);
    costs.insert(tariff_.charge(version, corrected).micros);
  }
  return costs;
}

void Truth::check_run(const Job& job, const Task& task, const Run& run,
                      const Charge& charge) const {
  const std::string name = name_of(job, task);
  const std::set<std::int64_t> costs = costs_of(job, run, charge.at);
  const std::string unit = tariff_.charge(1, run).unit;
  require(charge.unit == unit && costs.contains(charge.micros),
          name + ": a run of " + std::to_string(run.elapsed_seconds) + " s (" + run.state +
              ") costs " + text_of(costs) + " " + unit + ", and is charged " +
              std::to_string(charge.micros) + " " + charge.unit);
  require(charge.account == run.account,
          name + " is charged to " + charge.account + ", not to " + run.account);
  require(charge.written_off == (is_borne(run) ? charge.micros : 0),
          name + ": " + std::to_string(charge.written_off) + " of a run that ended as " +
              run.state + " are written off");
  if (is_borne(run)) ++coverage_.happened["a run is written off"];
}

bool Truth::is_borne(const Run& run) const {
  const auto& policy = rules_.run_costs;
  return (run.state == "NODE_FAIL" && policy.writes_off_node_fail) ||
         (run.state == "BOOT_FAIL" && policy.writes_off_boot_fail) ||
         (run.state == "PREEMPTED" && policy.writes_off_preempted);
}

// Each run that cost something is charged, in order.
void Truth::check_task(const Job& job, const Task& task, std::vector<Charge> charges) const {
  std::vector<const Run*> runs;
  for (const Run& run : task.runs) {
    if (!run.end || tariff_.charge(1, run).micros == 0) continue;
    runs.push_back(&run);
  }
  // Each cluster of a federation counts its own runs.
  std::stable_sort(runs.begin(), runs.end(),
                   [](const Run* a, const Run* b) { return a->cluster < b->cluster; });
  std::sort(charges.begin(), charges.end(), [](const Charge& a, const Charge& b) {
    return std::tie(a.key.cluster, a.key.run, a.at) < std::tie(b.key.cluster, b.key.run, b.at);
  });
  // A run on another cluster that nobody saw, whose unit was given back meanwhile.
  const std::string name = " job " + std::to_string(job.id);
  const bool is_left = was_alarmed("settle onprem" + name) || was_alarmed("settle cloud" + name);
  if (task.is_untold || (job.request.is_federated && is_left)) {
    require(charges.size() <= runs.size(), name_of(job, task) + " is charged too often");
    return;
  }
  if (runs.size() != charges.size()) {
    std::string text = name_of(job, task) + " had " + std::to_string(runs.size()) +
                       " runs that cost something, and " + std::to_string(charges.size()) +
                       " are charged:";
    for (const Charge& charge : charges) {
      text += " run " + std::to_string(charge.key.run) + " of hold " +
              std::to_string(charge.hold.value) + " " + std::to_string(charge.micros) + ",";
    }
    for (const Run* run : runs) {
      text += " " + run->state + " " + std::to_string(run->elapsed_seconds) + " s;";
    }
    throw Broken{text};
  }
  // slurmdbd may hear of a later run first, and numbers them so.
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const auto first = charges.begin() + static_cast<std::ptrdiff_t>(i);
    const auto own = std::find_if(first, charges.end(), [&](const Charge& charge) {
      return charge.key.cluster == runs[i]->cluster &&
             costs_of(job, *runs[i], charge.at).contains(charge.micros) &&
             (charge.written_off != 0) == is_borne(*runs[i]);
    });
    if (own != charges.end()) std::swap(charges[i], *own);
  }
  for (std::size_t i = 0; i < runs.size(); ++i) {
    check_run(job, task, *runs[i], charges[i]);
    check_period(job, task, *runs[i], runs[i] == &task.runs.front(), charges[i]);
    check_correction(job, task, *runs[i], charges[i]);
  }
}

// The allowances from which jobs took whose runs never end for slurmdbd.
std::set<std::int64_t> Truth::kept_allowances() const {
  std::set<std::int64_t> kept;
  for (const Asked& asked : asked_) {
    const auto tag = service::find_allowance(asked.comment);
    if (!tag || asked.job == nullptr || !asked.job->is_lost()) continue;
    const auto& tasks = asked.job->tasks;
    const bool has_run = std::any_of(tasks.begin(), tasks.end(),
                                     [](const Task& task) { return !task.runs.empty(); });
    if (has_run) kept.insert(tag->hold.value);
  }
  return kept;
}

// A job of a federation ran where its unit was not held: alarms say so, and what is to be done.
bool Truth::is_left_to_people(Service& service, const ledger::Hold& hold) const {
  if (!hold.job) return false;
  const std::string key =
      "settle " + hold.job->cluster + " job " + std::to_string(hold.job->job_id);
  const auto alarms = service.alarms().list();
  return was_alarmed(key) && std::any_of(alarms.begin(), alarms.end(), [&](const auto& alarm) {
           return alarm.key == "hold " + hold.request_id;
         });
}

void Truth::check_holds_are_closed(Service& service) const {
  const std::set<std::int64_t> kept = kept_allowances();
  service.committer().read([&](const ledger::Book& book) {
    for (const ledger::Hold* hold : book.open_holds()) {
      if (service::is_allowance(*hold) || is_left_to_people(service, *hold)) continue;
      std::string text = "hold " + hold->request_id + " is open in the end: ";
      if (hold->job) {
        text += hold->job->cluster + " job " + std::to_string(hold->job->job_id) + " of " +
                to_rfc3339(hold->job->submit_time) + ", ";
      }
      throw Broken{text + std::to_string(hold->tasks_opened) + " of " +
                   std::to_string(hold->task_count) + " tasks seen, " +
                   std::to_string(hold->pending_runs) + " awaited, " + hold->group};
    }
    allowances.check_end(book, kept);
  });
}

// A promise whose job ran is kept: its hold was bound to the job, and never given back as one of a
// job that never was.
void Truth::check_promises_were_kept(store::Store& reader) const {
  for (const Asked& asked : asked_) {
    if (!asked.is_promised || asked.job == nullptr || asked.job->is_lost()) continue;
    const auto& tasks = asked.job->tasks;
    if (std::all_of(tasks.begin(), tasks.end(), [](const Task& t) { return t.runs.empty(); })) {
      continue;
    }
    store::HoldQuery query;
    query.request_id = asked.token;
    const auto found = reader.find_holds(query);
    require(found.has_value() && found->size() == 1, asked.token + ": a promised hold is lost");
    require(found->front().hold.job.has_value(),
            asked.token + ": the hold of " + asked.job->cluster + " job " +
                std::to_string(asked.job->id) + " was given back without it");
  }
}

// The alarm of a run whose end slurmctld never told, and of which no hold is left to say so.
bool Truth::is_endless(const std::string& key) const {
  return std::any_of(asked_.begin(), asked_.end(), [&](const Asked& asked) {
    if (asked.job == nullptr || !asked.job->is_lost()) return false;
    const auto& tasks = asked.job->tasks;
    return std::any_of(tasks.begin(), tasks.end(), [&](const Task& task) {
      return std::any_of(task.runs.begin(), task.runs.end(), [&](const Run& run) {
        return key == "endless " + run.cluster + " job " + std::to_string(run.job_id);
      });
    });
  });
}

void Truth::check_alarms(Service& service, Instant now) const {
  for (const service::Alarm& alarm : service.alarms().list()) {
    const bool is_short = service.committer().read(
        [&](const ledger::Book& book) { return allowances.explains(alarm.key, book, now); });
    // A run on another cluster that nobody saw before it was over is an administrator's.
    const bool is_elsewhere = alarm.key.starts_with("settle ") &&
                              alarm.message.find("unit_not_held") != std::string::npos;
    const bool is_left = service.committer().read([&](const ledger::Book& book) {
      const auto holds = book.open_holds();
      return std::any_of(holds.begin(), holds.end(), [&](const ledger::Hold* hold) {
        return alarm.key == "hold " + hold->request_id && is_left_to_people(service, *hold);
      });
    });
    const bool is_explained = alarm.key.starts_with("changed ") || is_elsewhere || is_short ||
                              is_left || is_endless(alarm.key);
    require(is_explained, "an alarm that nothing explains: " + alarm.key + ": " + alarm.message);
  }
}

void Truth::check_end(Service& service, store::Store& reader, Instant now) {
  check_holds_are_closed(service);
  check_alarms(service, now);
  check_promises_were_kept(reader);
  check_covered(reader);
  ladder.check_end();
  const Charges charges = charges_by_job(reader);
  std::size_t seen = 0;
  for (const auto& job : slurm_.jobs()) {
    for (const Task& task : job->tasks) {
      const auto found = charges.find({job.get(), task.index});
      if (found != charges.end()) ++seen;
      check_task(*job, task, found == charges.end() ? std::vector<Charge>{} : found->second);
    }
  }
  require(seen == charges.size(), "something that no job used is charged");
  const ledger::AuditReport report = auditor_.finish();
  if (!report.ok()) throw Broken{"the auditor: " + report.problems.front().text};
  service.committer().read([&](const ledger::Book& book) {
    check_budgets(book, now);
    const auto audited = auditor_.compare(ledger::testing::tables_of(book));
    if (!audited.empty()) throw Broken{"the auditor: " + audited.front().text};
  });
}

}  // namespace asbb::simulation
