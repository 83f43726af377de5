// What sacct prints, asked for as `accounting_arguments`, into records; and what can only be said
// of several rows of one job together: its runs, and what a resize counted twice. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "slurm/job_source.h"

namespace asbb::slurm {

// Which rows one call of sacct gives.
struct AccountingSelection {
  std::vector<std::int64_t> job_ids;  // when not empty, nothing else counts
  Instant since;
  Instant until;
  // Rows that ended in the window, whether or not they were ever eligible; otherwise rows that were
  // eligible before its end and had not ended before its begin. sacct has no way to ask for both.
  bool only_ended = false;
};

[[nodiscard]] std::vector<std::string> accounting_arguments(const std::string& cluster,
                                                            const AccountingSelection& selection,
                                                            const std::string& separator);

// Adds records and problems to `list`, whose cluster is set.
void read_accounting(std::string_view text, std::string_view separator, AccountingList& list);

// Sorts by db_index, drops rows that came twice, and sets `run` and the exact times of rows that
// follow a resize.
void arrange_runs(std::vector<AccountingRecord>& records);

}  // namespace asbb::slurm
