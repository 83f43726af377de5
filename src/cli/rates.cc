#include "cli/commands.h"

namespace asbb::cli {
namespace {

struct RateFlags {
  std::string from_unit;
  std::string to_unit;
  std::string rate;
  std::optional<std::string> effective_from;
  std::string reason;
};

int set_rate(Context& context, const RateFlags& flags) {
  api::NewConversionRate request;
  request.from_unit = flags.from_unit;
  request.to_unit = flags.to_unit;
  request.reason = flags.reason;
  const auto rate = read_amount("RATE", flags.rate);
  if (!rate) return context.misused(rate.error().message);
  if (*rate <= Micros()) return context.misused("RATE: a number above 0 is expected");
  request.rate = *rate;
  if (flags.effective_from) {
    const auto date = api::parse_date(*flags.effective_from);
    if (!date) return context.misused("--effective-from: " + date.error().message);
    request.effective_from = *date;
  }
  const auto made =
      context.call<api::ConversionRate>("POST", "/api/v1/conversion-rates", api::to_json(request));
  if (!made) return context.failed(made.error());
  std::string said = "One " + made->from_unit + " comes to " + to_decimal(made->rate) + " " +
                     made->to_unit + " from " + to_second_text(made->effective_from) + " UTC on.";
  if (made->effective_from + seconds(60) < made->recorded_at) {
    said += " Reports of days since then are made with it from now on.";
  }
  return context.done(said, api::to_json(*made));
}

int list_rates(Context& context) {
  const auto rates =
      context.call<std::vector<api::ConversionRate>>("GET", "/api/v1/conversion-rates");
  if (!rates) return context.failed(rates.error());
  Table table({{"VERSION", "version", Align::right},
               {"FROM", "from_unit"},
               {"TO", "to_unit"},
               {"RATE", "rate", Align::decimal},
               {"EFFECTIVE FROM (UTC)", "effective_from"},
               {"IN FORCE", "in_force"}});
  for (const api::ConversionRate& rate : *rates) {
    table.add({std::to_string(rate.version), rate.from_unit, rate.to_unit, to_decimal(rate.rate),
               to_second_text(rate.effective_from), rate.in_force ? "yes" : "no"});
  }
  return context.show(table, api::to_json(*rates), "No rates between units are recorded.");
}

}  // namespace

void add_rates(Command& root, Context& context) {
  Command rates = root.add("rates", "Rates between units: what one comes to in another.");
  auto flags = std::make_shared<RateFlags>();
  rates.add("set", "Records a rate from a moment on; the other direction has its own.")
      .take({"FROM", "", "The unit that is paid with.", Presence::required}, flags->from_unit)
      .take({"TO", "", "The unit that it becomes.", Presence::required}, flags->to_unit)
      .take({"RATE", "", "How much of TO one of FROM comes to.", Presence::required}, flags->rate)
      .take({"--effective-from", "TIME", "A day or RFC 3339; now when left out."},
            flags->effective_from)
      .take({"--reason", "TEXT", "Why; it is kept in the ledger."}, flags->reason)
      .note("A rate is never changed in place: the one that took effect last is in force.")
      .example("asbb rates set USD core-hours 25 --effective-from=2025-07-01")
      .action([&context, flags] { return set_rate(context, *flags); });
  rates.add("list", "Lists the rates.").action([&context] { return list_rates(context); });
}

}  // namespace asbb::cli
