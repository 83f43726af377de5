// Edits of slurm.conf and slurmdbd.conf for accounting on several clusters: one file set at a time,
// each edit on top of the one before. Whatever else an administrator wrote stays byte by byte.
// Pure; nothing is written here.
#pragma once

#include <string>
#include <vector>

#include "cli/slurm_configure_files.h"

namespace asbb::cli {

class ConfEditor {
 public:
  // The main file first, as read_slurm_conf gives them.
  explicit ConfEditor(std::vector<ConfFile> files) : files_(std::move(files)) {}

  // The last value, without quotes; empty when the key is not there.
  [[nodiscard]] std::string value(const std::string& key) const;
  // Adds `key=value` when the key is not there.
  void set_missing(const std::string& key, const std::string& value);
  // Adds to the key's comma list what it lacks. `invalid`: the line is continued on the next one.
  [[nodiscard]] Result<void> add_words(const std::string& key,
                                       const std::vector<std::string>& words);
  // The names on PartitionName lines, but for DEFAULT.
  [[nodiscard]] std::vector<std::string> partitions() const;
  // On that partition's line; says what stood there before, empty for nothing.
  std::string set_weights(const std::string& partition, const std::string& weights);
  // Keys that are none of Slurm's, though guides name them, as sentences with what is right.
  [[nodiscard]] std::vector<std::string> wrong_keys() const;

  [[nodiscard]] const std::vector<Change>& changes() const { return changes_; }

 private:
  void take(Change change);

  std::vector<ConfFile> files_;
  std::vector<Change> changes_;
};

}  // namespace asbb::cli
