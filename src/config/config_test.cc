#include "config/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <set>

#include "config/settings.h"

namespace asbb::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Problems problems_of(const std::string& text, const Environment& environment = {}) {
  const auto loaded = parse_config(text, "test.yaml", environment);
  return loaded ? Problems{} : loaded.error();
}

std::string read_source(const std::string& name) {
  std::ifstream file(std::string(ASBB_SOURCE_DIR) + "/" + name);
  EXPECT_TRUE(file.good()) << name;
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

TEST(Config, NothingGivesTheDefaults) {
  EXPECT_EQ(*parse_config("", "test.yaml", {}), Config{});
  EXPECT_EQ(*parse_config("# nothing\n", "test.yaml", {}), Config{});
  EXPECT_EQ(*parse_config("service:\nslurm:\n", "test.yaml", {}), Config{});
}

TEST(Config, TheCommentedFileIsTheDefaults) {
  const auto loaded = parse_config(default_config_text(), "default", {});
  ASSERT_TRUE(loaded) << loaded.error()[0];
  EXPECT_EQ(*loaded, Config{});
  for (const Setting& setting : settings()) {
    EXPECT_THAT(default_config_text(), HasSubstr("\n  " + setting.key + ": "));
  }
}

constexpr const char* every_setting = R"(
service:
  listen_addr: "127.0.0.1:18080"
  socket: /tmp/bed/asbb.sock
  socket_mode: 0660
  timezone: Europe/Paris
  tokens_file: /etc/asbb/tokens
  anonymous_budget_routes: true
  workers: 4
  read_timeout: 20s
  write_timeout: 30s
  shutdown_timeout: 1s
  admins: [alice, "bob"]
database:
  driver: sqlite
  dsn: /tmp/bed/asbb.db
  chain_key_file: /tmp/bed/chain.key
  lock_wait: 2500ms
  clock_may_be_behind: true
budget:
  default_hold_percentage: 1.5
  default_unit: EUR
  write_off_account: overhead
  cost_of_node_fail: write-off
  cost_of_boot_fail: write-off
  cost_of_preempted: write-off
  waiting_at_period_end: stay
  scrontab: refuse
  running_at_period_end: move
  max_unbound_holds: 500
  reconciliation_timeout: 36h
  min_budget_amount: 0.01
  max_budget_amount: 1000000
  allow_negative_balance: true
  auto_recovery_enabled: false
  recovery_check_interval: 1h
  transaction_retention: 2160h
slurm:
  user: slurmadm
  clusters:
    - {name: onprem, conf: /tmp/bed/slurm.conf, bin_dir: /usr/bin}
    - name: cloud
  refresh_interval: 5s
  view_max_age: 1m30s
  reconcile_interval: 1s
  rescan_interval: 10s
  sweep_grace_min: 2m
  command_timeout: 7s
  policy_dir: /tmp/bed/policy
  bin_path: /opt/slurm/bin
  config_path: /opt/slurm/slurm.conf
  on_unavailable:
    default: allow
    partitions: {gpu-aws: deny, debug: allow}
    without_allowance: deny
    allowances:
      cloud:
        proj001: {amount: 500, unit: USD}
        proj002: {amount: 12.5}
enforcement:
  enabled: false
  ladder: [warn]
  accounts:
    proj001: [warn, stop_new, credit, {signal: SIGUSR1, grace: 90s}, cancel]
    exempt: []
  partitions:
    gpu-aws: [stop_new, {requeue: cpu}, cancel]
alerts:
  enabled: false
  thresholds: [80]
  burn_rate: 1.5
  exhaustion: false
  interval: 5m
  digest_at: "06:30"
  state_file: /tmp/bed/alerts.json
  channels:
    - {name: page, type: command, program: /tmp/bed/page}
audit:
  head_file: /tmp/bed/heads
  head_interval: 10m
  syslog: true
advisor:
  url: http://127.0.0.1:8081
  api_key_file: /etc/asbb/advisor.key
  unit: EUR
  trust: replace
  timeout: 30s
  cache_enabled: false
  cache_ttl: 10m
logging:
  level: debug
  format: json
  output: /tmp/bed/asbb.log
  max_size: 10MB
  max_backups: 9
metrics:
  enabled: false
  path: /figures
  namespace: budget
)";

