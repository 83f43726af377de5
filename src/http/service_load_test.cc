// The whole service under load: 16 clients for some seconds on few accounts, everything at once,
// with Slurm's commands played by scripts so that the reconciler and the refresher work as well. At
// the end the books must agree with what the clients were told. Meant for ThreadSanitizer too;
// label slow.
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
#include "http/raw_client.h"
#include "service/clock.h"
#include "service/digest.h"
#include "service/log.h"
#include "store/chain.h"
#include "store/open_store.h"

namespace asbb::http {
namespace {

using Steady = std::chrono::steady_clock;

constexpr int client_count = 16;
constexpr std::chrono::seconds load_time{5};
constexpr const char* json_header = "Content-Type: application/json\r\n";
const std::vector<std::string> shared_accounts{"proj001", "proj002", "nih-r01"};

struct Held {
  std::string account;
  Micros amount;
};

// What the service acknowledged. Thread-safe.
class Told {
 public:
  void held(const std::string& transaction, const Held& hold) {
    const std::lock_guard lock(mutex_);
    const auto [known, added] = holds_.try_emplace(transaction, hold);
    if (known->second.account != hold.account || known->second.amount != hold.amount) {
      wrongs_.push_back(transaction + ": held twice with other facts");
    }
  }
  void charged(const std::string& transaction, Micros amount) {
    const std::lock_guard lock(mutex_);
    const auto [known, added] = charges_.try_emplace(transaction, amount);
    if (known->second != amount) wrongs_.push_back(transaction + ": charged twice");
  }
  void adjusted(const std::string& account, Micros amount) {
    const std::lock_guard lock(mutex_);
    adjusted_[account] += amount;
    ++adjustments_;
  }
  void allowed(const std::string& token) {
    const std::lock_guard lock(mutex_);
    tokens_.insert(token);
  }
  void closed() {
    const std::lock_guard lock(mutex_);
    ++closed_;
  }
  void wrong(const std::string& what) {
    const std::lock_guard lock(mutex_);
    wrongs_.push_back(what);
  }

  // Once the clients are done.
  [[nodiscard]] Micros used_of(const std::string& account) const {
    Micros sum = adjusted_.contains(account) ? adjusted_.at(account) : Micros();
    for (const auto& [transaction, amount] : charges_) {
      if (holds_.at(transaction).account == account) sum += amount;
    }
    return sum;
  }
  [[nodiscard]] Micros held_of(const std::string& account) const {
    Micros sum;
    for (const auto& [transaction, hold] : holds_) {
      if (hold.account == account && !charges_.contains(transaction)) sum += hold.amount;
    }
    return sum;
  }

  std::mutex mutex_;
  std::map<std::string, Held> holds_;       // by transaction
  std::map<std::string, Micros> charges_;   // by transaction
  std::map<std::string, Micros> adjusted_;  // by account
  std::set<std::string> tokens_;            // of submissions that were allowed
  int adjustments_ = 0;
  int closed_ = 0;
  std::vector<std::string> wrongs_;
};

// One of many: does this and that, by chance, for as long as it is told.
class LoadClient {
 public:
  LoadClient(std::string socket, int number, Told& told)
      : socket_(std::move(socket)),
        name_("c" + std::to_string(number)),
        random_(static_cast<unsigned>(number)),
        told_(told),
        client_(RawClient::connect_unix(socket_)) {}

  void run_until(Steady::time_point end) {
    const std::vector<std::function<void()>> steps{
        [&] { hold(); },          [&] { hold(); },          [&] { settle(); }, [&] { settle(); },
        [&] { hold_shared(); },   [&] { settle_shared(); }, [&] { submit(); }, [&] { adjust(); },
        [&] { change_limits(); }, [&] { close_account(); }, [&] { read(); },   [&] { read(); }};
    while (Steady::now() < end) steps[below(steps.size())]();
  }

 private:
  std::size_t below(std::size_t end) {
    return std::uniform_int_distribution<std::size_t>(0, end - 1)(random_);
  }
  const std::string& some_account() { return shared_accounts[below(shared_accounts.size())]; }

  RawAnswer ask(const std::string& method, const std::string& target, const std::string& body = {},
                const std::string& headers = {}) {
    auto answer = client_.ask(method, target, body, json_header + headers);
    if (!answer) {
      told_.wrong(method + " " + target + ": no answer");
      client_ = RawClient::connect_unix(socket_);
      return {};
    }
    if (answer->header("Connection") == "close") client_ = RawClient::connect_unix(socket_);
    return std::move(*answer);
  }

  // Fails the test unless the status is one of those that are right.
  RawAnswer expect(const std::vector<int>& right, const std::string& method,
                   const std::string& target, const std::string& body = {},
                   const std::string& headers = {}) {
    RawAnswer answer = ask(method, target, body, headers);
    if (std::find(right.begin(), right.end(), answer.status) == right.end()) {
      told_.wrong(method + " " + target + " " + body + ": " + std::to_string(answer.status) + " " +
                  answer.body);
    }
    return answer;
  }

