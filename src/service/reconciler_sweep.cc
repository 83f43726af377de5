// Voids holds whose job never came to be, on evidence and never on age (DESIGN 4.8), and says which
// holds nothing explains.
#include <algorithm>
#include <set>
#include <string_view>

#include "base/text.h"
#include "base/token.h"
#include "service/paying_account.h"
#include "service/reconciler_pass.h"

namespace asbb::service {
namespace {

// munge refuses who is further off, so that the service and the controllers could not talk.
constexpr Span clock_tolerance = seconds(300);

bool costs_in_one_of(const pricing::PriceBook& book, const slurm::QueueJob& job) {
  const auto partitions = split(job.partition, ',');
  return std::any_of(partitions.begin(), partitions.end(), [&](const auto& name) {
    return book.find_priced(job.cluster, name) != nullptr;
  });
}

}  // namespace

Span grace_of(const slurm::ClusterCache& view, const std::string& cluster, Span least) {
  const auto snapshot = view.cluster(cluster);
  const std::int64_t timeout_s = snapshot ? snapshot->message_timeout_s : 100;
  return std::max(least, seconds(3 * timeout_s));
}

void Reconciler::Pass::sweep() {
  owner_.next_sweep_ = now_ + owner_.options_.recovery_interval;
  std::vector<const ledger::Hold*> candidates;
  Instant oldest = now_;
  for (const OpenHold& open : holds_) {
    if (open.hold.job || open.hold.backfilled || is_proposal(open.hold)) continue;
    if (!absent_from_queues(open.hold) || may_wait_without_token(open.hold)) continue;
    candidates.push_back(&open.hold);
    oldest = std::min(oldest, open.hold.placed_at);
  }
  if (candidates.empty()) return;
  const auto lists = read_settled_accounting(oldest - clock_tolerance);
  if (!lists) return;
  for (const ledger::Hold* hold : candidates) {
    const bool absent = std::all_of(lists->begin(), lists->end(), [&](const auto& list) {
      return absent_from_accounting(*hold, list);
    });
    if (absent) void_hold(*hold, *lists);
  }
}

// Every cluster that might have the job was read, completely and late enough, and none has the
// token.
bool Reconciler::Pass::absent_from_queues(const ledger::Hold& hold) const {
  for (const std::string& cluster : owner_.source_.clusters()) {
    const slurm::QueueList* list = whole_queue(cluster);
    if (list == nullptr) return false;
    const Span grace = grace_of(owner_.view_, cluster, owner_.options_.sweep_grace_min);
    // slurmctld makes nothing of a heterogeneous job of which a component was refused.
    const auto refused_at = owner_.known_.het_groups.refused_at(hold.request_id);
    if (list->read_at <= refused_at.value_or(hold.placed_at + grace)) return false;
    for (const slurm::QueueJob& job : list->jobs) {
      if (find_token(job.admin_comment) == hold.request_id) return false;
    }
  }
  return true;
}

// The row, a QueueJob or an AccountingRecord, is of the hold's user and time, and its account pays
// out of the hold's.
template <typename Row>
bool Reconciler::Pass::is_like(const ledger::Hold& hold, const Row& row,
                               const std::string& cluster) const {
  if (row.user != hold.user || row.submit < hold.placed_at - clock_tolerance ||
      hold.placed_at + clock_tolerance < row.submit) {
    return false;
  }
  const auto associations = owner_.view_.associations(cluster);
  return owner_.committer_.read([&](const ledger::Book& book) {
    const ledger::Account* payer = paying_account(book, associations.get(), cluster, row.account);
    return payer != nullptr && payer->id == hold.account;
  });
}

void Reconciler::Pass::alarm_tokenless(const ledger::Hold& hold, const std::string& cluster,
                                       std::int64_t job_id) {
  problem("hold " + hold.request_id,
          "the hold of " + to_display(hold.parts.front().unopened, hold.parts.front().unit) +
              " of user " + hold.user + " may belong to " + cluster + " job " +
              std::to_string(job_id) +
              ", which carries no token: it is kept; look at both and settle it");
}

// Whether a job that lives may be the hold's: of its user, account and time, where it costs
// something, and of no other hold. What another plugin writes into admin_comment takes the token.
bool Reconciler::Pass::may_wait_without_token(const ledger::Hold& hold) {
  const auto history = owner_.prices_.history();
  const pricing::PriceBook* book = history->in_force(hold.placed_at);
  if (book == nullptr) return false;
  for (const auto& [cluster, list] : queues_) {
    for (const slurm::QueueJob& job : list.jobs) {
      const bool like_it = find_token(job.admin_comment).empty() && is_live(job) &&
                           is_like(hold, job, cluster) && costs_in_one_of(*book, job);
      if (!like_it) continue;
      const bool is_of_other = std::any_of(holds_.begin(), holds_.end(), [&](const OpenHold& open) {
        return open.hold.job && is_row_of(*open.hold.job, job);
      });
      if (is_of_other) continue;
      alarm_tokenless(hold, cluster, job.job_id);
      return true;
    }
  }
  return false;
}

// What slurmdbd of every cluster has since then, read while no controller had anything left to
// send; nothing when that cannot be had.
std::optional<std::vector<slurm::AccountingList>> Reconciler::Pass::read_settled_accounting(
    Instant since) {
  std::vector<slurm::AccountingList> lists;
  for (const std::string& cluster : owner_.source_.clusters()) {
    if (!has_told_all(cluster)) return std::nullopt;
    slurm::AccountingQuery query;
    query.since = since;
    auto list = read_accounting(cluster, query);
    if (!list || !list->is_evidence()) return std::nullopt;
    lists.push_back(std::move(*list));
  }
  return lists;
}

bool Reconciler::Pass::absent_from_accounting(const ledger::Hold& hold,
                                              const slurm::AccountingList& list) {
  for (const slurm::AccountingRecord& record : list.records) {
    const std::string_view token = find_token(record.admin_comment);
    if (token == hold.request_id) {
      (void)holds_of(record);  // binds it, so that it is settled
      return false;
    }
    const bool like_it =
        token.empty() && !record.status.revoked && is_like(hold, record, list.cluster);
    if (!like_it) continue;
    // Whose job it was does not matter: it is over and cost nothing.
    const auto history = owner_.prices_.history();
    const pricing::PriceBook* book = record.start ? history->in_force(*record.start) : nullptr;
    const bool is_free =
        !record.partition.empty() &&
        (book == nullptr || book->find_priced(record.cluster, record.partition) == nullptr);
    const bool cost_nothing =
        is_complete(record, now_, owner_.options_.pieces_grace) && (!has_run(record) || is_free);
    if (cost_nothing) continue;
    const auto others = holds_of(record);
    const auto backfill = backfill_of(record);
    if (!others || !backfill) return false;  // nobody can tell now
    const bool was_charged_without = *backfill && (*backfill)->status == ledger::HoldStatus::closed;
    if (!others->empty() || was_charged_without) continue;
    alarm_tokenless(hold, list.cluster, record.job_id);
    return false;
  }
  return true;
}

void Reconciler::Pass::void_hold(const ledger::Hold& hold,
                                 const std::vector<slurm::AccountingList>& lists) {
  std::string evidence;
  for (const slurm::AccountingList& list : lists) {
    evidence += "; " + list.cluster + ": slurmctld lacks it at " +
                to_rfc3339(queues_.at(list.cluster).read_at) + ", slurmdbd at " +
                to_rfc3339(list.read_at);
  }
  if (!owner_.options_.recovers && !wanted_.recovers) {
    const ledger::HoldPart& part = hold.parts.front();
    return problem("hold " + hold.request_id,
                   "the job of the hold of " + to_display(part.unopened, part.unit) + " of user " +
                       hold.user + " never came to be" + evidence +
                       "; budget.auto_recovery_enabled is false: 'asbb recover' gives it back");
  }
  const auto voided = owner_.committer_.run(
      reconciler_command(ledger::VoidHold{hold.id}, "its job never came to be" + evidence));
  if (!voided) {
    report_.problems.push_back("hold " + hold.request_id +
                               ": not voided: " + voided.error().message);
    return;
  }
  if (!voided->accepted()) return;
  ++report_.voided;
  owner_.alarms_.clear("hold " + hold.request_id);
  report_.actions.push_back("gave back " + to_display(voided->released, voided->unit) +
                            " of a submission of " + hold.user + " that never became a job");
}

// Alarms are of holds that are open; one that ended, in this pass or by hand, has none.
void Reconciler::Pass::clear_alarms_of_closed() {
  constexpr std::string_view prefix = "hold ";
  const auto open = owner_.committer_.read([](const ledger::Book& book) {
    std::set<std::string> ids;
    for (const ledger::Hold* hold : book.open_holds()) ids.insert(hold->request_id);
    return ids;
  });
  for (const Alarm& alarm : owner_.alarms_.list()) {
    if (!alarm.key.starts_with(prefix)) continue;
    if (!open.contains(alarm.key.substr(prefix.size()))) owner_.alarms_.clear(alarm.key);
  }
  std::erase_if(holds_,
                [&](const OpenHold& known) { return !open.contains(known.hold.request_id); });
}

void Reconciler::Pass::alarm_bound(const OpenHold& open) {
  const ledger::JobRef& job = *open.hold.job;
  const bool all_read = queues_.size() == owner_.source_.clusters().size();
  if (!all_read || !told_.contains(job.cluster) || !rows_of(job).empty()) return;
  const auto untold = untold_.find(open.hold.id);
  const std::string said = untold == untold_.end() ? "slurmdbd has no end of it"
                                                   : "slurmdbd only says: " + untold->second;
  problem("hold " + open.hold.request_id,
          "job " + std::to_string(job.job_id) + " of " + job.cluster +
              " has a hold, slurmctld does not know it, and " + said +
              ": look at sacctmgr show runawayjobs; if the job is over, an administrator ends the "
              "hold with asbb reconcile " +
              std::to_string(job.job_id) + " --cluster=" + job.cluster +
              " --actual-cost=AMOUNT --reason=TEXT, for each task of an array");
}

void Reconciler::Pass::alarm_unexplained() {
  clear_alarms_of_closed();
  for (const OpenHold& open : holds_) {
    if (!open.hold.job || now_ < open.hold.placed_at + owner_.options_.hold_alarm_after) continue;
    alarm_bound(open);
  }
  const Instant before = now_ - owner_.options_.hold_alarm_after;
  const auto external = owner_.committer_.read([&](const ledger::Book& book) {
    std::vector<std::string> ids;
    for (const ledger::Hold* hold : book.open_holds()) {
      if (hold->kind == ledger::HoldKind::external && hold->placed_at < before &&
          !is_allowance(*hold)) {
        ids.push_back(hold->request_id);
      }
    }
    return ids;
  });
  for (const std::string& id : external) {
    owner_.alarms_.raise("hold " + id,
                         "the hold " + id +
                             " of an external caller is still open: settle it with "
                             "/api/v1/budget/reconcile",
                         now_);
  }
}

}  // namespace asbb::service
