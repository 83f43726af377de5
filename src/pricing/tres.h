// What a job asks for or has been given, in Slurm's own terms (TRES), as far as it can have a
// price: nodes, CPUs, memory, GPUs by type. Reads the texts in which Slurm writes it. Plain values;
// no I/O, no clock, no threads, no floating point.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/result.h"

namespace asbb::pricing {

// No count of anything may exceed this; larger numbers in a text are an error, so that products
// with rates stay in range.
inline constexpr std::int64_t max_count = 1'000'000'000;
inline constexpr std::int64_t max_memory_mb = 1'000'000'000'000;

struct Tres {
  std::int64_t nodes = 0;
  std::int64_t cores = 0;  // CPUs as Slurm counts them: a thread, or a core where CPUs are cores
  std::int64_t memory_mb = 0;
  std::map<std::string, std::int64_t> gpus_by_type;  // lower case; "" where the type is not said
  // Of `nodes`, those whose instance type has a rate of its own; only where a price tells them
  // apart (Rate::per_instance_hour).
  std::map<std::string, std::int64_t> nodes_by_type = {};

  [[nodiscard]] std::int64_t gpus() const;  // of all types
  bool operator==(const Tres&) const = default;
};

// AllocTRES of sacct: "billing=1,cpu=4,gres/gpu:a100=2,gres/gpu=2,mem=4000M,node=1". Where
// "gres/gpu=N" stands beside typed entries it is their total: only what the types do not explain
// counts as untyped. Memory has K, M, G or T, maybe with decimals ("62.50G", rounded up to MB;
// `sacct --noconvert` writes it exactly); without a suffix it is MB. Empty text is no TRES at all.
// TRES without a price (billing, energy, licenses...) are ignored. Refused: ids instead of names
// ("1=4"), numbers that are negative, fractional or too large, a name that comes twice.
[[nodiscard]] Result<Tres> parse_allocated_tres(std::string_view text);

// What a request says per job, node, socket or task, in the words of every Slurm version:
// "gres:gpu:a100:2", "gres/gpu:2", "gpu:2", "gpu:a100", "gres/gpu:a100=2", "cpu=4", lists with
// commas. A missing count is 1. Other gres are ignored. The same name twice adds up.
[[nodiscard]] Result<Tres> parse_requested_tres(std::string_view text);

// The largest value that a text such as "gres:gpu:4096" (mem_per_tres, cpus_per_tres) gives for
// any GPU type; 0 when it names no GPU.
[[nodiscard]] Result<std::int64_t> parse_per_gpu_value(std::string_view text);

// Nodes that nodes_by_type does not tell of; never negative.
[[nodiscard]] std::int64_t other_nodes(const Tres& tres);

// For people: "2 nodes, 64 CPUs, 128000 MB, 4 GPUs a100"; "3 nodes (2 c5.xlarge, 1 other)" where
// instance types are told apart.
[[nodiscard]] std::string to_string(const Tres& tres);

}  // namespace asbb::pricing
