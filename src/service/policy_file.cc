#include "service/policy_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <sstream>

#include "base/text.h"

namespace asbb::service {
namespace {

const char* word(bool allow) {
  return allow ? "allow" : "deny";
}

// Priced on one cluster counts as priced on all: the job may run on a sibling.
bool is_priced_anywhere(const std::string& partition, const PolicyClusters& clusters,
                        const pricing::PriceBook& book) {
  const auto is_priced_on = [&](const std::string& cluster) {
    return book.find_priced(cluster, partition) != nullptr;
  };
  return std::any_of(clusters.unread.begin(), clusters.unread.end(), is_priced_on) ||
         std::any_of(clusters.read.begin(), clusters.read.end(), [&](const auto& cluster) {
           return cluster->partition(partition) != nullptr && is_priced_on(cluster->cluster);
         });
}

tl::unexpected<Error> cannot_write(const std::string& path) {
  return fail(ErrorKind::unavailable,
              "cannot write the policy file " + path + ": " + std::strerror(errno));
}

}  // namespace

std::string policy_text(const slurm::ClusterSnapshot& cluster, const PolicyClusters& clusters,
                        const pricing::PriceBook* book, const SilencePolicy& policy) {
  std::string out =
      "# written by asbb-service; what the Slurm plugin does when the service does not answer\n"
      "version 1\n";
  if (const auto* partition = cluster.default_partition()) {
    out += "default_partition " + partition->name + "\n";
  }
  out += std::string("default ") + word(book == nullptr || policy.allow_by_default) + "\n";
  for (const slurm::PartitionInfo& partition : cluster.partitions) {
    bool allow = true;
    if (book != nullptr && is_priced_anywhere(partition.name, clusters, *book)) {
      const auto chosen = policy.allow_by_partition.find(partition.name);
      allow = chosen == policy.allow_by_partition.end() ? policy.allow_by_default : chosen->second;
    }
    out += "partition " + partition.name + " " + word(allow) + "\n";
  }
  return out;
}

Result<void> write_policy_file(const std::string& folder, const std::string& cluster,
                               const std::string& text) {
  const std::string path = folder + "/policy." + to_lower(cluster);
  if (std::ifstream known(path); known) {
    std::stringstream content;
    content << known.rdbuf();
    if (content.str() == text) return {};
  }
  const std::string temporary = path + ".new";
  const int file = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (file < 0) return cannot_write(temporary);
  const bool written =
      ::fchmod(file, 0644) == 0 &&
      ::write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
      ::fsync(file) == 0;
  const bool closed = ::close(file) == 0;
  if (!written || !closed) return cannot_write(temporary);
  if (::rename(temporary.c_str(), path.c_str()) != 0) return cannot_write(path);
  return {};
}

}  // namespace asbb::service
