#include "cli/slurm_status.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "cli/commands.h"
#include "cli/doctor_checks.h"

namespace asbb::cli {
namespace {

// What the service knows of clusters, by the first word of the check.
constexpr std::array<std::string_view, 3> checks_of_clusters{"view ", "reconciler ", "prices "};

void add_what_the_service_sees(DoctorReport& report, const api::DoctorAnswer& answer) {
  for (const api::DoctorCheck& check : answer.checks) {
    const bool is_of_cluster =
        std::any_of(checks_of_clusters.begin(), checks_of_clusters.end(),
                    [&](std::string_view word) { return check.name.starts_with(word); });
    if (is_of_cluster) report.answer().checks.push_back(check);
  }
}

void add_allowances(DoctorReport& report, const api::Status& status) {
  for (const api::AllowanceStatus& one : status.allowances) {
    report.ok("allowance " + one.cluster, "account " + one.account + " may spend " +
                                              to_display(one.amount, one.unit) +
                                              " while the service is away, and has " +
                                              to_display(one.left, one.unit) + " of it left");
  }
}

int status(Context& context) {
  const auto settings = context.settings();
  if (!settings) return exit_failed;
  DoctorReport report;
  check_slurm_wiring(report, *settings, context.now());
  const auto seen = context.call<api::DoctorAnswer>("GET", "/api/v1/doctor");
  const auto found = context.call<api::Status>("GET", "/api/v1/status");
  const api::Problem* problem = !seen ? &seen.error() : !found ? &found.error() : nullptr;
  if (problem != nullptr && problem->status == 403) {
    report.warning("service", "not asked what it sees of the clusters: " + problem->message,
                   "Run it as root or as an administrator.");
  } else if (problem != nullptr) {
    report.failed("service", problem->message,
                  "What it sees of the clusters is not shown; 'asbb doctor' says more.");
  } else {
    add_what_the_service_sees(report, *seen);
    add_allowances(report, *found);
  }
  return show_checks(context, report.answer());
}

}  // namespace

void add_slurm_status(Command& slurm, Context& context) {
  slurm.add("status", "Shows how each cluster is: its daemons, the plugin, what the service sees.")
      .note(
          "The checks of 'asbb doctor' that are about clusters, and what accounts may spend there "
          "while the service is away. The exit code is 1 when a check failed.")
      .example("asbb slurm status")
      .action([&context] { return status(context); });
}

}  // namespace asbb::cli
