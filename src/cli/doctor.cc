#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <ostream>

#include "api/build_version.h"
#include "cli/commands.h"
#include "cli/doctor_checks.h"

namespace asbb::cli {
namespace {

// False where the service does not answer.
bool check_service(DoctorReport& report, Context& context) {
  const auto health = context.call<api::Health>("GET", "/health");
  if (!health && health.error().status != 503) {
    report.failed("service", health.error().message, context.advice(health.error()));
    return false;
  }
  if (!health) {
    report.failed("service", "it answers, but cannot write the ledger: " + health.error().message,
                  "Its log says why.");
    return true;
  }
  report.ok("service", "answers, up for " + health->uptime);
  const std::string own = api::build_version().version;
  if (health->version != own) {
    report.failed("version", "the service is " + health->version + ", this program is " + own,
                  "Restart the service after an update, and use the asbb that belongs to it.");
  } else {
    report.ok("version", own + ", as this program");
  }
  return true;
}

// What the service alone can tell.
void check_ledger(DoctorReport& report, Context& context, bool is_there) {
  const auto answer = is_there ? context.call<api::DoctorAnswer>("GET", "/api/v1/doctor")
                               : api::Reply<api::DoctorAnswer>(tl::unexpected(api::Problem{}));
  if (answer) {
    std::copy(answer->checks.begin(), answer->checks.end(),
              std::back_inserter(report.answer().checks));
    return;
  }
  report.warning("ledger",
                 "prices, accounts, holds and alarms are not checked: " +
                     (is_there ? answer.error().message : std::string("the service is away")),
                 is_there ? "Run it as root or as an administrator." : "");
}

int doctor(Context& context) {
  DoctorReport report;
  const auto settings = config::load_config(context.flags.config, context.environment());
  if (!settings) {
    const std::string file = config::config_file(context.flags.config, context.environment());
    const bool is_hidden = !file.empty() && access(file.c_str(), R_OK) != 0 && errno == EACCES;
    for (const std::string& problem : settings.error()) {
      report.failed("settings", problem,
                    is_hidden ? "They are not for everybody: run it as root."
                              : "'asbb config validate' checks them again.");
    }
    return show_checks(context, report.answer());
  }
  report.ok("settings", "they are valid");
  context.set_timeouts(2'000, 20'000);
  const bool is_there = check_service(report, context);
  check_database_wiring(report, settings->database);
  check_slurm_wiring(report, *settings, context.now());
  check_ledger(report, context, is_there);
  return show_checks(context, report.answer());
}

}  // namespace

int show_checks(const Context& context, const api::DoctorAnswer& answer) {
  const auto count = [&](const char* status) {
    return std::count_if(answer.checks.begin(), answer.checks.end(),
                         [&](const auto& check) { return check.status == status; });
  };
  const int code = count("failed") == 0 ? exit_done : exit_failed;
  if (!context.wants_table()) {
    Table table({{"", "name"}, {"", "status"}, {"", "found"}, {"", "cure"}});
    for (const auto& check : answer.checks) {
      table.add({check.name, check.status, check.found, check.cure});
    }
    static_cast<void>(context.show(table, api::to_json(answer)));
    return code;
  }
  for (const auto& check : answer.checks) {
    std::string head = check.status;
    head.resize(9, ' ');
    context.out() << harmless_lines(head + check.name + ": " + check.found) << "\n";
    if (!check.cure.empty()) context.out() << "         " << harmless_lines(check.cure) << "\n";
  }
  context.out() << answer.checks.size() << " checks, " << count("warning") << " warnings, "
                << count("failed") << " failed\n";
  return code;
}

void add_doctor(Command& root, Context& context) {
  root.add("doctor", "Checks that everything is wired, and says the cure of what is not.")
      .note(
          "Run it as root on the machine of the service, and where a slurmctld runs. What it "
          "cannot "
          "look at it says. It changes nothing. The exit code is 1 when a check failed; a warning "
          "is no failure.")
      .example("asbb doctor")
      .action([&context] { return doctor(context); });
}

}  // namespace asbb::cli
