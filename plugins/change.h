// The request body of one change of a job (scontrol update): which job, who asks, and the fields
// that the request touches, in the words of wire.h. Pure: reads what slurmctld hands over, writes
// text.
#pragma once

#include <cstdint>
#include <string_view>

#include "plugins/bounded_text.h"
#include "plugins/http_answer.h"
#include "plugins/slurm_abi.h"

namespace asbb::plugins {

struct Change {
  const job_desc_msg_t* asked;
  std::string_view cluster;
  std::uint32_t submit_uid;
  std::string_view job;    // as it was named: "123", "123_[1-5]", "123+1"; may be empty
  std::string_view token;  // of the job's record, empty when it has none
  Stance on_silence;
};

// Whether the request touches anything that a price can depend on. Holding, releasing, renaming a
// job or setting its priority does not, nor does an array's throttle.
bool moves_price(const job_desc_msg_t& asked);

// The token in the admin_comment of slurmctld's record; empty when there is none, or when the
// record of this version of Slurm is not known. `job` may be null.
std::string_view token_of(const job_record* job);

// The same of a record that begins as `Head` says.
template <typename Head>
std::string_view token_in(const job_record* job);
extern template std::string_view token_in<JobRecordHeadSince2011>(const job_record* job);
extern template std::string_view token_in<JobRecordHeadSince2511>(const job_record* job);

// time_budget_ms: what is left of the deadline, at least 1.
void write_change(const Change& change, std::uint64_t time_budget_ms, BoundedText* body);

}  // namespace asbb::plugins
