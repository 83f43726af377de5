#include "slurm/cluster_cache.h"

namespace asbb::slurm {

std::vector<Error> ClusterCache::refresh(ClusterView& view, UserNames& users) {
  std::vector<Error> errors;
  for (const std::string& name : view.clusters()) {
    std::string problem;
    if (auto snapshot = view.read_cluster(name)) {
      put(std::move(*snapshot));
    } else {
      problem = snapshot.error().message;
      errors.push_back(snapshot.error());
    }
    auto read = view.read_associations(name);
    if (!read && problem.empty()) problem = read.error().message;
    note_problem(name, problem);
    if (!read) {
      errors.push_back(read.error());
      continue;
    }
    // First the names, so that whoever sees an association also finds its user.
    users.learn(read->users());
    put(name, std::move(*read));
  }
  return errors;
}

std::shared_ptr<const ClusterSnapshot> ClusterCache::cluster(const std::string& name) const {
  const std::scoped_lock lock(mutex_);
  const auto found = clusters_.find(name);
  return found == clusters_.end() ? nullptr : found->second;
}

std::shared_ptr<const Associations> ClusterCache::associations(const std::string& cluster) const {
  const std::scoped_lock lock(mutex_);
  const auto found = associations_.find(cluster);
  return found == associations_.end() ? nullptr : found->second;
}

std::string ClusterCache::problem(const std::string& cluster) const {
  const std::scoped_lock lock(mutex_);
  const auto found = problems_.find(cluster);
  return found == problems_.end() ? std::string() : found->second;
}

void ClusterCache::note_problem(const std::string& cluster, const std::string& problem) {
  const std::scoped_lock lock(mutex_);
  problems_[cluster] = problem;
}

void ClusterCache::put(ClusterSnapshot snapshot) {
  auto shared = std::make_shared<const ClusterSnapshot>(std::move(snapshot));
  const std::scoped_lock lock(mutex_);
  clusters_[shared->cluster] = shared;
}

void ClusterCache::put(const std::string& cluster, Associations associations) {
  auto shared = std::make_shared<const Associations>(std::move(associations));
  const std::scoped_lock lock(mutex_);
  associations_[cluster] = std::move(shared);
}

}  // namespace asbb::slurm
