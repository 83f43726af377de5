#include "simulation/tariff.h"

#include <algorithm>

namespace asbb::simulation {
namespace {

constexpr std::int64_t hour = 3'600;

std::int64_t divided_half_even(std::int64_t amount, std::int64_t by) {
  const std::int64_t whole = amount / by;
  const std::int64_t twice_rest = 2 * (amount % by);
  const bool goes_up = twice_rest > by || (twice_rest == by && whole % 2 == 1);
  return whole + (goes_up ? 1 : 0);
}

std::int64_t divided_up(std::int64_t amount, std::int64_t by) {
  return (amount + by - 1) / by;
}

std::string decimal(std::int64_t micros) {
  std::string fraction = std::to_string(1'000'000 + micros % 1'000'000);
  return std::to_string(micros / 1'000'000) + "." + fraction.substr(1);
}

}  // namespace

Tariff::Rate Tariff::rate(std::int64_t version, const std::string& cluster,
                          const std::string& partition) {
  const std::int64_t tenths = 9 + version;
  if (partition == "gpu") return {"USD", 11'000 * tenths, 240'000 * tenths, 60};
  if (partition != "batch") return {};
  if (cluster == "onprem") return {"core-hours", 100'000 * tenths, 0, 0};
  return {"USD", 35'000 * tenths, 0, 0};
}

std::string Tariff::next_text() const {
  const auto version = static_cast<std::int64_t>(effective_.size()) + 1;
  const auto price = [&](const std::string& cluster, const std::string& partition) {
    const Rate asked = rate(version, cluster, partition);
    std::string text = "- cluster: \"" + (partition == "gpu" ? std::string("*") : cluster) + "\"\n";
    text += "  partition: " + partition + "\n  unit: " + asked.unit + "\n";
    text += "  per_core_hour: " + decimal(asked.core_hour) + "\n";
    if (asked.gpu_hour > 0) text += "  per_gpu_hour: " + decimal(asked.gpu_hour) + "\n";
    text += "  minimum_seconds: " + std::to_string(asked.least_seconds) + "\n";
    return text;
  };
  return "prices:\n" + price("onprem", "batch") + price("cloud", "batch") + price("cloud", "gpu");
}

std::int64_t Tariff::version_at(Instant at) const {
  std::int64_t version = 0;
  Instant since;
  for (std::size_t i = 0; i < effective_.size(); ++i) {
    if (at < effective_[i] || effective_[i] < since) continue;
    since = effective_[i];
    version = static_cast<std::int64_t>(i) + 1;
  }
  return version;
}

Cost Tariff::charge(std::int64_t version, const Run& run) const {
  const Rate asked = rate(version, run.cluster, run.partition);
  if (asked.unit.empty()) return {};
  const std::int64_t seconds = std::max(run.elapsed_seconds, asked.least_seconds);
  const std::int64_t an_hour = run.cpus * asked.core_hour + run.gpus * asked.gpu_hour;
  return {asked.unit, divided_half_even(an_hour * seconds, hour)};
}

Cost Tariff::hold(std::int64_t version, const std::string& cluster, const Request& request) const {
  const Rate asked = rate(version, cluster, request.partition);
  if (asked.unit.empty()) return {};
  const std::int64_t an_hour = request.cpus * asked.core_hour + request.gpus * asked.gpu_hour;
  const std::int64_t minutes = request.limit_minutes + over_time_minutes(cluster);
  const std::int64_t seconds = std::max(minutes * 60, asked.least_seconds);
  const std::int64_t estimate = divided_up(an_hour * seconds, hour);
  return {asked.unit, divided_up(estimate * 12, 10)};
}

}  // namespace asbb::simulation
