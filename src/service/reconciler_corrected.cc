// Rows of slurmdbd that say something else than what was charged: a corrected record, or one into
// which a controller that was killed wrote a further run of the job. Which of them it is nobody can
// tell from the row, and what it said before is gone, so that nothing is charged or given back by
// itself: an alarm says which command does it, and goes when the ledger has that, or a figure that
// an administrator set who knew what the row says (docs/concepts/job-life.md, "Records that
// change").
#include <algorithm>
#include <functional>

#include "service/job_figure.h"
#include "service/job_holds.h"
#include "service/reconciler_pass.h"

namespace asbb::service {
namespace {

// As asbb refund and asbb transactions take it.
std::string job_of_record(const slurm::AccountingRecord& record) {
  std::string name = std::to_string(root_id(record));
  if (record.array_task_id) name += "_" + std::to_string(*record.array_task_id);
  return name;
}

std::string words_of_record(const slurm::AccountingRecord& record) {
  return record.cluster + " job " + job_of_record(record) + ", record " +
         std::to_string(record.db_index);
}

// By these words a correction is known in the ledger.
std::string correction_reason(const slurm::AccountingRecord& record) {
  return "corrects " + words_of_record(record);
}

std::string correction_key(const slurm::AccountingRecord& record) {
  return "changed " + words_of_record(record);
}

// What was said of a run that a later one took the place of was true as well.
bool is_further_run(const slurm::AccountingRecord& record, const ledger::Share& share) {
  return record.start && *record.start > share.settled_at;
}

// `amount` is not zero.
std::string correction_command(const std::string& account, const slurm::AccountingRecord& record,
                               Micros amount, const std::string& unit) {
  const bool is_less = amount.is_negative();
  std::string command = is_less ? "asbb refund " + account + " --job=" + job_of_record(record) +
                                      " --cluster=" + record.cluster
                                : "asbb adjust " + account;
  command += " --amount=" + to_decimal(is_less ? Micros() - amount : amount) + " --unit=" + unit +
             " --reason='" + correction_reason(record) + "'";
  return command;
}

}  // namespace

std::size_t fingerprint_of(const slurm::AccountingRecord& record) {
  const auto seconds = [](const std::optional<Instant>& at) {
    return at ? std::to_string(at->unix_seconds()) : std::string();
  };
  return std::hash<std::string>()(record.partition + '\n' + record.nodes + '\n' +
                                  record.allocated_tres + '\n' + seconds(record.start) + '\n' +
                                  seconds(record.end) + '\n' +
                                  std::to_string(record.elapsed_seconds));
}

// The words with which an administrator set what the job is charged, the last time he did.
Result<std::optional<std::string>> Reconciler::Pass::figure_set(
    const ledger::Hold& hold, const slurm::AccountingRecord& record,
    const ledger::Share& share) const {
  constexpr std::int64_t entries_max = 1'000;
  store::EntryQuery query;
  query.account = owner_.committer_.read(
      [&](const ledger::Book& book) { return book.account(hold.account)->name; });
  query.job_id = std::to_string(root_id(record));
  query.types = {ledger::EntryType::adjustment, ledger::EntryType::refund,
                 ledger::EntryType::charge, ledger::EntryType::overrun, ledger::EntryType::release};
  query.from = share.settled_at;
  query.newest_first = true;
  query.count_max = entries_max;
  const auto found = owner_.committer_.store().entries(query);
  if (!found) return tl::unexpected(found.error());
  const std::string of_task = figure_prefix(record.cluster, root_id(record), share.key.task);
  for (const auto& one : *found) {
    if (one.entry.reason.starts_with(of_task)) return std::optional(one.entry.reason);
  }
  return std::optional<std::string>();
}

// Sets the job's charge to what the ledger has for it now.
std::string Reconciler::Pass::keeping_command(const ledger::Hold& hold,
                                              const slurm::AccountingRecord& record,
                                              const ledger::Share& share) const {
  auto holds = owner_.committer_.find_job_holds(hold.job->cluster, hold.job->job_id);
  Micros charged = share.actual - share.refunded;
  if (holds) {
    keep_job_of(*holds, hold);
    const auto adjusted =
        adjusted_for(owner_.committer_, *holds, record.cluster, share.key, share.unit);
    if (adjusted) charged = charged_of(*holds, share.key.task, share.unit) + *adjusted;
  }
  return "asbb reconcile " + job_of_record(record) + " --cluster=" + record.cluster +
         " --actual-cost=" + to_decimal(std::max(charged, Micros())) + " --unit=" + share.unit +
         " --reason=TEXT";
}

void Reconciler::Pass::alarm_of_set_figure(const ledger::Hold& hold,
                                           const slurm::AccountingRecord& record,
                                           const ledger::Share& share,
                                           const pricing::Charge& charge) {
  owner_.changed_records_.insert_or_assign({record.cluster, record.db_index}, record);
  problem(correction_key(record),
          words_of_record(record) + " (" + record.status.text + " after " +
              std::to_string(record.elapsed_seconds) +
              " s): an administrator set what the job is charged, and slurmdbd now says that "
              "this run cost " +
              to_display(charge.amount, charge.unit) +
              ", which was not known then: look at it "
              "with sacct -D -j " +
              job_of_record(record) + " -M " + record.cluster + ", and keep the charge with " +
              keeping_command(hold, record, share) + ", or set it to another amount");
}

// What administrators entered for it since.
Result<Micros> Reconciler::Pass::corrected_by(const ledger::Hold& hold,
                                              const slurm::AccountingRecord& record,
                                              const ledger::Share& share) const {
  constexpr std::int64_t corrections_max = 10'000;
  store::EntryQuery query;
  query.account = owner_.committer_.read(
      [&](const ledger::Book& book) { return book.account(hold.account)->name; });
  query.types = {ledger::EntryType::adjustment, ledger::EntryType::refund};
  query.from = share.settled_at;
  query.count_max = corrections_max;
  const auto found = owner_.committer_.store().entries(query);
  if (!found) return tl::unexpected(found.error());
  const std::string reason = correction_reason(record);
  Micros sum;
  for (const auto& one : *found) {
    const ledger::Entry& entry = one.entry;
    if (entry.reason != reason || entry.unit != share.unit) continue;
    sum = entry.type == ledger::EntryType::refund ? sum - entry.amount : sum + entry.amount;
  }
  return sum;
}

void Reconciler::Pass::check_settled(const ledger::Hold& hold,
                                     const slurm::AccountingRecord& record,
                                     const ledger::Share& share) {
  const auto history = owner_.prices_.history();
  const auto* pays = paying_part(hold, *history, record.cluster, record.partition);
  const ledger::HoldPart& part = pays == nullptr ? hold.parts.front() : *pays;
  const pricing::PriceBook* book = history->by_version(part.price_version);
  if (book == nullptr) return;
  const auto charge = charge_of(*book, record, owner_.view_);
  // A node that Slurm has forgotten since says nothing against what was charged.
  if (charge && charge->unknown_nodes.empty()) check_settled(hold, record, share, *charge);
}

void Reconciler::Pass::check_settled(const ledger::Hold& hold,
                                     const slurm::AccountingRecord& record,
                                     const ledger::Share& share, const pricing::Charge& charge) {
  const std::string key = correction_key(record);
  const Reconciler::RecordName name{record.cluster, record.db_index};
  const bool is_known = owner_.changed_records_.contains(name);
  const bool is_same_unit = charge.amount.is_zero() || charge.unit == share.unit;
  if (charge.amount == share.actual && is_same_unit && !is_known) return;
  const auto figure = figure_set(hold, record, share);
  if (!figure) {
    report_.problems.push_back(key + ": " + figure.error().message);
    return;
  }
  if (*figure) {
    const bool is_known_to_them = charge.amount == share.actual ||
                                  knows(**figure, {record.db_index, charge.amount, charge.unit});
    if (!is_known_to_them) return alarm_of_set_figure(hold, record, share, charge);
    owner_.alarms_.clear(key);
    owner_.changed_records_.erase(name);
    return;
  }
  const bool is_further = is_further_run(record, share);
  const auto corrected = corrected_by(hold, record, share);
  if (!corrected) {
    report_.problems.push_back(key + ": " + corrected.error().message);
    return;
  }
  const Micros right = is_further ? share.actual + charge.amount : charge.amount;
  const Micros missing = right - share.actual - *corrected;
  if (is_same_unit && missing.is_zero()) {
    owner_.alarms_.clear(key);
    owner_.changed_records_.erase(name);
    return;
  }
  owner_.changed_records_.insert_or_assign(name, record);
  const std::string account = owner_.committer_.read(
      [&](const ledger::Book& book) { return book.account(hold.account)->name; });
  std::string text = words_of_record(record) + " (" + record.status.text + " after " +
                     std::to_string(record.elapsed_seconds) + " s), was charged " +
                     to_display(share.actual, share.unit) + " to account " + account;
  text += is_further ? ", began again after that in the same record, and cost "
                     : ", but slurmdbd now says that it cost ";
  text += to_display(charge.amount, charge.amount.is_zero() ? share.unit : charge.unit) +
          ": look at it with sacct -D -j " + job_of_record(record) + " -M " + record.cluster;
  if (is_same_unit) {
    text += ", and correct it with " + correction_command(account, record, missing, share.unit) +
            ", or keep it with " + keeping_command(hold, record, share);
  } else {
    text += ", and correct it in both units with asbb adjust";
  }
  problem(key, text);
}

// Of a job that was charged without a hold: `charge` at the prices in force at its start.
void Reconciler::Pass::check_backfilled(const slurm::AccountingRecord& record,
                                        const pricing::Charge& charge) {
  store::HoldQuery query;
  query.request_id = unheld_id(record);
  const auto found = owner_.committer_.find_holds(query);
  if (!found || !charge.unknown_nodes.empty()) return;
  for (const store::HoldRecord& known : *found) {
    for (const ledger::Share& share : known.shares) {
      if (share.status == ledger::ShareStatus::settled) {
        check_settled(known.hold, record, share, charge);
      }
    }
  }
}

// A controller that was killed comes back with what it knew before a run, and may write that into
// the record of the run, which is charged.
void Reconciler::Pass::check_without_run(const slurm::AccountingRecord& record, HeldJobs& held) {
  const Reconciler::RecordName name{record.cluster, record.db_index};
  const std::size_t said = fingerprint_of(record);
  const auto done = owner_.done_records_.find(name);
  if (done != owner_.done_records_.end() && done->second == said) return;
  const std::set<std::int64_t>* charged = charged_tasks(record);
  if (charged == nullptr) {
    held.waits = true;
    return;
  }
  if (!charged->contains(record.array_task_id.value_or(-1))) {
    owner_.done_records_.insert_or_assign(name, said);
    return;
  }
  const auto backfill = backfill_of(record);
  auto open = holds_of(record);
  if (!backfill || !open) {
    held.waits = true;
    return;
  }
  if (*backfill) check_backfilled(record, {});
  if (!open->empty()) return hold_back(record, std::move(*open), held);
  if (!owner_.changed_records_.contains(name)) owner_.done_records_.insert_or_assign(name, said);
}

// Of the jobs that have had the record's id: the tasks (-1: the job itself) with a run that cost
// something. One look for all records of an array. Null: nobody can tell now.
const std::set<std::int64_t>* Reconciler::Pass::charged_tasks(
    const slurm::AccountingRecord& record) {
  const std::int64_t root = root_id(record);
  const auto [known, is_new] = charged_tasks_.try_emplace({record.cluster, root});
  if (!is_new) return &known->second;
  for (const std::string& cluster : owner_.source_.clusters()) {
    if (cluster != record.cluster && !ledger::is_federated(root)) continue;
    const auto found = owner_.committer_.find_job_holds(cluster, root);
    if (!found) {
      charged_tasks_.erase(known);
      return nullptr;
    }
    for (const store::HoldRecord& hold : *found) {
      for (const ledger::Share& share : hold.shares) {
        if (share.status != ledger::ShareStatus::settled || share.actual.is_zero()) continue;
        if (share.key.cluster == record.cluster) known->second.insert(share.key.task);
      }
    }
  }
  return &known->second;
}

// Those that no look at a window shows any more, until the ledger has their corrections.
void Reconciler::Pass::check_changed_records() {
  const auto changed = owner_.changed_records_;
  for (const auto& [name, record] : changed) {
    const auto history = owner_.prices_.history();
    const pricing::PriceBook* book = record.start ? history->in_force(*record.start) : nullptr;
    if (!has_run(record)) {
      check_backfilled(record, {});
    } else if (book != nullptr) {
      const auto charge = charge_of(*book, record, owner_.view_);
      if (charge) check_backfilled(record, *charge);
    }
    const auto open = holds_of(record);
    if (!open) continue;
    for (const OpenHold& hold : *open) {
      for (const ledger::Share& share : hold.shares) {
        const ledger::ShareKey& key = share.key;
        const bool is_its = share.status == ledger::ShareStatus::settled &&
                            key.cluster == record.cluster && key.job_id == root_id(record) &&
                            key.run == record.run - 1 &&
                            key.task == record.array_task_id.value_or(-1);
        if (is_its) check_settled(hold.hold, record, share);
      }
    }
  }
}

}  // namespace asbb::service
