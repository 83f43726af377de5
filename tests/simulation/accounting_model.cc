#include "simulation/accounting_model.h"

#include <algorithm>
#include <set>

#include "slurm/accounting_reader.h"

namespace asbb::simulation {
namespace {

using slurm::AccountingRecord;

bool ended_within(const AccountingRecord& row, Instant since, Instant until) {
  return row.end && since <= *row.end && *row.end < until;
}

bool was_there_within(const AccountingRecord& row, Instant since, Instant until) {
  return row.eligible && *row.eligible < until && (!row.end || since <= *row.end);
}

bool is_named(const AccountingRecord& row, const std::set<std::int64_t>& ids) {
  return ids.contains(row.job_id) || ids.contains(row.array_job_id) || ids.contains(row.het_job_id);
}

// sacct counts from the start, so that a row without one has used nothing.
AccountingRecord shown(AccountingRecord row, Instant now) {
  row.elapsed_seconds = 0;
  if (!row.start) return row;
  const Instant until = row.end.value_or(now);
  row.elapsed_seconds = std::max<std::int64_t>(
      0, until.unix_seconds() - row.start->unix_seconds() - row.suspended_seconds);
  return row;
}

}  // namespace

bool Accounting::send(const AccountingRecord& row, Part part, Instant arrives_at,
                      bool is_overtaken) {
  if (is_full) return false;
  if (!is_overtaken) {
    Instant& last = last_arrival_[row.cluster];
    last = arrives_at = std::max(last, arrives_at);
  }
  waiting_.push_back({row, part, arrives_at});
  return true;
}

void Accounting::advance(Instant now) {
  if (!is_up) return;
  std::stable_sort(waiting_.begin(), waiting_.end(),
                   [](const Message& a, const Message& b) { return a.arrives_at < b.arrives_at; });
  auto next = waiting_.begin();
  for (; next != waiting_.end() && next->arrives_at <= now; ++next) apply(*next);
  waiting_.erase(waiting_.begin(), next);
}

std::int64_t Accounting::waiting(const std::string& cluster) const {
  return std::count_if(waiting_.begin(), waiting_.end(),
                       [&](const Message& message) { return message.row.cluster == cluster; });
}

AccountingRecord* Accounting::find(const AccountingRecord& row) {
  const auto found = std::find_if(rows_.begin(), rows_.end(), [&](const AccountingRecord& known) {
    return known.cluster == row.cluster && known.job_id == row.job_id && known.submit == row.submit;
  });
  return found == rows_.end() ? nullptr : &*found;
}

void Accounting::apply(const Message& message) {
  const AccountingRecord& told = message.row;
  AccountingRecord* row = find(told);
  if (row == nullptr) {
    row = &rows_.emplace_back();
    row->db_index = static_cast<std::int64_t>(rows_.size());
    row->cluster = told.cluster;
    row->job_id = told.job_id;
    row->submit = told.submit;
    row->status = slurm::parse_job_status("PENDING");
  }
  row->array_job_id = told.array_job_id;
  row->array_task_id = told.array_task_id;
  row->array_tasks = told.array_tasks;
  row->het_job_id = told.het_job_id;
  row->het_job_offset = told.het_job_offset;
  row->user = told.user;
  row->user_id = told.user_id;
  row->account = told.account;
  row->partition = told.partition;
  row->eligible = told.eligible;
  row->time_limit_minutes = told.time_limit_minutes;
  row->requested_tres = told.requested_tres;
  if (message.part == Part::start) {
    row->start = told.start;
    row->nodes = told.nodes;
    row->node_count = told.node_count;
    row->allocated_tres = told.allocated_tres;
    if (!row->end) row->status = slurm::parse_job_status("RUNNING");
  }
  if (message.part == Part::end) {
    row->end = told.end;
    if (told.nodes.empty() && told.start) row->start = told.start;
    row->status = told.status;
    row->suspended_seconds = told.suspended_seconds;
    row->admin_comment = told.admin_comment;
  }
}

std::vector<AccountingRecord> Accounting::rows(const std::string& cluster,
                                               const slurm::AccountingQuery& query,
                                               Instant now) const {
  constexpr Span requeue_slack = seconds(600);
  std::set<std::int64_t> ids(query.job_ids.begin(), query.job_ids.end());
  std::vector<AccountingRecord> found;
  if (ids.empty()) {
    const Instant since = query.since.value_or(Instant{});
    const Instant until = query.until.value_or(now + hours(1));
    for (const AccountingRecord& row : rows_) {
      if (row.cluster != cluster) continue;
      const bool has_ended = ended_within(row, since, until);
      if (has_ended || was_there_within(row, since, until)) found.push_back(shown(row, now));
      if (has_ended && row.submit < since + requeue_slack) ids.insert(row.job_id);
    }
  }
  for (const AccountingRecord& row : rows_) {
    if (row.cluster == cluster && is_named(row, ids)) found.push_back(shown(row, now));
  }
  slurm::arrange_runs(found);
  return found;
}

bool Accounting::correct(const std::string& cluster, std::int64_t job_id, Instant submit,
                         Span longer) {
  AccountingRecord key;
  key.cluster = cluster;
  key.job_id = job_id;
  key.submit = submit;
  AccountingRecord* row = find(key);
  if (row == nullptr || !row->end || !row->start) return false;
  row->end = *row->end + longer;
  return true;
}

}  // namespace asbb::simulation
