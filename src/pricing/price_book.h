// What things cost: rates per cluster and partition, in dated and numbered versions. A book is
// immutable once it is stored; changing a price is a new version. Plain values; whoever holds a
// book owns it. Nothing here reads a file or a clock: text comes in, text goes out.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/money.h"
#include "base/result.h"
#include "base/time.h"

namespace asbb::pricing {

enum class Basis {
  tres,  // the sum of the rates of what is allocated
  node,  // nodes, whatever part of them is used
  share  // the largest share: of what CPUs, memory and GPUs cost each, the dearest counts
};
[[nodiscard]] std::string_view to_string(Basis basis);

// What one node has, for Basis::share with a price per node: the job pays for the largest of
// CPUs / cores, memory / memory_mb and GPUs / gpus.
struct NodeCapacity {
  std::int64_t cores = 0;
  std::int64_t memory_mb = 0;
  std::int64_t gpus = 0;
  bool operator==(const NodeCapacity&) const = default;
};

// Largest rate that is accepted: a thousand million units an hour.
inline constexpr Micros max_rate{1'000'000'000'000'000};
inline constexpr std::int64_t max_minimum_seconds = 86'400;

struct Rate {
  std::string cluster = "*";    // lower case as Slurm keeps it; "*" for every cluster
  std::string partition = "*";  // "*" for every partition
  std::string unit;             // empty when free
  Basis basis = Basis::tres;
  Micros per_node_hour;                             // of every node; 0 with per_instance_hour
  std::map<std::string, Micros> per_instance_hour;  // by instance type; "*" is any other one
  Micros per_core_hour;                             // per CPU as Slurm counts them
  Micros per_gb_hour;                               // 1 GB is 1024 MB, as in Slurm
  std::map<std::string, Micros> per_gpu_hour;       // by type in lower case; "*" is any other type
  std::optional<NodeCapacity> node;                 // Basis::share with per_node_hour only
  std::int64_t minimum_seconds = 0;  // a job that started is billed at least this long
  bool free = false;                 // said to be unpriced

  // Rate of a GPU type; "" is a GPU whose type Slurm does not say. A type that is not listed costs
  // what "*" says, and without a "*" as much as the dearest listed type: never too little.
  [[nodiscard]] Micros gpu_hour(const std::string& type) const;

  // Whether a node's instance type decides what it costs.
  [[nodiscard]] bool tells_instances() const { return !per_instance_hour.empty(); }

  // The instance type of a node with these features: the listed type that is one of them, the
  // dearest of several; "" where none is.
  [[nodiscard]] std::string instance_type(const std::vector<std::string>& features) const;

  // Rate of a node of that instance type, by the rule of gpu_hour: "" is a node of no listed type.
  [[nodiscard]] Micros node_hour(const std::string& type) const;

  // Whether "*" says what a node of no listed type costs.
  [[nodiscard]] bool prices_other_instances() const;

  // The type that no other is dearer than: what a node counts as that Slurm no longer knows.
  [[nodiscard]] std::string dearest_instance() const;
  bool operator==(const Rate&) const = default;
};

struct PriceBook {
  std::int64_t version = 0;  // given by the store; 0 while it has none
  Instant effective_from;
  std::vector<Rate> rates;  // sorted by cluster and partition, each pair once

  // The rate that applies, nothing where there is none. The most specific wins: cluster and
  // partition named, then the partition named, then the cluster named, then "*" for both.
  [[nodiscard]] const Rate* find(std::string_view cluster, std::string_view partition) const;

  // The rate when it costs something: nothing for a partition that is free or has no rate.
  // Nothing means that no hold is needed.
  [[nodiscard]] const Rate* find_priced(std::string_view cluster, std::string_view partition) const;
  bool operator==(const PriceBook&) const = default;
};

struct PriceBookDefaults {
  Instant effective_from;         // where the text does not say
  std::string time_zone = "UTC";  // where a day begins
};

// Reads the YAML of docs/concepts/pricing.md. Every problem is listed in the error's message, one
// a line, as "source:line: what is wrong, what is allowed". The version stays 0.
[[nodiscard]] Result<PriceBook> parse_price_book(std::string_view text, std::string_view source,
                                                 const PriceBookDefaults& defaults);

// The one form in which a book is stored: YAML, sorted, everything said. Reading it back gives the
// same book but for the version.
[[nodiscard]] std::string to_canonical_text(const PriceBook& book);

// All versions. Not thread-safe for writing; const methods may be called by many threads.
class PriceHistory {
 public:
  // The version must be positive and new (conflict).
  Result<void> add(PriceBook book);

  // The book with the latest effective_from that is not after `at`; of several with the same
  // moment the highest version. Null before the first.
  [[nodiscard]] const PriceBook* in_force(Instant at) const;
  [[nodiscard]] const PriceBook* by_version(std::int64_t version) const;

  [[nodiscard]] const std::vector<PriceBook>& books() const { return books_; }

 private:
  std::vector<PriceBook> books_;  // by effective_from, then version
};

}  // namespace asbb::pricing
