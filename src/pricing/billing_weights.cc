#include "pricing/billing_weights.h"

#include <algorithm>

namespace asbb::pricing {
namespace {

__extension__ using Wide = __int128;

constexpr std::int64_t million = 1'000'000;
constexpr std::int64_t scale_max = million;
constexpr std::int64_t mb_per_gb = 1024;

std::vector<Micros> all_rates(const Rate& rate) {
  std::vector<Micros> out{rate.per_node_hour, rate.per_core_hour, rate.per_gb_hour};
  for (const auto& [type, price] : rate.per_instance_hour) out.push_back(price);
  for (const auto& [type, price] : rate.per_gpu_hour) out.push_back(price);
  return out;
}

bool is_scaled(const Rate& rate, std::int64_t scale) {
  const auto prices = all_rates(rate);
  const bool are_whole = std::all_of(prices.begin(), prices.end(), [&](Micros price) {
    return static_cast<Wide>(price.count()) * scale % million == 0;
  });
  const bool is_fine_enough =
      rate.per_gb_hour.is_zero() || rate.per_core_hour.is_zero() ||
      static_cast<Wide>(rate.per_core_hour.count()) * scale >= 100 * million;
  return are_whole && is_fine_enough;
}

// `price` x scale / `parts`, to the nearest millionth; 0 where it is too large for a weight.
Micros weight_of(Micros price, std::int64_t scale, std::int64_t parts) {
  const auto scaled = price.times(scale);
  if (!scaled || parts <= 0) return {};
  return Micros(mul_div(scaled->count(), 1, parts, Rounding::half_even).value_or(0));
}

class Maker {
 public:
  Maker(const Rate& rate, std::int64_t scale) : rate_(rate) { out_.scale = scale; }

  BillingWeights make() {
    add("Node", node_price());
    if (rate_.basis == Basis::node) return std::move(out_);
    out_.needs_max_tres = rate_.basis == Basis::share;
    if (rate_.node && rate_.basis == Basis::share && !rate_.per_node_hour.is_zero()) {
      out_.weights.clear();
      add_shares(*rate_.node);
    } else {
      add("CPU", rate_.per_core_hour);
      add("Mem", rate_.per_gb_hour);
      add_gpus();
    }
    if (rate_.minimum_seconds > 0) {
      out_.notes.push_back("minimum_seconds: Slurm bills the time that a job ran and no more");
    }
    return std::move(out_);
  }

 private:
  void add(const std::string& tres, Micros price, std::int64_t parts = 1) {
    const Micros weight = weight_of(price, out_.scale, parts);
    if (!weight.is_zero()) out_.weights.push_back({tres, weight});
  }

  Micros node_price() {
    if (rate_.per_instance_hour.empty()) return rate_.per_node_hour;
    out_.notes.push_back(
        "per_node_hour by instance type: Slurm has one weight for a node, that of the dearest");
    return rate_.node_hour(rate_.dearest_instance());
  }

  // What a node costs, for the part of it that a job takes.
  void add_shares(const NodeCapacity& node) {
    add("CPU", rate_.per_node_hour, node.cores);
    if (node.memory_mb > 0) {
      const auto of_gb =
          mul_div(rate_.per_node_hour.count(), mb_per_gb, node.memory_mb, Rounding::half_even);
      add("Mem", Micros(of_gb.value_or(0)));
    }
    if (node.gpus > 0) add("GRES/gpu", rate_.per_node_hour, node.gpus);
  }

  void add_gpus() {
    const auto any = rate_.per_gpu_hour.find("*");
    const bool is_one_price = any != rate_.per_gpu_hour.end() && rate_.per_gpu_hour.size() == 1;
    if (is_one_price) return add("GRES/gpu", any->second);
    for (const auto& [type, price] : rate_.per_gpu_hour) {
      if (type != "*") add("GRES/gpu:" + type, price);
    }
    if (rate_.per_gpu_hour.empty()) return;
    out_.notes.push_back(
        "per_gpu_hour by type: AccountingStorageTRES must list each, and a GPU of another type is "
        "not billed");
  }

  const Rate& rate_;
  BillingWeights out_;
};

std::int64_t count_of(const std::string& name, const Tres& tres) {
  if (name == "CPU") return tres.cores;
  if (name == "Node") return tres.nodes;
  if (name == "GRES/gpu") return tres.gpus();
  const auto found = tres.gpus_by_type.find(name.substr(name.find(':') + 1));
  return found == tres.gpus_by_type.end() ? 0 : found->second;
}

}  // namespace

std::string BillingWeights::text() const {
  std::string text;
  for (const BillingWeight& one : weights) {
    text += (text.empty() ? "" : ",") + one.tres + "=" + to_decimal(one.weight);
    if (one.tres == "Mem") text += "G";
  }
  return text;
}

std::int64_t billing_scale(const std::vector<Rate>& rates) {
  std::int64_t scale = 1;
  const auto fits = [&](const Rate& rate) { return rate.free || is_scaled(rate, scale); };
  while (scale < scale_max && !std::all_of(rates.begin(), rates.end(), fits)) scale *= 10;
  return scale;
}

BillingWeights billing_weights(const Rate& rate, std::int64_t scale) {
  return Maker(rate, scale).make();
}

std::int64_t slurm_billing(const BillingWeights& weights, const Tres& tres, bool with_max_tres) {
  Wide sum = 0;
  for (const BillingWeight& one : weights.weights) {
    const bool is_memory = one.tres == "Mem";
    const std::int64_t count = is_memory ? tres.memory_mb : count_of(one.tres, tres);
    // in millionths of a 1024th
    const Wide part = static_cast<Wide>(one.weight.count()) * count * (is_memory ? 1 : mb_per_gb);
    sum = with_max_tres ? std::max(sum, part) : sum + part;
  }
  return static_cast<std::int64_t>(sum / mb_per_gb / million);
}

}  // namespace asbb::pricing
