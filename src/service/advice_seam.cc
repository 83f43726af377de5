#include "service/advice_seam.h"

#include <algorithm>
#include <array>
#include <utility>

namespace asbb::service {
namespace {

advisor::Question question_of(const HoldPlan& plan, const pricing::Estimate& estimate) {
  const std::int64_t nodes = std::max<std::int64_t>(estimate.bound.nodes, 1);
  const auto per_node = [&](std::int64_t all) { return (all + nodes - 1) / nodes; };
  advisor::Question question;
  question.account = plan.slurm_account;
  question.partition = estimate.partition;
  question.nodes = nodes;
  question.cpus = std::max<std::int64_t>(per_node(estimate.bound.cores), 1);
  question.gpus = estimate.bound.gpus();
  question.memory_mb = per_node(estimate.bound.memory_mb);
  question.wall_time_s = estimate.billed_seconds;
  return question;
}

}  // namespace

std::optional<std::size_t> AdviceSeam::part_of(const HoldPlan& plan) const {
  const auto found =
      std::find_if(plan.parts.begin(), plan.parts.end(), [&](const PlannedPart& part) {
        return part.estimate.unit == options_.unit && part.estimate.priced;
      });
  if (found == plan.parts.end()) return std::nullopt;
  return static_cast<std::size_t>(found - plan.parts.begin());
}

void AdviceSeam::ask(const HoldPlan& plan, std::size_t part, Span wait,
                     advisor::Answer done) const {
  advisor_.ask(question_of(plan, plan.parts.at(part).estimate), wait, std::move(done));
}

PricedBy AdviceSeam::apply(const Result<advisor::Advice>& advice, std::size_t part, HoldPlan& plan,
                           ledger::PlaceHold& place) const {
  PlannedPart& planned = plan.parts.at(part);
  const Micros book = planned.estimate.total;
  const std::string& unit = planned.estimate.unit;
  const std::string book_says = "the price book says " + to_display(book, unit) + " at most";
  PricedBy by{part, false, {}};
  const auto by_book = [&](const std::string& why) {
    by.reason =
        "priced by the price book, " + to_display(book, unit) + " at most; the advisor: " + why;
    return by;
  };
  if (!advice) return by_book(advice.error().message);
  const auto priced = advisor::weigh(*advice, planned.estimate.task_count, book, planned.amount,
                                     plan.factor, options_.trust);
  if (!priced) return by_book(priced.error().message);
  if (!priced->by_advisor) return by_book("no more than that");
  planned.estimate.total = priced->estimate;
  planned.amount = priced->hold;
  for (ledger::PlacePart& placed : place.parts) {
    if (placed.unit != unit) continue;
    placed.estimate = priced->estimate;
    placed.amount = priced->hold;
  }
  by.is_advisor = true;
  by.reason = "priced by the advisor, " + to_display(priced->estimate, unit) +
              (advice->has_buffer ? " with its buffer" : "") + "; " + book_says;
  return by;
}

Span AdviceSeam::wait_of(Span time_budget) {
  constexpr Span kept = milliseconds(20);
  const std::int64_t whole = time_budget.microseconds;
  return Span{std::min(whole / 2, whole - kept.microseconds)};
}

std::string metrics_text(const advisor::Figures& figures, const std::string& prefix) {
  struct Line {
    const char* name;
    const char* type;
    const char* help;
    std::int64_t value;
  };
  const std::array<Line, 8> lines{
      {{"asked_total", "counter", "Questions that went to the advisor.", figures.asked},
       {"answered_total", "counter", "Of them, those with an advice.", figures.answered},
       {"failed_total", "counter", "Of them, those without.", figures.failed},
       {"cached_total", "counter", "Answered without asking.", figures.cached},
       {"late_total", "counter", "Jobs that could not wait for it.", figures.late},
       {"left_alone_total", "counter", "Not asked, after failures or while too much was under way.",
        figures.left_alone},
       {"under_way", "gauge", "Questions under way.", figures.under_way},
       {"left_alone", "gauge", "1 while it is left alone after failures.",
        figures.is_left_alone ? 1 : 0}}};
  std::string text;
  for (const Line& line : lines) {
    const std::string name = prefix + "advisor_" + line.name;
    text += "# HELP " + name + " " + line.help + "\n# TYPE " + name + " " + line.type + "\n" +
            name + " " + std::to_string(line.value) + "\n";
  }
  return text;
}

}  // namespace asbb::service
