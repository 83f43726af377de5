// Which cluster a job goes to: of those that can take it the cheapest, or the one that starts it
// first. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "api/account.h"
#include "cli/submit_job.h"

namespace asbb::cli {

// What is known of the job on one cluster.
struct Offer {
  api::ClusterInfo cluster;
  Route route;
  bool is_wanted = false;           // the flags allow it
  std::optional<api::Quote> quote;  // none: `problem` says why
  std::string problem;
  std::optional<Instant> start;

  [[nodiscard]] bool is_granted() const { return quote && quote->decision == "allow"; }
};

struct Choice {
  std::size_t index = 0;
  std::string reason;  // "it is the cheapest: ..."
};

// "onprem", with "cloud" for one that is wanted: names of clusters that are no such are refused,
// the nearest one suggested.
[[nodiscard]] Result<void> want_cluster(std::vector<Offer>& offers, const std::string& name);

// "3.00 core-hours at most (3.60 core-hours are held)", "nothing".
[[nodiscard]] std::string cost_text(const api::Quote& quote);

// Of the wanted ones. On a tie one on premises wins, then the order of the settings. An error says
// why there is none, or which rate between units is missing.
[[nodiscard]] Result<Choice> choose_cheapest(const std::vector<Offer>& offers,
                                             const std::vector<api::ConversionRate>& rates);
// The same by `start`, against the moment at which it was asked for.
[[nodiscard]] Result<Choice> choose_soonest(const std::vector<Offer>& offers, Instant asked_at);
// The first that can be paid.
[[nodiscard]] Result<Choice> choose_first(const std::vector<Offer>& offers);

// Whether the job would still fit on each wanted cluster once the controllers were asked: each
// sets its money aside, as for a job. Else what to do.
[[nodiscard]] Result<void> leaves_room_to_ask(const std::vector<Offer>& offers);

}  // namespace asbb::cli
