#include "slurm/operator_proof.h"

#include <unistd.h>

#include "base/text.h"
#include "slurm/user_names.h"

namespace asbb::slurm {
namespace {

// The admin level of exactly that user in "user|level" lines; empty when he is not there.
std::string level_of(std::string_view text, const std::string& user) {
  for (const std::string_view line : split(text, '\n')) {
    const auto fields = split(line, '|');
    if (fields.size() == 2 && fields[0] == user) {
      return std::string(fields[1]);
    }
  }
  return {};
}

// "SlurmUser = slurm(64030)" in `scontrol show config`.
bool is_slurm_user(std::string_view config, std::uint32_t user_id) {
  for (const std::string_view line : split(config, '\n')) {
    if (line.starts_with("SlurmUser ")) {
      return line.ends_with("(" + std::to_string(user_id) + ")");
    }
  }
  return false;
}

}  // namespace

Reader current_reader() {
  SystemUserNames names;
  const std::uint32_t user_id = ::geteuid();
  return {user_id, names.resolve(user_id).value_or("")};
}

OperatorProof prove_operator(SlurmClient& client, const SlurmCluster& cluster, const Reader& reader,
                             ProofFor daemon) {
  if (reader.user_id == 0) {
    return {true, "The reader is root."};
  }
  const std::string& user = reader.user;
  std::string why = "the system has no name for it";
  if (!user.empty()) {
    const auto levels = client.run(cluster, {"sacctmgr", "-n", "-P", "show", "user", "name=" + user,
                                             "format=user,adminlevel"});
    const std::string level = levels ? level_of(*levels, user) : "";
    if (level == "Operator" || level == "Administrator") {
      return {true, "User " + user + " has AdminLevel " + level + "."};
    }
    why = levels ? "its AdminLevel is '" + level + "'" : levels.error().message;
  }
  if (daemon == ProofFor::slurmctld) {
    const auto config = client.run(cluster, {"scontrol", "show", "config"});
    if (config && is_slurm_user(*config, reader.user_id)) {
      return {true, "The reader is SlurmUser."};
    }
  }
  return {false, "User id " + std::to_string(reader.user_id) + " " + user +
                     " is not proven to see all jobs of " + cluster.name + ": " + why +
                     ". Give it AdminLevel Operator: sacctmgr modify user " +
                     (user.empty() ? "NAME" : user) + " set adminlevel=operator."};
}

}  // namespace asbb::slurm
