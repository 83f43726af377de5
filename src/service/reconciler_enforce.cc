// What a pass tells the enforcer of jobs: which run on partitions with a price, on whose money, and
// what they lack of it.
#include <algorithm>

#include "base/token.h"
#include "ledger/ledger.h"
#include "service/reconciler_pass.h"

namespace asbb::service {
namespace {

// Without the time in which it was suspended: slurmctld moves the end on for that.
std::int64_t elapsed_seconds(const slurm::QueueJob& row, Instant now) {
  if (!row.start || now <= *row.start) return 0;
  const std::int64_t since_start = (now - *row.start).microseconds / 1'000'000;
  if (row.time_limit_minutes == slurm::unlimited || !row.end) return since_start;
  const std::int64_t left = (*row.end - now).microseconds / 1'000'000;
  return std::clamp<std::int64_t>(row.time_limit_minutes * 60 - left, 0, since_start);
}

std::string slurm_name(const slurm::QueueJob& row) {
  if (row.array_task_id)
    return std::to_string(root_id(row)) + "_" + std::to_string(*row.array_task_id);
  return std::to_string(row.het_job_id != 0 ? row.het_job_id : row.job_id);
}

// All components of a het job are one: they start and end together.
ledger::ShareKey key_of(const slurm::QueueJob& row) {
  return {row.cluster, row.het_job_id != 0 ? row.het_job_id : root_id(row),
          row.array_task_id.value_or(-1), row.restart_count, ""};
}

// "JobHeldAdmin", "JobHeldUser", "job requeued in held state".
bool is_held(const slurm::QueueJob& row) {
  return row.status.requeue_hold || row.state_reason.starts_with("JobHeld") ||
         row.state_reason.find("held state") != std::string::npos;
}

bool lacks(const std::vector<Draw>& draws) {
  return std::any_of(draws.begin(), draws.end(),
                     [](const Draw& draw) { return draw.lacks > Micros(); });
}

std::string why_not_moved(const slurm::QueueJob& row, const config::Ladder& ladder,
                          const slurm::ClusterCache& view) {
  if (ladder.requeue_to.empty()) return {};
  if (row.het_job_id != 0) return "it is a het job";
  // Slurm has the origin do it: there the job waits, under another cluster's name.
  const bool is_elsewhere = !row.federation_origin.empty() && row.federation_origin != row.cluster;
  if (is_elsewhere) return "it was submitted on cluster " + row.federation_origin;
  const auto cluster = view.cluster(row.cluster);
  const bool is_there =
      cluster && std::any_of(cluster->partitions.begin(), cluster->partitions.end(),
                             [&](const auto& one) { return one.name == ladder.requeue_to; });
  return is_there ? "" : "cluster " + row.cluster + " has no partition " + ladder.requeue_to;
}

}  // namespace

std::optional<pricing::Charge> Reconciler::Pass::cost_so_far(const slurm::QueueJob& row,
                                                             const pricing::PriceBook* book) const {
  if (book == nullptr || row.status.base != slurm::JobState::running || !row.start) {
    return std::nullopt;
  }
  slurm::AccountingRecord so_far;
  so_far.cluster = row.cluster;
  so_far.job_id = row.job_id;
  so_far.partition = row.partition;
  so_far.start = row.start;
  so_far.nodes = row.nodes;
  so_far.node_count = row.node_count;
  so_far.allocated_tres = row.allocated_tres;
  so_far.elapsed_seconds = elapsed_seconds(row, now_);
  auto charge = charge_of(*book, so_far, owner_.view_);
  if (!charge || !charge->priced) return std::nullopt;
  return std::move(*charge);
}

// What it cost so far is compared with its part of the hold: where it costs more, that is lacking
// as well as what its runs lack to be as long as the first.
std::vector<Draw> Reconciler::Pass::draws_of_hold(const slurm::QueueJob& row, const OpenHold& open,
                                                  bool exactly) {
  const ledger::Hold& hold = open.hold;
  std::vector<Draw> out;
  const auto history = owner_.prices_.history();
  // Within its limit, and with the hold that it is to have, it costs no more than that.
  const bool may_exceed =
      (row.end && *row.end < now_) || alarmed_changes_.contains("change " + describe_job(hold));
  const auto cost = exactly || may_exceed
                        ? cost_so_far(row, history->by_version(hold.parts.front().price_version))
                        : std::nullopt;
  const std::int64_t awaited = std::max<std::int64_t>(hold.pending_runs, 1);
  for (const ledger::HoldPart& part : hold.parts) {
    const Micros has = std::min(
        part.unopened, part_of_tasks(part.granted, 1, std::max<std::int64_t>(hold.task_count, 1)));
    const Micros used = cost && cost->unit == part.unit ? cost->amount : Micros();
    Draw draw{part.unit, part.legs, std::max(Micros(), used - has), std::max(Micros(), has - used)};
    if (row.restart_count > 0 && hold.pending_runs > 0) {
      draw.lacks =
          std::max(draw.lacks, part_of_tasks(ledger::lack_for_runs(hold, part), 1, awaited));
    }
    out.push_back(std::move(draw));
  }
  return out;
}

// Of a job that nobody holds money for: what it cost so far is lacking, on the budgets that will be
// charged for it.
std::vector<Draw> Reconciler::Pass::draws_without_hold(const slurm::QueueJob& row,
                                                       std::string& account) {
  const auto history = owner_.prices_.history();
  const auto cost = row.start ? cost_so_far(row, history->in_force(*row.start)) : std::nullopt;
  if (!cost) return {};
  slurm::AccountingRecord record;
  record.cluster = row.cluster;
  record.account = row.account;
  account = payer_of(record, owner_.view_, owner_.committer_);
  return owner_.committer_.read([&](const ledger::Book& book) -> std::vector<Draw> {
    const ledger::Account* payer = book.account(account);
    if (payer == nullptr) return {};
    account = payer->name;
    auto legs =
        ledger::find_legs(ledger::Stage(book), payer->id, cost->unit, row.partition, *row.start);
    if (legs.legs.empty()) return {};
    return {Draw{cost->unit, std::move(legs.legs), cost->amount, Micros()}};
  });
}

void Reconciler::Pass::note_paying(const slurm::QueueJob& row, const HoldsByJob& holds,
                                   SeenJobs& seen, bool exactly) {
  const auto history = owner_.prices_.history();
  const pricing::PriceBook* book = history->in_force(now_);
  if (book == nullptr || book->find_priced(row.cluster, row.partition) == nullptr) return;
  const Tasks tasks = tasks_of(row);
  if (tasks.size() != 1 || (is_pending(row) && row.restart_count == 0)) return;
  PayingJob job;
  job.key = key_of(row);
  const OpenHold* held = nullptr;
  const auto [first, last] = holds.equal_range(root_id(row));
  for (auto at = first; at != last && held == nullptr; ++at) {
    const ledger::Hold& hold = at->second->hold;
    const std::int64_t run = row.restart_count + ended_runs(*at->second, row).resizes;
    const bool pays = pays_for_run(scope_of(hold.group), tasks.front(), row.cluster, run);
    if (pays && is_its_row(*hold.job, row)) held = at->second;
  }
  if (held != nullptr) {
    job.draws = draws_of_hold(row, *held, exactly);
  } else if (!is_pending(row)) {
    job.draws = draws_without_hold(row, job.account);
  }
  if (job.draws.empty() || (is_pending(row) && !lacks(job.draws))) return;
  for (PayingJob& other : seen.paying) {
    if (row.het_job_id == 0 || other.key != job.key) continue;
    other.draws.insert(other.draws.end(), job.draws.begin(), job.draws.end());
    return;
  }
  const auto chain = owner_.committer_.read([&](const ledger::Book& known) {
    const ledger::Account* account =
        held != nullptr ? known.account(held->hold.account) : known.account(job.account);
    return account == nullptr ? std::vector<std::string>{} : account_chain(known, account->id);
  });
  if (chain.empty()) return;
  job.account = chain.front();
  job.ladder = ladder_for(owner_.enforcer_.enforcement(), chain, row.partition);
  job.name = slurm_name(row);
  job.user = row.user;
  job.partition = row.partition;
  job.submit = row.submit;
  job.start = row.start && !is_pending(row) ? *row.start : row.submit;
  job.waits = is_pending(row);
  job.why_not_moved = why_not_moved(row, job.ladder, owner_.view_);
  seen.paying.push_back(std::move(job));
}

SeenJobs Reconciler::Pass::seen_jobs(const HoldsByJob& holds, bool exactly) {
  SeenJobs seen;
  seen.is_complete = queues_.size() == owner_.source_.clusters().size() &&
                     std::all_of(queues_.begin(), queues_.end(),
                                 [](const auto& list) { return list.second.is_evidence(); });
  for (const auto& [cluster, list] : queues_) {
    if (list.is_evidence()) seen.complete.insert(cluster);
    for (const slurm::QueueJob& row : list.jobs) {
      if (!is_live(row)) continue;
      LiveRun run{slurm_name(row), row.partition, row.submit};
      run.is_pending = is_pending(row) && !row.status.completing;
      run.is_running = row.status.base == slurm::JobState::running;
      run.is_held = is_held(row);
      seen.live.emplace(key_of(row), std::move(run));
      if (!row.status.completing) note_paying(row, holds, seen, exactly);
    }
  }
  return seen;
}

// What each job cost so far is reckoned only where that can matter: it takes a while for many.
void Reconciler::Pass::enforce() {
  if (!owner_.enforcer_.is_enabled()) return;
  const std::vector<OpenHold> open = open_holds([](const ledger::Hold& hold) {
    return hold.job.has_value() && !hold.backfilled && !is_proposal(hold);
  });
  HoldsByJob by_job;
  for (const OpenHold& each : open) by_job.emplace(each.hold.job->job_id, &each);
  owner_.say_step("what is done about accounts that ran dry");
  SeenJobs seen = seen_jobs(by_job, false);
  const bool is_any_dry = owner_.committer_.read(
      [&](const ledger::Book& book) { return !find_dry(book, seen.paying).empty(); });
  if (is_any_dry) seen = seen_jobs(by_job, true);
  owner_.enforcer_.pass(std::move(seen), now_, report_);
}

}  // namespace asbb::service
