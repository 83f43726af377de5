// What the slurmctld face needs from Slurm's own configuration files: the cluster's name from
// slurm.conf, and the plugin's line from plugstack.conf, which Slurm hands to the SPANK face only.
// Called once, when slurmctld starts; follows includes. Reads files, nothing else.
#pragma once

#include <climits>
#include <cstddef>
#include <string_view>

#include "plugins/bounded_text.h"

namespace asbb::plugins {

using PathText = FixedText<PATH_MAX>;

inline constexpr char kDefaultSlurmConf[] = "/etc/slurm/slurm.conf";
inline constexpr std::string_view kObjectName = "job_submit_budget.so";
inline constexpr std::size_t kPluginLineBytes = 4'096;

struct SlurmConf {
  FixedText<256> cluster;  // in lower case, as Slurm keeps it (read_config.c)
  PathText plugstack;      // PlugStackConfig, or plugstack.conf beside slurm.conf
  PathText state_folder;   // StateSaveLocation; empty where it is not said
};

// False when the file cannot be read or names no cluster; the log says which.
[[nodiscard]] bool read_slurm_conf(const char* path, SlurmConf* conf);

enum class PluginLine { found, absent, unreadable };

// The arguments behind the object's name in the first "required" or "optional" line for it.
[[nodiscard]] PluginLine read_plugin_line(const char* plugstack_path,
                                          FixedText<kPluginLineBytes>* arguments);

}  // namespace asbb::plugins
