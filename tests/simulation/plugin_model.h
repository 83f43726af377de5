// What slurmctld's plugin decides when nobody answers it, by the plugin's own code: the policy file
// that the service wrote, and the file in which it counts what it let through. Its clocks are the
// world's. It outlives the services; a slurmctld that starts again makes it anew over the same
// files. One thread.
#pragma once

#include <memory>
#include <string>

#include "base/time.h"
#include "simulation/slurm_jobs.h"

namespace asbb::simulation {

// What it said of one job.
struct LetThrough {
  bool is_let_in = false;
  std::uint64_t generation = 0;  // 0: nothing was taken
  std::int64_t micros = 0;
  std::string comment;  // the job's admin_comment
  std::string why;      // it is refused
};

class Plugin {
 public:
  Plugin(const std::string& folder, const std::string& cluster);
  ~Plugin();
  Plugin(const Plugin&) = delete;
  Plugin& operator=(const Plugin&) = delete;

  // The world's time, from now on, for every plugin.
  static void set_time(Instant now);

  [[nodiscard]] bool allows(const std::string& partition);
  // Changes of jobs, whatever their partition.
  [[nodiscard]] bool allows_changes();
  [[nodiscard]] LetThrough let_through(const Request& request, const std::string& token);
  [[nodiscard]] static std::string comment_of(const std::string& token);
  // What it tells the service with a submission.
  [[nodiscard]] std::string spent();

  // slurmctld starts again; the files are as they were.
  void restart();
  // What the counter's file has, or nothing when it is not there.
  [[nodiscard]] std::string counter() const;
  // The machine went down, and this is what its disk has of the file; empty: the file is lost.
  void restart_with(const std::string& counter, bool is_there);

 private:
  struct Inside;

  const std::string policy_path_;
  const std::string counter_path_;
  std::unique_ptr<Inside> inside_;
};

}  // namespace asbb::simulation
