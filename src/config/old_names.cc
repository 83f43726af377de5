#include "config/old_names.h"

#include <algorithm>

namespace asbb::config {
namespace {

constexpr const char* tls =
    "asbb answers on its socket and on loopback; for other machines put a proxy with TLS in "
    "front of it";
constexpr const char* origins = "requests of pages from elsewhere are never answered";
constexpr const char* connections =
    "the ledger has one connection that writes, and makes those that read as it needs them";
constexpr const char* once =
    "a submission cannot wait for a second try; after failures the advisor is left alone for a "
    "while and asked again";
struct FormerWords {
  const char* name;
  const char* instead;
};
constexpr FormerWords former[] = {
    {"service.tls_enabled", tls},
    {"service.tls_cert_file", tls},
    {"service.tls_key_file", tls},
    {"service.cors_enabled", origins},
    {"service.cors_origins", origins},
    {"service.enable_metrics", "write metrics.enabled"},
    {"service.metrics_addr", "figures are shown at metrics.path of the REST API's own address"},
    {"service.enable_pprof", "use perf or a debugger on the process"},
    {"service.pprof_addr", "use perf or a debugger on the process"},
    {"database.max_open_conns", connections},
    {"database.max_idle_conns", connections},
    {"database.conn_max_lifetime", connections},
    {"database.migrations_path", "migrations are part of the programs"},
    {"database.auto_migrate",
     "an administrator runs 'asbb database migrate', which says what it will do"},
    {"advisor.api_key",
     "the key is the first line of a file that others cannot read: advisor.api_key_file"},
    {"advisor.retry_attempts", once},
    {"advisor.retry_delay", once},
    {"advisor.headers", "the key of advisor.api_key_file is the only one that is sent"},
    {"advisor.insecure_skip_verify", "an advisor that proves nothing is asked by http"},
    {"budget.max_hold_percentage",
     "a hold's factor is budget.default_hold_percentage, or that of 'asbb account update "
     "--hold-percentage'"},
    {"budget.max_hold_duration",
     "holds are given back on evidence, never by age; budget.reconciliation_timeout says when "
     "an alarm is raised"},
    {"budget.enable_partition_limits", "they count wherever 'asbb account set-limit' made one"},
    {"budget.negative_balance_threshold",
     "how far running jobs may go is each budget's credit limit: 'asbb account update "
     "--credit-limit'"},
    {"budget.cost_tolerance_percentage", "what a job really cost is charged to the millionth"},
    {"slurm.job_monitor_enabled",
     "jobs are always watched, or nothing would ever be charged; slurm.clusters says which"},
    {"slurm.epilog_script", "'asbb slurm configure' shows the line of the epilog"},
    {"slurm.default_partition", "each cluster's own default partition counts"},
    {"slurm.plugin_path", "'asbb slurm configure' asks Slurm where its plugins are"},
    {"logging.structured", "write logging.format: json"},
    {"logging.sampling", "every message is written; logging.level says which there are"},
    {"logging.file_path", "write logging.output"},
    {"logging.enable_file", "write logging.output: /the/file"},
    {"metrics.subsystem", "names have the part of the service in them: asbb_http_requests_total"},
    {"metrics.collect_interval", "figures are made when they are asked for"},
    {"metrics.prometheus_url", "Prometheus asks asbb, not asbb Prometheus"},
    {"auth.admin_users", "write service.admins"},
    {"auth",
     "callers on the socket are known by their user; service.tokens_file has the tokens of "
     "others, service.admins who may move money"},
    {"security",
     "callers on the socket are known by their user; service.tokens_file has the tokens of "
     "others, service.admins who may move money"},
    {"allocations",
     "money comes by 'asbb deposit', or as budgets of successive periods with --carry-over"},
    {"integration.advisor_enabled", "an advisor is asked when advisor.url is set"},
    {"integration.advisor_fallback", "without an advisor the price book's estimate counts"},
    {"integration.fallback_cost_rate", "'asbb prices import' says what things cost"},
    {"integration.failure_mode",
     "slurm.on_unavailable says what becomes of jobs while the service is away"},
    {"integration.retry_attempts", once},
    {"integration.circuit_breaker_enabled", once},
    {"integration.health_check_interval", once},
    {"integration",
     "launchers of nodes ask asbb, not asbb them: 'asbb job-context', POST "
     "/api/v1/budget/reconcile"}};

}  // namespace

const std::vector<OtherName>& other_names() {
  static const std::vector<OtherName> table = {
      {"advisor.enable_caching", "advisor.cache_enabled"},
      {"service.log_level", "logging.level"},
      {"service.log_format", "logging.format"},
      {"slurm.monitor_interval", "slurm.reconcile_interval"}};
  return table;
}

std::string name_now(const std::string& name) {
  for (const OtherName& one : other_names()) {
    if (one.name == name) return one.now;
  }
  return name;
}

const std::vector<FormerSetting>& former_settings() {
  static const std::vector<FormerSetting> table = [] {
    std::vector<FormerSetting> all;
    for (const auto& [name, instead] : former) all.push_back({name, instead});
    return all;
  }();
  return table;
}

std::string instead_of(std::string_view name) {
  const auto sentence = [](std::string_view sought) -> const std::string* {
    const auto& all = former_settings();
    const auto found = std::find_if(all.begin(), all.end(),
                                    [&](const FormerSetting& one) { return one.name == sought; });
    return found == all.end() ? nullptr : &found->instead;
  };
  if (const std::string* own = sentence(name)) return *own;
  const std::string* of_section = sentence(name.substr(0, name.find('.')));
  return of_section == nullptr ? std::string() : *of_section;
}

}  // namespace asbb::config
