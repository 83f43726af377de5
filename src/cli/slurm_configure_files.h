// What `asbb slurm configure` knows of Slurm's configuration files: which lines are there, what is
// to be added, and how a file is replaced. The edits are pure; only reading and write_change touch
// the disk. A file is changed by adding to it or by one value in one line: whatever else an
// administrator wrote stays byte by byte.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace asbb::cli {

struct ConfFile {
  std::string path;
  std::string text;
  bool exists = true;
};

// slurm.conf and what it includes (man slurm.conf, "Include"); the main file is the first.
// Errors: `not_found`, `invalid` (more than 64 files).
[[nodiscard]] Result<std::vector<ConfFile>> read_slurm_conf(const std::string& path);

// A file that need not be there.
[[nodiscard]] ConfFile read_if_there(const std::string& path);

// The last value of a key, as Slurm takes it; names compare without regard to case.
[[nodiscard]] std::optional<std::string> conf_value(const std::vector<ConfFile>& files,
                                                    const std::string& key);

// Nodes of the NodeName lines, as they stand there ("cpu-[1-4]"). Cloud and future nodes apart,
// since nobody can look into them now.
struct ConfNodes {
  std::vector<std::string> present;
  std::vector<std::string> absent;
};
[[nodiscard]] ConfNodes conf_nodes(const std::vector<ConfFile>& files);

// A file to be written, with what a person reads about it.
struct Change {
  std::string path;
  std::string text;
  std::vector<std::string> lines;  // that are new
  bool is_new = false;
  bool is_program = false;  // mode 0755
};

// Makes the word one of the key's comma list, behind those that are there; nothing when it is one.
// `invalid`: the line cannot be edited by a program (it is continued).
[[nodiscard]] Result<std::optional<Change>> add_to_list(const std::vector<ConfFile>& files,
                                                        const std::string& key,
                                                        const std::string& word);
// A line at the end of the file.
[[nodiscard]] Change add_line(const ConfFile& file, const std::string& line);

// The line of plugstack.conf that loads this object, in the file or in what it includes.
[[nodiscard]] std::optional<std::string> plugstack_line(const std::string& path,
                                                        const std::string& object);

// Keeps what was there as PATH.before-asbb-STAMP, then puts the new text in its place, with the
// same owner and mode. Returns the path of the copy, empty for a new file.
[[nodiscard]] Result<std::string> write_change(const Change& change, const std::string& stamp);

}  // namespace asbb::cli
