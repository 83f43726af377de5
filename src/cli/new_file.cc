#include "cli/new_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "store/durable_file.h"

namespace asbb::cli {
namespace {

Error file_error(const std::string& file, int code) {
  const std::string why = code == EEXIST ? "it exists; --force replaces it" : std::strerror(code);
  return Error{ErrorKind::unavailable, "'" + file + "' cannot be written: " + why, "--file"};
}

}  // namespace

NewFile::NewFile(std::string name)
    : name_(std::move(name)), part_(name_ + ".part-" + std::to_string(::getpid())) {}

NewFile::~NewFile() {
  if (is_made_) ::unlink(part_.c_str());
}

Result<void> NewFile::open(bool may_replace, FileOwner owner) {
  if (!may_replace && ::access(name_.c_str(), F_OK) == 0) {
    return tl::unexpected(file_error(name_, EEXIST));
  }
  const int descriptor = ::open(part_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
  if (descriptor < 0) return tl::unexpected(file_error(name_, errno));
  is_made_ = true;
  const bool is_given = owner == FileOwner::maker || store::give_to_folder_owner(descriptor, part_);
  const int why = errno;
  ::close(descriptor);
  if (!is_given) return tl::unexpected(file_error(name_, why));
  stream_.open(part_, std::ios::binary);
  return {};
}

Result<void> NewFile::finish(bool may_replace) {
  stream_.close();
  if (!stream_) return tl::unexpected(file_error(name_, ENOSPC));
  const int descriptor = ::open(part_.c_str(), O_RDONLY | O_CLOEXEC);
  const bool synced = descriptor >= 0 && ::fsync(descriptor) == 0;
  if (descriptor >= 0) ::close(descriptor);
  if (!synced) return tl::unexpected(file_error(name_, EIO));
  // A link never replaces what somebody made meanwhile.
  const int code = may_replace ? std::rename(part_.c_str(), name_.c_str())
                               : ::link(part_.c_str(), name_.c_str());
  if (code != 0) return tl::unexpected(file_error(name_, errno));
  if (may_replace) is_made_ = false;
  return {};
}

}  // namespace asbb::cli
