#include "store/lock_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <thread>
#include <utility>

#include "store/durable_file.h"

namespace asbb::store {
namespace {

// How often a waiting standby looks; far below the two seconds in which it must take over.
constexpr std::chrono::milliseconds look_again{20};

tl::unexpected<Error> lock_failure(const std::string& path) {
  return fail(ErrorKind::broken, "cannot use the lock file " + path + ": " + std::strerror(errno));
}

// A lock on a file that somebody removed or replaced keeps nobody out.
bool is_still_there(int descriptor, const std::string& path) {
  struct stat held{};
  struct stat named{};
  return ::fstat(descriptor, &held) == 0 && ::stat(path.c_str(), &named) == 0 &&
         held.st_dev == named.st_dev && held.st_ino == named.st_ino;
}

std::string holder_of(int descriptor) {
  char text[32] = {};
  const ssize_t count = ::pread(descriptor, text, sizeof text - 1, 0);
  std::string holder(text, count > 0 ? static_cast<std::size_t>(count) : 0);
  while (!holder.empty() && holder.back() == '\n') holder.pop_back();
  return holder.empty() ? "another process" : "process " + holder;
}

bool write_holder(int descriptor) {
  const std::string text = std::to_string(::getpid()) + "\n";
  return ::ftruncate(descriptor, 0) == 0 &&
         ::pwrite(descriptor, text.data(), text.size(), 0) == static_cast<ssize_t>(text.size());
}

}  // namespace

Result<LockFile> LockFile::acquire(const std::string& path, int wait_ms) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(wait_ms);
  while (true) {
    LockFile lock(open_or_create(path, O_RDWR, 0600));
    if (lock.descriptor_ < 0) return lock_failure(path);
    if (::flock(lock.descriptor_, LOCK_EX | LOCK_NB) == 0) {
      if (!is_still_there(lock.descriptor_, path)) continue;
      // On a full disk the lock holds without its note of who has it.
      static_cast<void>(write_holder(lock.descriptor_));
      return lock;
    }
    if (errno != EWOULDBLOCK && errno != EINTR) return lock_failure(path);
    if (std::chrono::steady_clock::now() >= deadline) {
      return fail(ErrorKind::unavailable, "the lock " + path + " is held by " +
                                              holder_of(lock.descriptor_) +
                                              "; only one at a time may write to its database");
    }
    std::this_thread::sleep_for(look_again);
  }
}

// A shared lock for a moment: it keeps a starting owner waiting for no longer than that.
std::optional<std::string> LockFile::holder(const std::string& path) {
  const LockFile probe(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (probe.descriptor_ < 0) return std::nullopt;
  if (::flock(probe.descriptor_, LOCK_SH | LOCK_NB) == 0 || errno != EWOULDBLOCK) {
    return std::nullopt;
  }
  return holder_of(probe.descriptor_);
}

LockFile::LockFile(LockFile&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}

LockFile& LockFile::operator=(LockFile&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  return *this;
}

LockFile::~LockFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

}  // namespace asbb::store
