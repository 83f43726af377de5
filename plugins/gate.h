// The decision about one submission or change, from slurmctld's request to its answer: the only
// place where the parts meet. One gate lives as long as the object is loaded; any number of threads
// may submit at once. It never waits longer than the deadline, and nothing it does can fail
// slurmctld.
#pragma once

#include <cstdint>

#include "plugins/arguments.h"
#include "plugins/breaker.h"
#include "plugins/change.h"
#include "plugins/change_memo.h"
#include "plugins/clock.h"
#include "plugins/idle_connections.h"
#include "plugins/policy.h"
#include "plugins/silence_log.h"
#include "plugins/slurm_abi.h"
#include "plugins/submission.h"
#include "plugins/token.h"

namespace asbb::plugins {

class Gate {
 public:
  constexpr Gate() = default;
  // With another clock for the pauses of breaker, policy and log. Deadlines keep the real one.
  using Clock = std::int64_t (*)();
  constexpr explicit Gate(Clock pause_clock_micros) : pause_clock_micros_(pause_clock_micros) {}

  // Once, before the first submit; the texts are kept.
  void configure(std::string_view plugin_line, std::string_view cluster,
                 std::string_view state_folder = {});

  // slurmctld's job_submit: SLURM_SUCCESS, or ESLURM_ACCOUNTING_POLICY with *err_msg set.
  int submit(job_desc_msg_t* job, std::uint32_t submit_uid, char** err_msg);

  // slurmctld's job_modify: the same codes. `job` may be null; err_msg is null where Slurm cannot
  // tell the user anything.
  int modify(const job_desc_msg_t* asked, const job_record* job, std::uint32_t submit_uid,
             char** err_msg);

  // Closes the connections that wait for the next submission; more may follow all the same.
  void hang_up() { idle_connections_.close_all(); }

  [[nodiscard]] const Arguments& arguments() const { return arguments_; }
  [[nodiscard]] std::string_view cluster() const { return cluster_.view(); }

 private:
  // About a submission, or about a change when there is one.
  struct Question {
    Submission submission;
    const Change* change;
    Token token;
    std::int64_t deadline_micros;
  };

  Failure ask(const Question& question, Exchange* conversation);
  Failure send(const Question& question, Exchange* conversation);
  Failure send_body(const Question& question, std::string_view body, Exchange* conversation);
  int decide_change(const Question& question, Exchange* conversation, std::string_view* why);
  [[nodiscard]] bool is_administrator(std::uint32_t user) const;
  [[nodiscard]] Failure probe(std::int64_t deadline_micros) const;
  int obey(const Answer& answer, const Token& token, job_desc_msg_t* job, char** err_msg);
  int fall_back(Failure failure, const Question& question, job_desc_msg_t* job, char** err_msg);
  [[nodiscard]] Endpoint endpoint() const;

  [[nodiscard]] std::int64_t pause_millis() const { return pause_clock_micros_() / 1'000; }

  Clock pause_clock_micros_ = monotonic_micros;
  Arguments arguments_;
  FixedText<256> cluster_;
  Breaker breaker_;
  Policy policy_;
  SilenceLog silence_log_;
  ChangeMemo change_memo_;
  IdleConnections idle_connections_;
};

}  // namespace asbb::plugins
