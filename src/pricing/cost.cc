#include "pricing/cost.h"

#include <algorithm>

#include "base/assert.h"

namespace asbb::pricing {
namespace {

__extension__ using Wide = __int128;
using MaybeWide = std::optional<Wide>;

constexpr std::int64_t seconds_per_hour = 3600;
constexpr std::int64_t mb_per_gb = 1024;

MaybeWide times(MaybeWide a, std::int64_t b) {
  Wide out = 0;
  if (!a || __builtin_mul_overflow(*a, static_cast<Wide>(b), &out)) return std::nullopt;
  return out;
}

MaybeWide plus(MaybeWide a, MaybeWide b) {
  Wide out = 0;
  if (!a || !b || __builtin_add_overflow(*a, *b, &out)) return std::nullopt;
  return out;
}

// hourly / denominator x seconds, in millionths. All values are at least zero.
std::optional<Micros> for_seconds(MaybeWide hourly, std::int64_t denominator, std::int64_t seconds,
                                  Rounding rounding) {
  const MaybeWide numerator = times(hourly, seconds);
  const MaybeWide divisor = times(static_cast<Wide>(denominator), seconds_per_hour);
  if (!numerator || !divisor) return std::nullopt;
  Wide quotient = *numerator / *divisor;
  const Wide remainder = *numerator % *divisor;
  const Wide other_half = *divisor - remainder;
  switch (rounding) {
    case Rounding::up:
      if (remainder != 0) ++quotient;
      break;
    case Rounding::half_even:
      if (remainder > other_half || (remainder == other_half && quotient % 2 != 0)) ++quotient;
      break;
  }
  if (quotient > max_amount.count()) return std::nullopt;
  return Micros(static_cast<std::int64_t>(quotient));
}

// GPUs of all types at their rates, per hour.
MaybeWide gpus_hourly(const Rate& rate, const Tres& tres) {
  MaybeWide sum = Wide{0};
  for (const auto& [type, count] : tres.gpus_by_type) {
    sum = plus(sum, times(static_cast<Wide>(rate.gpu_hour(type).count()), count));
  }
  return sum;
}

MaybeWide product(std::int64_t count, Micros rate) {
  return times(static_cast<Wide>(rate.count()), count);
}

// Nodes of all instance types at their rates, per hour.
MaybeWide nodes_hourly(const Rate& rate, const Tres& tres) {
  if (!rate.tells_instances()) return product(tres.nodes, rate.per_node_hour);
  MaybeWide sum = Wide{0};
  for (const auto& [type, count] : tres.nodes_by_type) {
    sum = plus(sum, product(count, rate.node_hour(type)));
  }
  return plus(sum, product(other_nodes(tres), rate.node_hour("")));
}

struct Part {
  MaybeWide hourly;  // millionths x denominator
  std::int64_t denominator = 1;
};

Part sum_part(const Rate& rate, const Tres& tres) {
  const MaybeWide whole =
      plus(plus(nodes_hourly(rate, tres), product(tres.cores, rate.per_core_hour)),
           gpus_hourly(rate, tres));
  return {plus(times(whole, mb_per_gb), product(tres.memory_mb, rate.per_gb_hour)), mb_per_gb};
}

// What the largest part is chosen from, for Basis::share.
std::vector<Part> share_parts(const Rate& rate, const Tres& tres) {
  if (rate.node) {
    std::vector<Part> parts;
    const auto add = [&](std::int64_t used, std::int64_t capacity) {
      if (capacity > 0) parts.push_back({product(used, rate.per_node_hour), capacity});
    };
    add(tres.cores, rate.node->cores);
    add(tres.memory_mb, rate.node->memory_mb);
    add(tres.gpus(), rate.node->gpus);
    return parts;
  }
  return {{product(tres.cores, rate.per_core_hour), 1},
          {product(tres.memory_mb, rate.per_gb_hour), mb_per_gb},
          {gpus_hourly(rate, tres), 1}};
}

// What an hour costs: the largest of these.
std::vector<Part> parts_of(const Rate& rate, const Tres& tres) {
  switch (rate.basis) {
    case Basis::tres:
      return {sum_part(rate, tres)};
    case Basis::node:
      return {{nodes_hourly(rate, tres), 1}};
    case Basis::share:
      return share_parts(rate, tres);
  }
  return {};
}

// Rounding keeps order, so the largest of the rounded parts is the rounded largest part.
std::optional<Micros> largest_part(const std::vector<Part>& parts, std::int64_t seconds,
                                   Rounding rounding) {
  Micros largest;
  for (const Part& part : parts) {
    const auto amount = for_seconds(part.hourly, part.denominator, seconds, rounding);
    if (!amount) return std::nullopt;
    largest = std::max(largest, *amount);
  }
  return largest;
}

std::string term(std::int64_t count, const std::string& singular, const std::string& plural,
                 Micros rate) {
  return std::to_string(count) + " " + (count == 1 ? singular : plural) + " x " + to_display(rate);
}

std::string node_share_terms(const NodeCapacity& node, const Tres& tres, Micros per_node) {
  std::string out;
  const auto add = [&](std::int64_t used, std::int64_t capacity, const std::string& what) {
    if (capacity == 0) return;
    out += (out.empty() ? "the largest of " : ", ") + std::to_string(used) + "/" +
           std::to_string(capacity) + " " + what;
  };
  add(tres.cores, node.cores, "CPUs");
  add(tres.memory_mb, node.memory_mb, "MB");
  add(tres.gpus(), node.gpus, "GPUs");
  return out + " of a node x " + to_display(per_node);
}

std::vector<std::string> node_terms(const Rate& rate, const Tres& tres) {
  std::vector<std::string> terms;
  const auto add = [&](std::int64_t count, const std::string& kind, Micros price) {
    if (count > 0 && !price.is_zero())
      terms.push_back(term(count, "node" + kind, "nodes" + kind, price));
  };
  if (!rate.tells_instances()) {
    add(tres.nodes, "", rate.per_node_hour);
    return terms;
  }
  for (const auto& [type, count] : tres.nodes_by_type) add(count, " " + type, rate.node_hour(type));
  add(other_nodes(tres), " of another type", rate.node_hour(""));
  return terms;
}

}  // namespace

std::optional<Micros> cost(const Rate& rate, const Tres& tres, std::int64_t seconds,
                           Rounding rounding) {
  ASBB_ASSERT(seconds >= 0 && tres.nodes >= 0 && tres.cores >= 0 && tres.memory_mb >= 0);
  if (rate.free) return Micros();
  return largest_part(parts_of(rate, tres), seconds, rounding);
}

bool costs_less(const Rate& rate, const Tres& a, const Tres& b) {
  const std::vector<Part> of_a = parts_of(rate, a);
  const std::vector<Part> of_b = parts_of(rate, b);
  for (std::size_t i = 0; i < of_a.size(); ++i) {
    if (of_a[i].hourly && (!of_b[i].hourly || *of_a[i].hourly < *of_b[i].hourly)) return true;
  }
  return false;
}

std::int64_t billed_seconds(const Rate& rate, std::int64_t seconds) {
  return std::max(seconds, rate.minimum_seconds);
}

std::string hourly_terms(const Rate& rate, const Tres& tres) {
  if (rate.basis == Basis::share && rate.node) {
    return node_share_terms(*rate.node, tres, rate.per_node_hour);
  }
  std::vector<std::string> terms = node_terms(rate, tres);
  if (tres.cores > 0 && !rate.per_core_hour.is_zero()) {
    terms.push_back(term(tres.cores, "CPU", "CPUs", rate.per_core_hour));
  }
  for (const auto& [type, count] : tres.gpus_by_type) {
    const std::string name = type.empty() ? "" : " " + type;
    terms.push_back(term(count, "GPU" + name, "GPUs" + name, rate.gpu_hour(type)));
  }
  if (tres.memory_mb > 0 && !rate.per_gb_hour.is_zero()) {
    terms.push_back(term(tres.memory_mb, "MB", "MB", rate.per_gb_hour) + " per GB");
  }
  if (terms.empty()) return "0.00";
  std::string out = rate.basis == Basis::share ? "the largest of " + terms.front() : terms.front();
  for (std::size_t i = 1; i < terms.size(); ++i) {
    out += (rate.basis == Basis::share ? ", " : " + ") + terms[i];
  }
  return out;
}

}  // namespace asbb::pricing
