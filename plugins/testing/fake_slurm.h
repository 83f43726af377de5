// The few functions of Slurm that the plugin calls, for tests: memory that is counted, log lines
// and SPANK options that are kept. Their state is global, as Slurm's is; any thread.
#pragma once

#include <string>
#include <vector>

#include "plugins/slurm_abi.h"

namespace asbb::plugins::testing {

// Lines logged since the last call, each "error: ...", "info: ..." or "debug: ...".
std::vector<std::string> take_log();
// Whether lines are kept at all, as they are at first.
void keep_log(bool keeps);

// Allocations of slurm_xstrdup that slurm_xfree has not taken back.
int live_allocations();

// Options registered since the start.
std::vector<spank_option> registered_options();

// A request as slurmctld hands it over, with everything unset but the user (slurm_init_job_desc_msg
// of Slurm); it owns the texts that are put into it.
class Request {
 public:
  Request();
  ~Request();
  Request(const Request&) = delete;
  Request& operator=(const Request&) = delete;

  job_desc_msg_t* operator->() { return &job_; }
  job_desc_msg_t* get() { return &job_; }
  const job_desc_msg_t& operator*() const { return job_; }

  // Sets a text of the request, in memory of Slurm.
  void set(char* job_desc_msg_t::* field, const std::string& text);
  void add_spank_variable(const std::string& entry);

  // What the user would read; empty when there is nothing.
  char** err_msg() { return &err_msg_; }
  std::string take_err_msg();

 private:
  job_desc_msg_t job_{};
  std::vector<char*> spank_variables_;
  char* err_msg_ = nullptr;
};

}  // namespace asbb::plugins::testing
