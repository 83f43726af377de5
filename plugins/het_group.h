// Which submissions are components of one heterogeneous job. slurmctld asks for the components one
// after the other, in one thread, and makes none of them before all are allowed
// (_slurm_rpc_submit_batch_het_job in proc_req.c): what a thread was asked last says it. Any
// thread.
#pragma once

#include "plugins/slurm_abi.h"
#include "plugins/token.h"

namespace asbb::plugins {

// The token of the job's first component, which this may be; empty for any other job, and for a
// component that does not follow the one before it. A user can name an offset that is not true, so
// the answer proves nothing.
[[nodiscard]] Token het_group_of(const job_desc_msg_t& job, const Token& token);

}  // namespace asbb::plugins
