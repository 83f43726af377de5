// The money that accounts may spend while the service is away: set aside in advance, one hold for
// each account and cluster; handed to the jobs that the plugin let through on it, each in one step
// with the placing of the job's own hold; and given back once no such job can be left
// (docs/concepts/job-life.md). The newest hold is published, the others wait for that proof.
#include <algorithm>

#include "base/text.h"
#include "base/token.h"
#include "service/digest.h"
#include "service/paying_account.h"
#include "service/reconciler_pass.h"

namespace asbb::service {
namespace {

constexpr Span overlap = hours(1);

std::string name_of(const std::string& cluster, const std::string& account) {
  return "allowance " + cluster + " " + account;
}

bool is_in_force(const ledger::Book& book, const ledger::Hold& hold, Instant now) {
  const auto& legs = hold.parts.front().legs;
  return std::all_of(legs.begin(), legs.end(), [&](const ledger::Leg& leg) {
    return leg.kind != ledger::Leg::Kind::budget ||
           book.budget(ledger::BudgetId{leg.id})->covers(now);
  });
}

bool is_open_for_business(const ledger::Book& book, const ledger::Account& account) {
  for (const ledger::Account* at = &account; at != nullptr; at = book.account(at->parent)) {
    if (at->status != ledger::AccountStatus::active) return false;
  }
  return true;
}

Instant end_of(const ledger::Book& book, const ledger::Hold& hold) {
  Instant end = book.budget(hold.parts.front().budget)->end;
  for (const ledger::Leg& leg : hold.parts.front().legs) {
    if (leg.kind != ledger::Leg::Kind::budget) continue;
    end = std::min(end, book.budget(ledger::BudgetId{leg.id})->end);
  }
  return end;
}

}  // namespace

// Of every cluster and account, oldest first.
std::vector<ledger::Hold> Reconciler::Pass::allowance_holds() const {
  return owner_.committer_.read([&](const ledger::Book& book) {
    std::vector<ledger::Hold> out;
    for (const ledger::Hold* hold : book.open_holds()) {
      if (is_allowance(*hold)) out.push_back(*hold);
    }
    return out;
  });
}

bool Reconciler::Pass::has_hold(const std::string& token) {
  if (owner_.covered_.contains(token)) return true;
  store::HoldQuery query;
  query.request_id = token;
  const auto known = owner_.committer_.find_holds(query);
  const bool is_known = !known || !known->empty();
  if (known && is_known) owner_.covered_.insert(token);
  return is_known;
}

Reconciler::Pass::LetThrough Reconciler::Pass::let_through(const slurm::QueueJob& row,
                                                           const std::string& token,
                                                           const AllowanceTag& tag) {
  LetThrough job{token, tag, job_of(row), row.account, row.user, row.partition, {}};
  if (row.start.has_value() && !is_pending(row)) job.started = row.start;
  return job;
}

// A row without a start is of a job that a sibling took, or that was cancelled, at its end.
Reconciler::Pass::LetThrough Reconciler::Pass::let_through(const slurm::AccountingRecord& record,
                                                           const std::string& token,
                                                           const AllowanceTag& tag) {
  const auto& started = record.start ? record.start : record.end;
  return {token, tag, job_of(record), record.account, record.user, record.partition, started};
}

// Jobs that slurmctld has and that were let through on an allowance.
void Reconciler::Pass::cover_sightings() {
  if (owner_.options_.allowances == nullptr) return;
  bool has_covered = false;
  for (const auto& [cluster, list] : queues_) {
    for (const slurm::QueueJob& row : list.jobs) {
      const auto tag = find_allowance(row.admin_comment);
      const std::string token(find_token(row.admin_comment));
      if (!tag || token.empty() || has_hold(token)) continue;
      has_covered = cover(let_through(row, token, *tag)).value_or(false) || has_covered;
    }
  }
  if (has_covered) read_holds();
}

// Its hold, with the allowance's money, as large as the plugin bounded it, at the prices of its
// submission; what that lacks comes from what is free, and where there is not enough it is as large
// as it can be.
Result<bool> Reconciler::Pass::cover(const LetThrough& job) {
  const auto history = owner_.prices_.history();
  const pricing::PriceBook* book = history->in_force(job.ref.submit_time);
  const std::string partition = priced_partition(job, book);
  if (partition.empty()) return false;
  const std::string unit = book->find_priced(job.ref.cluster, partition)->unit;
  ledger::CoverJob action;
  action.job = job.ref;
  action.place = owner_.committer_.read([&](const ledger::Book& ledger) {
    ledger::PlaceHold place;
    const auto associations = owner_.view_.associations(job.ref.cluster);
    const ledger::Account* payer =
        paying_account(ledger, associations.get(), job.ref.cluster, job.account);
    place.account = payer == nullptr ? job.account : payer->name;
    const ledger::Hold* from = ledger.hold(job.tag.hold);
    const bool is_open = from != nullptr && from->status == ledger::HoldStatus::open;
    if (is_open && is_allowance(*from) && from->parts.front().unit == unit) {
      action.from = from->id;
      action.drawn = std::min(job.tag.amount, from->parts.front().unopened);
    }
    return place;
  });
  action.place.transaction_id = job.token;
  action.place.user = job.user;
  action.place.cluster = job.ref.cluster;
  action.place.partition = partition;
  action.place.task_count = job.tag.tasks;
  action.place.parts = {{unit, job.tag.amount, job.tag.amount, book->version}};
  action.place.running = job.started.has_value();
  action.place.period_at = job.started;
  return run_cover(std::move(action), job);
}

// Of those that it lists; empty where it needs no hold.
std::string Reconciler::Pass::priced_partition(const LetThrough& job,
                                               const pricing::PriceBook* book) {
  if (book == nullptr) return {};
  for (const std::string_view name : split(job.partition, ',')) {
    if (book->find_priced(job.ref.cluster, name) != nullptr) return std::string(name);
  }
  return {};
}

Result<bool> Reconciler::Pass::run_cover(ledger::CoverJob action, const LetThrough& job) {
  constexpr const char* reason = "let through on an allowance while the service was away";
  const std::string name = job.ref.cluster + " job " + std::to_string(job.ref.job_id);
  const std::string key = "let-through " + name;
  const Micros wanted = action.place.parts.front().amount;
  auto outcome = owner_.committer_.run(reconciler_command(action, reason));
  if (outcome && (outcome->refusal == ledger::Refusal::insufficient_budget ||
                  outcome->refusal == ledger::Refusal::partition_limit_exceeded)) {
    action.place.running = false;
    action.place.parts.front().amount = std::clamp(outcome->leg.available, Micros(), wanted);
    outcome = owner_.committer_.run(reconciler_command(action, reason));
  }
  if (!outcome) {
    report_.problems.push_back(name + ": " + outcome.error().message);
    return tl::unexpected(outcome.error());
  }
  if (!outcome->accepted()) {
    owner_.short_covers_[key] = job.token;
    problem(key, name + " was let through on an allowance of account " + action.place.account +
                     " and cannot be held for (" + to_string(outcome->refusal) +
                     "): what it costs is charged when it has ended");
    return false;
  }
  owner_.covered_.insert(job.token);
  const Micros held = action.place.parts.front().amount;
  if (held < wanted) {
    owner_.short_covers_[key] = job.token;
    problem(key, name + " was let through on an allowance of account " + action.place.account +
                     ": only " + to_display(held, outcome->unit) + " of " +
                     to_display(wanted, outcome->unit) +
                     " could be held; what it costs beyond is charged as an overrun");
  } else {
    owner_.alarms_.clear(key);
  }
  ++report_.bound;
  report_.actions.push_back("held " + to_display(held, outcome->unit) + " for " + name +
                            ", which was let through on an allowance; " +
                            to_display(outcome->released, outcome->unit) + " of it was set aside");
  return true;
}

// The hold of a job that slurmctld has forgotten; none where it gets none. An error: the ledger
// cannot be asked now.
Result<std::optional<Reconciler::Pass::OpenHold>> Reconciler::Pass::cover_record(
    const slurm::AccountingRecord& record) {
  const std::optional<OpenHold> none;
  if (owner_.options_.allowances == nullptr) return none;
  const auto tag = find_allowance(record.admin_comment);
  const std::string token(find_token(record.admin_comment));
  if (!tag || token.empty() || has_hold(token)) return none;
  const auto backfill = backfill_of(record);
  if (!backfill) return tl::unexpected(backfill.error());
  if (backfill->has_value()) return none;
  const auto covered = cover(let_through(record, token, *tag));
  if (!covered) return tl::unexpected(covered.error());
  if (!*covered) return none;
  store::HoldQuery query;
  query.request_id = token;
  auto found = owner_.committer_.find_holds(query);
  if (!found) return tl::unexpected(found.error());
  if (found->empty()) return none;
  return OpenHold{std::move(found->back().hold), std::move(found->back().shares)};
}

void Reconciler::Pass::tend_allowances() {
  if (owner_.options_.allowances == nullptr) return;
  Allowances& allowances = *owner_.options_.allowances;
  std::set<ledger::HoldId> current;
  for (const std::string& cluster : owner_.source_.clusters()) {
    ClusterAllowances published;
    const auto wanted = allowances.settings().by_cluster.find(cluster);
    if (wanted != allowances.settings().by_cluster.end()) {
      for (const auto& [account, setting] : wanted->second) {
        published.allowances.push_back(tend_allowance(cluster, account, setting));
        if (published.allowances.back().hold.is_set()) {
          current.insert(published.allowances.back().hold);
        }
      }
    }
    const auto associations = owner_.view_.associations(cluster);
    if (associations == nullptr) continue;  // nobody can be told who may spend what
    published.spenders = spenders_of(cluster, *associations, published.allowances);
    allowances.publish(cluster, std::move(published));
  }
  for (const ledger::Hold& hold : allowance_holds()) {
    if (!current.contains(hold.id)) give_back_allowance(hold);
  }
  clear_short_covers();
}

std::vector<AllowanceSpender> Reconciler::Pass::spenders_of(
    const std::string& cluster, const slurm::Associations& associations,
    const std::vector<PublishedAllowance>& allowances) const {
  std::map<std::string, std::string> payers;  // of Slurm accounts that an allowance pays for
  owner_.committer_.read([&](const ledger::Book& book) {
    for (const std::string& slurm_account : associations.accounts(cluster)) {
      const ledger::Account* payer = paying_account(book, &associations, cluster, slurm_account);
      if (payer == nullptr) continue;
      const bool has_allowance =
          std::any_of(allowances.begin(), allowances.end(),
                      [&](const PublishedAllowance& one) { return one.account == payer->name; });
      if (has_allowance) payers.emplace(slurm_account, payer->name);
    }
    return 0;
  });
  std::vector<AllowanceSpender> out;
  if (payers.empty()) return out;
  for (const std::string& user : associations.users()) {
    const std::string own = to_lower(associations.default_account(cluster, user));
    for (const std::string& account : associations.accounts_of(cluster, user)) {
      const auto payer = payers.find(account);
      if (payer == payers.end()) continue;
      out.push_back({user, account, payer->second, to_lower(account) == own});
    }
  }
  return out;
}

// The newest hold of the account's allowance on that cluster, and what is known of it.
Reconciler::Pass::Funding Reconciler::Pass::funding_of(const std::string& cluster,
                                                       const std::string& account,
                                                       const AllowanceSetting& setting) const {
  Funding known;
  std::int64_t count = 0;
  owner_.committer_.read([&](const ledger::Book& book) {
    const ledger::Account* named = book.account(account);
    for (const ledger::Hold* hold : book.open_holds()) {
      if (named == nullptr || !is_allowance(*hold) || hold->account != named->id ||
          hold->cluster != cluster) {
        continue;
      }
      if (is_in_force(book, *hold, now_)) ++count;  // what others keep does not come back here
      known.hold = *hold;
    }
    known.is_usable = known.hold && !owner_.retired_.contains(known.hold->id) &&
                      is_in_force(book, *known.hold, now_) && is_open_for_business(book, *named);
    return 0;
  });
  if (!known.hold) return known;
  const ledger::HoldPart& part = known.hold->parts.front();
  const auto told = owner_.options_.allowances->told_spent(known.hold->id);
  known.granted = part.granted;
  known.spent = std::max(part.granted - part.unopened, told.value_or(Micros()));
  // A plugin that has lost count spends nothing of it any more.
  if (told && told->is_zero()) known.spent = part.granted;
  known.is_usable = known.is_usable && part.unit == setting.unit &&
                    part.granted <= setting.amount && known.hold->tasks_opened == 0;
  known.has_others = count > (known.is_usable ? 1 : 0);
  return known;
}

// What is published of it. A new hold is set aside when something was taken from the one before,
// when that is not of this size, or its period is over: beside it, for that one stays until it is
// known which jobs it has to pay for.
PublishedAllowance Reconciler::Pass::tend_allowance(const std::string& cluster,
                                                    const std::string& account,
                                                    const AllowanceSetting& setting) {
  Funding known = funding_of(cluster, account, setting);
  const bool is_whole = known.is_usable && known.spent.is_zero() && known.granted == setting.amount;
  if (is_whole) {
    owner_.alarms_.clear(name_of(cluster, account));
  } else {
    Micros available;
    if (auto placed = fund(cluster, account, setting, known, available)) {
      known.hold = std::move(placed);
      known.is_usable = true;
    } else if (known.hold && !known.keeps(available)) {
      owner_.retired_.insert(known.hold->id);
      known.is_usable = false;
    }
  }
  return owner_.committer_.read([&](const ledger::Book& book) {
    PublishedAllowance out;
    out.account = account;
    out.unit = setting.unit;
    const ledger::Account* payer = book.account(account);
    out.factor = payer != nullptr && payer->hold_factor_millionths
                     ? Micros(*payer->hold_factor_millionths)
                     : owner_.options_.allowances->settings().hold_factor;
    if (!known.is_usable) return out;
    out.hold = known.hold->id;
    out.amount = known.hold->parts.front().granted;
    out.until = end_of(book, *known.hold);
    return out;
  });
}

// All of it, or as much as there is where that is more than is left of the one before; but while
// older holds have not come back yet, what they keep is waited for.
std::optional<ledger::Hold> Reconciler::Pass::fund(const std::string& cluster,
                                                   const std::string& account,
                                                   const AllowanceSetting& setting,
                                                   const Funding& before, Micros& available) {
  const std::string name = name_of(cluster, account);
  ledger::PlaceHold place;
  place.kind = ledger::HoldKind::external;
  place.account = account;
  place.cluster = cluster;
  place.group = allowance_group;
  place.transaction_id = "allowance:" + cluster + ":" + account + ":" + fresh_token(now_);
  place.parts = {{setting.unit, setting.amount, setting.amount, 0}};
  const auto command = [&] {
    return reconciler_command(place,
                              "may be spent on cluster " + cluster + " while the service is away");
  };
  auto outcome = owner_.committer_.run(command());
  if (outcome && outcome->refusal == ledger::Refusal::insufficient_budget) {
    available = std::max(Micros(), outcome->leg.available);
    if (available > before.left() && !before.has_others) {
      place.parts.front().amount = place.parts.front().estimate = available;
      outcome = owner_.committer_.run(command());
    }
    problem(name,
            "account " + account + " has not the " + to_display(setting.amount, setting.unit) +
                " that it may spend on cluster " + cluster + " while the service is away: " +
                to_display(std::max(available, before.left()), setting.unit) + " can be set aside");
  }
  if (!outcome) {
    report_.problems.push_back(name + ": " + outcome.error().message);
    return std::nullopt;
  }
  if (!outcome->accepted()) {
    if (outcome->refusal != ledger::Refusal::insufficient_budget) {
      problem(name, "nothing can be set aside for what account " + account +
                        " may spend on cluster " + cluster +
                        " while the service is away: " + to_string(outcome->refusal));
    }
    return std::nullopt;
  }
  if (place.parts.front().amount == setting.amount) owner_.alarms_.clear(name);
  report_.actions.push_back("set " + to_display(place.parts.front().amount, setting.unit) +
                            " of account " + account + " aside for cluster " + cluster +
                            ", to be spent while the service is away");
  return owner_.committer_.read(
      [&](const ledger::Book& book) { return *book.hold(outcome->hold); });
}

// Alarms of jobs that got less than they may need stay while slurmctld has them.
void Reconciler::Pass::clear_short_covers() {
  if (queues_.size() != owner_.source_.clusters().size()) return;
  std::erase_if(owner_.short_covers_, [&](const auto& known) {
    for (const auto& [cluster, list] : queues_) {
      for (const slurm::QueueJob& row : list.jobs) {
        if (is_live(row) && find_token(row.admin_comment) == known.second) return false;
      }
    }
    owner_.alarms_.clear(known.first);
    return true;
  });
}

// Whether the job of that tag has its hold, was charged without one, or needs none.
bool Reconciler::Pass::is_provided_for(const LetThrough& job) {
  const auto history = owner_.prices_.history();
  const pricing::PriceBook* book = history->in_force(job.ref.submit_time);
  return priced_partition(job, book).empty() || job.token.empty() || has_hold(job.token);
}

// Of a job that another cluster has, the run there counts: it ended, and was charged or was free.
// What ended before it ran needs nothing.
bool Reconciler::Pass::is_provided_for(const slurm::AccountingRecord& record,
                                       const AllowanceTag& tag) {
  if (!record.status.revoked && whole_row(ledger::Hold(), record) && !has_run(record)) return true;
  const auto backfill = backfill_of(record);
  if (!backfill) return false;
  if (record.status.revoked && !tag.amount.is_zero() &&
      !has_hold(std::string(find_token(record.admin_comment)))) {
    slurm::AccountingQuery query;
    query.job_ids = {record.job_id};
    for (const std::string& cluster : owner_.source_.clusters()) {
      if (cluster == record.cluster) continue;
      const slurm::QueueList* queue = whole_queue(cluster);
      if (queue == nullptr) return false;
      const auto& rows = queue->jobs;
      const bool is_there = std::any_of(rows.begin(), rows.end(), [&](const auto& row) {
        return row.job_id == record.job_id && is_live(row);
      });
      if (is_there || !has_told_all(cluster)) return false;
      const auto runs = read_accounting(cluster, query);
      if (!runs || !runs->is_evidence()) return false;
      for (const slurm::AccountingRecord& run : runs->records) {
        if (run.status.revoked || !run.start) continue;
        const auto charged = backfill_of(run);
        const LetThrough there = let_through(run, {}, tag);
        const auto history = owner_.prices_.history();
        const bool is_free = priced_partition(there, history->in_force(*run.start)).empty();
        if (!run.status.has_ended() || !charged || (!is_free && !charged->has_value()))
          return false;
      }
    }
    return true;
  }
  const std::string token(find_token(record.admin_comment));
  const LetThrough job = let_through(record, token, tag);
  if (backfill->has_value() || is_provided_for(job)) return true;
  const auto covered = cover_record(record);
  return covered && covered->has_value();
}

// Whether slurmctld and slurmdbd, read well after `withdrawn`, have no job that took from the hold
// and has none of its own. What ended long ago is found by the rescans.
std::optional<std::string> Reconciler::Pass::proof_of_end(const ledger::Hold& hold,
                                                          Instant withdrawn) {
  const std::string& cluster = hold.cluster;
  const slurm::QueueList* list = whole_queue(cluster);
  if (list == nullptr) return std::nullopt;
  const Span grace = grace_of(owner_.view_, cluster, owner_.options_.sweep_grace_min);
  if (list->read_at <= withdrawn + grace) return std::nullopt;
  for (const slurm::QueueJob& row : list->jobs) {
    const auto tag = find_allowance(row.admin_comment);
    if (!tag || tag->hold != hold.id) continue;
    const std::string token(find_token(row.admin_comment));
    // What is free here may cost on a sibling, which the plugin took the money for.
    const bool may_cost = !row.status.has_ended() && !tag->amount.is_zero() && !token.empty();
    if (may_cost && !has_hold(token)) return std::nullopt;
    if (!is_provided_for(let_through(row, token, *tag))) return std::nullopt;
  }
  const auto scanned = owner_.scanned_until_.find(cluster);
  if (scanned == owner_.scanned_until_.end() || scanned->second + hours(24) < now_) {
    return std::nullopt;
  }
  if (!has_told_all(cluster)) return std::nullopt;
  slurm::AccountingQuery query;
  query.since = std::min(scanned->second, withdrawn) - overlap;
  const auto records = read_accounting(cluster, query);
  if (!records || !records->is_evidence()) return std::nullopt;
  for (const slurm::AccountingRecord& record : records->records) {
    const auto tag = find_allowance(record.admin_comment);
    if (tag && tag->hold == hold.id && !is_provided_for(record, *tag)) return std::nullopt;
  }
  return cluster + ": slurmctld read at " + to_rfc3339(list->read_at) + ", slurmdbd at " +
         to_rfc3339(records->read_at);
}

// Once its cluster's plugin cannot take anything from it any more, and no job is left that did.
void Reconciler::Pass::give_back_allowance(const ledger::Hold& hold) {
  const auto withdrawn = owner_.options_.allowances->withdrawn_since(hold.cluster, hold.id);
  if (!withdrawn) return;
  const auto proof = proof_of_end(hold, *withdrawn);
  if (!proof) return;
  const auto voided = owner_.committer_.run(reconciler_command(
      ledger::VoidHold{hold.id}, "no job is left that was let through on it; " + *proof));
  if (!voided || !voided->accepted()) return;
  owner_.retired_.erase(hold.id);
  report_.actions.push_back("gave back " + to_display(voided->released, voided->unit) +
                            " that could have been spent on cluster " + hold.cluster +
                            " while the service was away");
}

}  // namespace asbb::service
