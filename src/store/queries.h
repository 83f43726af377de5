// What every adapter checks before it answers a query, so that all refuse the same. Pure.
#pragma once

#include "store/store.h"

namespace asbb::store {

// invalid: not exactly one of id, request id, and cluster with job id.
[[nodiscard]] Result<void> check_query(const HoldQuery& query);

// invalid: a count outside 1 to 100'000, or bounds below zero.
[[nodiscard]] Result<void> check_query(const EntryQuery& query);

// The number of a job id in decimal; nothing for an external id.
[[nodiscard]] std::optional<std::int64_t> slurm_job_id(const std::string& job_id);

}  // namespace asbb::store
