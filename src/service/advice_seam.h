// Where an advisor's word on a job's cost meets the plan of its hold: asks about the part of the
// hold that is counted in the advisor's unit, and prices that part anew by what is believed of the
// answer. Never waits itself; without an answer the price book's estimate stands. Owned by the
// program; any thread.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>

#include "advisor/advisor.h"
#include "service/submission_gate.h"

namespace asbb::service {

struct AdviceOptions {
  std::string unit = "USD";  // that the advisor counts in
  config::AdvisorTrust trust = config::AdvisorTrust::raise;
};

// Which of the two priced a part of a hold.
struct PricedBy {
  std::size_t part = 0;  // of the plan
  bool is_advisor = false;
  std::string reason;  // "priced by the advisor: ..."; kept in the ledger with the hold
};

class AdviceSeam {
 public:
  AdviceSeam(advisor::Advisor& advisor, AdviceOptions options)
      : advisor_(advisor), options_(std::move(options)) {}

  // The part of the plan that the advisor can price; nothing where it has none in its unit.
  [[nodiscard]] std::optional<std::size_t> part_of(const HoldPlan& plan) const;
  // `done` is called once, at once or within `wait` on the advisor's thread.
  void ask(const HoldPlan& plan, std::size_t part, Span wait, advisor::Answer done) const;
  // Prices the part, and the same part of `place`, as the answer and the trust in it say.
  [[nodiscard]] PricedBy apply(const Result<advisor::Advice>& advice, std::size_t part,
                               HoldPlan& plan, ledger::PlaceHold& place) const;

  // How long a submission that has so much time may wait: at most half of it, and 20 ms less than
  // all, since the ledger has to decide and to write as well. Nothing or less: not at all.
  [[nodiscard]] static Span wait_of(Span time_budget);

  [[nodiscard]] advisor::Figures figures() const { return advisor_.figures(); }

 private:
  advisor::Advisor& advisor_;
  const AdviceOptions options_;
};

// For GET /metrics; each name begins with `prefix`, which has its '_'.
[[nodiscard]] std::string metrics_text(const advisor::Figures& figures, const std::string& prefix);

}  // namespace asbb::service
