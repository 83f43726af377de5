// In-memory JobSource, ClusterView and UserNames for tests of what stands on them: set what Slurm
// would say, and break it on purpose. Thread-safe. Not linked into programs.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "slurm/cluster_view.h"
#include "slurm/job_source.h"
#include "slurm/user_names.h"

namespace asbb::slurm {

// Holds jobs and records per cluster. Lists are evidence (proven operator) unless told otherwise.
class FakeJobSource final : public JobSource {
 public:
  explicit FakeJobSource(std::vector<std::string> clusters) : clusters_(std::move(clusters)) {}

  std::function<Instant()> now = [] { return Instant{}; };

  void set_queue(const std::string& cluster, std::vector<QueueJob> jobs);
  void set_records(const std::string& cluster, std::vector<AccountingRecord> records);
  void add_job(QueueJob job);                // by job.cluster
  void add_record(AccountingRecord record);  // by record.cluster
  void remove_job(const std::string& cluster, std::int64_t job_id);
  void set_operator(const std::string& cluster, bool proven);
  // Rows that cannot be read, of squeue and of sacct.
  void set_queue_problems(const std::string& cluster, std::vector<std::string> problems);
  void set_accounting_problems(const std::string& cluster, std::vector<std::string> problems);
  void set_accounting_queue_length(const std::string& cluster, std::int64_t length);

  // From now on that call of that cluster fails so; nothing: works again.
  void fail_queue(const std::string& cluster, std::optional<Error> error);
  void fail_accounting(const std::string& cluster, std::optional<Error> error);
  void fail_queue_length(const std::string& cluster, std::optional<Error> error);

  [[nodiscard]] int calls() const;  // of all three reads

  [[nodiscard]] std::vector<std::string> clusters() const override;
  [[nodiscard]] Result<QueueList> list_queue(const std::string& cluster) override;
  [[nodiscard]] Result<AccountingList> list_accounting(const std::string& cluster,
                                                       const AccountingQuery& query) override;
  [[nodiscard]] Result<std::int64_t> accounting_queue_length(const std::string& cluster) override;

 private:
  struct Cluster {
    std::vector<QueueJob> jobs;
    std::vector<AccountingRecord> records;
    std::vector<std::string> queue_problems;
    std::vector<std::string> accounting_problems;
    bool proven_operator = true;
    std::int64_t accounting_queue_length = 0;
    std::optional<Error> queue_error;
    std::optional<Error> accounting_error;
    std::optional<Error> queue_length_error;
  };
  Result<Cluster*> find(const std::string& cluster);  // REQUIRES: mutex_ is held

  mutable std::mutex mutex_;
  std::vector<std::string> clusters_;
  std::map<std::string, Cluster> state_;
  int calls_ = 0;
};

class FakeClusterView final : public ClusterView {
 public:
  std::function<Instant()> now = [] { return Instant{}; };

  // read_at of what is set is replaced by now() at each read.
  void set_cluster(ClusterSnapshot snapshot);
  void set_associations(const std::string& cluster, Associations associations);
  void fail_cluster(const std::string& cluster, std::optional<Error> error);
  void fail_associations(const std::string& cluster, std::optional<Error> error);

  [[nodiscard]] std::vector<std::string> clusters() const override;
  [[nodiscard]] Result<ClusterSnapshot> read_cluster(const std::string& cluster) override;
  [[nodiscard]] Result<Associations> read_associations(const std::string& cluster) override;

 private:
  mutable std::mutex mutex_;
  std::map<std::string, ClusterSnapshot> snapshots_;
  std::map<std::string, Associations> associations_;
  std::map<std::string, Error> cluster_errors_;
  std::map<std::string, Error> association_errors_;
};

// Names that were added are what the system knows; known_* sees them only once learned or resolved.
class FakeUserNames final : public UserNames {
 public:
  void add(std::uint32_t user_id, const std::string& name);
  [[nodiscard]] std::optional<std::string> known_name(std::uint32_t user_id) const override;
  [[nodiscard]] std::optional<std::uint32_t> known_id(const std::string& name) const override;
  [[nodiscard]] Result<std::string> resolve(std::uint32_t user_id) override;
  void learn(const std::vector<std::string>& names) override;

 private:
  mutable std::mutex mutex_;
  std::map<std::uint32_t, std::string> system_;
  std::map<std::uint32_t, std::string> known_;
};

}  // namespace asbb::slurm
