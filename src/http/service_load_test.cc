// The whole service under load: 16 clients for some seconds on few accounts, everything at once:
// accounts are closed and opened, limits change, periods end; with Slurm's commands played by
// scripts so that the reconciler and the refresher work as well. At the end the books must agree
// with what the clients were told. Meant for ThreadSanitizer too; label slow.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <mutex>
#include <random>
#include <set>
#include <thread>

#include "api/json.h"
#include "http/daemon.h"
#include "http/load_client.h"
#include "service/clock.h"
#include "service/log.h"
#include "store/chain.h"
#include "store/open_store.h"

namespace asbb::http {
namespace {

constexpr int client_count = 16;
constexpr std::chrono::seconds load_time{4};
constexpr Span brief_period = milliseconds(400);
constexpr int brief_periods = 8;  // less than load_time together
constexpr Micros brief_limit{5'000'000};

class ServiceLoadTest : public testing::Test {
 protected:
  ServiceLoadTest() {
    std::string pattern = testing::TempDir() + "asbb-load-XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
    (void)service::start_log({.level = config::LogLevel::error});
    play_slurm();
    config_.service.socket = folder_ + "/asbb.sock";
    config_.service.listen_addr.clear();
    config_.database.dsn = folder_ + "/asbb.db";
    config_.database.chain_key_file = folder_ + "/chain.key";
    config_.slurm.clusters = {{"onprem", "", folder_ + "/bin"}};
    config_.slurm.refresh_interval = seconds(1);
    config_.slurm.reconcile_interval = milliseconds(300);
    config_.slurm.rescan_interval = seconds(1);
    config_.slurm.sweep_grace_min = seconds(1);
    EXPECT_TRUE(store::create_chain_key(config_.database.chain_key_file));
    EXPECT_TRUE(store::migrate_database("sqlite", config_.database.dsn, store::MigrateMode::apply));
    const auto started = daemon_.emplace(config_).start();
    EXPECT_TRUE(started) << started.error().message;
  }
  ~ServiceLoadTest() override {
    daemon_.reset();
    std::filesystem::remove_all(folder_);
  }

  [[nodiscard]] std::string accounting() const { return folder_ + "/accounting"; }

  // A cluster without jobs, as one answered once; what clients write is what has run there.
  void play_slurm() const {
    std::filesystem::create_directory(folder_ + "/bin");
    const auto play = [&](const std::string& command, const std::string& script) {
      const std::string path = folder_ + "/bin/" + command;
      std::ofstream(path) << "#!/bin/sh\n" << script << "\n";
      std::filesystem::permissions(path, std::filesystem::perms::owner_all);
    };
    const std::string shown =
        std::string("'") + ASBB_SOURCE_DIR + "/tests/slurm/fixtures/cluster/onprem";
    play("squeue", "exit 0");
    std::ofstream(accounting()) << "";
    play("sacct",
         "for given in \"$@\"; do\n"
         "case $given in --delimiter=*) mark=${given#--delimiter=};; esac\ndone\n"
         "exec sed \"s/|/$mark/g\" " +
             accounting());
    play("sdiag", "echo 'DBD Agent queue size: 0'");
    play("scontrol",
         "case \"$*\" in\n"
         "*config) sed 's/^MessageTimeout .*/MessageTimeout = 1 sec/' " +
             shown + ".config.txt';;\n*partition) cat " + shown + ".partitions.txt';;\n*) cat " +
             shown + ".nodes.txt';;\nesac");
    play("sacctmgr",
         "case \"$*\" in\n"
         "*'show cluster name='*) echo onprem;;\n"
         "*'show cluster'*) echo 'onprem|127.0.0.1|6817|||NA';;\n"
         "*'show user name='*) echo \"$(id -un)|Operator\";;\n"
         "*'show user'*) echo 'onprem|root|proj001|Operator|proj001';;\n"
         "*) printf 'onprem|proj001|||lab|normal|\\nonprem|proj001|root|||normal|\\n';;\nesac");
  }

  RawAnswer ask(const std::string& method, const std::string& target,
                const std::string& body = {}) {
    const auto answer =
        RawClient::connect_unix(config_.service.socket).ask(method, target, body, json_header);
    EXPECT_TRUE(answer) << method << " " << target;
    return answer.value_or(RawAnswer{});
  }

