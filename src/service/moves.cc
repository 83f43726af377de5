#include "service/moves.h"

#include "base/text.h"

namespace asbb::service {

std::optional<ledger::ShareKey> slurm_key(const std::string& job_id) {
  const auto parts = split(job_id, '_');
  const auto job = parse_count(parts.front());
  const auto task = parts.size() == 2 ? parse_count(parts.back()) : std::nullopt;
  if (!job || parts.size() > 2 || (parts.size() == 2 && !task)) return std::nullopt;
  ledger::ShareKey key;
  key.job_id = *job;
  key.task = task.value_or(-1);
  return key;
}

}  // namespace asbb::service
