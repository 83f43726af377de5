// JobControl that remembers what it was asked to do, for tests: "onprem signal 7 USR1". It changes
// no job: the test says what Slurm shows afterwards. One thread. Not linked into programs.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "slurm/job_control.h"

namespace asbb::slurm {

class FakeJobControl final : public JobControl {
 public:
  std::vector<std::string> done;  // and what failed
  // By verb: requeue, move, release, signal, cancel.
  std::map<std::string, Error> failures;
  std::function<void()> meanwhile;  // what happens while Slurm does it

  Result<void> requeue_held(const std::string& cluster, const std::string& job) override {
    return note(cluster, "requeue", job);
  }
  Result<void> move(const std::string& cluster, const std::string& job,
                    const std::string& partition) override {
    return note(cluster, "move", job + " " + partition);
  }
  Result<void> release(const std::string& cluster, const std::string& job) override {
    return note(cluster, "release", job);
  }
  Result<void> signal(const std::string& cluster, const std::string& job,
                      const std::string& name) override {
    return note(cluster, "signal", job + " " + name);
  }
  Result<void> cancel(const std::string& cluster, const std::string& job) override {
    return note(cluster, "cancel", job);
  }

 private:
  Result<void> note(const std::string& cluster, const std::string& verb, const std::string& what) {
    const auto failure = failures.find(verb);
    done.push_back(cluster + " " + verb + " " + what +
                   (failure == failures.end() ? "" : ": failed"));
    if (meanwhile) meanwhile();
    if (failure == failures.end()) return {};
    return tl::unexpected(failure->second);
  }
};

}  // namespace asbb::slurm
