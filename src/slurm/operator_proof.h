// Whether what this process reads from Slurm is everything. With PrivateData an unprivileged reader
// gets an empty list and exit code 0, so absence proves nothing unless the reader is root, has
// AdminLevel Operator or Administrator, or (slurmctld only) is SlurmUser: those are whom
// slurmctld and slurmdbd show all jobs (validate_operator). Blocking.
#pragma once

#include <cstdint>
#include <string>

#include "slurm/slurm_client.h"

namespace asbb::slurm {

struct OperatorProof {
  bool proven = false;
  std::string text;  // a sentence: the proof, or what is missing
};

// Who asks: the user this process runs as.
struct Reader {
  std::uint32_t user_id = 0;
  std::string user;  // empty when the system has no name for it
};

// Asks the system's user database; may block.
[[nodiscard]] Reader current_reader();

enum class ProofFor { slurmctld, slurmdbd };

[[nodiscard]] OperatorProof prove_operator(SlurmClient& client, const SlurmCluster& cluster,
                                           const Reader& reader, ProofFor daemon);

}  // namespace asbb::slurm
