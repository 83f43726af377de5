// Every noun of the command line, one file each, and the program that they make. Each function
// hangs its commands into the tree; the context outlives them.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "cli/command.h"
#include "cli/context.h"

namespace asbb::cli {

void add_account(Command& root, Context& context);       // account.cc
void add_alerts(Command& root, Context& context);        // alerts.cc
void add_money(Command& root, Context& context);         // money.cc
void add_audit(Command& root, Context& context);         // audit.cc
void add_budgets(Command& root, Context& context);       // budgets.cc
void add_config(Command& root, Context& context);        // config.cc
void add_database(Command& root, Context& context);      // database.cc
void add_doctor(Command& root, Context& context);        // doctor.cc
void add_forecast(Command& root, Context& context);      // forecast.cc
void add_job_context(Command& root, Context& context);   // job_context.cc
void add_prices(Command& root, Context& context);        // prices.cc
void add_quote(Command& root, Context& context);         // quote.cc
void add_rates(Command& root, Context& context);         // rates.cc
void add_reconcile(Command& root, Context& context);     // reconcile.cc
void add_recover(Command& root, Context& context);       // recover.cc
void add_report(Command& root, Context& context);        // report.cc
void add_service(Command& root, Context& context);       // service.cc
void add_slurm(Command& root, Context& context);         // slurm.cc
void add_submit(Command& root, Context& context);        // submit.cc
void add_top(Command& root, Context& context);           // top.cc
void add_transactions(Command& root, Context& context);  // transactions.cc
void add_usage(Command& root, Context& context);         // usage.cc

// The whole program without its process: `arguments` are those behind its name. Returns the exit
// code; what is written is complete, or the code is not 0.
[[nodiscard]] int run_program(const std::vector<std::string>& arguments, std::ostream& out,
                              std::ostream& err, config::Environment environment,
                              std::function<Instant()> now);

}  // namespace asbb::cli
