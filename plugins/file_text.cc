#include "plugins/file_text.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <utility>

namespace asbb::plugins {

FileText::~FileText() {
  std::free(bytes_);
}

void FileText::swap(FileText& other) {
  std::swap(bytes_, other.bytes_);
  std::swap(length_, other.length_);
  std::swap(status_, other.status_);
  std::swap(problem_, other.problem_);
}

bool FileText::read(const char* path, std::size_t bytes_max) {
  const int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (descriptor < 0) return fail(errno == ENOENT ? "is not there" : "cannot be opened");
  const bool is_read = read_from(descriptor, bytes_max);
  close(descriptor);
  return is_read;
}

bool FileText::read_from(int descriptor, std::size_t bytes_max) {
  if (fstat(descriptor, &status_) != 0 || !S_ISREG(status_.st_mode)) {
    return fail("is not a regular file");
  }
  if (static_cast<std::size_t>(status_.st_size) > bytes_max) return fail("is too large");
  const auto size = static_cast<std::size_t>(status_.st_size);
  auto* bytes = static_cast<char*>(std::realloc(bytes_, size + 1));
  if (bytes == nullptr) return fail("does not fit into memory");
  bytes_ = bytes;
  length_ = 0;
  while (length_ < size) {
    const ssize_t got = ::read(descriptor, bytes_ + length_, size - length_);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return fail("cannot be read");
    length_ += static_cast<std::size_t>(got);
  }
  return true;
}

bool FileText::fail(const char* problem) {
  problem_ = problem;
  length_ = 0;
  return false;
}

}  // namespace asbb::plugins
