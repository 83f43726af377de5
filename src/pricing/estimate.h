// The most that a job can cost: what is held before it may run. Where Slurm leaves room (a range of
// nodes, a list of partitions, a kind of node) the dearest counts; when in doubt it goes up, never
// down. Pure functions of their arguments; safe on every thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "base/money.h"
#include "pricing/job_request.h"
#include "pricing/price_book.h"
#include "pricing/tres.h"

namespace asbb::pricing {

struct Estimate {
  bool priced = false;  // false: no partition has a price, no hold is needed; the rest is empty
  std::string unit;
  Micros per_task;              // of one array task, or of the job
  std::int64_t task_count = 1;  // array tasks
  Micros total;                 // per_task x task_count
  std::string cluster;          // of the dearest partition
  std::string partition;
  std::int64_t price_version = 0;
  std::int64_t time_limit_minutes = 0;  // without OverTimeLimit
  std::int64_t billed_seconds = 0;      // with OverTimeLimit, at least the minimum
  Tres bound;                           // what is priced, of one task
  std::vector<std::string> lines;       // how it was reached, for people, where they are wanted
};

// Lines for people cost several times what the figures do.
enum class EstimateLines { wanted, left_out };

enum class EstimateRefusal {
  no_partition,               // the list of candidates is empty
  no_time_limit,              // none given and the partition has neither default nor maximum
  unlimited_time,             // UNLIMITED was asked
  unlimited_over_time_limit,  // OverTimeLimit=UNLIMITED: no job has a largest cost
  bad_time_limit,             // zero, negative or absurd
  bad_array,
  bad_tres,      // a TRES text that cannot be read
  bad_number,    // a count that is negative or absurd
  no_such_node,  // no node of the partition has what --constraint names, or it has no nodes
  hidden_nodes,  // nodes of the partition are not shown: any of them may be the dearest
  mixed_units,   // the partitions of the list are priced in different units
  too_large      // the amount leaves the range of money
};

// The stable code of the refusal: its name here.
[[nodiscard]] std::string_view to_string(EstimateRefusal refusal);

struct RefusedEstimate {
  EstimateRefusal code = EstimateRefusal::no_partition;
  std::string sentence;  // for the user: what was asked, what is allowed
  std::string field;     // name of the request's field at fault, empty when there is none
};

using EstimateResult = tl::expected<Estimate, RefusedEstimate>;

// `candidates` are the partitions the job may run in (one, or those of a list); the dearest counts.
// A request without a price anywhere is never refused.
[[nodiscard]] EstimateResult estimate(const JobRequest& request,
                                      const std::vector<SharedShape>& candidates,
                                      const PriceBook& book,
                                      EstimateLines lines = EstimateLines::wanted);
[[nodiscard]] EstimateResult estimate(const JobRequest& request,
                                      const std::vector<PartitionShape>& candidates,
                                      const PriceBook& book);

// Part of an estimate that is set aside; a Micros of 1.2 holds 120 % of it.
inline constexpr Micros default_hold_factor{1'200'000};

// total x factor, rounded up. Nothing when it exceeds max_amount. total >= 0, factor >= 0.
[[nodiscard]] std::optional<Micros> hold_amount(Micros total, Micros factor);

// The longest time limit in minutes whose hold is at most `available`, within the MaxTime of every
// candidate; nothing when not even one minute fits, and when the request is refused or unpriced
// whatever its time.
[[nodiscard]] std::optional<std::int64_t> longest_fitting_minutes(
    const JobRequest& request, const std::vector<SharedShape>& candidates, const PriceBook& book,
    Micros available, Micros factor);
[[nodiscard]] std::optional<std::int64_t> longest_fitting_minutes(
    const JobRequest& request, const std::vector<PartitionShape>& candidates, const PriceBook& book,
    Micros available, Micros factor);

}  // namespace asbb::pricing
