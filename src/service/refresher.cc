#include "service/refresher.h"

#include <chrono>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "service/allowance_file.h"

namespace asbb::service {

Refresher::Refresher(slurm::ClusterView& view, slurm::UserNames& users, slurm::ClusterCache& cache,
                     const Prices& prices, Alarms& alarms, Clock clock, RefresherOptions options)
    : view_(view),
      users_(users),
      cache_(cache),
      prices_(prices),
      alarms_(alarms),
      clock_(std::move(clock)),
      options_(std::move(options)) {}

Refresher::~Refresher() {
  stop();
}

void Refresher::start() {
  ASBB_ASSERT(!thread_.joinable());
  thread_ = std::thread([this] { loop(); });
}

void Refresher::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Refresher::wake() {
  {
    const std::lock_guard lock(mutex_);
    woken_ = true;
  }
  wake_.notify_all();
}

void Refresher::refresh_once() {
  constexpr const char* key = "cluster view";
  const auto errors = cache_.refresh(view_, users_);
  if (errors.empty()) {
    alarms_.clear(key);
  } else {
    std::string message = "the clusters cannot be read completely:";
    for (const Error& error : errors) message += " " + error.message + ";";
    alarms_.raise(key, message, clock_());
  }
  if (!options_.policy_folder.empty()) write_policies();
}

void Refresher::write_policies() {
  PolicyClusters clusters;
  for (const std::string& name : view_.clusters()) {
    if (auto cluster = cache_.cluster(name)) {
      clusters.read.push_back(std::move(cluster));
    } else {
      clusters.unread.push_back(name);
    }
  }
  const auto history = prices_.history();
  const pricing::PriceBook* book = history->in_force(clock_());
  for (const auto& cluster : clusters.read) {
    const std::string key = "policy file " + cluster->cluster;
    std::string text = policy_text(*cluster, clusters, book, options_.policy);
    ClusterAllowances published;
    if (options_.allowances != nullptr) {
      const auto known = options_.allowances->published(cluster->cluster);
      // Without the first word of them the file would let through what they are to bound.
      if (!known && options_.allowances->are_set()) continue;
      published = known.value_or(ClusterAllowances{});
      text += lines_of(*cluster, clusters, book, published);
    }
    const auto written = write_policy_file(options_.policy_folder, cluster->cluster, text);
    if (written) {
      alarms_.clear(key);
      if (options_.allowances != nullptr) {
        options_.allowances->written(cluster->cluster, published, clock_());
      }
    } else {
      alarms_.raise(key, written.error().message, clock_());
    }
  }
}

std::string Refresher::lines_of(const slurm::ClusterSnapshot& cluster,
                                const PolicyClusters& clusters, const pricing::PriceBook* book,
                                const ClusterAllowances& published) {
  const AllowanceLines lines =
      allowance_lines(cluster, clusters, book, *options_.allowances, published, users_);
  const std::string key = "allowances of cluster " + cluster.cluster;
  if (lines.problems.empty()) {
    alarms_.clear(key);
  } else {
    alarms_.raise(key, key + ":" + lines.problems, clock_());
  }
  return lines.text;
}

void Refresher::loop() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    woken_ = false;
    lock.unlock();
    refresh_once();
    lock.lock();
    wake_.wait_for(lock, std::chrono::microseconds(options_.interval.microseconds),
                   [&] { return stopping_ || woken_; });
  }
}

}  // namespace asbb::service
