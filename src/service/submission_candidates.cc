#include "service/submission_candidates.h"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "base/text.h"

namespace asbb::service {
namespace {

std::vector<std::string> words_of(std::string_view list) {
  std::vector<std::string> words;
  for (const std::string_view word : split(list, ',')) {
    if (!word.empty()) words.emplace_back(word);
  }
  return words;
}

bool contains(const std::vector<std::string>& words, const std::string& word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

// sbatch(1) --cluster-constraint: "a,b" one of them is enough, "!a,b" none of them.
// Slurm reads such lists in lower case and without quotes (slurm_addto_char_list).
bool fits_constraint(const slurm::ClusterEntry& cluster, const std::string& constraint) {
  std::string wanted = to_lower(constraint);
  std::erase_if(wanted, [](char character) { return character == '\'' || character == '"'; });
  if (wanted.empty()) return true;
  const bool negated = wanted.front() == '!';
  if (negated) wanted.erase(0, 1);
  const auto words = words_of(wanted);
  const bool has_one =
      std::any_of(cluster.features.begin(), cluster.features.end(),
                  [&](const std::string& feature) { return contains(words, to_lower(feature)); });
  return has_one != negated;
}

bool is_listed(const std::string& cluster, std::string_view clusters) {
  if (clusters.empty()) return true;
  const auto names = words_of(to_lower(clusters));
  return contains(names, to_lower(cluster)) || contains(names, "all");
}

bool prices_something(const pricing::PriceBook& book, const std::string& cluster) {
  return std::any_of(book.rates.begin(), book.rates.end(), [&](const pricing::Rate& rate) {
    return !rate.free && (rate.cluster == "*" || rate.cluster == to_lower(cluster));
  });
}

Denial too_old(const std::string& cluster) {
  return {"cluster_unknown",
          "The budget service has no recent view of cluster '" + cluster +
              "', so it cannot price this job; try again in a minute or tell an administrator.\n"};
}

void add_shape(Candidates& found, const std::string& unit, const SharedShape& shape) {
  auto group = std::find_if(found.units.begin(), found.units.end(),
                            [&](const UnitCandidates& known) { return known.unit == unit; });
  if (group == found.units.end()) {
    group = found.units.insert(found.units.end(), UnitCandidates{unit, {}});
  }
  group->shapes.push_back(shape);
  if (!contains(found.partitions, shape->name)) found.partitions.push_back(shape->name);
}

void add_listed(Candidates& found, const std::shared_ptr<const slurm::ClusterSnapshot>& cluster,
                const std::vector<std::string>& names, const ViewReader& view) {
  for (const std::string& name : names) {
    const SharedShape shape = view.shapes.shape(cluster, name);
    if (!shape) continue;
    found.listed.push_back({shape->cluster, shape->default_cpus_per_gpu,
                            shape->default_memory_per_gpu_mb, shape->max_memory_per_cpu_mb});
  }
}

// Adds what the names cost on one cluster.
std::optional<Denial> add_cluster(Candidates& found, const std::string& cluster, bool is_own,
                                  const std::vector<std::string>& names,
                                  const pricing::PriceBook& book, const ViewReader& view) {
  const auto snapshot = view.fresh(cluster);
  if (snapshot && names.size() > 1) add_listed(found, snapshot, names, view);
  for (const std::string& name : names) {
    const pricing::Rate* rate = book.find_priced(cluster, name);
    if (rate == nullptr) continue;
    if (!snapshot) return too_old(cluster);
    const SharedShape shape = view.shapes.shape(snapshot, name);
    if (shape) {
      add_shape(found, rate->unit, shape);
      for (ClusterChoice& choice : found.clusters) {
        if (choice.name == cluster) choice.units.insert(rate->unit);
      }
    } else if (is_own) {
      return Denial{"unknown_partition", "Partition " + in_quotes(name) +
                                             " is not known on cluster '" + cluster + "'.\n"};
    }
  }
  return std::nullopt;
}

// A job whose constraint leaves no cluster that has one of its partitions: slurmctld takes it, and
// it waits for ever without a row of its own. Nothing is said while a view is missing.
std::optional<Denial> fits_nowhere(const api::Submission& submission,
                                   const std::vector<std::string>& viable,
                                   const std::vector<std::string>& names, const ViewReader& view) {
  std::string there;
  for (const std::string& cluster : viable) {
    const auto snapshot = view.fresh(cluster);
    if (!snapshot) return std::nullopt;
    for (const slurm::PartitionInfo& partition : snapshot->partitions) {
      if (contains(names, partition.name)) return std::nullopt;
      if (partition.is_hidden) continue;
      there += (there.empty() ? "" : ", ") + in_quotes(partition.name);
    }
  }
  const std::string asked = submission.spank.cloud
                                ? std::string("--cloud")
                                : "--cluster-constraint=" + in_quotes(submission.cluster_features);
  std::string message =
      "None of the clusters that " + asked + " allows has partition " + in_quotes(names.front());
  if (!there.empty()) message += ": there are " + there + "; name one with --partition";
  return Denial{"no_cluster", message + ".\n"};
}

// Where a job goes that names no partition: each cluster of a federation has its own default one.
// Empty where nothing costs money.
tl::expected<std::string, Denial> default_partition(const std::string& cluster, bool is_own,
                                                    const pricing::PriceBook& book,
                                                    const ViewReader& view) {
  const auto snapshot = view.cache.cluster(cluster);
  const auto* partition = snapshot ? snapshot->default_partition() : nullptr;
  if (partition != nullptr) return partition->name;
  if (!prices_something(book, cluster)) return std::string();
  if (!snapshot && !is_own) return tl::unexpected(too_old(cluster));
  // Its controller refuses such a job.
  if (!is_own) return std::string();
  return tl::unexpected(
      Denial{"no_partition",
             "No partition was named, and the budget service knows no default one of cluster '" +
                 cluster + "': name one with --partition.\n"});
}

// Components of a heterogeneous job stay where they are submitted, as arrays do.
bool stays(const api::Submission& submission) {
  return !submission.array.empty() || submission.het_job_offset;
}

// Whether the job could cost something on a cluster that might be a sibling of its own.
bool may_cost_elsewhere(const api::Submission& submission, const std::vector<std::string>& named,
                        const pricing::PriceBook& book, const ViewReader& view) {
  if (stays(submission)) return false;
  std::set<std::string> others;
  for (const std::string& cluster : view.clusters) others.insert(to_lower(cluster));
  for (const pricing::Rate& rate : book.rates) others.insert(rate.cluster);
  others.erase("*");
  others.erase(to_lower(submission.cluster));
  const auto costs = [&](const std::string& cluster) {
    if (!is_listed(cluster, submission.clusters)) return false;
    if (named.empty()) {
      const auto its_default = default_partition(cluster, false, book, view);
      if (!its_default) return true;
      return !its_default->empty() && book.find_priced(cluster, *its_default) != nullptr;
    }
    return std::any_of(named.begin(), named.end(), [&](const std::string& name) {
      return book.find_priced(cluster, name) != nullptr;
    });
  };
  return std::any_of(others.begin(), others.end(), costs);
}

}  // namespace

Denial associations_unknown(const std::string& cluster) {
  return {"associations_unknown",
          "The budget service has no recent list of who may use which account on cluster '" +
              cluster + "', and of which clusters its jobs may go to; try again in a minute.\n"};
}

std::shared_ptr<const slurm::ClusterSnapshot> ViewReader::fresh(const std::string& cluster) const {
  auto snapshot = cache.cluster(cluster);
  return snapshot && now - snapshot->read_at <= age_max ? snapshot : nullptr;
}

std::shared_ptr<const slurm::Associations> ViewReader::fresh_associations(
    const std::string& cluster) const {
  auto associations = cache.associations(cluster);
  return associations && now - associations->read_at <= age_max ? associations : nullptr;
}

std::vector<ClusterChoice> cluster_choices(const api::Submission& submission,
                                           const slurm::Associations* associations) {
  const std::string& own = submission.cluster;
  if (associations == nullptr || stays(submission)) return {};
  const auto clusters = associations->clusters();
  const auto entry = std::find_if(
      clusters.begin(), clusters.end(),
      [&](const slurm::ClusterEntry& cluster) { return to_lower(cluster.name) == to_lower(own); });
  if (entry == clusters.end() || entry->federation.empty()) return {};
  std::vector<ClusterChoice> choices;
  for (const slurm::ClusterEntry& cluster : clusters) {
    if (cluster.federation != entry->federation) continue;
    if (!is_listed(cluster.name, submission.clusters)) continue;
    choices.push_back({cluster.name,
                       cluster.features,
                       fits_constraint(cluster, submission.cluster_features),
                       {}});
  }
  return choices;
}

std::vector<std::string> viable_clusters(const std::string& own,
                                         const std::vector<ClusterChoice>& choices) {
  // What no cluster may run Slurm will refuse, or it knows better: then it may run on any.
  const bool has_any = std::any_of(choices.begin(), choices.end(),
                                   [](const ClusterChoice& choice) { return choice.is_viable; });
  std::vector<std::string> viable;
  for (const ClusterChoice& choice : choices) {
    if (choice.is_viable || !has_any) viable.push_back(choice.name);
  }
  if (viable.empty()) viable.push_back(own);
  return viable;
}

tl::expected<Candidates, Denial> find_candidates(const api::Submission& submission,
                                                 const pricing::PriceBook& book,
                                                 const ViewReader& view) {
  const std::string& own = submission.cluster;
  const auto associations = view.cache.associations(own);
  Candidates found;
  found.clusters = cluster_choices(submission, associations.get());
  const auto viable = viable_clusters(own, found.clusters);
  const std::vector<std::string> named = words_of(submission.partition);
  if (!submission.cluster_features.empty() && !named.empty()) {
    if (auto denial = fits_nowhere(submission, viable, named, view)) {
      return tl::unexpected(std::move(*denial));
    }
  }
  const auto add = [&](const std::string& cluster) -> std::optional<Denial> {
    const bool is_own = to_lower(cluster) == to_lower(own);
    if (!named.empty()) return add_cluster(found, cluster, is_own, named, book, view);
    const auto its_default = default_partition(cluster, is_own, book, view);
    if (!its_default) return its_default.error();
    if (its_default->empty()) return std::nullopt;
    return add_cluster(found, cluster, is_own, {*its_default}, book, view);
  };
  // A constraint that names no cluster with such a partition must not make a job free of charge: it
  // can be changed later.
  const bool has_own = std::any_of(viable.begin(), viable.end(), [&](const std::string& cluster) {
    return to_lower(cluster) == to_lower(own);
  });
  for (const std::string& cluster : viable) {
    if (auto denial = add(cluster)) return tl::unexpected(std::move(*denial));
  }
  if (found.units.empty() && !has_own) {
    if (auto denial = add(own)) return tl::unexpected(std::move(*denial));
  }
  const bool is_free = found.units.empty();
  if (is_free && associations == nullptr && may_cost_elsewhere(submission, named, book, view)) {
    return tl::unexpected(associations_unknown(own));
  }
  return found;
}

}  // namespace asbb::service
