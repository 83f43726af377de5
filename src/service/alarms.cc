#include "service/alarms.h"

namespace asbb::service {

void Alarms::raise(const std::string& key, const std::string& message, Instant at) {
  const Alarm alarm{key, message, at};
  {
    const std::lock_guard lock(mutex_);
    const auto [known, fresh] = alarms_.emplace(key, alarm);
    if (!fresh) {
      known->second.message = message;
      return;
    }
  }
  if (on_new_) on_new_(alarm);
}

void Alarms::clear(const std::string& key) {
  const std::lock_guard lock(mutex_);
  alarms_.erase(key);
}

std::vector<Alarm> Alarms::list() const {
  const std::lock_guard lock(mutex_);
  std::vector<Alarm> out;
  for (const auto& [key, alarm] : alarms_) out.push_back(alarm);
  return out;
}

}  // namespace asbb::service
