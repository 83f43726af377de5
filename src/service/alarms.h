// What a person has to look at: a job that ran and could not be charged, a hold that nothing
// explains, a source that does not answer. Raised by the reconciler and the refresher, shown by
// /api/v1/status and logged once. An alarm with the same key is the same alarm; clearing it says
// that its cause is gone. Thread-safe.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "base/time.h"

namespace asbb::service {

struct Alarm {
  std::string key;      // "unheld onprem 4711", stable over passes
  std::string message;  // a sentence with the next step
  Instant since;
};

class Alarms {
 public:
  // Called outside the lock for each new alarm; must not block for long.
  explicit Alarms(std::function<void(const Alarm&)> on_new = {}) : on_new_(std::move(on_new)) {}

  void raise(const std::string& key, const std::string& message, Instant at);
  void clear(const std::string& key);
  [[nodiscard]] std::vector<Alarm> list() const;

 private:
  const std::function<void(const Alarm&)> on_new_;
  mutable std::mutex mutex_;
  std::map<std::string, Alarm> alarms_;
};

}  // namespace asbb::service
