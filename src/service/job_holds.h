// Which of the holds and shares that the ledger has under a Slurm job's id are meant by it: ids
// come back, and a job that was changed has several holds. Pure, inside src/service only.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "store/store.h"

namespace asbb::service {

// All of these take the holds of one id, each bound to a job, ordered by the time of submission.

// Which of the holds found for an id on a cluster belong to the job that had it last: ids come back
// after a wrap. A hold that was placed for a submission begins a job, with those that were placed
// for changes of it; runs that had no hold follow one another within a month.
void keep_last_job(std::vector<store::HoldRecord>& holds);

// Those of the same job as `hold` alone, which is one of them.
void keep_job_of(std::vector<store::HoldRecord>& holds, const ledger::Hold& hold);

// Where a job of that id still has money, the later ones that have none left are not meant: Slurm
// gave the id again to others when it had lost the first.
void drop_over(std::vector<store::HoldRecord>& holds);

// Of the holds of one job the one that pays for that task ("123_4") or job: the newest that is
// open, else the newest. REQUIRES: there is one.
[[nodiscard]] const store::HoldRecord& hold_for(const std::vector<store::HoldRecord>& holds,
                                                const std::string& job_id);

// Of the key's task on its cluster, whatever the key's run is: the run that is open or awaited; of
// a task that is over, its last. The runs before the hold's first are not its own.
[[nodiscard]] std::int64_t run_to_settle(const store::HoldRecord& record,
                                         const ledger::ShareKey& key);

// "123" or "123_4".
[[nodiscard]] std::string share_name(const ledger::ShareKey& key);

// The same, or what another program calls its job; empty where no job is known.
[[nodiscard]] std::string job_text(const ledger::ShareKey& job);

}  // namespace asbb::service
