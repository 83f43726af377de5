// The request body of one submission: everything the user asked for that can move its price, in the
// words of wire.h; what he left alone is left out. Pure: reads the request, writes text.
#pragma once

#include <cstdint>
#include <string_view>

#include "plugins/bounded_text.h"
#include "plugins/http_answer.h"
#include "plugins/json_writer.h"
#include "plugins/options.h"
#include "plugins/slurm_abi.h"

namespace asbb::plugins {

struct Submission {
  const job_desc_msg_t* job;
  std::string_view cluster;
  std::uint32_t submit_uid;
  Options options;
  Stance on_silence;
  std::string_view het_group{};         // het_group.h
  std::string_view allowances_spent{};  // AllowanceCount::write_spent
};

// time_budget_ms: what is left of the deadline, at least 1.
void write_submission(const Submission& submission, std::uint64_t time_budget_ms,
                      BoundedText* body);

// The members that can move a price, of a request for a job or for a change of one.
void write_priced(const job_desc_msg_t& job, JsonWriter* json);
void write_slurm_version(JsonWriter* json);

// A federation's sibling is handed a job that its origin has already asked for (DESIGN 5). All
// three marks are needed: users can set the last one, and name a job id, but not submit as user 0.
bool is_sibling(const job_desc_msg_t& job, std::uint32_t submit_uid);

}  // namespace asbb::plugins
