// The most that a job can cost in one partition, from what was asked for and the partition's worst
// rate alone. Whole numbers, rounded up. Pure; any thread.
#pragma once

#include <cstdint>
#include <string_view>

#include "plugins/allowance_text.h"
#include "plugins/slurm_abi.h"

namespace asbb::plugins {

// No job costs more than can be counted: a larger one is refused.
inline constexpr std::int64_t kWorstCaseMax = 999'999'999'999'999'999;
inline constexpr std::int64_t kTasksMax = 10'000'000;

// Tasks of an array ("1-10:2%4"), 1 for none; 0 when they cannot be counted.
[[nodiscard]] std::int64_t count_tasks(const char* array_inx);

// Null with *micros, of all tasks together and with the factor; or why there is no largest cost, as
// the end of "this job ...".
[[nodiscard]] const char* worst_case(const job_desc_msg_t& job, const WorstRate& rate,
                                     std::int64_t factor_millionths, std::int64_t* micros);

}  // namespace asbb::plugins
