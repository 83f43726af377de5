#include "store/durable_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "base/write_all.h"

namespace asbb::store {
namespace {

tl::unexpected<Error> system_failure(const std::string& doing, const std::string& path) {
  const int code = errno;
  const ErrorKind kind = code == ENOENT                     ? ErrorKind::not_found
                         : code == ENOSPC || code == EDQUOT ? ErrorKind::unavailable
                                                            : ErrorKind::broken;
  return fail(kind, "cannot " + doing + " " + path + ": " + std::strerror(code));
}

Result<void> sync_folder(const std::string& folder) {
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return system_failure("open the folder", folder);
  const bool synced = ::fsync(descriptor) == 0;
  auto failure = synced ? Result<void>() : system_failure("sync the folder", folder);
  ::close(descriptor);
  return failure;
}

}  // namespace

bool file_exists(const std::string& path) {
  return ::access(path.c_str(), F_OK) == 0;
}

bool give_to_folder_owner(int descriptor, const std::string& path) {
  if (::geteuid() != 0) return true;
  struct stat folder{};
  if (::stat(folder_of(path).c_str(), &folder) != 0) return false;
  return folder.st_uid == 0 || ::fchown(descriptor, folder.st_uid, folder.st_gid) == 0;
}

int open_or_create(const std::string& path, int flags, mode_t mode) {
  const int always = flags | O_CLOEXEC | O_NOFOLLOW;
  const int descriptor = ::open(path.c_str(), always | O_CREAT | O_EXCL, mode);
  if (descriptor < 0) return errno == EEXIST ? ::open(path.c_str(), always) : -1;
  if (give_to_folder_owner(descriptor, path)) return descriptor;
  const int code = errno;
  ::close(descriptor);
  errno = code;
  return -1;
}

Result<void> create_durable_file(const std::string& path, mode_t mode, std::string_view content) {
  const int descriptor =
      ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
  if (descriptor < 0) {
    if (errno == EEXIST) return fail(ErrorKind::conflict, path + " exists; it is not replaced");
    return system_failure("create", path);
  }
  const bool written = ::fchmod(descriptor, mode) == 0 && give_to_folder_owner(descriptor, path) &&
                       write_all(descriptor, content) && ::fsync(descriptor) == 0;
  auto outcome = written ? Result<void>() : system_failure("write", path);
  ::close(descriptor);
  if (outcome) outcome = sync_folder(folder_of(path));
  if (!outcome) ::unlink(path.c_str());
  return outcome;
}

Result<void> rename_durably(const std::string& from, const std::string& to) {
  if (::access(to.c_str(), F_OK) == 0) {
    return fail(ErrorKind::conflict, to + " exists; it is not replaced");
  }
  if (::rename(from.c_str(), to.c_str()) != 0) return system_failure("move to " + to, from);
  return sync_folder(folder_of(to));
}

std::string folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

Result<std::string> true_path(const std::string& path) {
  const auto resolve = [](const std::string& name) {
    const std::unique_ptr<char, decltype(&std::free)> found(::realpath(name.c_str(), nullptr),
                                                            &std::free);
    return found ? std::string(found.get()) : std::string();
  };
  if (path.empty() || path.find('\0') != std::string::npos) {
    return fail(ErrorKind::invalid, "the path of a file is empty or holds a NUL");
  }
  if (std::string whole = resolve(path); !whole.empty()) return whole;
  if (errno != ENOENT) return system_failure("reach", path);
  const std::string folder = resolve(folder_of(path));
  if (folder.empty()) return system_failure("reach the folder of", path);
  const std::size_t slash = path.rfind('/');
  return folder + "/" + (slash == std::string::npos ? path : path.substr(slash + 1));
}

}  // namespace asbb::store
