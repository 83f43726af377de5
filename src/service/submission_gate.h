// Judges a submission as far as it can be judged without the ledger: who asks, for which account,
// where the job may run, what it costs at most. The result is a plan of what to hold, or a
// decision. Any thread; never blocks on Slurm or on the system's user database.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "api/submission.h"
#include "ledger/command.h"
#include "pricing/estimate.h"
#include "service/committer.h"
#include "service/prices.h"
#include "service/submission_candidates.h"
#include "slurm/user_names.h"

namespace asbb::service {

struct GateOptions {
  Span view_age_max = seconds(300);
  Micros hold_factor{1'200'000};      // on the estimate, where the account has none of its own
  bool refuses_scrontab = false;      // where it costs money
  std::vector<std::string> clusters;  // all that are watched; Operations says which
};

// The money of one unit.
struct PlannedPart {
  std::vector<pricing::SharedShape> shapes;
  pricing::Estimate estimate;  // without lines
  Micros amount;               // to be held
};

struct HoldPlan {
  std::string user;
  std::string slurm_account;  // as slurmdbd writes it
  std::string account;        // of the ledger: itself or the nearest one above it
  std::string cluster;
  std::string partition;  // whose limits count
  Micros factor;
  std::int64_t task_count = 1;
  pricing::JobRequest request;
  std::vector<PlannedPart> parts;
  std::vector<ClusterChoice> clusters;                  // of a federation
  std::shared_ptr<const pricing::PriceHistory> prices;  // keeps `book`
  const pricing::PriceBook* book = nullptr;
};

// The sum over so many tasks that need `each`; as much as can be entered where it is beyond that.
[[nodiscard]] Micros of_tasks(Micros each, std::int64_t count);

// What is set aside for the plan, or for so many tasks when it is the plan of one of them.
[[nodiscard]] std::vector<ledger::PlacePart> parts_of(const HoldPlan& plan,
                                                      std::int64_t task_count = 1);

// The hold that the plan asks for; its deadline and cap of unbound holds are the caller's. It may
// lack units where the job can be kept from the clusters that need them.
[[nodiscard]] ledger::PlaceHold place_of(const HoldPlan& plan);

// The --cluster-constraint that keeps the job where the hold can pay; empty where no unit was left
// out.
[[nodiscard]] std::string constraint_of(const HoldPlan& plan, const ledger::Hold& hold);

// Nothing the job may use has a price: no hold is needed.
struct NoHoldNeeded {};

using Verdict = std::variant<NoHoldNeeded, Denial, HoldPlan>;

class SubmissionGate {
 public:
  SubmissionGate(const Committer& committer, const Prices& prices, const slurm::ClusterCache& view,
                 const slurm::UserNames& names, GateOptions options)
      : committer_(committer), prices_(prices), view_(view), names_(names), options_(options) {}

  [[nodiscard]] Verdict judge(const api::Submission& submission, Instant now);
  // What slurmctld would say of the account of a job that costs nothing, of which judge says
  // nothing.
  [[nodiscard]] std::optional<Denial> unusable_account(const api::Submission& submission) const;

 private:
  [[nodiscard]] std::optional<Denial> count_nodes(const api::Submission& submission,
                                                  HoldPlan& plan) const;
  [[nodiscard]] std::optional<Denial> find_account(const api::Submission& submission,
                                                   const slurm::Associations& associations,
                                                   HoldPlan& plan) const;
  [[nodiscard]] std::optional<Denial> read_ledger(const slurm::Associations& associations,
                                                  const Candidates& candidates,
                                                  HoldPlan& plan) const;
  [[nodiscard]] std::optional<Denial> price(const Candidates& candidates, HoldPlan& plan) const;

  const Committer& committer_;
  const Prices& prices_;
  const slurm::ClusterCache& view_;
  const slurm::UserNames& names_;
  const GateOptions options_;
  ShapeCache shapes_;
};

}  // namespace asbb::service