TEST(Config, ReadsEverySetting) {
  const auto loaded = parse_config(every_setting, "test.yaml", {});
  ASSERT_TRUE(loaded) << loaded.error()[0];
  const Config& config = *loaded;
  EXPECT_EQ(config.service.listen_addr, "127.0.0.1:18080");
  EXPECT_EQ(config.service.socket_mode, 0660U);
  EXPECT_EQ(config.logging.format, LogFormat::json);
  EXPECT_EQ(config.logging.max_size_bytes, 10'000'000);
  EXPECT_EQ(config.metrics.prefix, "budget");
  EXPECT_EQ(config.advisor.trust, AdvisorTrust::replace);
  EXPECT_EQ(config.advisor.timeout, seconds(30));
  EXPECT_EQ(config.service.shutdown_timeout, seconds(1));
  EXPECT_EQ(config.budget.min_budget_amount, Micros(10'000));
  EXPECT_TRUE(config.budget.allow_negative_balance);
  EXPECT_EQ(config.budget.recovery_check_interval, hours(1));
  EXPECT_EQ(config.budget.transaction_retention, hours(2160));
  EXPECT_TRUE(config.service.anonymous_budget_routes);
  EXPECT_THAT(config.service.admins, ElementsAre("alice", "bob"));
  EXPECT_EQ(config.database.lock_wait, milliseconds(2500));
  EXPECT_EQ(config.budget.default_hold_percentage, Micros(1'500'000));
  EXPECT_EQ(config.budget.write_off_account, "overhead");
  EXPECT_TRUE(config.budget.writes_off_node_fail);
  EXPECT_TRUE(config.budget.writes_off_preempted);
  EXPECT_FALSE(config.budget.moves_waiting);
  EXPECT_TRUE(config.budget.refuses_scrontab);
  EXPECT_TRUE(config.budget.moves_running);
  EXPECT_EQ(config.budget.reconciliation_timeout, hours(36));
  EXPECT_EQ(config.slurm.view_max_age, seconds(90));
  ASSERT_EQ(config.slurm.clusters.size(), 2U);
  EXPECT_EQ(config.slurm.clusters[0].conf, "/tmp/bed/slurm.conf");
  EXPECT_EQ(config.slurm.clusters[1].name, "cloud");
  EXPECT_TRUE(config.slurm.on_unavailable.allow_by_default);
  EXPECT_FALSE(config.slurm.on_unavailable.allow_by_partition.at("gpu-aws"));
  EXPECT_FALSE(config.slurm.on_unavailable.allow_without_allowance);
  const auto& allowances = config.slurm.on_unavailable.allowances.at("cloud");
  EXPECT_EQ(allowances.at("proj001"), (Allowance{Micros(500'000'000), "USD"}));
  EXPECT_EQ(allowances.at("proj002"), (Allowance{Micros(12'500'000), ""}));
  EXPECT_EQ(policy_folder(config), "/tmp/bed/policy");
  EXPECT_FALSE(config.enforcement.enabled);
  EXPECT_EQ(config.enforcement.ladder, Ladder{.warn = true});
  EXPECT_EQ(config.enforcement.accounts.at("proj001").grace, seconds(90));
  EXPECT_EQ(config.enforcement.accounts.at("exempt"), Ladder{});
  EXPECT_EQ(config.enforcement.partitions.at("gpu-aws").requeue_to, "cpu");
  EXPECT_THAT(config.alerts.thresholds, ElementsAre(80));
  EXPECT_EQ(config.alerts.channels.at(0).program, "/tmp/bed/page");
  EXPECT_EQ(config.audit.head_file, "/tmp/bed/heads");
  EXPECT_EQ(config.audit.head_interval, seconds(600));
  EXPECT_TRUE(config.audit.syslog);
  EXPECT_EQ(policy_folder(Config{}), "/run/asbb");

  // Every one of these values differs from its default, and what `config show` prints reads back.
  const Config defaults;
  for (const Setting& setting : settings()) {
    if (setting.name() == "database.driver") continue;  // has one value only
    EXPECT_NE(setting.get(config), setting.get(defaults)) << setting.name();
  }
  EXPECT_EQ(*parse_config(show_config(config), "shown", {}), config);
}

constexpr const char* many_mistakes =
    "service:\n"
    "  listen_adr: \":8080\"\n"
    "  anonymous_budget_routes: loud\n"
    "  anonymous_budget_routes: true\n"
    "  workers: [2]\n"
    "  tokens_file:\n"
    "budget:\n"
    "  default_hold_percentage: 0.9\n"
    "  reconciliation_timeout: 24\n"
    "slurm:\n"
    "  clusters:\n"
    "    - {name: OnPrem}\n"
    "    - {conf: /etc/slurm/slurm.conf}\n"
    "    - {name: cloud, conf: slurm.conf}\n"
    "    - {name: cloud}\n"
    "    - {name: cloud, port: 1}\n"
    "    - onprem\n"
    "  on_unavailable: {default: maybe, partitions: {a: allow, a: deny, b: 1}}\n"
    "  refresh_interval: 10m\n"
    "  view_max_age: 5m\n"
    "web: {}\n";

TEST(Config, SaysEverythingThatIsWrongAtOnce) {
  EXPECT_THAT(
      problems_of(many_mistakes, {{"ASBB_DATABASE_DNS", "/x"},
                                  {"ASBB_SERVICE_WORKERS", "many"},
                                  {"ASBB_SLURM_CLUSTERS", "onprem"},
                                  {"ASBB_SERVICE_ADMINS", "alice,b b"},
                                  {"ASBB_ACCOUNT", "not ours"}}),
      ElementsAre(
          "test.yaml:2: service.listen_adr: there is no such setting; did you mean "
          "'listen_addr'?",
          "test.yaml:3: service.anonymous_budget_routes: 'loud' is not allowed; expected is true, "
          "false",
          "test.yaml:4: service.anonymous_budget_routes: this key is given twice",
          "test.yaml:5: service.workers: one value is expected, not a list",
          "test.yaml:6: service.tokens_file: one value is expected, not nothing; write \"\" for an "
          "empty text",
          "test.yaml:8: budget.default_hold_percentage: '0.9' is not allowed; expected is a factor "
          "from 1 to 10 such as 1.2",
          "test.yaml:9: budget.reconciliation_timeout: '24' is not allowed; expected is a duration "
          "from 1m to 365d",
          "test.yaml:12: slurm.clusters[0].name: 'OnPrem' is not allowed; expected is the "
          "ClusterName, in lower case as Slurm keeps it",
          "test.yaml:13: slurm.clusters[1].name: this setting is missing",
          "test.yaml:14: slurm.clusters[2].conf: 'slurm.conf' is not allowed; expected is an "
          "absolute path",
          "test.yaml:15: slurm.clusters[3].name: the cluster 'cloud' is listed twice",
          "test.yaml:16: slurm.clusters[4].port: there is no such setting; a cluster has name, "
          "conf, "
          "bin_dir, limits",
          "test.yaml:16: slurm.clusters[4].name: the cluster 'cloud' is listed twice",
          "test.yaml:17: slurm.clusters[5]: {name, conf, bin_dir} is expected, not one value",
          "test.yaml:18: slurm.on_unavailable.default: 'maybe' is not allowed; allow or deny is "
          "expected",
          "test.yaml:18: slurm.on_unavailable.partitions.a: this key is given twice",
          "test.yaml:18: slurm.on_unavailable.partitions.b: '1' is not allowed; allow or deny is "
          "expected",
          "test.yaml:20: slurm.view_max_age: 5m is shorter than slurm.refresh_interval (10m); "
          "every "
          "view would be too old",
          "test.yaml:21: web: there is no such section; there are service, database, budget, "
          "slurm, "
          "enforcement, alerts, audit, advisor, logging, metrics",
          "environment: ASBB_ACCOUNT: there is no such setting; 'asbb config init -' shows them "
          "all",
          "environment: ASBB_DATABASE_DNS: there is no such setting; did you mean "
          "ASBB_DATABASE_DSN?",
          "environment: ASBB_SERVICE_ADMINS: 'b b' is not a user name",
          "environment: ASBB_SERVICE_WORKERS: 'many' is not allowed; expected is a whole number "
          "from 1 to 64",
          "environment: ASBB_SLURM_CLUSTERS: this can be set in the file only"));
}

TEST(Config, RefusesImpossibleValues) {
  const auto with = [](const std::string& name, const std::string& value) {
    const auto dot = name.find('.');
    return problems_of(name.substr(0, dot) + ": {" + name.substr(dot + 1) + ": " + value + "}")
        .size();
  };
  const std::vector<std::pair<std::string, std::string>> bad = {
      {"service.listen_addr", "8080"},
      {"service.listen_addr", "':70000'"},
      {"service.listen_addr", "'0.0.0.0:8080'"},
      {"service.listen_addr", "'budget.example.org:8080'"},
      {"service.socket", "asbb.sock"},
      {"service.socket", "/" + std::string(107, 'x')},
      {"service.socket_mode", "0866"},
      {"service.socket_mode", "0066"},
      {"service.socket_mode", "1777"},
      {"service.timezone", "Mars/Olympus"},
      {"service.timezone", "../../etc/passwd"},
      {"service.anonymous_budget_routes", "yes"},
      {"service.workers", "0"},
      {"service.workers", "2.5"},
      {"service.read_timeout", "0s"},
      {"logging.level", "loud"},
      {"advisor.url", "localhost:8081"},
      {"advisor.url", "ftp://localhost"},
      {"advisor.url", "http://"},
      {"advisor.trust", "blind"},
      {"advisor.timeout", "0s"},
      {"advisor.unit", "'US dollars'"},
      {"logging.output", "asbb.log"},
      {"logging.max_size", "10"},
      {"logging.max_backups", "0"},
      {"metrics.path", "metrics"},
      {"metrics.path", "/api/v1/accounts"},
      {"metrics.path", "/health"},
      {"metrics.namespace", "9asbb"},
      {"metrics.namespace", "''"},
      {"budget.min_budget_amount", "-1"},
      {"budget.max_budget_amount", "1000000000001"},
      {"budget.recovery_check_interval", "0s"},
      {"budget.transaction_retention", "23h"},
      {"budget.transaction_retention", "0s"},
      {"budget.transaction_retention", "always"},
      {"service.admins", "alice"},
      {"database.driver", "oracle"},
      {"database.dsn", "asbb.db"},
      {"database.dsn", "''"},
      {"database.chain_key_file", "/var/lib/asbb/asbb.db"},
      {"budget.default_hold_percentage", "nan"},
      {"budget.default_hold_percentage", "120"},
      {"budget.default_unit", "'US dollars'"},
      {"budget.max_unbound_holds", "-1"},
      {"budget.cost_of_node_fail", "free"},
      {"budget.cost_of_boot_fail", "write-off"},  // without an account that bears it
      {"slurm.refresh_interval", "0s"},
      {"slurm.refresh_interval", "-5s"},
      {"slurm.refresh_interval", "5 s"},
      {"slurm.refresh_interval", "1.5s"},
      {"slurm.refresh_interval", "5s5s"},
      {"slurm.refresh_interval", "5s1m"},
      {"slurm.refresh_interval", "99999999999999999999h"},
      {"slurm.user", "'a b'"}};
  for (const auto& [name, value] : bad) EXPECT_EQ(with(name, value), 1U) << name << ": " << value;
  EXPECT_EQ(with("service.listen_addr", "''"), 0U);
  EXPECT_EQ(with("service.listen_addr", "'localhost:0'"), 0U);
}

TEST(Config, RefusesWhatIsNoSettingsFile) {
  EXPECT_THAT(problems_of("service: [\n"), ElementsAre(HasSubstr("this is not YAML")));
  EXPECT_THAT(problems_of("service:\n\tworkers: 2\n"),
              ElementsAre(HasSubstr("test.yaml:2: a tab stands before the setting")));
  // Each of these hid the problems behind it.
  EXPECT_THAT(problems_of("service:\n\tworkers: 0\n\tworker: 1\nweb: {}\n"),
              ElementsAre(HasSubstr(":2: a tab"), HasSubstr(":2: service.workers: '0'"),
                          HasSubstr(":3: a tab"), HasSubstr(":3: service.worker: "),
                          HasSubstr(":4: web: ")));
  EXPECT_THAT(problems_of("service: {workers: 2}\nservice: {workers: 3, worker: 1}\n"),
              ElementsAre(HasSubstr(":2: service: this key is given twice"),
                          HasSubstr(":2: service.workers: line 1 gives this already"),
                          HasSubstr(":2: service.worker: ")));
  EXPECT_THAT(problems_of("- a\n"), ElementsAre(HasSubstr("not a list")));
  EXPECT_THAT(problems_of("a: 1\n---\nb: 2\n"), ElementsAre(HasSubstr("second document")));
  EXPECT_THAT(problems_of("service: 7\n"), ElementsAre(HasSubstr("not one value")));
}

TEST(Config, TheEnvironmentStandsAboveTheFile) {
  const auto loaded = parse_config("service: {workers: 3}\n", "test.yaml",
                                   {{"ASBB_SERVICE_WORKERS", "5"},
                                    {"ASBB_DATABASE_DSN", "/tmp/a.db"},
                                    {"ASBB_SERVICE_ADMINS", "alice,bob"},
                                    {"ASBB_BUDGET_DEFAULT_HOLD_PERCENTAGE", "2"}});
  ASSERT_TRUE(loaded) << loaded.error()[0];
  EXPECT_EQ(loaded->service.workers, 5);
  EXPECT_EQ(loaded->database.dsn, "/tmp/a.db");
  EXPECT_THAT(loaded->service.admins, ElementsAre("alice", "bob"));
  EXPECT_EQ(loaded->budget.default_hold_percentage, Micros(2'000'000));
}

TEST(Config, FilesAreReadOrRefusedWithTheirName) {
  std::string path = "/tmp/asbb-config-XXXXXX";
  close(mkstemp(path.data()));
  std::ofstream(path) << "service: {workers: 7}\n";
  EXPECT_EQ(load_config(path, {})->service.workers, 7);
  EXPECT_EQ(load_config("", {{"ASBB_CONFIG_FILE", path}})->service.workers, 7);
  EXPECT_THAT(
      problems_of("", {{"ASBB_SOCKET", "/a"}, {"ASBB_URL", "u"}, {"ASBB_TOKEN_FILE", "/t"}}),
      ElementsAre());
  EXPECT_EQ(config_file("/a", {{"ASBB_CONFIG_FILE", path}}), "/a");
  chmod(path.c_str(), 0666);
  EXPECT_THAT(load_config(path, {}).error(), ElementsAre(HasSubstr("everybody may change")));
  std::ofstream(path) << "service: {workers: 0}\n";
  EXPECT_THAT(load_config(path, {}).error(),
              ElementsAre(HasSubstr("everybody may change"), HasSubstr("service.workers: '0'")));
  unlink(path.c_str());
  EXPECT_THAT(load_config(path, {}).error(), ElementsAre(HasSubstr(path + ": this file cannot")));
  EXPECT_THAT(load_config("/tmp", {}).error(), ElementsAre(HasSubstr("/tmp: this is not a file")));
}

TEST(Config, AFileThatEverybodyMayReadHoldsNoSecret) {
  std::string path = "/tmp/asbb-config-XXXXXX";
  close(mkstemp(path.data()));
  std::ofstream(path) << "advisor: {url: 'http://u:hunter2@h:1'}\n"
                         "alerts:\n"
                         "  channels: [{name: a, type: slack, url: 'https://chat/hunter2'}]\n";
  chmod(path.c_str(), 0644);
  EXPECT_THAT(load_config(path, {}).error(),
              ElementsAre(HasSubstr(":1: advisor.url: 'http://u:***@h:1' has a secret, and "
                                    "everybody may read"),
                          HasSubstr(":3: alerts.channels: 'https://chat/***' has a secret")));
  chmod(path.c_str(), 0640);
  EXPECT_TRUE(load_config(path, {}));
  // A secret of the environment is in no file.
  std::ofstream(path) << "service: {workers: 2}\n";
  chmod(path.c_str(), 0644);
  EXPECT_TRUE(load_config(path, {{"ASBB_ADVISOR_URL", "http://u:hunter2@h:1"}}));
  unlink(path.c_str());
}

TEST(Config, ShowKeepsPasswordsToItself) {
  Config config;
  config.database.dsn = "postgres://asbb:hunter2@db.example.org/asbb";
  EXPECT_THAT(show_config(config), HasSubstr("postgres://asbb:***@db.example.org/asbb"));
  config.database.dsn = "host=db password=hunter2 dbname=asbb";
  EXPECT_THAT(show_config(config), HasSubstr("host=db password=*** dbname=asbb"));
}

TEST(Config, DurationsReadBack) {
  for (const std::string text : {"24h", "30s", "15m", "2500ms", "1h30m", "7d", "1ms", "36h"}) {
    const auto span = parse_span(text);
    ASSERT_TRUE(span) << text;
    EXPECT_EQ(parse_span(to_text(*span)), span) << text;
  }
  EXPECT_EQ(to_text(hours(36)), "36h");
  EXPECT_EQ(to_text(hours(48)), "2d");
  EXPECT_EQ(to_text(milliseconds(2500)), "2s500ms");
}

TEST(Config, TheExampleAndTheReferenceAreTrue) {
  const auto example =
      parse_config(read_source("examples/config.yaml"), "examples/config.yaml", {});
  ASSERT_TRUE(example) << example.error()[0];
  EXPECT_EQ(example->slurm.clusters.size(), 2U);
  const std::string reference = read_source("docs/reference/configuration.md");
  for (const Setting& setting : settings()) {
    const std::string value = setting.get(Config{});
    EXPECT_THAT(reference,
                HasSubstr("| `" + setting.key + "` | `" + (value.empty() ? "\"\"" : value) + "` |"))
        << setting.name();
  }
  for (const std::string& name : structured_settings()) {
    EXPECT_THAT(reference, HasSubstr("`" + name.substr(name.find('.') + 1) + "`"));
  }
}

}  // namespace
}  // namespace asbb::config
