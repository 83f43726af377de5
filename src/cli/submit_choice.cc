#include "cli/submit_choice.h"

#include <algorithm>
#include <map>
#include <set>

#include "base/nearest.h"
#include "base/text.h"

namespace asbb::cli {
namespace {

constexpr std::int64_t millionth = 1'000'000;
constexpr Span start_tie = seconds(10);  // the controllers are asked one after the other

std::vector<std::size_t> granted_ones(const std::vector<Offer>& offers) {
  std::vector<std::size_t> out;
  for (std::size_t i = 0; i < offers.size(); ++i) {
    if (offers[i].is_wanted && offers[i].is_granted()) out.push_back(i);
  }
  // Of equals the first wins.
  std::stable_partition(out.begin(), out.end(),
                        [&](std::size_t i) { return !offers[i].cluster.is_cloud; });
  return out;
}

tl::unexpected<Error> none_granted() {
  return fail(ErrorKind::not_found, "no cluster can take the job now");
}

const char* only_one = "the others cannot take the job now";

const api::ConversionRate* find_rate(const std::vector<api::ConversionRate>& rates,
                                     const std::string& from, const std::string& to) {
  for (const api::ConversionRate& rate : rates) {
    if (rate.in_force && rate.from_unit == from && rate.to_unit == to) return &rate;
  }
  return nullptr;
}

std::set<std::string> units_of(const std::vector<Offer>& offers,
                               const std::vector<std::size_t>& among) {
  std::set<std::string> units;
  for (const std::size_t i : among) {
    for (const api::QuotePart& part : offers[i].quote->parts) {
      if (!part.estimated_cost.is_zero()) units.insert(part.unit);
    }
  }
  return units;
}

// In one unit; the job may turn out to cost any one of its parts.
std::optional<Micros> cost_in(const api::Quote& quote, const std::string& unit,
                              const std::vector<api::ConversionRate>& rates) {
  Micros most;
  for (const api::QuotePart& part : quote.parts) {
    if (part.estimated_cost.is_zero()) continue;
    Micros cost = part.estimated_cost;
    if (part.unit != unit) {
      const auto* rate = find_rate(rates, part.unit, unit);
      if (rate == nullptr) return std::nullopt;
      const auto converted =
          mul_div(cost.count(), rate->rate.count(), millionth, Rounding::half_even);
      if (!converted) return std::nullopt;
      cost = Micros(*converted);
    }
    most = std::max(most, cost);
  }
  return most;
}

std::string missing_rates(const std::set<std::string>& units,
                          const std::vector<api::ConversionRate>& rates) {
  for (const std::string& from : units) {
    for (const std::string& to : units) {
      if (from >= to || find_rate(rates, from, to) != nullptr ||
          find_rate(rates, to, from) != nullptr) {
        continue;
      }
      return "no rate between " + from + " and " + to + " is in force; 'asbb rates set " + from +
             " " + to + " RATE' records one, or name a cluster with --cluster";
    }
  }
  return "the rates in force lead to no one unit of all";
}

std::string in_time(std::int64_t seconds_) {
  constexpr std::int64_t minute = 60;
  constexpr std::int64_t hour = 3600;
  if (seconds_ < minute) return std::to_string(seconds_) + " s";
  if (seconds_ < hour) return std::to_string(seconds_ / minute) + " min";
  return std::to_string(seconds_ / hour) + " h " + std::to_string(seconds_ % hour / minute) +
         " min";
}

}  // namespace

Result<void> want_cluster(std::vector<Offer>& offers, const std::string& name) {
  std::vector<std::string> known;
  for (Offer& offer : offers) {
    offer.is_wanted = offer.cluster.name == to_lower(name);
    if (offer.is_wanted) return {};
    known.push_back(offer.cluster.name);
  }
  const std::string near = nearest_word(to_lower(name), known);
  std::string all;
  for (const std::string& one : known) all += (all.empty() ? "" : ", ") + one;
  return fail(ErrorKind::not_found,
              "--cluster: there is no cluster " + in_quotes(name) +
                  (near.empty() ? "; there are " + all : "; did you mean '" + near + "'?"));
}

std::string cost_text(const api::Quote& quote) {
  std::string cost;
  std::string held;
  for (const api::QuotePart& part : quote.parts) {
    const std::string between = cost.empty() ? "" : " or ";
    cost += between + to_display(part.estimated_cost, part.unit);
    held += (held.empty() ? "" : " and ") + to_display(part.hold_amount, part.unit);
  }
  return cost.empty() ? "nothing" : cost + " at most, " + held + " to be held";
}

Result<Choice> choose_first(const std::vector<Offer>& offers) {
  for (std::size_t i = 0; i < offers.size(); ++i) {
    if (offers[i].is_wanted && offers[i].is_granted()) return Choice{i, ""};
  }
  return none_granted();
}

Result<Choice> choose_cheapest(const std::vector<Offer>& offers,
                               const std::vector<api::ConversionRate>& rates) {
  const auto among = granted_ones(offers);
  if (among.empty()) return none_granted();
  if (among.size() == 1) return Choice{among.front(), only_one};
  const auto units = units_of(offers, among);
  // What is nothing in one unit is nothing in every other.
  std::vector<std::string> into(units.begin(), units.end());
  if (into.empty()) into.emplace_back();
  for (const std::string& unit : into) {
    std::map<std::size_t, Micros> costs;
    for (const std::size_t i : among) {
      if (const auto cost = cost_in(*offers[i].quote, unit, rates)) costs[i] = *cost;
    }
    if (costs.size() < among.size()) continue;
    std::size_t best = among.front();
    for (const std::size_t i : among) {
      if (costs[i] < costs[best]) best = i;
    }
    std::string reason;
    for (const std::size_t i : among) {
      if (i == best) continue;
      const std::string other = to_display(costs[i], unit) + " on " + offers[i].cluster.name;
      reason += (reason.empty() ? "" : ", ") + other;
      if (costs[i] == costs[best]) {
        reason += offers[i].cluster.is_cloud && !offers[best].cluster.is_cloud
                      ? " (a tie, which on premises wins)"
                      : " (a tie, which the first wins)";
      }
    }
    if (unit.empty()) return Choice{best, "it costs nothing anywhere, and this one comes first"};
    const std::string by = units.size() > 1 ? ", by the rates in force" : "";
    return Choice{
        best, "it is the cheapest: " + to_display(costs[best], unit) + " against " + reason + by};
  }
  for (const std::size_t i : among) {
    if (units_of(offers, {i}).empty()) return Choice{i, "it is the cheapest: it costs nothing"};
  }
  std::string what;
  for (const std::size_t i : among) {
    what += (what.empty() ? "" : " and ") + cost_text(*offers[i].quote) + " on " +
            offers[i].cluster.name;
  }
  return fail(ErrorKind::invalid,
              "--cheapest cannot compare " + what + ": " + missing_rates(units, rates));
}

Result<Choice> choose_soonest(const std::vector<Offer>& offers, Instant asked_at) {
  std::vector<std::size_t> among = granted_ones(offers);
  if (among.empty()) return none_granted();
  if (among.size() == 1) return Choice{among.front(), only_one};
  std::erase_if(among, [&](std::size_t i) { return !offers[i].start; });
  if (among.empty()) {
    return fail(ErrorKind::unavailable, "no controller says when it would start the job");
  }
  const auto wait_of = [&](std::size_t i) { return std::max(Span{}, *offers[i].start - asked_at); };
  std::size_t best = among.front();
  for (const std::size_t i : among) {
    if (wait_of(i) < wait_of(best)) best = i;
  }
  const Instant tied_until = asked_at + wait_of(best) + start_tie;
  const auto ties = [&](std::size_t i) { return asked_at + wait_of(i) <= tied_until; };
  best = *std::find_if(among.begin(), among.end(), ties);
  std::string reason = "it would start in " + in_time(wait_of(best).microseconds / millionth);
  for (const std::size_t i : among) {
    if (i == best) continue;
    reason +=
        ", on " + offers[i].cluster.name + " in " + in_time(wait_of(i).microseconds / millionth);
    if (ties(i)) reason += " (a tie, which " + offers[best].cluster.name + " wins)";
  }
  return Choice{best, reason};
}

Result<void> leaves_room_to_ask(const std::vector<Offer>& offers) {
  const auto among = granted_ones(offers);
  std::map<std::string, Micros> asked;  // by unit
  for (const std::size_t i : among) {
    for (const api::QuotePart& part : offers[i].quote->parts) asked[part.unit] += part.hold_amount;
  }
  for (const std::size_t i : among) {
    for (const api::QuotePart& part : offers[i].quote->parts) {
      for (const api::QuoteLeg& leg : part.legs) {
        const auto needed = asked[part.unit].plus(part.hold_amount);
        if (!leg.available || (needed && *leg.available >= *needed)) continue;
        return fail(ErrorKind::invalid,
                    "--soonest cannot ask: each controller sets the money aside for a minute or "
                    "two when it is asked, and then account " +
                        leg.account + ", which has " + to_display(*leg.available, part.unit) +
                        " left, could not pay the job itself; name a cluster with --cluster");
      }
    }
  }
  return {};
}

}  // namespace asbb::cli
