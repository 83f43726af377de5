// What the simulated centre asks for its machines: the price book as text for the service, and the
// same prices as plain arithmetic for whoever checks it, which shares nothing with src/pricing.
#pragma once

#include <string>
#include <vector>

#include "base/time.h"
#include "simulation/slurm_jobs.h"

namespace asbb::simulation {

struct Cost {
  std::string unit;  // empty: nothing is asked for
  std::int64_t micros = 0;
  bool operator==(const Cost&) const = default;
};

class Tariff {
 public:
  // The next version, dearer than all before.
  [[nodiscard]] std::string next_text() const;
  void add_version(Instant effective_from) { effective_.push_back(effective_from); }

  // From 1 on; 0: before the first.
  [[nodiscard]] std::int64_t version_at(Instant at) const;

  // Of a run that has ended, as slurmdbd tells it.
  [[nodiscard]] Cost charge(std::int64_t version, const Run& run) const;
  // What is set aside for one task of the request on that cluster: 1.2 times the most that it can
  // cost.
  [[nodiscard]] Cost hold(std::int64_t version, const std::string& cluster,
                          const Request& request) const;
  [[nodiscard]] static bool is_priced(const std::string& partition) { return partition != "free"; }

 private:
  struct Rate {
    std::string unit;
    std::int64_t core_hour = 0;
    std::int64_t gpu_hour = 0;
    std::int64_t least_seconds = 0;
  };
  [[nodiscard]] static Rate rate(std::int64_t version, const std::string& cluster,
                                 const std::string& partition);

  std::vector<Instant> effective_;  // of version 1, 2 ...
};

}  // namespace asbb::simulation
