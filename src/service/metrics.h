// What GET /metrics shows, in Prometheus' text format: how requests fare, and how the ledger's
// thread does. No account is ever a label. Floating point stays in here and near time only; sums of
// money are written as decimals. Thread-safe.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "service/committer.h"

namespace asbb::service {

class Metrics {
 public:
  // Every name begins with `prefix` and a '_'.
  explicit Metrics(const std::string& prefix = "asbb");
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;
  ~Metrics();

  // With its '_'.
  [[nodiscard]] const std::string& prefix() const;

  // `route` is the pattern, never what a client sent.
  void observe_request(const std::string& route, int status,
                       std::chrono::steady_clock::duration took);

  struct Connections {
    std::int64_t open = 0;
    std::int64_t accepted = 0;
    std::int64_t refused = 0;
  };

  // `with_money`: sums over all accounts as well, for callers who may read every account.
  [[nodiscard]] std::string render(const Committer& committer, const Connections& connections,
                                   std::size_t alarms, bool with_money) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace asbb::service
