// The two sources of a report, into the sorter: charges of the ledger, runs of Slurm's accounting.
// Inside report_read.cc's work only. Blocking; one thread.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "cli/context.h"
#include "report/dual.h"
#include "report/record_sorter.h"

namespace asbb::cli {

class LedgerFacts {
 public:
  LedgerFacts(Context& context, Instant start, Instant end, report::RecordSorter& sorter)
      : context_(context), start_(start), end_(end), sorter_(sorter) {}

  // Of these accounts, each by itself; empty: all that the caller may see.
  [[nodiscard]] api::Reply<void> read(const std::vector<std::string>& accounts);
  // Units that occurred in the report's accounts, and what was adjusted by hand.
  void set_units(report::Dual& report) const;

 private:
  [[nodiscard]] api::Reply<void> read_account(const std::string& account);
  [[nodiscard]] Result<void> add(api::Charge& charge);

  Context& context_;
  const Instant start_;
  const Instant end_;
  report::RecordSorter& sorter_;
  using ByUnit = std::map<std::string, std::optional<Micros>>;
  std::map<std::string, ByUnit> adjusted_;  // by account
  std::int64_t count_ = 0;
};

// By cluster (empty: any) and Slurm account, the account that pays.
using Payers = std::map<std::pair<std::string, std::string>, std::string>;

// Runs that these accounts pay for on every cluster of the settings. What cannot be read of a
// cluster is in its `problem`; an error is one of the sorter.
[[nodiscard]] Result<std::vector<report::Cluster>> read_accounting(Context& context, Instant start,
                                                                   Instant end,
                                                                   const Payers& payers,
                                                                   report::RecordSorter& sorter);

}  // namespace asbb::cli
