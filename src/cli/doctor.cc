#include <algorithm>
#include <iterator>
#include <ostream>

#include "api/build_version.h"
#include "cli/commands.h"
#include "cli/doctor_checks.h"

namespace asbb::cli {
namespace {

// False where the service does not answer. `is_guessed`: the socket is the usual one, because the
// settings that may name another cannot be read.
bool check_service(DoctorReport& report, Context& context, bool is_guessed) {
  const auto health = context.call<api::Health>("GET", "/health");
  if (!health && health.error().status != 503 && is_guessed) {
    report.warning("service", "not found where it usually listens: " + health.error().message,
                   "Name its socket with --socket, or run it as root.");
    return false;
  }
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

// What of the settings an ordinary user needs is told by the service itself.
int examine_without_settings(DoctorReport& report, Context& context, const std::string& file) {
  report.warning("settings", "not checked: " + file + " is not for everybody to read",
                 "Run it as root.");
  const bool is_there =
      check_service(report, context, context.flags.socket.empty() && context.flags.url.empty());
  report.warning("database", "not checked: the settings say where it is", "Run it as root.");
  report.warning("clusters", "not checked: the settings name them", "Run it as root.");
  check_ledger(report, context, is_there);
  return show_checks(context, report.answer());
}

int doctor(Context& context) {
  DoctorReport report;
  context.set_timeouts(2'000, 20'000);
  const auto settings = config::load_config(context.flags.config, context.environment());
  if (!settings) {
    const std::string file = config::config_file(context.flags.config, context.environment());
    if (!file.empty() && is_hidden(file)) return examine_without_settings(report, context, file);
    for (const std::string& problem : settings.error()) {
      report.failed("settings", problem, "'asbb config validate' checks them again.");
    }
    return show_checks(context, report.answer());
  }
  report.ok("settings", "they are valid");
  const bool is_there = check_service(report, context, false);
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
          "cannot look at, as when an ordinary user runs it, it says in a warning. It changes "
          "nothing. The exit code is 1 when a check failed; a warning "
          "is no failure.")
      .example("asbb doctor")
      .action([&context] { return doctor(context); });
}

}  // namespace asbb::cli
