// The last good answers of the cluster view, for every thread. refresh() blocks on Slurm and on the
// system's user database: one worker thread calls it. Everything else takes a short lock, never
// blocks on Slurm, and hands out shared immutable snapshots. It does not judge age: who asks
// compares read_at with his own limit (DESIGN 3, the cluster view).
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "slurm/cluster_view.h"
#include "slurm/user_names.h"

namespace asbb::slurm {

class ClusterCache {
 public:
  // Reads every cluster and its associations; what fails keeps its earlier answer. Gives the
  // errors, one per cluster and kind, empty when all went well. Worker thread only.
  std::vector<Error> refresh(ClusterView& view, UserNames& users);

  // Null when it was never read.
  [[nodiscard]] std::shared_ptr<const ClusterSnapshot> cluster(const std::string& name) const;

  // What the slurmdbd of that cluster said last; null when it was never read.
  [[nodiscard]] std::shared_ptr<const Associations> associations(const std::string& cluster) const;

  // What went wrong when the cluster was read last; empty when nothing did.
  [[nodiscard]] std::string problem(const std::string& cluster) const;

  void put(ClusterSnapshot snapshot);
  void put(const std::string& cluster, Associations associations);

 private:
  void note_problem(const std::string& cluster, const std::string& problem);

  mutable std::mutex mutex_;
  std::map<std::string, std::shared_ptr<const ClusterSnapshot>> clusters_;
  std::map<std::string, std::shared_ptr<const Associations>> associations_;
  std::map<std::string, std::string> problems_;
};

}  // namespace asbb::slurm
