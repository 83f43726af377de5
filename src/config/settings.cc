#include "config/settings.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "base/text.h"
#include "base/zone.h"

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

template <typename Part>
using Member = Part Config::*;

// A path; `may_be_empty` where that means "none".
template <typename Part>
Setting path(std::string section, std::string key, Member<Part> part, std::string Part::* member,
             bool may_be_empty, std::string help) {
  return Setting{std::move(section),
                 std::move(key),
                 std::move(help),
                 may_be_empty ? "an absolute path, or \"\" for none" : "an absolute path",
                 [=](Config& config, const std::string& text) {
                   if (!(may_be_empty && text.empty()) && !is_absolute_path(text)) return false;
                   config.*part.*member = text;
                   return true;
                 },
                 [=](const Config& config) { return config.*part.*member; }};
}

template <typename Part>
Setting duration(std::string section, std::string key, Member<Part> part, Span Part::* member,
                 Span min, Span max, std::string help) {
  return Setting{std::move(section),
                 std::move(key),
                 std::move(help),
                 "a duration from " + to_text(min) + " to " + to_text(max),
                 [=](Config& config, const std::string& text) {
                   const auto span = parse_span(text);
                   if (!span || *span < min || *span > max) return false;
                   config.*part.*member = *span;
                   return true;
                 },
                 [=](const Config& config) { return to_text(config.*part.*member); },
                 false};
}

template <typename Part>
Setting whole(std::string section, std::string key, Member<Part> part, std::int64_t Part::* member,
              std::int64_t min, std::int64_t max, std::string help) {
  return Setting{std::move(section),
                 std::move(key),
                 std::move(help),
                 "a whole number from " + std::to_string(min) + " to " + std::to_string(max),
                 [=](Config& config, const std::string& text) {
                   const auto value = parse_whole(text, min, max);
                   if (!value) return false;
                   config.*part.*member = *value;
                   return true;
                 },
                 [=](const Config& config) { return std::to_string(config.*part.*member); },
                 false};
}

template <typename Value>
using Words = std::vector<std::pair<std::string, Value>>;

template <typename Part, typename Value>
Setting word(std::string section, std::string key, Member<Part> part, Value Part::* member,
             const Words<Value>& words, std::string help) {
  std::string allowed;
  for (const auto& [name, value] : words) allowed += (allowed.empty() ? "" : ", ") + name;
  return Setting{std::move(section),
                 std::move(key),
                 std::move(help),
                 allowed,
                 [=](Config& config, const std::string& text) {
                   for (const auto& [name, value] : words) {
                     if (name == text) {
                       config.*part.*member = value;
                       return true;
                     }
                   }
                   return false;
                 },
                 [=](const Config& config) {
                   for (const auto& [name, value] : words) {
                     if (value == config.*part.*member) return name;
                   }
                   return std::string();
                 },
                 false};
}

