// A file that one process holds locked (flock) while it owns a database; it holds that process's
// id for people to read. The file stays when the lock goes. One owner; not for several threads.
#pragma once

#include <optional>
#include <string>

#include "base/result.h"

namespace asbb::store {

class LockFile {
 public:
  // Waits up to wait_ms; 0 tries once. unavailable: another one holds it; the message tells which
  // process. The file is created with mode 0600.
  [[nodiscard]] static Result<LockFile> acquire(const std::string& path, int wait_ms);

  // Who holds it, as "process 123"; nothing when nobody does or when it cannot be read.
  [[nodiscard]] static std::optional<std::string> holder(const std::string& path);

  LockFile(LockFile&& other) noexcept;
  LockFile& operator=(LockFile&& other) noexcept;
  ~LockFile();

 private:
  explicit LockFile(int descriptor) : descriptor_(descriptor) {}
  int descriptor_ = -1;
};

}  // namespace asbb::store
