// Reads what a report says: the ledger's charges page by page, and sacct's runs window by window,
// sorted by job on the way, so that memory does not grow with the jobs. Blocking; one thread.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "cli/context.h"
#include "report/adder.h"

namespace asbb::cli {

struct ReportQuery {
  std::vector<std::string> accounts;  // one report of each; "" is all that the caller may see
  Day first_day;
  Day last_day;  // not before the first
  std::string zone;
  bool wants_burn_downs = false;  // costs a forecast of each budget
};

// `asked`, or the service's own zone when that is empty: its days are those of budgets.
[[nodiscard]] api::Reply<std::string> report_zone(Context& context, const std::string& asked);

// Called when units and period are known and before any job is: what to do with each job.
using MakeJobUser = std::function<report::Adder::UseJob(const report::Dual&)>;

// A report of each account of the query, in that order; ledger and accounting are read once for
// all. Errors of the service, and of what was asked: no such account, no such zone. That Slurm's
// accounting cannot be read is no error; the report says it.
[[nodiscard]] api::Reply<std::vector<report::Dual>> read_reports(
    Context& context, const ReportQuery& query, const MakeJobUser& make_job_user = {});

// Codes of Problems for what was asked wrongly; their status is 0.
inline constexpr const char* bad_question_code = "BAD_QUESTION";

}  // namespace asbb::cli