  void fund() {
    const std::string prices =
        R"({"effective_from":"2020-01-01T00:00:00Z","text":"prices:\n)"
        R"(  - {cluster: onprem, partition: cpu, unit: USD, basis: tres, per_core_hour: 1}\n"})";
    EXPECT_EQ(ask("POST", "/api/v1/prices", prices).status, 201);
    const auto create = [&](const std::string& name, const char* parent, const char* limit) {
      const auto created =
          ask("POST", "/api/v1/accounts",
              R"({"slurm_account":")" + name + R"(","parent":")" + parent + R"(","budget_limit":)" +
                  limit + R"(,"start_date":"2020-01-01","end_date":"2099-12-31"})");
      EXPECT_EQ(created.status, 201) << created.body;
    };
    create("lab", "", "100000000");
    for (const std::string& account : shared_accounts) create(account, "lab", "1000000");
    for (const std::string& account : unruly_accounts) create(account, "lab", "1000");
  }

  // Accounts whose periods end one after the other from now on, and a long one at last.
  void fund_brief() {
    Instant start = service::system_now() + milliseconds(300);
    std::string begun = "2020-01-01T00:00:00Z";
    std::string periods;
    const auto add = [&](const std::string& end, const std::string& carry_over) {
      periods += (periods.empty() ? "" : ",") + std::string(R"({"unit":"USD","limit":)") +
                 to_decimal(brief_limit) + R"(,"start_date":")" + begun + R"(","end_date":")" +
                 end + R"(","carry_over":")" + carry_over + R"("})";
      begun = end;
    };
    for (const std::string& name : brief_accounts) {
      periods.clear();
      begun = "2020-01-01T00:00:00Z";
      const std::string rule = name == "term-all" ? "all" : "50%";
      for (int i = 0; i < brief_periods; ++i) {
        add(to_rfc3339(Instant{start.microseconds + i * brief_period.microseconds}), rule);
      }
      add("2099-12-31T00:00:00Z", rule);
      const auto created =
          ask("POST", "/api/v1/accounts",
              R"({"slurm_account":")" + name + R"(","parent":"lab","budgets":[)" + periods + "]}");
      EXPECT_EQ(created.status, 201) << created.body;
    }
  }

  [[nodiscard]] api::Account account(const std::string& name) {
    return api::from_json<api::Account>(ask("GET", "/api/v1/accounts/" + name).body)
        .value_or(api::Account{});
  }

  [[nodiscard]] bool comes_true(const std::function<bool(const api::Status&)>& is_it) {
    const auto end = Steady::now() + std::chrono::seconds(60);
    while (Steady::now() < end) {
      const auto status = api::from_json<api::Status>(ask("GET", "/api/v1/status").body);
      if (status && is_it(*status)) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    return false;
  }

  // All periods of an account together; what was held before one ended is charged to it later.
  struct Sums {
    Micros limit;
    Micros held;
    Micros used;
    Micros carried_over;
    Micros carried_in;
  };
  [[nodiscard]] Sums sums_of(const std::string& name) {
    Sums sums;
    for (const api::Budget& budget : account(name).budgets) {
      sums.limit += budget.limit;
      sums.held += budget.held;
      sums.used += budget.used;
      sums.carried_over += budget.carried_over;
      sums.carried_in += budget.carried_in;
    }
    return sums;
  }

  void expect_balances() {
    Micros held;
    Micros used;
    for (const auto* names : {&shared_accounts, &unruly_accounts, &brief_accounts}) {
      for (const std::string& name : *names) {
        const Sums shown = sums_of(name);
        EXPECT_EQ(to_decimal(shown.held), to_decimal(told_.held_of(name))) << name;
        EXPECT_EQ(to_decimal(shown.used), to_decimal(told_.used_of(name))) << name;
        held += shown.held;
        used += shown.used;
      }
    }
    const api::Account lab = account("lab");
    EXPECT_EQ(to_decimal(lab.budget_held), to_decimal(held));
    EXPECT_EQ(to_decimal(lab.budget_used), to_decimal(used + Micros(told_.closed_ * 7)));
  }

  // Transfers and carry-over move limits, and neither makes money nor loses it.
  void expect_limits() {
    for (const std::string& name : brief_accounts) {
      const Sums sums = sums_of(name);
      const Micros granted(brief_limit.count() * (brief_periods + 1));
      EXPECT_EQ(to_decimal(sums.limit), to_decimal(granted + told_.moved_[name])) << name;
      EXPECT_EQ(to_decimal(sums.carried_over), to_decimal(sums.carried_in)) << name;
      EXPECT_GT(sums.carried_over, Micros()) << name;
    }
    for (const std::string& name : unruly_accounts) {
      EXPECT_EQ(to_decimal(sums_of(name).limit),
                to_decimal(Micros(1'000'000'000) + told_.moved_[name]))
          << name;
    }
    for (const api::Budget& budget : account("term-all").budgets) {
      if (budget.in_force) continue;
      EXPECT_LE(budget.available, Micros()) << "left in a period that has ended: " << budget.id;
    }
  }

  // Each acknowledged hold and settlement is in the database, once.
  void expect_stored() {
    auto store = std::move(*store::open_store("sqlite", config_.database.dsn));
    std::map<std::int64_t, int> hold_entries;
    store::EntryQuery page;
    page.types = {ledger::EntryType::hold};
    for (;;) {
      const auto entries = store->entries(page);
      ASSERT_TRUE(entries);
      if (entries->empty()) break;
      for (const auto& found : *entries) {
        const bool is_of_next_run = found.entry.details.find("\nrun=") != std::string::npos;
        if (!is_of_next_run) ++hold_entries[found.entry.hold.value];
      }
      page.after_sequence = entries->back().entry.sequence;
    }
    for (const auto& [hold, count] : hold_entries) EXPECT_EQ(count, 1) << hold;
    EXPECT_EQ(hold_entries.size(), told_.holds_.size() + told_.tokens_.size());
    for (const auto& [transaction, held] : told_.holds_) {
      const auto found = store->find_holds({{}, transaction, "", 0});
      ASSERT_TRUE(found && found->size() == 1) << transaction;
      const auto& record = found->front();
      EXPECT_EQ(record.hold.parts.front().granted, held.amount) << transaction;
      const auto charge = told_.charges_.find(transaction);
      ASSERT_EQ(record.shares.size(), charge == told_.charges_.end() ? 0u : 1u) << transaction;
      if (record.shares.empty()) continue;
      EXPECT_EQ(record.shares.front().actual, charge->second);
      const auto refunded = told_.refunded_.find(transaction);
      EXPECT_EQ(record.shares.front().refunded,
                refunded == told_.refunded_.end() ? Micros() : refunded->second);
    }
  }

  std::string folder_;
  config::Config config_;
  std::optional<Daemon> daemon_;
  Told told_;
};

TEST_F(ServiceLoadTest, TheBooksAgreeWithWhatTheClientsWereTold) {
  fund();
  ASSERT_TRUE(comes_true([](const api::Status& status) {
    return !status.clusters.empty() && status.clusters[0].reachable;
  }));
  fund_brief();
  const auto end = Steady::now() + load_time;
  std::vector<std::thread> threads;
  for (int number = 0; number < client_count; ++number) {
    threads.emplace_back([&, number] {
      LoadClient(config_.service.socket, accounting(), number, told_).run_until(end);
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const std::string& wrong : told_.wrongs_) ADD_FAILURE() << wrong;
  EXPECT_GT(told_.holds_.size(), 0u);
  EXPECT_GT(told_.charges_.size(), 0u);
  EXPECT_GT(told_.tokens_.size(), 0u);
  EXPECT_GT(told_.adjustments_, 0);
  EXPECT_GT(told_.runs_, 0);
  EXPECT_GT(told_.refunds_, 0);
  EXPECT_GT(told_.transfers_, 0);
  EXPECT_GT(told_.closed_, 0);
  EXPECT_GT(told_.reopened_, 0);
  EXPECT_TRUE(
      comes_true([](const api::Status& status) { return status.reconciler.unbound_holds == 0; }));
  // Every run is charged, and the jobs' holds are closed.
  EXPECT_TRUE(comes_true([&](const api::Status&) {
    const Sums sums = sums_of("proj001");
    return sums.used == told_.used_of("proj001") && sums.held == told_.held_of("proj001");
  }));
  for (const std::string& name : unruly_accounts) {
    EXPECT_EQ(ask("PUT", "/api/v1/accounts/" + name, R"({"status":"active"})").status, 200);
  }
  expect_balances();
  expect_limits();
  const auto report = api::from_json<api::AuditReport>(ask("GET", "/api/v1/audit/verify").body);
  ASSERT_TRUE(report);
  EXPECT_TRUE(report->ok) << (report->problems.empty() ? "" : report->problems.front());
  daemon_->stop();
  expect_stored();
}

}  // namespace
}  // namespace asbb::http
