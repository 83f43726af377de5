#include <ostream>

#include "base/text.h"
#include "cli/commands.h"
#include "cli/sbatch_context.h"
#include "cli/sbatch_options.h"

namespace asbb::cli {
namespace {

struct QuoteFlags {
  std::string user;
  std::string cluster;
  std::vector<std::string> arguments;
};

Result<api::QuoteRequest> request_of(const Context& context, const QuoteFlags& flags) {
  const auto options =
      read_sbatch_options(flags.arguments, sbatch_variables(context), read_script_file);
  if (!options) return tl::unexpected(options.error());
  auto job = sbatch_submission(*options);
  if (!job) return tl::unexpected(job.error());
  api::QuoteRequest request{std::move(*job), flags.user};
  if (!flags.cluster.empty()) request.job.cluster = flags.cluster;
  if (request.job.cluster.empty()) request.job.cluster = own_cluster(context);
  return request;
}

Table legs_table(const api::Quote& quote) {
  Table table({{"ACCOUNT", "account", Align::left, true},
               {"PARTITION", "partition", Align::left, true},
               {"UNIT", "unit"},
               {"LIMIT", "limit", Align::decimal},
               {"HELD", "held", Align::decimal},
               {"USED", "used", Align::decimal},
               {"AVAILABLE", "available", Align::decimal},
               {"FITS", "fits"}});
  for (const api::QuotePart& part : quote.parts) {
    for (const api::QuoteLeg& leg : part.legs) {
      table.add({leg.account, leg.partition.empty() ? "-" : leg.partition, part.unit,
                 shown(leg.limit), shown(leg.held), shown(leg.used), shown(leg.available),
                 leg.fits ? "yes" : "no"});
    }
  }
  return table;
}

// For programs: exact amounts, and what would be held in each unit.
Table quote_csv(const api::Quote& quote) {
  Table table({{"ACCOUNT", "account"},
               {"PARTITION", "partition"},
               {"UNIT", "unit"},
               {"ESTIMATE", "estimate"},
               {"HOLD", "hold"},
               {"LIMIT", "limit"},
               {"HELD", "held"},
               {"USED", "used"},
               {"AVAILABLE", "available"},
               {"FITS", "fits"}});
  for (const api::QuotePart& part : quote.parts) {
    for (const api::QuoteLeg& leg : part.legs) {
      table.add({leg.account, leg.partition, part.unit, to_decimal(part.estimated_cost),
                 to_decimal(part.hold_amount), exact(leg.limit), exact(leg.held), exact(leg.used),
                 exact(leg.available), leg.fits ? "yes" : "no"});
    }
  }
  return table;
}

void print(std::ostream& out, const api::Quote& quote) {
  out << harmless_lines(quote.message);
  for (const api::QuotePart& part : quote.parts) {
    out << "\nHow the estimate in " << part.unit << " was reached:\n";
    for (const std::string& line : part.lines) out << "  " << harmless(line) << "\n";
  }
  const Table legs = legs_table(quote);
  if (!legs.is_empty()) out << "\n" << legs.text();
  if (quote.fits.empty()) return;
  out << "\nWhat would fit:\n";
  for (const api::QuoteFit& fit : quote.fits) {
    out << "  " << harmless(fit.arguments)
        << (fit.unit.empty() ? ", which costs nothing"
                             : " holds " + to_display(fit.hold_amount, fit.unit))
        << "\n";
  }
}

int quote(Context& context, const QuoteFlags& flags) {
  if (flags.arguments.empty()) return context.misused("give sbatch's arguments behind '--'");
  const auto request = request_of(context, flags);
  if (!request) return context.misused(request.error().message);
  const auto answer = context.call<api::Quote>("POST", "/api/v1/quote", api::to_json(*request));
  if (!answer) return context.failed(answer.error());
  if (context.wants_table()) {
    print(context.out(), *answer);
  } else {
    static_cast<void>(context.show(quote_csv(*answer), api::to_json(*answer)));
  }
  return answer->decision == "allow" ? exit_done : exit_refused;
}

}  // namespace

void add_quote(Command& root, Context& context) {
  auto flags = std::make_shared<QuoteFlags>();
  root.add("quote", "What a job would cost at most, without submitting it.")
      .take({"--user", "USER", "Whose job it would be; the caller's when left out."}, flags->user)
      .take(
          {"--cluster", "CLUSTER",
           "Where sbatch would be typed; the cluster of this machine's slurm.conf when left out."},
          flags->cluster)
      .take_rest({"SBATCH_ARGUMENTS", "",
                  "What sbatch would be given: options, and the script whose #SBATCH lines count.",
                  Presence::required},
                 flags->arguments)
      .note(
          "Shows the estimate, how it was reached, what is available in each budget and limit that "
          "the hold would be drawn on, and, when it is refused, what would fit: a time, a number "
          "of nodes, another partition. SBATCH_* variables count as they do for sbatch. Nothing is "
          "held.")
      .note("Exit code 3 says that the job would be refused.")
      .example("asbb quote -- --partition=gpu-aws --nodes=2 --gpus-per-node=1 --time=4:00:00")
      .example("asbb quote -- --account=proj001 job.sh")
      .action([&context, flags] { return quote(context, *flags); });
}

}  // namespace asbb::cli
