#include "insight/forecast_words.h"

#include <algorithm>

namespace asbb::insight {
namespace {

constexpr std::int64_t cent = 10'000;

std::string rounded(Micros amount, const std::string& unit) {
  const auto cents = mul_div(amount.count(), 1, cent, Rounding::half_even);
  if (*cents == 0 && amount > Micros()) return "less than " + to_display(Micros(cent), unit);
  return to_display(Micros(*cents * cent), unit);
}

std::string days_text(std::int64_t days) {
  return std::to_string(days) + (days == 1 ? " day" : " days");
}

// "62 %"
std::string percent(Micros part) {
  return std::to_string(*mul_div(part.count(), 1, cent, Rounding::half_even)) + " %";
}

class Words {
 public:
  Words(const BudgetFacts& facts, const BudgetForecast& found, const std::string& unit,
        const DayText& day)
      : facts_(facts), found_(found), unit_(unit), day_(day) {}

  [[nodiscard]] std::string head() const {
    const std::string end = "the period's end on " + last_day();
    switch (found_.outlook) {
      case Outlook::no_spending:
        return "No job was charged in the last 90 days, and nothing is held.";
      case Outlook::exhausted:
        return "The budget is exhausted: no new job can start before money is put in or comes "
               "back.";
      case Outlook::runs_out:
        return "The money will probably be gone on " + day_(*found_.runs_out) + ", " +
               days_text(whole_days(*found_.runs_out, facts_.end)) + " before " + end + ".";
      case Outlook::may_run_out:
        return "The money will probably last, but at the highest recent rate it is gone on " +
               day_(*found_.runs_out_earliest) + ", before " + end + ".";
      case Outlook::on_track:
        return "The money will probably last until " + end + ".";
      case Outlook::underspent:
        return "About " + money(found_.unused_at_end) + " will probably be left at " + end + ".";
    }
    return {};
  }

  [[nodiscard]] std::string balance(const HeldParts& held) const {
    std::string out = money(facts_.used) + " of " + money(facts_.limit) + " is used";
    if (!facts_.held.is_zero()) {
      out += ", " + money(held.running) + " is held for jobs that run, " + money(held.waiting) +
             " for jobs that wait";
    }
    return out + "; " + money(found_.available) + " is left for new jobs.";
  }

  [[nodiscard]] std::string holds() const {
    const std::string take =
        "The jobs that hold money now will take about " + money(found_.holds_take) + " of it: ";
    if (!found_.is_part_known) {
      return take + "no job has ended in the last 90 days to compare with, so all of it counts.";
    }
    return take + "jobs usually cost " + percent(found_.usual_part) + " of what is held for them.";
  }

  [[nodiscard]] std::string pace() const {
    const auto& rates = facts_.rates;
    return "A day costs " + money(rates[1].per_day) +
           " at the rate of the last 30 days (7 days: " + money(rates[0].per_day) +
           ", 90 days: " + money(rates[2].per_day) + "); " + money(found_.expected_per_day) +
           " a day would spend the rest evenly over the " +
           days_text(whole_days(facts_.now, facts_.end)) + " that are left.";
  }

  [[nodiscard]] std::string range() const {
    if (!found_.runs_out_earliest) return "At the present rates it does not run out.";
    if (facts_.end <= *found_.runs_out_earliest) {
      return "At these rates it does not run out before the period ends.";
    }
    const std::string earliest = day_(*found_.runs_out_earliest);
    if (found_.runs_out_latest && day_(*found_.runs_out_latest) == earliest) {
      return "It runs out on " + earliest + " at each of these rates.";
    }
    const std::string latest = found_.runs_out_latest
                                   ? "and " + day_(*found_.runs_out_latest) + " at the lowest."
                                   : "and not at all at the lowest.";
    return "It runs out between " + earliest + " at the highest of these rates " + latest;
  }

  [[nodiscard]] std::string rest() const {
    if (found_.unused_at_end.is_zero()) return "Nothing will be left to expire at the end.";
    std::string out = "At the end about " + money(found_.unused_at_end) + " is unused";
    if (found_.carried_over.is_zero()) return out + ", which expires on " + last_day() + ".";
    out += ": " + money(found_.carried_over) + " goes into the next budget";
    return found_.expires.is_zero() ? out + "." : out + ", " + money(found_.expires) + " expires.";
  }

 private:
  [[nodiscard]] std::string money(Micros amount) const { return rounded(amount, unit_); }
  [[nodiscard]] std::string last_day() const { return day_(facts_.end - Span{1}); }

  const BudgetFacts& facts_;
  const BudgetForecast& found_;
  const std::string& unit_;
  const DayText& day_;
};

}  // namespace

std::int64_t whole_days(Instant from, Instant to) {
  return std::max<std::int64_t>((to - from).microseconds / day_span.microseconds, 0);
}

std::vector<std::string> explain(const BudgetFacts& facts, const HeldParts& held,
                                 const BudgetForecast& found, const std::string& unit,
                                 const DayText& day) {
  const Words words(facts, found, unit, day);
  std::vector<std::string> out{words.head(), words.balance(held)};
  if (!facts.held.is_zero()) out.push_back(words.holds());
  if (found.outlook == Outlook::no_spending) {
    out.push_back(words.rest());
    return out;
  }
  out.push_back(words.pace());
  if (found.outlook != Outlook::exhausted) out.push_back(words.range());
  out.push_back(words.rest());
  return out;
}

}  // namespace asbb::insight
