// Rates between units.
#include <algorithm>
#include <map>
#include <utility>

#include "service/operations.h"

namespace asbb::service {
namespace {

api::ConversionRate rate_view(const ledger::ConversionRate& rate) {
  api::ConversionRate view;
  view.version = rate.version;
  view.from_unit = rate.from_unit;
  view.to_unit = rate.to_unit;
  view.rate = rate.rate;
  view.effective_from = rate.effective_from;
  view.recorded_at = rate.recorded_at;
  return view;
}

// In order of version; of each pair of units the one that took effect last is in force.
std::vector<api::ConversionRate> rate_views(const ledger::Book& book, Instant at) {
  std::vector<api::ConversionRate> views;
  std::map<std::pair<std::string, std::string>, std::size_t> last;
  for (const auto& [version, rate] : book.rates()) {
    views.push_back(rate_view(rate));
    if (at < rate.effective_from) continue;
    const auto [known, is_first] =
        last.emplace(std::pair(rate.from_unit, rate.to_unit), views.size() - 1);
    if (!is_first && views[known->second].effective_from <= rate.effective_from) {
      known->second = views.size() - 1;
    }
  }
  for (const auto& [units, index] : last) views[index].in_force = true;
  return views;
}

}  // namespace

Reply<std::vector<api::ConversionRate>> Operations::conversion_rates(const Caller& caller) const {
  if (caller.is_anonymous) return not_allowed(caller);
  const Instant at = now();
  return with_.committer.read([&](const ledger::Book& book) { return rate_views(book, at); });
}

void Operations::record_conversion_rate(const Caller& caller, const api::NewConversionRate& request,
                                        const Promise<api::ConversionRate>& promise) {
  using Answer = api::ConversionRate;
  if (!caller.may_admin) {
    return promise([caller]() -> Reply<Answer> { return not_allowed(caller); });
  }
  ledger::RecordConversionRate record{request.from_unit, request.to_unit, request.rate, now()};
  if (request.effective_from) {
    const auto from = api::period_start(*request.effective_from, options_.zone);
    if (!from) {
      return promise([error = from.error()]() -> Reply<Answer> { return problem(error); });
    }
    record.effective_from = *from;
  }
  commit<Answer>(command(caller, std::move(record), request.reason), "", promise,
                 [this](const ledger::Outcome& outcome) -> Reply<Answer> {
                   const Instant at = now();
                   return with_.committer.read([&](const ledger::Book& book) {
                     const auto views = rate_views(book, at);
                     return views.at(static_cast<std::size_t>(outcome.rate_version - 1));
                   });
                 },
                 {{"from_unit", request.from_unit},
                  {"to_unit", request.to_unit},
                  {"rate", to_decimal(request.rate)}});
}

}  // namespace asbb::service
