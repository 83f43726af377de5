// A file that appears under its name when it is complete, and not at all before. One thread.
#pragma once

#include <fstream>
#include <string>

#include "base/result.h"

namespace asbb::cli {

// Whose a file is that root makes.
enum class FileOwner { maker, folder };

class NewFile {
 public:
  explicit NewFile(std::string name);
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;
  ~NewFile();

  // unavailable: it is there already and may not be replaced, or its folder cannot be written.
  [[nodiscard]] Result<void> open(bool may_replace, FileOwner owner = FileOwner::maker);
  [[nodiscard]] std::ostream& stream() { return stream_; }
  // On the disk when it returns.
  [[nodiscard]] Result<void> finish(bool may_replace);

 private:
  const std::string name_;
  const std::string part_;
  std::ofstream stream_;
  bool is_made_ = false;
};

}  // namespace asbb::cli
