// What becomes of a file that was written for the first version: each of its settings does what it
// says, or is refused with what replaces it.
#include "config/old_names.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <iterator>

#include "config/config.h"
#include "config/settings.h"
#include "config/size.h"

namespace asbb::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Problems problems_of(const std::string& text, const Environment& environment = {}) {
  const auto loaded = parse_config(text, "test.yaml", environment);
  return loaded ? Problems{} : loaded.error();
}

bool is_setting(const std::string& name) {
  const auto& all = settings();
  return std::any_of(all.begin(), all.end(),
                     [&](const Setting& one) { return one.name() == name; });
}

// Every setting of the first version, by its name there.
const std::vector<std::string> first_version = {"service.listen_addr",
                                                "service.read_timeout",
                                                "service.write_timeout",
                                                "service.shutdown_timeout",
                                                "service.tls_enabled",
                                                "service.tls_cert_file",
                                                "service.tls_key_file",
                                                "service.cors_enabled",
                                                "service.cors_origins",
                                                "database.driver",
                                                "database.dsn",
                                                "database.max_open_conns",
                                                "database.max_idle_conns",
                                                "database.conn_max_lifetime",
                                                "database.migrations_path",
                                                "database.auto_migrate",
                                                "advisor.url",
                                                "advisor.api_key",
                                                "advisor.timeout",
                                                "advisor.retry_attempts",
                                                "advisor.retry_delay",
                                                "advisor.cache_enabled",
                                                "advisor.cache_ttl",
                                                "advisor.headers",
                                                "budget.default_hold_percentage",
                                                "budget.reconciliation_timeout",
                                                "budget.min_budget_amount",
                                                "budget.max_budget_amount",
                                                "budget.allow_negative_balance",
                                                "budget.auto_recovery_enabled",
                                                "budget.recovery_check_interval",
                                                "budget.transaction_retention",
                                                "slurm.bin_path",
                                                "slurm.config_path",
                                                "slurm.job_monitor_enabled",
                                                "slurm.monitor_interval",
                                                "slurm.epilog_script",
                                                "slurm.default_partition",
                                                "logging.level",
                                                "logging.format",
                                                "logging.output",
                                                "logging.structured",
                                                "logging.sampling",
                                                "auth.enabled",
                                                "auth.jwt_secret",
                                                "auth.jwt_expiry",
                                                "auth.api_key_auth",
                                                "auth.api_keys",
                                                "auth.admin_users",
                                                "metrics.enabled",
                                                "metrics.path",
                                                "metrics.namespace",
                                                "metrics.subsystem",
                                                "metrics.collect_interval",
                                                "metrics.prometheus_url",
                                                "allocations.process_interval",
                                                "allocations.auto_process",
                                                "integration.asbx_enabled",
                                                "integration.asba_endpoint",
                                                "integration.advisor_enabled",
                                                "integration.advisor_fallback",
                                                "integration.fallback_cost_rate",
                                                "integration.failure_mode",
                                                "integration.retry_attempts",
                                                "integration.circuit_breaker_enabled",
                                                "integration.health_check_interval"};

TEST(OldNames, EverySettingOfTheFirstVersionDoesSomethingOrIsRefusedWithWhatReplacesIt) {
  for (const std::string& name : first_version) {
    if (is_setting(name_now(name))) continue;
    const std::string instead = instead_of(name);
    ASSERT_FALSE(instead.empty()) << name;
    const auto dot = name.find('.');
    const std::string section = name.substr(0, dot);
    const auto problems = problems_of(section + ": {" + name.substr(dot + 1) + ": 1}\n");
    ASSERT_EQ(problems.size(), 1U) << name;
    EXPECT_THAT(problems.front(), HasSubstr("there is no such"));
    const std::string whole = instead_of(section);
    EXPECT_THAT(problems.front(), HasSubstr(whole.empty() ? instead : whole));
    std::string variable = "ASBB_" + name;
    std::transform(variable.begin(), variable.end(), variable.begin(),
                   [](unsigned char c) { return c == '.' ? '_' : std::toupper(c); });
    EXPECT_THAT(problems_of("", {{variable, "1"}}), ElementsAre(HasSubstr(instead))) << variable;
  }
}

TEST(OldNames, AnOtherNameSetsWhatItIsCalledNow) {
  for (const OtherName& other : other_names()) {
    EXPECT_TRUE(is_setting(other.now)) << other.now;
    EXPECT_FALSE(is_setting(other.name)) << other.name;
  }
  const auto loaded = parse_config(
      "service: {log_level: warn, log_format: console}\nslurm: {monitor_interval: 45s}\n",
      "test.yaml", {});
  ASSERT_TRUE(loaded) << loaded.error()[0];
  EXPECT_EQ(loaded->logging.level, LogLevel::warning);
  EXPECT_EQ(loaded->logging.format, LogFormat::text);
  EXPECT_EQ(loaded->slurm.reconcile_interval, seconds(45));
  const auto of_variable = parse_config("", "test.yaml", {{"ASBB_SERVICE_LOG_LEVEL", "debug"}});
  ASSERT_TRUE(of_variable) << of_variable.error()[0];
  EXPECT_EQ(of_variable->logging.level, LogLevel::debug);
}

TEST(OldNames, BothNamesTogetherAreRefused) {
  EXPECT_THAT(
      problems_of("logging:\n  level: info\nservice:\n  log_level: debug\n"),
      ElementsAre("test.yaml:4: service.log_level: this is logging.level, which line 2 gives "
                  "already"));
}

