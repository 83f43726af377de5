// Keeps the cluster view fresh: a thread of its own reads every cluster and its associations now
// and then, since each read blocks for as long as Slurm takes, and writes the plugin's policy files
// when partitions or prices have changed.
#pragma once

#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

#include "service/alarms.h"
#include "service/allowances.h"
#include "service/clock.h"
#include "service/policy_file.h"
#include "service/prices.h"
#include "slurm/cluster_cache.h"

namespace asbb::service {

struct RefresherOptions {
  Span interval = seconds(30);
  std::string policy_folder;  // empty: no policy files
  SilencePolicy policy;
  Allowances* allowances = nullptr;  // outlives the refresher; null: none
};

class Refresher {
 public:
  Refresher(slurm::ClusterView& view, slurm::UserNames& users, slurm::ClusterCache& cache,
            const Prices& prices, Alarms& alarms, Clock clock, RefresherOptions options);
  Refresher(const Refresher&) = delete;
  Refresher& operator=(const Refresher&) = delete;
  ~Refresher();

  void start();
  void stop();

  // Reads again soon: prices have changed, or somebody met a user or partition that is not known.
  // Any thread.
  void wake();

  // One reading on the caller's thread.
  void refresh_once();

 private:
  void loop();
  void write_policies();
  [[nodiscard]] std::string lines_of(const slurm::ClusterSnapshot& cluster,
                                     const PolicyClusters& clusters, const pricing::PriceBook* book,
                                     const ClusterAllowances& published);

  slurm::ClusterView& view_;
  slurm::UserNames& users_;
  slurm::ClusterCache& cache_;
  const Prices& prices_;
  Alarms& alarms_;
  const Clock clock_;
  const RefresherOptions options_;

  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  bool woken_ = false;
  std::thread thread_;
};

}  // namespace asbb::service
