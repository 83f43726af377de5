#include "store/queries.h"

#include "base/text.h"

namespace asbb::store {
namespace {
constexpr std::int64_t entries_per_page_max = 100'000;
}

Result<void> check_query(const HoldQuery& query) {
  const bool by_job = !query.cluster.empty() && query.job_id > 0;
  const bool half_a_job = (!query.cluster.empty() || query.job_id != 0) && !by_job;
  const int ways =
      (query.id.value > 0 ? 1 : 0) + (query.request_id.empty() ? 0 : 1) + (by_job ? 1 : 0);
  if (ways == 1 && !half_a_job && query.id.value >= 0) return {};
  return fail(ErrorKind::invalid,
              "a hold is sought by its id, or by its request id, or by cluster and job id");
}

Result<void> check_query(const EntryQuery& query) {
  if (query.count_max < 1 || query.count_max > entries_per_page_max) {
    return fail(ErrorKind::invalid, "a page has 1 to 100000 transactions", "limit");
  }
  if (query.after_sequence < 0 || query.before_sequence < 0 || query.hold < 0) {
    return fail(ErrorKind::invalid, "sequences and holds count from 1", "after");
  }
  return {};
}

std::optional<std::int64_t> slurm_job_id(const std::string& job_id) {
  if (job_id.starts_with('0')) return std::nullopt;
  return parse_count(job_id);
}

}  // namespace asbb::store
