// What the service remembers of jobs beside the ledger, so that a change can be priced at once: the
// request of each job as it was last known, what changes were asked for and not seen yet, and
// slurmctld's jobs as the reconciler read them last. Nothing here is money, and nothing survives a
// restart: then the jobs that slurmctld shows are all there is. Any thread.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "api/submission.h"
#include "service/het_groups.h"
#include "service/submission_gate.h"
#include "slurm/job_source.h"

namespace asbb::service {

class KnownJobs {
 public:
  // Requests beyond this number push the oldest out.
  explicit KnownJobs(std::size_t requests_max = 50'000) : requests_max_(requests_max) {}

  // What a hold was placed for, by the hold's name, or by the job's token where it needed none: a
  // submission that was accepted, as it came.
  void submitted(const std::string& name, const std::string& body);
  void priced(const std::string& name, const api::Submission& request);
  [[nodiscard]] std::optional<api::Submission> request(const std::string& name) const;
  // The same with everything in it that was asked for since, costs more and may still come true.
  [[nodiscard]] std::optional<api::Submission> latest(const std::string& name) const;

  // What the job of hold `name` will be when the change comes true that `proposal` holds money for;
  // `group` is that hold's text.
  void propose(const std::string& proposal, const std::string& name, const std::string& group,
               const api::Submission& changed);
  // The hold that was placed for the very same change; empty when there is none.
  [[nodiscard]] std::string same_proposal(const std::string& group) const;
  // It came true, or never will: what the job was to become.
  std::optional<api::Submission> settle(const std::string& proposal);

  // A change that costs nothing more, until the job shows that it was made.
  void lowered(const std::string& name, const api::Submission& changed);
  std::optional<api::Submission> take_lowered(const std::string& name);

  // Components of heterogeneous jobs, among those that were let in.
  HetGroups het_groups;

  using Jobs = std::shared_ptr<const std::vector<slurm::QueueJob>>;
  void see(const std::string& cluster, const std::vector<slurm::QueueJob>& jobs);
  // Null before the first look.
  [[nodiscard]] Jobs jobs(const std::string& cluster) const;

  // How a job that Slurm has is priced; set once, before the reconciler starts.
  using Pricer = std::function<Verdict(const api::Submission&)>;
  void set_pricer(Pricer pricer);
  [[nodiscard]] Pricer pricer() const;

 private:
  struct Proposed {
    std::string name;
    std::string group;
    std::string body;
  };
  void put(const std::string& name, std::string body);  // REQUIRES: mutex_ is held

  const std::size_t requests_max_;
  mutable std::mutex mutex_;
  std::unordered_map<std::string, std::string> requests_;  // JSON, by name
  std::deque<std::string> order_;
  std::map<std::string, Proposed> proposals_;
  std::map<std::string, std::string> last_proposal_;  // by name
  std::map<std::string, std::string> lowered_;
  std::map<std::string, Jobs> jobs_;
  Pricer pricer_;
};

}  // namespace asbb::service
