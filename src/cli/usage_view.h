// How usage is shown. Pure, but for what it prints.
#pragma once

#include <iosfwd>
#include <set>
#include <string>

#include "api/usage.h"
#include "cli/table.h"

namespace asbb::cli {

// "period", "partition", ...: which tables are wanted; empty: all.
using UsageParts = std::set<std::string>;
inline const std::vector<std::string> usage_parts = {"period",  "partition", "cluster", "user",
                                                     "account", "job",       "hold"};

// The figures of one unit, and its tables.
void print_usage(std::ostream& out, const api::UnitUsage& usage, const UsageParts& wanted,
                 Instant now);

// A row for each line of each table: account, unit, by, name, jobs, charged, held.
// Of the tables that are wanted alone, and then without the row of all.
void add_usage_rows(Table& table, const std::string& account, const api::UnitUsage& usage,
                    const UsageParts& wanted);
[[nodiscard]] Table usage_csv();

// "3 days", "5 hours", "less than an hour".
[[nodiscard]] std::string age_text(Instant since, Instant now);

}  // namespace asbb::cli
