#include "service/known_jobs.h"

#include <utility>

#include "api/json.h"

namespace asbb::service {
namespace {

std::optional<api::Submission> read_request(const std::string& body) {
  auto submission = api::from_json<api::Submission>(body);
  if (!submission) return std::nullopt;
  return std::move(*submission);
}

}  // namespace

void KnownJobs::put(const std::string& name, std::string body) {
  const auto [at, is_new] = requests_.insert_or_assign(name, std::move(body));
  if (!is_new) return;
  order_.push_back(name);
  if (order_.size() <= requests_max_) return;
  requests_.erase(order_.front());
  lowered_.erase(order_.front());
  order_.pop_front();
}

void KnownJobs::submitted(const std::string& name, const std::string& body) {
  const std::lock_guard lock(mutex_);
  put(name, body);
}

void KnownJobs::priced(const std::string& name, const api::Submission& request) {
  submitted(name, api::to_json(request));
}

std::optional<api::Submission> KnownJobs::request(const std::string& name) const {
  std::string body;
  {
    const std::lock_guard lock(mutex_);
    const auto found = requests_.find(name);
    if (found == requests_.end()) return std::nullopt;
    body = found->second;
  }
  return read_request(body);
}

std::optional<api::Submission> KnownJobs::latest(const std::string& name) const {
  std::string body;
  {
    const std::lock_guard lock(mutex_);
    const auto last = last_proposal_.find(name);
    if (last != last_proposal_.end()) body = proposals_.at(last->second).body;
  }
  return body.empty() ? request(name) : read_request(body);
}

void KnownJobs::propose(const std::string& proposal, const std::string& name,
                        const std::string& group, const api::Submission& changed) {
  std::string body = api::to_json(changed);
  const std::lock_guard lock(mutex_);
  proposals_.insert_or_assign(proposal, Proposed{name, group, std::move(body)});
  last_proposal_[name] = proposal;
}

std::string KnownJobs::same_proposal(const std::string& group) const {
  const std::lock_guard lock(mutex_);
  for (const auto& [id, proposed] : proposals_) {
    if (proposed.group == group) return id;
  }
  return {};
}

std::optional<api::Submission> KnownJobs::settle(const std::string& proposal) {
  std::string body;
  {
    const std::lock_guard lock(mutex_);
    const auto found = proposals_.find(proposal);
    if (found == proposals_.end()) return std::nullopt;
    body = found->second.body;
    const auto last = last_proposal_.find(found->second.name);
    if (last != last_proposal_.end() && last->second == proposal) last_proposal_.erase(last);
    proposals_.erase(found);
  }
  return read_request(body);
}

void KnownJobs::lowered(const std::string& name, const api::Submission& changed) {
  std::string body = api::to_json(changed);
  const std::lock_guard lock(mutex_);
  if (requests_.contains(name)) lowered_.insert_or_assign(name, std::move(body));
}

std::optional<api::Submission> KnownJobs::take_lowered(const std::string& name) {
  std::string body;
  {
    const std::lock_guard lock(mutex_);
    const auto found = lowered_.find(name);
    if (found == lowered_.end()) return std::nullopt;
    body = std::move(found->second);
    lowered_.erase(found);
  }
  return read_request(body);
}

void KnownJobs::see(const std::string& cluster, const std::vector<slurm::QueueJob>& jobs) {
  auto seen = std::make_shared<const std::vector<slurm::QueueJob>>(jobs);
  const std::lock_guard lock(mutex_);
  jobs_[cluster] = std::move(seen);
}

KnownJobs::Jobs KnownJobs::jobs(const std::string& cluster) const {
  const std::lock_guard lock(mutex_);
  const auto found = jobs_.find(cluster);
  return found == jobs_.end() ? nullptr : found->second;
}

void KnownJobs::set_pricer(Pricer pricer) {
  const std::lock_guard lock(mutex_);
  pricer_ = std::move(pricer);
}

KnownJobs::Pricer KnownJobs::pricer() const {
  const std::lock_guard lock(mutex_);
  return pricer_;
}

}  // namespace asbb::service
