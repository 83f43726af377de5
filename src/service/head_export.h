// Writes the head of the chain where whoever may write the database may not: as a line of a file
// that only grows, and to syslog. A thread of its own, when there is anything to write to: at
// start, on a timer, and once more at stop. Owned by the program; the store outlives it. It reads
// only.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include "service/alarms.h"
#include "service/clock.h"
#include "store/heads.h"
#include "store/store.h"

namespace asbb::service {

struct HeadExportOptions {
  std::string file;  // empty: none
  Span interval = hours(1);
  bool to_syslog = false;
};

class HeadExport {
 public:
  using Say = std::function<void(const std::string&)>;

  // `say` takes the line for syslog.
  HeadExport(store::Store& store, Alarms& alarms, Clock clock, HeadExportOptions options,
             Say say = say_to_syslog);
  HeadExport(const HeadExport&) = delete;
  HeadExport& operator=(const HeadExport&) = delete;
  ~HeadExport();

  void start();
  // After the last commit: what it writes is the last word on this run.
  void stop();

  // One line on the caller's thread; raises an alarm when that fails. Writes nothing while there
  // are no entries.
  void write_once();

  static void say_to_syslog(const std::string& line);

 private:
  void loop();
  [[nodiscard]] Result<void> write(const store::KnownHead& head);

  store::Store& store_;
  Alarms& alarms_;
  const Clock clock_;
  const HeadExportOptions options_;
  const Say say_;

  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace asbb::service