TEST(Names, AMisspeltNameIsMetWithTheNearest) {
  EXPECT_THAT(problems_of("budget: {default_hold_percent: 1.2}\n"),
              ElementsAre(HasSubstr("there is no such setting; did you mean "
                                    "'default_hold_percentage'?")));
  EXPECT_THAT(problems_of("bugdet: {}\n"),
              ElementsAre(HasSubstr("there is no such section; did you mean 'budget'?")));
  EXPECT_THAT(problems_of("service: {dsn: /a}\n"),
              ElementsAre(HasSubstr("did you mean 'database.dsn'?")));
  EXPECT_THAT(problems_of("", {{"ASBB_DATABASE_DNS", "/a"}}),
              ElementsAre(HasSubstr("did you mean ASBB_DATABASE_DSN?")));
}

TEST(Names, NoProblemShowsAPassword) {
  for (const std::string& problem :
       problems_of("database: {dsn: \"postgres://asbb:hunter2@db/asbb\"}\n",
                   {{"ASBB_DATABASE_DSN", "host=db password=hunter2 dbname=asbb"}})) {
    EXPECT_THAT(problem, testing::Not(HasSubstr("hunter2")));
    EXPECT_THAT(problem, HasSubstr("***"));
  }
  Config config;
  config.alerts.channels.push_back({.name = "chat",
                                    .kind = AlertChannel::Kind::slack,
                                    .url = "https://chat.example.org/hooks/secret",
                                    .program = {},
                                    .from = {},
                                    .to = {},
                                    .owners_at = {},
                                    .user = {},
                                    .secret_file = {}});
  EXPECT_THAT(show_config(config), testing::Not(HasSubstr("hooks/secret")));
  EXPECT_THAT(show_config(config), HasSubstr("https://chat.example.org/***"));
}

TEST(Names, ATabIsNamedWithItsLine) {
  EXPECT_THAT(problems_of("service:\n  workers: 2\n\tsocket: /a\n"),
              ElementsAre("test.yaml:3: a tab stands before the setting; YAML is indented with "
                          "blanks"));
}

TEST(Clusters, ThoseThatNameNoFilesGetTheOnesOfAll) {
  const std::string text =
      "slurm:\n  bin_path: /opt/slurm/bin\n  config_path: /opt/slurm/etc\n  clusters:\n"
      "    - {name: onprem}\n    - {name: cloud, conf: /c/slurm.conf, bin_dir: /c/bin}\n";
  const auto loaded = parse_config(text, "test.yaml", {});
  ASSERT_TRUE(loaded) << loaded.error()[0];
  EXPECT_EQ(loaded->slurm.clusters[0],
            (Cluster{"onprem", "/opt/slurm/etc/slurm.conf", "/opt/slurm/bin"}));
  EXPECT_EQ(loaded->slurm.clusters[1], (Cluster{"cloud", "/c/slurm.conf", "/c/bin"}));
  EXPECT_EQ(*parse_config(show_config(*loaded), "shown", {}), *loaded);
}

TEST(Budget, TheLeastAmountMustNotBeMoreThanTheLargest) {
  EXPECT_THAT(problems_of("budget:\n  min_budget_amount: 100\n  max_budget_amount: 10\n"),
              ElementsAre("test.yaml:3: budget.max_budget_amount: 10 is less than "
                          "budget.min_budget_amount (100); no budget could be made"));
}

TEST(Files, SecretsThatOthersMayUseAreSaidWithTheirLine) {
  std::string key = "/tmp/asbb-key-XXXXXX";
  close(mkstemp(key.data()));
  const std::string text =
      "service:\n  tokens_file: /nowhere/tokens\ndatabase:\n"
      "  chain_key_file: " +
      key + "\n";
  const auto look = [&] {
    const auto loaded = parse_config(text, "test.yaml", {}, Files::looked_at);
    return loaded ? Problems{} : loaded.error();
  };
  chmod(key.c_str(), 0640);
  EXPECT_THAT(look(),
              ElementsAre("test.yaml:4: database.chain_key_file: others than its owner may use '" +
                          key + "': 'chmod go= " + key + "'"));
  chmod(key.c_str(), 0600);
  EXPECT_THAT(look(), ElementsAre());
  EXPECT_THAT(problems_of(text), ElementsAre());
  unlink(key.c_str());
}

TEST(Size, ReadsBack) {
  EXPECT_EQ(parse_size("100MB"), 100'000'000);
  EXPECT_EQ(parse_size("64KiB"), 65'536);
  EXPECT_EQ(parse_size("4096"), 4096);
  EXPECT_EQ(parse_size("2G"), 2'147'483'648);
  for (const std::string text : {"1TiB", "100MB", "1500kB", "4097", "3MiB"}) {
    EXPECT_EQ(size_text(parse_size(text).value_or(0)), text);
  }
  for (const std::string text : {"", "0", "0MB", "-1MB", "1.5MB", "MB", "1 MB", "1XB",
                                 "99999999999999999999", "9999999TB"}) {
    EXPECT_EQ(parse_size(text), std::nullopt) << text;
  }
}

TEST(OldNames, TheReferenceNamesThem) {
  std::ifstream file(std::string(ASBB_SOURCE_DIR) + "/docs/reference/configuration.md");
  const std::string reference{std::istreambuf_iterator<char>(file),
                              std::istreambuf_iterator<char>()};
  for (const OtherName& other : other_names()) {
    EXPECT_THAT(reference, HasSubstr("| `" + other.name + "` | `" + other.now + "` |"));
  }
  for (const FormerSetting& former : former_settings()) {
    EXPECT_THAT(reference, HasSubstr("| `" + former.name + "` | " + former.instead + " |"));
  }
}

}  // namespace
}  // namespace asbb::config
