// A few threads for what blocks (long reads of the store, following new prices), so that the I/O
// threads and the committer never do. Bounded: what does not fit is refused at once. Thread-safe.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace asbb::service {

class WorkQueue {
 public:
  WorkQueue(std::size_t threads, std::size_t waiting_max);
  WorkQueue(const WorkQueue&) = delete;
  WorkQueue& operator=(const WorkQueue&) = delete;
  ~WorkQueue();

  // False when too much waits, or after stop(): the work is not run. Work must not throw.
  [[nodiscard]] bool push(std::function<void()> work);

  // Finishes what waits, then ends the threads. Idempotent.
  void stop();

 private:
  void loop();

  const std::size_t waiting_max_;
  std::mutex mutex_;
  std::condition_variable filled_;
  std::deque<std::function<void()>> waiting_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace asbb::service
