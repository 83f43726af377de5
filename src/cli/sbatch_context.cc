#include "cli/sbatch_context.h"

#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "base/text.h"
#include "cli/slurm_configure_files.h"

namespace asbb::cli {
namespace {

// sbatch takes the file of the folder it is in before those of PATH.
std::string script_path(const std::string& name) {
  const bool is_path = name.find('/') != std::string::npos;
  if (is_path || access(name.c_str(), R_OK) == 0) return name;
  const char* path = std::getenv("PATH");
  for (const std::string_view folder : split(path == nullptr ? "" : path, ':')) {
    std::string file = std::string(folder) + "/" + name;
    if (!folder.empty() && access(file.c_str(), R_OK) == 0) return file;
  }
  return name;
}

}  // namespace

Result<std::string> read_script_file(const std::string& path) {
  std::ifstream file(script_path(path), std::ios::binary);
  std::ostringstream text;
  if (file) text << file.rdbuf();
  if (!file || file.bad() || text.str().size() > script_bytes_max) {
    return fail(ErrorKind::not_found, "the script " + path + " cannot be read");
  }
  return text.str();
}

Lookup sbatch_variables(const Context& context) {
  return [&context](const std::string& name) -> std::optional<std::string> {
    const auto found = context.environment().find(name);
    if (found == context.environment().end()) return std::nullopt;
    return found->second;
  };
}

std::string cluster_of_conf(const std::string& path) {
  const auto files = read_slurm_conf(path);
  return files ? to_lower(conf_value(*files, "ClusterName").value_or("")) : std::string();
}

std::string own_cluster(const Context& context) {
  return cluster_of_conf(sbatch_variables(context)("SLURM_CONF").value_or("/etc/slurm/slurm.conf"));
}

}  // namespace asbb::cli
