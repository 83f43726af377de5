#include "slurm/fake.h"

#include <algorithm>

namespace asbb::slurm {
namespace {

bool is_wanted(const AccountingRecord& record, const AccountingQuery& query, Instant now) {
  if (!query.job_ids.empty()) {
    return std::any_of(query.job_ids.begin(), query.job_ids.end(), [&](std::int64_t job_id) {
      return job_id == record.job_id ||
             (job_id != 0 && (job_id == record.array_job_id || job_id == record.het_job_id));
    });
  }
  const Instant since = query.since.value_or(Instant{});
  const Instant until = query.until.value_or(now + hours(1));
  if (record.end) {
    return *record.end >= since && (record.eligible.value_or(*record.end) < until);
  }
  return record.eligible && *record.eligible < until;
}

}  // namespace

void FakeJobSource::set_queue(const std::string& cluster, std::vector<QueueJob> jobs) {
  const std::scoped_lock lock(mutex_);
  state_[cluster].jobs = std::move(jobs);
}

void FakeJobSource::set_records(const std::string& cluster, std::vector<AccountingRecord> records) {
  const std::scoped_lock lock(mutex_);
  state_[cluster].records = std::move(records);
}

void FakeJobSource::add_job(QueueJob job) {
  const std::scoped_lock lock(mutex_);
  state_[job.cluster].jobs.push_back(std::move(job));
}

void FakeJobSource::add_record(AccountingRecord record) {
  const std::scoped_lock lock(mutex_);
  state_[record.cluster].records.push_back(std::move(record));
}

void FakeJobSource::remove_job(const std::string& cluster, std::int64_t job_id) {
  const std::scoped_lock lock(mutex_);
  std::erase_if(state_[cluster].jobs, [&](const QueueJob& job) { return job.job_id == job_id; });
}

void FakeJobSource::set_operator(const std::string& cluster, bool proven) {
  const std::scoped_lock lock(mutex_);
  state_[cluster].proven_operator = proven;
}

void FakeJobSource::set_queue_problems(const std::string& cluster,
                                       std::vector<std::string> problems) {
  const std::lock_guard lock(mutex_);
  state_[cluster].queue_problems = std::move(problems);
}

void FakeJobSource::set_accounting_problems(const std::string& cluster,
                                            std::vector<std::string> problems) {
  const std::lock_guard lock(mutex_);
  state_[cluster].accounting_problems = std::move(problems);
}

void FakeJobSource::set_accounting_queue_length(const std::string& cluster, std::int64_t length) {
  const std::scoped_lock lock(mutex_);
  state_[cluster].accounting_queue_length = length;
}

void FakeJobSource::fail_queue(const std::string& cluster, std::optional<Error> error) {
  const std::scoped_lock lock(mutex_);
  state_[cluster].queue_error = std::move(error);
}

void FakeJobSource::fail_accounting(const std::string& cluster, std::optional<Error> error) {
  const std::scoped_lock lock(mutex_);
  state_[cluster].accounting_error = std::move(error);
}

void FakeJobSource::fail_queue_length(const std::string& cluster, std::optional<Error> error) {
  const std::scoped_lock lock(mutex_);
  state_[cluster].queue_length_error = std::move(error);
}

int FakeJobSource::calls() const {
  const std::scoped_lock lock(mutex_);
  return calls_;
}

std::vector<std::string> FakeJobSource::clusters() const {
  return clusters_;
}

Result<FakeJobSource::Cluster*> FakeJobSource::find(const std::string& cluster) {
  ++calls_;
  if (std::find(clusters_.begin(), clusters_.end(), cluster) == clusters_.end()) {
    return fail(ErrorKind::not_found, "No cluster '" + cluster + "' is configured.", "cluster");
  }
  return &state_[cluster];
}

Result<QueueList> FakeJobSource::list_queue(const std::string& cluster) {
  const std::scoped_lock lock(mutex_);
  const auto found = find(cluster);
  if (!found) {
    return tl::unexpected(found.error());
  }
  const Cluster& state = **found;
  if (state.queue_error) {
    return tl::unexpected(*state.queue_error);
  }
  return QueueList{
      cluster, now(), state.jobs, state.queue_problems, state.proven_operator, "as the test says"};
}

Result<AccountingList> FakeJobSource::list_accounting(const std::string& cluster,
                                                      const AccountingQuery& query) {
  const std::scoped_lock lock(mutex_);
  const auto found = find(cluster);
  if (!found) {
    return tl::unexpected(found.error());
  }
  const Cluster& state = **found;
  if (state.accounting_error) {
    return tl::unexpected(*state.accounting_error);
  }
  AccountingList list{
      cluster, now(), {}, state.accounting_problems, state.proven_operator, "as the test says"};
  std::copy_if(
      state.records.begin(), state.records.end(), std::back_inserter(list.records),
      [&](const AccountingRecord& record) { return is_wanted(record, query, list.read_at); });
  return list;
}

Result<std::int64_t> FakeJobSource::accounting_queue_length(const std::string& cluster) {
  const std::scoped_lock lock(mutex_);
  const auto found = find(cluster);
  if (!found) {
    return tl::unexpected(found.error());
  }
  if ((*found)->queue_length_error) {
    return tl::unexpected(*(*found)->queue_length_error);
  }
  return (*found)->accounting_queue_length;
}

void FakeClusterView::set_cluster(ClusterSnapshot snapshot) {
  const std::scoped_lock lock(mutex_);
  const std::string name = snapshot.cluster;
  snapshots_[name] = std::move(snapshot);
}

void FakeClusterView::set_associations(const std::string& cluster, Associations associations) {
  const std::scoped_lock lock(mutex_);
  associations_[cluster] = std::move(associations);
}

void FakeClusterView::fail_cluster(const std::string& cluster, std::optional<Error> error) {
  const std::scoped_lock lock(mutex_);
  cluster_errors_.erase(cluster);
  if (error) {
    cluster_errors_.emplace(cluster, std::move(*error));
  }
}

void FakeClusterView::fail_associations(const std::string& cluster, std::optional<Error> error) {
  const std::scoped_lock lock(mutex_);
  association_errors_.erase(cluster);
  if (error) {
    association_errors_.emplace(cluster, std::move(*error));
  }
}

std::vector<std::string> FakeClusterView::clusters() const {
  const std::scoped_lock lock(mutex_);
  std::vector<std::string> names;
  for (const auto& [name, snapshot] : snapshots_) {
    names.push_back(name);
  }
  return names;
}

Result<ClusterSnapshot> FakeClusterView::read_cluster(const std::string& cluster) {
  const std::scoped_lock lock(mutex_);
  if (const auto error = cluster_errors_.find(cluster); error != cluster_errors_.end()) {
    return tl::unexpected(error->second);
  }
  const auto found = snapshots_.find(cluster);
  if (found == snapshots_.end()) {
    return fail(ErrorKind::not_found, "No cluster '" + cluster + "' is configured.", "cluster");
  }
  ClusterSnapshot snapshot = found->second;
  snapshot.read_at = now();
  return snapshot;
}

Result<Associations> FakeClusterView::read_associations(const std::string& cluster) {
  const std::scoped_lock lock(mutex_);
  if (const auto error = association_errors_.find(cluster); error != association_errors_.end()) {
    return tl::unexpected(error->second);
  }
  const auto found = associations_.find(cluster);
  if (found == associations_.end()) {
    return fail(ErrorKind::not_found, "No cluster '" + cluster + "' is configured.", "cluster");
  }
  Associations associations = found->second;
  associations.read_at = now();
  return associations;
}

void FakeUserNames::add(std::uint32_t user_id, const std::string& name) {
  const std::scoped_lock lock(mutex_);
  system_[user_id] = name;
}

std::optional<std::string> FakeUserNames::known_name(std::uint32_t user_id) const {
  const std::scoped_lock lock(mutex_);
  const auto found = known_.find(user_id);
  return found == known_.end() ? std::nullopt : std::optional(found->second);
}

std::optional<std::uint32_t> FakeUserNames::known_id(const std::string& name) const {
  const std::scoped_lock lock(mutex_);
  for (const auto& [user_id, known] : known_) {
    if (known == name) {
      return user_id;
    }
  }
  return std::nullopt;
}

Result<std::string> FakeUserNames::resolve(std::uint32_t user_id) {
  const std::scoped_lock lock(mutex_);
  const auto found = system_.find(user_id);
  if (found == system_.end()) {
    return fail(ErrorKind::not_found,
                "The system knows no user with id " + std::to_string(user_id) + ".");
  }
  known_[user_id] = found->second;
  return found->second;
}

void FakeUserNames::learn(const std::vector<std::string>& names) {
  const std::scoped_lock lock(mutex_);
  for (const auto& [user_id, name] : system_) {
    if (std::find(names.begin(), names.end(), name) != names.end()) {
      known_[user_id] = name;
    }
  }
}

}  // namespace asbb::slurm