// Any text that `is_allowed`.
template <typename Part, typename Check>
Setting text_of(std::string section, std::string key, Member<Part> part, std::string Part::* member,
                std::string allowed, Check is_allowed, std::string help) {
  return Setting{std::move(section),
                 std::move(key),
                 std::move(help),
                 std::move(allowed),
                 [=](Config& config, const std::string& text) {
                   if (!is_allowed(text)) return false;
                   config.*part.*member = text;
                   return true;
                 },
                 [=](const Config& config) { return config.*part.*member; }};
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

bool set_hold_factor(Config& config, const std::string& text) {
  const auto factor = parse_micros(text);
  if (!factor || *factor < Micros(1'000'000) || *factor > Micros(10'000'000)) return false;
  config.budget.default_hold_percentage = *factor;
  return true;
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
  const Words<LogLevel> levels = {{"debug", LogLevel::debug},
                                  {"info", LogLevel::info},
                                  {"warning", LogLevel::warning},
                                  {"error", LogLevel::error}};
  out.push_back(word(section, "log_level", part, &Service::log_level, levels,
                     "The least severe messages that are logged."));
  const Words<LogFormat> formats = {{"text", LogFormat::text}, {"json", LogFormat::json}};
  out.push_back(word(section, "log_format", part, &Service::log_format, formats,
                     "How a message is written: a line for people, or a JSON object."));
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
  return out;
}

std::vector<Setting> budget_settings() {
  const std::string section = "budget";
  constexpr Member<Budget> part = &Config::budget;
  std::vector<Setting> out;
  out.push_back(Setting{
      section, "default_hold_percentage",
      "Factor on the estimate that is set aside, where the account has none.",
      "a factor from 1 to 10 such as 1.2", set_hold_factor,
      [](const Config& config) { return to_decimal(config.budget.default_hold_percentage); },
      false});
  out.push_back(text_of(
      section, "default_unit", part, &Budget::default_unit,
      "a currency such as USD, or a unit such as core-hours",
      [](const std::string& text) { return is_valid_unit(text); },
      "What amounts without a unit are counted in."));
  out.push_back(text_of(
      section, "write_off_account", part, &Budget::write_off_account,
      "an account, or \"\" for none",
      [](const std::string& text) { return text.empty() || is_user_name(text); },
      "The account that bears what is written off: costs that no project shall pay."));
  const Words<bool> costs = {{"bill", false}, {"write-off", true}};
  const std::string who_pays =
      ": billed to the job's account, or written off to write_off_account.";
  out.push_back(word(section, "cost_of_node_fail", part, &Budget::writes_off_node_fail, costs,
                     "What a run cost that ended because a node failed" + who_pays));
  out.push_back(word(section, "cost_of_boot_fail", part, &Budget::writes_off_boot_fail, costs,
                     "What a run cost that ended because a node did not boot" + who_pays));
  out.push_back(word(section, "cost_of_preempted", part, &Budget::writes_off_preempted, costs,
                     "What a run cost that was preempted by another job" + who_pays));
  const Words<bool> periods = {{"stay", false}, {"move", true}};
  out.push_back(word(section, "waiting_at_period_end", part, &Budget::moves_waiting, periods,
                     "Whether the hold of a job that waits when a budget ends moves to the next."));
  out.push_back(word(section, "running_at_period_end", part, &Budget::moves_running, periods,
                     "The same of a job that runs then; otherwise the ended budget is charged."));
  const Words<bool> cron = {{"allow", false}, {"refuse", true}};
  out.push_back(word(section, "scrontab", part, &Budget::refuses_scrontab, cron,
                     "Whether jobs of scrontab may go to partitions that have a price: they run "
                     "again and again, each time on their account's money."));
  out.push_back(
      whole(section, "max_unbound_holds", part, &Budget::max_unbound_holds, 1, 1'000'000'000,
            "Submissions per user and account that may hold money and are not jobs yet."));
  out.push_back(duration(section, "reconciliation_timeout", part, &Budget::reconciliation_timeout,
                         seconds(60), hours(24 * 365),
                         "An open hold that nothing explains raises an alarm after this. Holds are "
                         "never dropped by age."));
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
  return out;
}

std::vector<Setting> enforcement_settings() {
  std::vector<Setting> out;
  out.push_back(word("enforcement", "enabled", &Config::enforcement, &Enforcement::enabled,
                     Words<bool>{{"true", true}, {"false", false}},
                     "Whether anything is done about accounts that run dry."));
  return out;
}

bool set_burn_rate(Config& config, const std::string& text) {
  const auto factor = parse_micros(text);
  const bool is_none = factor && factor->is_zero();
  if (!factor || (!is_none && (*factor < Micros(1'000'000) || *factor > Micros(100'000'000)))) {
    return false;
  }
  config.alerts.burn_rate = *factor;
  return true;
}

bool is_time_of_day(const std::string& text) {
  return text.size() == 5 && text[2] == ':' && parse_count(text.substr(0, 2), 23) &&
         parse_count(text.substr(3), 59);
}

std::vector<Setting> alerts_settings() {
  const std::string section = "alerts";
  constexpr Member<Alerts> part = &Config::alerts;
  const Words<bool> yes_or_no = {{"true", true}, {"false", false}};
  std::vector<Setting> out;
  out.push_back(word(section, "enabled", part, &Alerts::enabled, yes_or_no,
                     "Whether budgets are watched and people told."));
  out.push_back(Setting{section, "burn_rate",
                        "An alert when an account spends so many times faster than its budget "
                        "lasts evenly until the period's end; 0 for none.",
                        "0, or a factor from 1 to 100 such as 2", set_burn_rate,
                        [](const Config& config) { return to_decimal(config.alerts.burn_rate); },
                        false});
  out.push_back(word(section, "exhaustion", part, &Alerts::exhaustion, yes_or_no,
                     "An alert when, at the rate of the last days, a budget is spent before its "
                     "period ends."));
  out.push_back(duration(section, "interval", part, &Alerts::interval, seconds(1), hours(24),
                         "How often budgets are looked at."));
  out.push_back(text_of(
      section, "digest_at", part, &Alerts::digest_at,
      "a time of day such as 08:00, or \"\" for none",
      [](const std::string& text) { return text.empty() || is_time_of_day(text); },
      "When the daily digest is sent, in service.timezone, on days on which there is something to "
      "say."));
  out.push_back(path(section, "state_file", part, &Alerts::state_file, true,
                     "Where the service writes down which alerts there are, who was told and who "
                     "acknowledged them, so that a restart tells nobody twice; \"\" is alerts.json "
                     "beside the database."));
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
        enforcement_settings(), alerts_settings(), audit_settings()}) {
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
  static const std::vector<Section> table = {{"service", "The daemon and who may reach it."},
                                             {"database", "Where the ledger is kept."},
                                             {"budget", "Rules of money."},
                                             {"slurm", "The clusters and how they are watched."},
                                             {"enforcement",
                                              "What is done about an account that runs dry while "
                                              "its jobs run."},
                                             {"alerts", "Who is told of what, and how."},
                                             {"audit", "Proofs that are kept elsewhere."}};
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
