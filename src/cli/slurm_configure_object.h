// Looks into a plugin object without loading it: for which version of Slurm it was built. Slurm
// refuses a plugin of another version, to the micro version, and slurmctld then does not start.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"

namespace asbb::cli {

// Where the number stands in the file, for whoever wants to change it in a test.
struct PluginVersion {
  std::uint32_t number = 0;  // as SLURM_VERSION_NUM makes it
  std::uint64_t file_offset = 0;
};

// "22.05.8"
[[nodiscard]] std::string slurm_version_text(std::uint32_t number);

// The symbol plugin_version of a 64-bit ELF object of this machine's byte order.
// Errors: `not_found` (no such file), `invalid` (not an object, or not a plugin of Slurm).
[[nodiscard]] Result<PluginVersion> plugin_version_of(const std::string& path);

// The folders of a PluginDir value; those in which Slurm is usually installed when it is empty.
[[nodiscard]] std::vector<std::string> plugin_folders(const std::string& plugin_dir);

// The first folder's file of that name; empty when none has it.
[[nodiscard]] std::string find_plugin(const std::vector<std::string>& folders,
                                      const std::string& name);

}  // namespace asbb::cli
