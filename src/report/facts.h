// What a report is made of, one by one: what an entry of the ledger spent, and what Slurm's
// accounting says of one run. Each becomes a record whose bytes sort by the job, so that both sides
// of a job come together however many jobs there are. Plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/money.h"
#include "base/time.h"

namespace asbb::report {

// "4711" and "4711_3" of a cluster; of a program's own job the name it gave, on no cluster.
struct JobName {
  std::string cluster;
  std::string id;
  auto operator<=>(const JobName&) const = default;
};

struct Spending {
  JobName job;
  Instant at;  // of the entry
  std::string account;
  std::string user;
  std::string partition;
  std::string unit;
  Micros amount;  // negative when it came back
  bool operator==(const Spending&) const = default;
};

struct Run {
  JobName job;
  std::string account;
  std::string user;
  std::string partition;
  Instant start;
  Instant end;
  std::optional<std::int64_t> wait_seconds;  // from when it could start; unset: it goes on from
                                             // an earlier piece that a resize ended
  std::int64_t used_seconds = 0;
  std::optional<std::int64_t> asked_seconds;  // its time limit; unset: it had none
  std::int64_t cores = 0;
  bool operator==(const Run&) const = default;
};

[[nodiscard]] std::string to_record(const Spending& spending);
[[nodiscard]] std::string to_record(const Run& run);

// One of both; of one job spendings come first. Asserts that the record was made by to_record.
struct Fact {
  std::optional<Spending> spending;
  std::optional<Run> run;
};
[[nodiscard]] Fact read_fact(std::string_view record);

}  // namespace asbb::report
