#include "service/head_export.h"

#include <syslog.h>

#include <chrono>
#include <utility>

#include "base/assert.h"
#include "store/chain.h"

namespace asbb::service {

HeadExport::HeadExport(store::Store& store, Alarms& alarms, Clock clock, HeadExportOptions options,
                       Say say)
    : store_(store),
      alarms_(alarms),
      clock_(std::move(clock)),
      options_(std::move(options)),
      say_(std::move(say)) {}

HeadExport::~HeadExport() {
  stop();
}

void HeadExport::start() {
  ASBB_ASSERT(!thread_.joinable());
  if (options_.file.empty() && !options_.to_syslog) return;
  thread_ = std::thread([this] { loop(); });
}

void HeadExport::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  if (!thread_.joinable()) return;
  thread_.join();
  write_once();
}

void HeadExport::loop() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    lock.unlock();
    write_once();
    lock.lock();
    wake_.wait_for(lock, std::chrono::microseconds(options_.interval.microseconds),
                   [&] { return stopping_; });
  }
}

void HeadExport::write_once() {
  constexpr const char* key = "head of the audit chain";
  const auto newest = store::newest_entry(store_);
  if (newest && !*newest) return;
  const Result<void> written = newest
                                   ? write({(*newest)->entry.sequence,
                                            store::to_hex((*newest)->chain), to_rfc3339(clock_())})
                                   : tl::unexpected(newest.error());
  if (written) {
    alarms_.clear(key);
  } else {
    alarms_.raise(key,
                  "the head of the audit chain is not written down: " + written.error().message,
                  clock_());
  }
}

Result<void> HeadExport::write(const store::KnownHead& head) {
  if (options_.to_syslog) say_("head of the audit chain: " + store::head_line(head));
  if (options_.file.empty()) return {};
  return store::append_head(options_.file, head);
}

void HeadExport::say_to_syslog(const std::string& line) {
  ::syslog(LOG_NOTICE | LOG_DAEMON, "asbb: %s", line.c_str());
}

}  // namespace asbb::service
