// What jobs may spend while the service is silent: the decision about one job, from the policy
// file's allowances and what was counted of them. Part of Policy, under its mutex; nothing here
// waits or throws.
#pragma once

#include <cstdint>
#include <string_view>

#include "plugins/allowance_count.h"
#include "plugins/allowance_text.h"
#include "plugins/bounded_text.h"
#include "plugins/slurm_abi.h"
#include "plugins/token.h"

namespace asbb::plugins {

// What a job that was let through has taken; generation 0: it needed nothing.
struct Spending {
  Allowed allowed = {};
  FixedText<512> why;  // it is refused; for the user
};

class PolicyText;

class Allowances {
 public:
  constexpr Allowances() = default;

  void configure(const char* count_path) { count_.configure(count_path); }
  // The text of a policy file that is in force from now on.
  void adopt(AllowanceText& text);

  // Whether the policy file speaks of allowances at all.
  [[nodiscard]] bool are_there() const { return text_.is_there(); }
  // False: the job is refused. `policy` knows the partitions. unix_seconds is the time of day.
  [[nodiscard]] bool let_through(const job_desc_msg_t& job, const PolicyText& policy,
                                 std::int64_t unix_seconds, Spending* spending);

  void write_spent(BoundedText* text) const { count_.write_spent(text); }

 private:
  [[nodiscard]] const char* bound(const job_desc_msg_t& job, const PolicyText& policy,
                                  const Allowance& allowance, std::int64_t* micros) const;

  AllowanceText text_;
  AllowanceCount count_;
};

}  // namespace asbb::plugins
