#include "service/job_holds.h"

#include <algorithm>

#include "base/time.h"
#include "service/hold_scope.h"
#include "service/moves.h"

namespace asbb::service {

namespace {

constexpr Span requeue_gap_max = hours(24 * 30);

}  // namespace

void keep_job_of(std::vector<store::HoldRecord>& holds, const ledger::Hold& hold) {
  std::erase_if(holds, [&](const store::HoldRecord& other) {
    const Span gap = other.hold.job->submit_time - hold.job->submit_time;
    const bool is_its_run =
        other.hold.backfilled && hold.backfilled && other.hold.user == hold.user &&
        -requeue_gap_max.microseconds < gap.microseconds && gap < requeue_gap_max;
    return !is_its_run && *other.hold.job != *hold.job;
  });
}

void keep_last_job(std::vector<store::HoldRecord>& holds) {
  constexpr Span same_submission = seconds(2);
  std::size_t first = holds.size() - 1;
  for (; first > 0; --first) {
    const ledger::Hold& older = holds[first - 1].hold;
    const ledger::Hold& newer = holds[first].hold;
    const Span gap = newer.job->submit_time - older.job->submit_time;
    const Span gap_max = newer.backfilled ? requeue_gap_max : same_submission;
    if (older.user != newer.user || gap_max < gap) break;
  }
  holds.erase(holds.begin(), holds.begin() + static_cast<std::ptrdiff_t>(first));
}

void drop_over(std::vector<store::HoldRecord>& holds) {
  const auto is_open = [](const store::HoldRecord& record) {
    return record.hold.status == ledger::HoldStatus::open;
  };
  const auto last = std::find_if(holds.rbegin(), holds.rend(), is_open);
  if (last != holds.rend()) holds.erase(last.base(), holds.end());
}

const store::HoldRecord& hold_for(const std::vector<store::HoldRecord>& holds,
                                  const std::string& job_id) {
  const auto key = slurm_key(job_id);
  const auto found = std::find_if(holds.rbegin(), holds.rend(), [&](const auto& record) {
    const HoldScope scope = scope_of(record.hold.group);
    return record.hold.status == ledger::HoldStatus::open && key && pays_for(scope, key->task);
  });
  return found == holds.rend() ? holds.back() : *found;
}

std::string share_name(const ledger::ShareKey& key) {
  const std::string id = std::to_string(key.job_id);
  return key.task < 0 ? id : id + "_" + std::to_string(key.task);
}

std::string job_text(const ledger::ShareKey& job) {
  if (!job.external_id.empty()) return job.external_id;
  return job.job_id == 0 ? std::string() : share_name(job);
}

std::int64_t run_to_settle(const store::HoldRecord& record, const ledger::ShareKey& key) {
  std::int64_t run = scope_of(record.hold.group).first_run.on(key.cluster);
  const bool counts_apart = ledger::is_federated(key.job_id);
  for (const ledger::Share& share : record.shares) {
    if (share.key.task != key.task) continue;
    if (counts_apart && share.key.cluster != key.cluster) continue;
    const bool is_awaited = share.status == ledger::ShareStatus::settled && share.requeued;
    run = std::max(run, share.key.run + (is_awaited ? 1 : 0));
  }
  return run;
}

}  // namespace asbb::service
