// Sorts more records than memory should hold: those that do not fit are put into files without a
// name in the folder for temporary files, in sorted pieces that are merged when they are read. One
// thread; the files go with the object.
#pragma once

#include <cstddef>
#include <cstdio>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace asbb::report {

class RecordSorter {
 public:
  static constexpr std::size_t usual_bytes = 16u * 1024u * 1024u;

  // `bytes_max` is what is kept in memory, about.
  explicit RecordSorter(std::size_t bytes_max = usual_bytes) : bytes_max_(bytes_max) {}
  RecordSorter(const RecordSorter&) = delete;
  RecordSorter& operator=(const RecordSorter&) = delete;

  // unavailable: the folder for temporary files is full or cannot be written.
  [[nodiscard]] Result<void> add(std::string record);

  // Every record in the order of its bytes; records that are equal come as often as they were
  // added. Once, after the last add(). `use` may stop it by an error, which is given back.
  [[nodiscard]] Result<void> for_each(const std::function<Result<void>(std::string_view)>& use);

 private:
  struct CloseFile {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  using File = std::unique_ptr<std::FILE, CloseFile>;

  [[nodiscard]] Result<void> put_aside();

  const std::size_t bytes_max_;
  std::size_t bytes_ = 0;
  std::vector<std::string> records_;
  std::vector<File> pieces_;
};

}  // namespace asbb::report
