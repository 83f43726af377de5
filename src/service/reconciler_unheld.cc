// Runs that no hold pays for: each is charged by itself, at the prices in force at its start.
#include "service/paying_account.h"
#include "service/reconciler_pass.h"

namespace asbb::service {
std::string unheld_id(const slurm::AccountingRecord& record) {
  return "unheld:" + record.cluster + ":" + std::to_string(record.job_id) + ":" +
         std::to_string(record.submit.unix_seconds()) + ":" + std::to_string(record.db_index);
}

std::string payer_of(const slurm::AccountingRecord& record, const slurm::ClusterCache& view,
                     const Committer& committer) {
  const auto associations = view.associations(record.cluster);
  return committer.read([&](const ledger::Book& book) {
    const ledger::Account* payer =
        paying_account(book, associations.get(), record.cluster, record.account);
    return payer == nullptr ? record.account : payer->name;
  });
}

// Of a run that no hold pays for, by the prices that were in force when it started. False: it
// cannot be charged now.
bool Reconciler::Pass::charge_to_its_account(const slurm::AccountingRecord& record) {
  const auto history = owner_.prices_.history();
  const pricing::PriceBook* book = history->in_force(*record.start);
  if (book == nullptr || book->find_priced(record.cluster, record.partition) == nullptr)
    return true;
  const auto charge = charge_of(*book, record, owner_.view_);
  if (!charge) {
    problem("charge " + describe_job(record),
            describe_job(record) + ": the record cannot be charged: " + charge.error().message);
    return charge.error().kind != ErrorKind::unavailable;
  }
  owner_.alarms_.clear("charge " + describe_job(record));
  note_instances(record, *charge);
  return charge_without_hold(record, *charge);
}

// What was placed to charge this record without a hold of the job's; none as a rule.
Result<std::optional<ledger::Hold>> Reconciler::Pass::backfill_of(
    const slurm::AccountingRecord& record) const {
  store::HoldQuery query;
  query.request_id = unheld_id(record);
  auto known = owner_.committer_.find_holds(query);
  if (!known) return tl::unexpected(known.error());
  if (known->empty()) return std::optional<ledger::Hold>();
  return std::optional(std::move(known->front().hold));
}

// The run was charged by itself: its task leaves the hold.
void Reconciler::Pass::release_charged(const OpenHold& open, const slurm::AccountingRecord& record,
                                       std::int64_t task, const std::string& why) {
  const std::string reason = describe_job(record) + " " + why;
  RunCount runs = runs_behind(open);
  count_run(runs, {record.cluster, root_id(record), task, record.run - 1, ""});
  ledger::ReplaceHold leave;
  leave.hold = open.hold.id;
  leave.group = to_text(without(scope_of(as_it_is(open.hold).group), {task}, runs));
  const auto left = owner_.committer_.run(reconciler_command(std::move(leave), reason));
  if (!left || !left->accepted()) return;
  report_.actions.push_back("gave back " + to_display(left->released, left->unit) + ": " + reason);
}

// False: nobody can tell now.
bool Reconciler::Pass::charge_without_hold(const slurm::AccountingRecord& record,
                                           const pricing::Charge& charge) {
  const std::string key = "unheld " + describe_job(record);
  const std::string id = unheld_id(record);
  const auto known = backfill_of(record);
  if (!known) return false;
  ledger::HoldId hold;
  if (!*known) {
    ledger::PlaceHold place;
    place.transaction_id = id;
    place.account = payer_of(record, owner_.view_, owner_.committer_);
    place.user = record.user;
    place.cluster = record.cluster;
    place.partition = record.partition;
    place.parts.push_back({charge.unit, Micros(), Micros(), charge.price_version});
    place.period_at = record.start;
    place.backfill = true;
    const auto placed =
        owner_.committer_.run(reconciler_command(std::move(place), "the job ran without a hold"));
    if (!placed || !placed->accepted()) {
      const std::string why = placed ? to_string(placed->refusal) : placed.error().message.c_str();
      problem(key, describe_job(record) + " of account " + record.account + " ran for " +
                       to_display(charge.amount, charge.unit) +
                       " without a hold and cannot be charged: " + why);
      return placed.has_value();
    }
    hold = placed->hold;
  } else if ((*known)->status == ledger::HoldStatus::closed) {
    owner_.alarms_.clear(key);  // its charge was written, but nobody was told so
    check_backfilled(record, charge);
    const Reconciler::RecordName name{record.cluster, record.db_index};
    if (!owner_.changed_records_.contains(name)) {
      owner_.done_records_.insert_or_assign(name, fingerprint_of(record));
    }
    return true;
  } else {
    hold = (*known)->id;
  }
  const ledger::JobRef ref{record.cluster, root_id(record), record.submit};
  const auto bound = owner_.committer_.run(
      reconciler_command(ledger::BindHold{hold, ref}, "the job ran without a hold"));
  ledger::SettleShare settle;
  settle.hold = hold;
  settle.key = {record.cluster, root_id(record), record.array_task_id.value_or(-1), 0, ""};
  settle.unit = charge.unit;
  settle.actual = charge.amount;
  settle.bearer =
      bearer_for(record, [&] { return payer_of(record, owner_.view_, owner_.committer_); });
  settle.cause = record.status.text;
  const auto settled = bound && bound->accepted()
                           ? owner_.committer_.run(reconciler_command(
                                 settle, "the job ran without a hold: " + record.status.text))
                           : bound;
  if (!settled || !settled->accepted()) {
    problem(key, describe_job(record) +
                     " ran without a hold and could not be charged; it is tried again");
    return false;
  }
  owner_.alarms_.clear(key);
  note_bearer(settle, *settled);
  owner_.done_records_.insert_or_assign({record.cluster, record.db_index}, fingerprint_of(record));
  ++report_.charged_without_hold;
  report_.actions.push_back("charged " + to_display(charge.amount, charge.unit) + " to account " +
                            payer_of(record, owner_.view_, owner_.committer_) + " for " +
                            describe_job(record) + ", which ran without a hold");
  return true;
}

}  // namespace asbb::service
