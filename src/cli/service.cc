#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <ostream>

#include "cli/commands.h"
#include "cli/service_stop.h"

namespace asbb::cli {
namespace {

constexpr const char* program = "asbb-service";

// The daemon beside this program, where it is; else the one that PATH has.
std::string find_program() {
  std::array<char, 4096> path{};
  const ssize_t length = readlink("/proc/self/exe", path.data(), path.size() - 1);
  if (length <= 0) return program;
  std::string beside(path.data(), static_cast<std::size_t>(length));
  beside = beside.substr(0, beside.rfind('/') + 1) + program;
  return access(beside.c_str(), X_OK) == 0 ? beside : program;
}

int start(Context& context) {
  const std::string path = find_program();
  std::vector<std::string> words = {path};
  if (!context.flags.config.empty()) {
    words.emplace_back("--config");
    words.push_back(context.flags.config);
  }
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  context.out().flush();
  execvp(path.c_str(), arguments.data());
  return context.failed(Error{ErrorKind::not_found,
                              std::string(program) + " cannot be started: " + std::strerror(errno) +
                                  "; it belongs beside asbb, or in PATH",
                              {}});
}

int stop(Context& context, std::int64_t wait_s) {
  if (!context.flags.url.empty()) {
    return context.misused(
        "--url: a service is stopped on its own machine, through its socket; leave the URL out");
  }
  const auto socket = context.socket();
  if (!socket) return context.failed(socket.error());
  const auto stopped = stop_service(*socket, static_cast<int>(wait_s));
  if (!stopped) return context.failed(stopped.error());
  return context.done("The service (process " + std::to_string(*stopped) + ") has stopped.");
}

int status(Context& context) {
  const auto found = context.call<api::Status>("GET", "/api/v1/status");
  if (!found) return context.failed(found.error());
  Table clusters({{"CLUSTER", "cluster", Align::left, true},
                  {"REACHABLE", "reachable"},
                  {"VIEW READ (UTC)", "view_read_at"},
                  {"RECONCILED (UTC)", "reconciled_at"}});
  for (const api::ClusterStatus& cluster : found->clusters) {
    clusters.add({cluster.name, cluster.reachable ? "yes" : "no",
                  cluster.view_read_at ? to_second_text(*cluster.view_read_at) : "never",
                  cluster.reconciled_at ? to_second_text(*cluster.reconciled_at) : "never"});
  }
  if (!context.wants_table()) return context.show(clusters, api::to_json(*found));
  std::ostream& out = context.out();
  out << "asbb-service " << harmless(found->version) << ", started "
      << to_second_text(found->started_at) << " UTC\n"
      << "Ledger: " << (found->ledger.healthy ? "healthy" : "NOT HEALTHY") << ", "
      << found->ledger.entries << " entries, " << found->ledger.queue_length << " waiting\n"
      << "Holds: " << found->reconciler.open_holds << " open, " << found->reconciler.unbound_holds
      << " not bound to a job\n\n"
      << clusters.text();
  if (found->clusters.empty()) out << "No cluster is configured: see slurm.clusters.\n";
  for (const api::ClusterStatus& cluster : found->clusters) {
    if (!cluster.problem.empty()) {
      out << harmless(cluster.name) << ": " << harmless_lines(cluster.problem) << "\n";
    }
  }
  if (!found->allowances.empty()) {
    Table allowances({{"ACCOUNT", "account", Align::left, true},
                      {"CLUSTER", "cluster"},
                      {"UNIT", "unit"},
                      {"MAY SPEND", "amount", Align::right},
                      {"LEFT", "left", Align::right}});
    for (const api::AllowanceStatus& one : found->allowances) {
      allowances.add(
          {one.account, one.cluster, one.unit, to_decimal(one.amount), to_decimal(one.left)});
    }
    out << "\nWhile the service is away\n" << allowances.text();
  }
  if (!found->alarms.empty()) out << "\nAlarms\n";
  for (const api::Alarm& alarm : found->alarms) {
    out << "  since " << to_second_text(alarm.since) << " " << harmless(alarm.code) << ": "
        << harmless_lines(alarm.message) << "\n";
  }
  return exit_done;
}

}  // namespace

void add_service(Command& root, Context& context) {
  Command service = root.add("service", "The budget service.");
  service.add("start", "Runs the service in the foreground, with the settings of --config.")
      .note(
          "It logs to standard error and ends on SIGTERM. On a machine with systemd, "
          "'systemctl start asbb-service' is the usual way.")
      .example("asbb service start --config=/etc/asbb/config.yaml")
      .action([&context] { return start(context); });
  auto wait_s = std::make_shared<std::int64_t>(60);
  service.add("stop", "Stops the service on this machine, and waits until it has ended.")
      .take({"--wait", "SECONDS", "How long at most; 60 when left out."}, *wait_s, 1, 3600)
      .note(
          "It answers who is waiting, writes what it has, and ends. Only its own user and root may "
          "stop it. Exit code 1 when it was not running, or has not ended yet. systemd does not "
          "start it again by itself.")
      .example("asbb service stop")
      .action([&context, wait_s] { return stop(context, *wait_s); });
  service.add("status", "Shows how the service is: clusters, holds, alarms.").action([&context] {
    return status(context);
  });
}

}  // namespace asbb::cli
