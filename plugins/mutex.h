// A mutex that needs no C++ runtime: std::mutex may throw, and what throws has no place inside
// slurmctld. Held for a few microseconds only; never while a service is being asked.
#pragma once

#include <pthread.h>

namespace asbb::plugins {

class Mutex {
 public:
  constexpr Mutex() = default;
  Mutex(const Mutex&) = delete;
  Mutex& operator=(const Mutex&) = delete;

 private:
  friend class Locked;
  pthread_mutex_t mutex_ = PTHREAD_MUTEX_INITIALIZER;
};

// Holds a mutex for the length of a scope.
class Locked {
 public:
  explicit Locked(Mutex& mutex) : mutex_(mutex) { pthread_mutex_lock(&mutex_.mutex_); }
  ~Locked() { pthread_mutex_unlock(&mutex_.mutex_); }
  Locked(const Locked&) = delete;
  Locked& operator=(const Locked&) = delete;

 private:
  Mutex& mutex_;
};

}  // namespace asbb::plugins