  // The transaction; empty when there was no money.
  std::string check(const std::string& key, const std::string& account, std::int64_t cpus) {
    api::BudgetCheck request;
    request.account = account;
    request.partition = "cpu";
    request.cluster = "onprem";
    request.cpus = cpus;
    request.wall_time_s = 600;
    const RawAnswer answer = expect({200}, "POST", "/api/v1/budget/check", api::to_json(request),
                                    "Idempotency-Key: " + key + "\r\n");
    if (answer.status != 200) return {};
    const auto told = api::from_json<api::BudgetCheckAnswer>(answer.body);
    if (!told || !told->available) return {};
    told_.held(told->transaction_id, {account, told->hold_amount});
    return told->transaction_id;
  }

  void hold() {
    const std::string key = name_ + "-" + std::to_string(++number_);
    const std::string& account = some_account();
    const auto cpus = static_cast<std::int64_t>(1 + below(4));
    const std::string transaction = check(key, account, cpus);
    if (!transaction.empty()) open_.push_back(transaction);
    if (below(3) == 0 && check(key, account, cpus) != transaction) {
      told_.wrong(key + ": held again under another name");
    }
  }

  // A cost of nothing is a release.
  void settle() {
    if (open_.empty()) return;
    std::swap(open_[below(open_.size())], open_.back());
    const std::string transaction = open_.back();
    open_.pop_back();
    const Micros cost(static_cast<std::int64_t>(below(4) * 123'457));
    charge(transaction, cost, {200});
    if (below(3) == 0) charge(transaction, cost, {200});
  }

  void charge(const std::string& transaction, Micros cost, const std::vector<int>& right) {
    api::BudgetReconcile request;
    request.transaction_id = transaction;
    request.job_id = "cloud/" + transaction;
    request.actual_cost = cost;
    const auto answer = expect(right, "POST", "/api/v1/budget/reconcile", api::to_json(request));
    if (answer.status != 200) return;
    const auto told = api::from_json<api::BudgetReconcileAnswer>(answer.body);
    if (!told || told->actual_charge != cost) return told_.wrong("charged: " + answer.body);
    told_.charged(transaction, cost);
  }

  // All clients ask for the same holds, under the same keys, and settle them at different costs.
  void hold_shared() {
    const std::size_t number = below(200);
    const auto& account = shared_accounts[number % shared_accounts.size()];
    const std::string transaction = check("all-" + std::to_string(number), account, 2);
    if (!transaction.empty()) shared_.push_back(transaction);
  }
  void settle_shared() {
    if (shared_.empty()) return;
    charge(shared_[below(shared_.size())], Micros(static_cast<std::int64_t>(1 + below(3))),
           {200, 409});
  }

  // No job ever comes of it: the reconciler gives it back.
  void submit() {
    const std::string token = service::fresh_token(service::system_now());
    const std::string body =
        R"({"cluster":"onprem","slurm_version":"22.05.8","time_budget_ms":60000,)"
        R"("on_silence":"deny","submit_uid":0,"user_id":0,"account":"proj001",)"
        R"("partition":"cpu","min_cpus":1,"num_tasks":1,"cpus_per_task":1,"time_limit":10})";
    std::string first;
    for (int i = 0; i < 2; ++i) {
      const auto answer = expect({200}, "PUT", "/api/v1/slurm/submissions/" + token, body);
      const std::string decision = answer.header("Asbb-Decision");
      if (i == 1 && decision != first) told_.wrong(token + ": " + first + ", then " + decision);
      first = decision;
      if (decision == "allow") told_.allowed(token);
      if (answer.body.find("limit") == std::string::npos && decision == "deny") {
        told_.wrong("submission: " + answer.body);
      }
    }
  }

  void adjust() {
    const std::string& account = some_account();
    const bool up = below(2) == 0;
    const Micros amount(up ? 10'000 : -5'000);
    const auto answer =
        expect({200, 409}, "POST", "/api/v1/accounts/" + account + "/adjustments",
               std::string(R"({"amount":)") + to_decimal(amount) + R"(,"reason":"load"})",
               "Idempotency-Key: a" + name_ + "-" + std::to_string(++number_) + "\r\n");
    if (answer.status == 200) told_.adjusted(account, amount);
  }

  void change_limits() {
    const std::string target = "/api/v1/accounts/" + some_account();
    const char* limit = below(4) == 0 ? "1" : "900000";
    const std::string body = std::string(R"({"limit":)") + limit + "}";
    (void)expect({200, 409}, "PUT", target + "/partition-limits/cpu", body);
    const std::string total = below(2) == 0 ? "900000" : "1000000";
    (void)expect({200, 409}, "PUT", target, R"({"budget_limit":)" + total + "}");
  }

  // An account of its own, closed while money is held: what was begun is still charged.
  void close_account() {
    const std::string account = name_ + "x" + std::to_string(++number_);
    const std::string target = "/api/v1/accounts/" + account;
    (void)expect({201}, "POST", "/api/v1/accounts",
                 R"({"slurm_account":")" + account + R"(","parent":"lab","budget_limit":100,)" +
                     R"("start_date":"2020-01-01","end_date":"2099-12-31"})");
    const std::string transaction = check(account, account, 1);
    if (transaction.empty()) return told_.wrong(account + ": nothing held");
    (void)expect({204}, "DELETE", target);
    api::BudgetCheck late;
    late.account = account;
    late.partition = "cpu";
    late.wall_time_s = 60;
    (void)expect({402}, "POST", "/api/v1/budget/check", api::to_json(late));
    charge(transaction, Micros(7), {200});
    (void)expect({204}, "DELETE", target);
    told_.closed();
  }

  void read() {
    const std::string& account = some_account();
    const std::vector<std::string> targets{"/api/v1/accounts",
                                           "/api/v1/accounts/" + account,
                                           "/api/v1/accounts/" + account + "/holds",
                                           "/api/v1/accounts/" + account + "/usage",
                                           "/api/v1/transactions?limit=20",
                                           "/api/v1/prices",
                                           "/api/v1/status",
                                           "/health",
                                           "/metrics"};
    (void)expect({200}, "GET", targets[below(targets.size())]);
    if (below(8) == 0) {
      (void)expect({200}, "POST", "/api/v1/slurm/notify", R"({"cluster":"onprem","job_id":7})");
    }
    if (below(40) == 0) (void)expect({200}, "POST", "/api/v1/jobs/7/reconcile", "{}");
    if (below(100) == 0) (void)expect({200}, "GET", "/api/v1/audit/verify");
  }

  const std::string socket_;
  const std::string name_;
  std::mt19937 random_;
  Told& told_;
  RawClient client_;
  int number_ = 0;
  std::vector<std::string> open_;    // its own
  std::vector<std::string> shared_;  // seen
};

class ServiceLoadTest : public testing::Test {
 protected:
  ServiceLoadTest() {
    std::string pattern = testing::TempDir() + "asbb-load-XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
    service::start_log(config::LogLevel::error, config::LogFormat::text);
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

  // A cluster without jobs, as one answered once.
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
    play("sacct", "exit 0");
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
    EXPECT_EQ(ask("POST", "/api/v1/prices",
                  R"({"text":"prices:\n  - {cluster: onprem, partition: cpu, unit: USD, )"
                  R"(basis: tres, per_core_hour: 1}\n"})")
                  .status,
              201);
    const auto create = [&](const std::string& name, const char* parent, const char* limit) {
      const auto created =
          ask("POST", "/api/v1/accounts",
              R"({"slurm_account":")" + name + R"(","parent":")" + parent + R"(","budget_limit":)" +
                  limit + R"(,"start_date":"2020-01-01","end_date":"2099-12-31"})");
      EXPECT_EQ(created.status, 201) << created.body;
    };
    create("lab", "", "100000000");
    for (const std::string& account : shared_accounts) create(account, "lab", "1000000");
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

  void expect_balances() {
    Micros held;
    Micros used;
    for (const std::string& name : shared_accounts) {
      const api::Account shown = account(name);
      EXPECT_EQ(to_decimal(shown.budget_held), to_decimal(told_.held_of(name))) << name;
      EXPECT_EQ(to_decimal(shown.budget_used), to_decimal(told_.used_of(name))) << name;
      held += shown.budget_held;
      used += shown.budget_used;
    }
    const api::Account lab = account("lab");
    EXPECT_EQ(to_decimal(lab.budget_held), to_decimal(held));
    EXPECT_EQ(to_decimal(lab.budget_used), to_decimal(used + Micros(told_.closed_ * 7)));
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
      for (const auto& found : *entries) ++hold_entries[found.entry.hold.value];
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
      if (!record.shares.empty()) EXPECT_EQ(record.shares.front().actual, charge->second);
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
  const auto end = Steady::now() + load_time;
  std::vector<std::thread> threads;
  for (int number = 0; number < client_count; ++number) {
    threads.emplace_back(
        [&, number] { LoadClient(config_.service.socket, number, told_).run_until(end); });
  }
  for (std::thread& thread : threads) thread.join();
  for (const std::string& wrong : told_.wrongs_) ADD_FAILURE() << wrong;
  EXPECT_GT(told_.holds_.size(), 0u);
  EXPECT_GT(told_.charges_.size(), 0u);
  EXPECT_GT(told_.tokens_.size(), 0u);
  EXPECT_GT(told_.adjustments_, 0);
  EXPECT_GT(told_.closed_, 0);
  EXPECT_TRUE(
      comes_true([](const api::Status& status) { return status.reconciler.unbound_holds == 0; }));
  expect_balances();
  const auto report = api::from_json<api::AuditReport>(ask("GET", "/api/v1/audit/verify").body);
  ASSERT_TRUE(report);
  EXPECT_TRUE(report->ok) << (report->problems.empty() ? "" : report->problems.front());
  daemon_->stop();
  expect_stored();
}

}  // namespace
}  // namespace asbb::http
