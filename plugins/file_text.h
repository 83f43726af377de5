// The whole text of a small regular file, in memory of this object. Used for Slurm's configuration
// once at the start, and for the policy file when it changed. Movable by swap alone; one thread.
#pragma once

#include <sys/stat.h>

#include <cstddef>
#include <string_view>

namespace asbb::plugins {

class FileText {
 public:
  constexpr FileText() = default;
  ~FileText();
  FileText(const FileText&) = delete;
  FileText& operator=(const FileText&) = delete;

  // False, with a sentence for the log in problem(), when the file is not there, is not a regular
  // file, is larger than bytes_max, or cannot be read. Never waits on a fifo.
  [[nodiscard]] bool read(const char* path, std::size_t bytes_max);
  void swap(FileText& other);

  [[nodiscard]] std::string_view view() const { return {bytes_, length_}; }
  // Of the file that was read, from its descriptor.
  [[nodiscard]] const struct stat& status() const { return status_; }
  [[nodiscard]] const char* problem() const { return problem_; }

 private:
  bool read_from(int descriptor, std::size_t bytes_max);
  bool fail(const char* problem);

  char* bytes_ = nullptr;
  std::size_t length_ = 0;
  struct stat status_ = {};
  const char* problem_ = "";
};

}  // namespace asbb::plugins
