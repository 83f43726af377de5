#include "config/settings.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "base/text.h"
#include "base/zone.h"
#include "config/setting_kinds.h"

namespace asbb::config {
namespace {

constexpr std::size_t socket_path_max = 107;  // unix(7): sun_path has 108 bytes with its NUL

bool is_plain(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7F;
  });
}

bool has_only(std::string_view text, std::string_view characters) {
  return text.find_first_not_of(characters) == std::string_view::npos;
}

// "" or HOST:PORT of a loopback host; the service narrows ":PORT" to loopback and says so.
bool is_listen_address(const std::string& text) {
  if (text.empty()) return true;
  const auto colon = text.rfind(':');
  if (colon == std::string::npos) return false;
  const std::string host = text.substr(0, colon);
  if (!parse_whole(text.substr(colon + 1), 0, 65'535)) return false;
  return host.empty() || host == "localhost" || host == "127.0.0.1" || host == "[::1]";
}

bool set_socket_mode(Config& config, const std::string& text) {
  unsigned mode = 0;
  const char* const end = text.data() + text.size();
  const auto [at, ec] = std::from_chars(text.data(), end, mode, 8);
  if (ec != std::errc() || at != end || mode > 0777 || (mode & 0600U) != 0600U) return false;
  config.service.socket_mode = mode;
  return true;
}

std::string get_socket_mode(const Config& config) {
  std::array<char, 8> digits{};
  const auto [end, ec] =
      std::to_chars(digits.data(), digits.data() + digits.size(), config.service.socket_mode, 8);
  return "0" + std::string(digits.data(), end);
}

std::vector<Setting> service_settings() {
  const std::string section = "service";
  constexpr Member<Service> part = &Config::service;
  std::vector<Setting> out;
  out.push_back(text_of(section, "listen_addr", part, &Service::listen_addr,
                        "\":PORT\", \"localhost:PORT\", \"127.0.0.1:PORT\", \"[::1]:PORT\", or "
                        "\"\" for no TCP",
                        is_listen_address,
                        "Where the REST API listens besides its socket. Without TLS that is "
                        "loopback only, whatever the host."));
  out.push_back(text_of(
      section, "socket", part, &Service::socket, "an absolute path of at most 107 bytes",
      [](const std::string& text) {
        return is_absolute_path(text) && text.size() <= socket_path_max;
      },
      "The unix socket of the Slurm plugin and the command line."));
  out.push_back(Setting{section, "socket_mode",
                        "Mode of the socket. Who may do what is decided by user, not by this.",
                        "an octal mode from 0600 to 0777", set_socket_mode, get_socket_mode,
                        false});
  out.push_back(text_of(
      section, "timezone", part, &Service::timezone,
      "an IANA time zone such as UTC or Europe/Paris",
      [](const std::string& text) {
        return !text.empty() && is_plain(text) && start_of_day(Day{2025, 1, 1}, text).has_value();
      },
      "Where the days begin with which budgets start and end."));
  out.push_back(path(section, "tokens_file", part, &Service::tokens_file, true,
                     "Bearer tokens of callers over TCP: lines of NAME SCOPE SHA256."));
  out.push_back(word(section, "anonymous_budget_routes", part, &Service::anonymous_budget_routes,
                     Words<bool>{{"true", true}, {"false", false}},
                     "Whether /budget/check and /budget/reconcile answer callers over TCP that "
                     "have no token."));
  out.push_back(
      whole(section, "workers", part, &Service::workers, 1, 64, "Threads that serve connections."));
  out.push_back(duration(section, "read_timeout", part, &Service::read_timeout, milliseconds(100),
                         seconds(600),
                         "How long a request may take from its first byte to its "
                         "last."));
  out.push_back(duration(section, "write_timeout", part, &Service::write_timeout, milliseconds(100),
                         seconds(600), "How long an answer may take to be read."));
  out.push_back(duration(section, "shutdown_timeout", part, &Service::shutdown_timeout,
                         milliseconds(1), seconds(600),
                         "How long a stop waits for answers that are owed."));
  return out;
}

std::vector<Setting> database_settings() {
  const std::string section = "database";
  constexpr Member<Database> part = &Config::database;
  std::vector<Setting> out;
  out.push_back(text_of(
      section, "driver", part, &Database::driver, "sqlite",
      [](const std::string& text) { return text == "sqlite"; },
      "Which database keeps the ledger."));
  out.push_back(path(section, "dsn", part, &Database::dsn, false, "The database file."));
  out.push_back(path(section, "chain_key_file", part, &Database::chain_key_file, false,
                     "The key of the audit chain, outside the database. Keep a copy elsewhere."));
  out.push_back(duration(section, "lock_wait", part, &Database::lock_wait, milliseconds(1),
                         hours(24 * 365), "How long a start waits for another service to let go."));
  out.push_back(
      word(section, "clock_may_be_behind", part, &Database::clock_may_be_behind,
           Words<bool>{{"true", true}, {"false", false}},
           "Whether a start is allowed more than a day before the ledger's last entry: "
           "after a clock that was far ahead. Leave it so: questions about days then read "
           "all entries, which are not in the order of time."));
  return out;
}

std::vector<Setting> slurm_settings() {
  const std::string section = "slurm";
  constexpr Member<Slurm> part = &Config::slurm;
  const Span year = hours(24 * 365);
  std::vector<Setting> out;
  out.push_back(text_of(
      section, "user", part, &Slurm::user, "a user name",
      [](const std::string& text) { return is_user_name(text); },
      "SlurmUser: may submit, notify and read."));
  out.push_back(duration(section, "refresh_interval", part, &Slurm::refresh_interval,
                         milliseconds(100), hours(1),
                         "How often partitions, nodes and associations are read."));
  out.push_back(duration(section, "view_max_age", part, &Slurm::view_max_age, seconds(1), hours(24),
                         "Jobs on priced partitions are refused when that view is older."));
  out.push_back(duration(section, "reconcile_interval", part, &Slurm::reconcile_interval,
                         milliseconds(100), hours(24),
                         "How often jobs are looked at when no hook wakes the service."));
  out.push_back(duration(section, "rescan_interval", part, &Slurm::rescan_interval, seconds(1),
                         hours(24 * 7), "How often jobs are sought that ran without a hold."));
  out.push_back(duration(section, "sweep_grace_min", part, &Slurm::sweep_grace_min, seconds(1),
                         year, "A hold younger than this is never voided for want of a job."));
  out.push_back(duration(section, "command_timeout", part, &Slurm::command_timeout, seconds(1),
                         hours(1), "How long one squeue, sacct, scontrol or sacctmgr may take."));
  out.push_back(path(section, "policy_dir", part, &Slurm::policy_dir, true,
                     "Where the plugin's policy files are written; \"\" is the socket's folder."));
  out.push_back(path(section, "bin_path", part, &Slurm::bin_path, true,
                     "The folder of Slurm's commands for clusters that name none; \"\" is PATH."));
  out.push_back(path(section, "config_path", part, &Slurm::config_path, true,
                     "The slurm.conf, or its folder, of clusters that name none; \"\" is Slurm's "
                     "own default."));
  return out;
}

std::vector<Setting> enforcement_settings() {
  std::vector<Setting> out;
  out.push_back(word("enforcement", "enabled", &Config::enforcement, &Enforcement::enabled,
                     Words<bool>{{"true", true}, {"false", false}},
                     "Whether anything is done about accounts that run dry."));
  return out;
}

std::vector<Setting> audit_settings() {
  const std::string section = "audit";
  constexpr Member<Audit> part = &Config::audit;
  std::vector<Setting> out;
  out.push_back(path(section, "head_file", part, &Audit::head_file, true,
                     "Where the head of the audit chain is written down, a line each time. Keep "
                     "it, or a copy, where whoever may write the database may not."));
  out.push_back(duration(section, "head_interval", part, &Audit::head_interval, seconds(1),
                         hours(24 * 7), "How often it is; also at start and stop."));
  out.push_back(word(section, "syslog", part, &Audit::syslog,
                     Words<bool>{{"true", true}, {"false", false}},
                     "Whether the head goes to syslog as well."));
  return out;
}

std::vector<Setting> all_settings() {
  std::vector<Setting> out;
  for (const auto& part :
       {service_settings(), database_settings(), budget_settings(), slurm_settings(),
        enforcement_settings(), alerts_settings(), audit_settings(), advisor_settings(),
        logging_settings(), metrics_settings()}) {
    out.insert(out.end(), part.begin(), part.end());
  }
  return out;
}

}  // namespace

const std::vector<Setting>& settings() {
  static const std::vector<Setting> table = all_settings();
  return table;
}

const std::vector<Section>& sections() {
  static const std::vector<Section> table = {
      {"service", "The daemon and who may reach it."},
      {"database", "Where the ledger is kept."},
      {"budget", "Rules of money."},
      {"slurm", "The clusters and how they are watched."},
      {"enforcement",
       "What is done about an account that runs dry while "
       "its jobs run."},
      {"alerts", "Who is told of what, and how."},
      {"audit", "Proofs that are kept elsewhere."},
      {"advisor", "A program that knows what jobs will cost."},
      {"logging", "What is written down, and where."},
      {"metrics", "Figures for Prometheus."}};
  return table;
}

const std::vector<std::string>& structured_settings() {
  static const std::vector<std::string> names = {"service.admins",       "slurm.clusters",
                                                 "slurm.on_unavailable", "enforcement.ladder",
                                                 "enforcement.accounts", "enforcement.partitions",
                                                 "alerts.thresholds",    "alerts.channels"};
  return names;
}

bool is_user_name(std::string_view text) {
  return !text.empty() && text.size() <= 64 && text[0] != '-' &&
         has_only(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");
}

bool is_cluster_name(std::string_view text) {
  return !text.empty() && text.size() <= 40 &&
         has_only(text, "abcdefghijklmnopqrstuvwxyz0123456789_-");
}

bool is_absolute_path(std::string_view text) {
  return text.size() > 1 && text.size() < 4096 && text[0] == '/' && is_plain(text);
}

}  // namespace asbb::config
