// The REST face as clients meet it: over a unix socket and loopback TCP, on SQLite.
#include "http/server.h"

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <map>
#include <thread>

#include "api/json.h"
#include "base/token.h"
#include "http/daemon.h"
#include "http/raw_client.h"
#include "service/digest.h"
#include "slurm/fake.h"
#include "store/open_store.h"

namespace asbb::http {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;

constexpr const char* json_header = "Content-Type: application/json\r\n";

class ServerTest : public testing::Test {
 protected:
  ServerTest() {
    std::string pattern = testing::TempDir() + "asbb-server-XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
    config_.service.socket = folder_ + "/asbb.sock";
    config_.service.listen_addr = ":0";
    config_.service.tokens_file = folder_ + "/tokens";
    config_.slurm.clusters = {{"onprem", "", ""}};
    std::ofstream(config_.service.tokens_file)
        << "q0 submit " << service::sha256_hex("q0-secret") << "\nboss admin "
        << service::sha256_hex("boss-secret") << "\neyes read " << service::sha256_hex("eyes")
        << "\n";
    ::chmod(config_.service.tokens_file.c_str(), 0600);
    names_.add(1000, "alice");
    names_.learn({"alice"});
    add_view();
    const std::string database = folder_ + "/asbb.db";
    EXPECT_TRUE(store::migrate_database("sqlite", database, store::MigrateMode::apply));
    store_ = std::move(*store::open_store("sqlite", database));
    committer_.emplace(*store_, store::ChainKey{7}, service::system_now,
                       service::CommitterOptions{});
    EXPECT_TRUE(committer_->start());
    server_.emplace(config_, ServerParts{*committer_, prices_, view_, names_, alarms_, {}, {7}});
    const auto started = server_->start();
    EXPECT_TRUE(started) << started.error().message;
  }
  ~ServerTest() override {
    server_->stop();
    committer_->stop();
    server_.reset();
    committer_.reset();
    store_.reset();
    std::filesystem::remove_all(folder_);
  }

  void add_view() {
    slurm::ClusterSnapshot cluster;
    cluster.cluster = "onprem";
    cluster.read_at = service::system_now();
    slurm::PartitionInfo partition;
    partition.name = "gpu-aws";
    partition.is_default = true;
    partition.max_time_minutes = 1440;
    partition.nodes = {"gpu-1"};
    cluster.partitions.push_back(partition);
    slurm::NodeInfo node;
    node.name = "gpu-1";
    node.partitions = {"gpu-aws"};
    node.cpus = node.cpus_effective = node.cores_per_socket = 16;
    node.memory_mb = 64'000;
    cluster.nodes.push_back(node);
    view_.put(cluster);
    slurm::Associations associations;
    associations.read_at = service::system_now();
    associations.add(slurm::Association{"onprem", "proj001", "", "", "", "", false});
    associations.add(slurm::Association{"onprem", "proj001", "alice", "", "", "", true});
    view_.put("onprem", associations);
  }

  [[nodiscard]] RawClient local() const { return RawClient::connect_unix(config_.service.socket); }
  [[nodiscard]] RawClient tcp() const { return RawClient::connect_tcp(server_->tcp_port()); }

  // As the user who runs the test, who is the service's own.
  RawAnswer ask(std::string_view method, std::string_view target, std::string_view body = {},
                std::string_view headers = json_header) {
    const auto answer = local().ask(method, target, body, headers);
    EXPECT_TRUE(answer) << method << " " << target;
    return answer.value_or(RawAnswer{});
  }

  // An account with that much money, and a core-hour for one dollar.
  void fund(const std::string& limit) {
    EXPECT_EQ(ask("POST", "/api/v1/prices",
                  R"({"text":"prices:\n  - {cluster: onprem, partition: gpu-aws, unit: USD, )"
                  R"(basis: tres, per_core_hour: 1}\n"})")
                  .status,
              201);
    const auto created = ask("POST", "/api/v1/accounts",
                             R"({"slurm_account":"proj001","name":"p","budget_limit":)" + limit +
                                 R"(,"start_date":"2020-01-01","end_date":"2099-12-31"})");
    EXPECT_EQ(created.status, 201) << created.body;
  }

  [[nodiscard]] std::string submission(int minutes) const {
    return R"({"cluster":"onprem","slurm_version":"22.05.8","time_budget_ms":5000,)"
           R"("on_silence":"deny","submit_uid":1000,"user_id":1000,"account":"proj001",)"
           R"("partition":"gpu-aws","min_cpus":1,"num_tasks":1,"cpus_per_task":1,"time_limit":)" +
           std::to_string(minutes) + "}";
  }
  static std::string fresh_token() { return service::fresh_token(service::system_now()); }

  std::string folder_;
  config::Config config_;
  slurm::FakeUserNames names_;
  slurm::ClusterCache view_;
  service::Prices prices_;
  service::Alarms alarms_;
  std::unique_ptr<store::Store> store_;
  std::optional<service::Committer> committer_;
  std::optional<Server> server_;
};

constexpr const char* check_body =
    R"({"account":"proj001","partition":"gpu-aws","nodes":1,"cpus":1,"wall_time":"01:00:00"})";

TEST(DaemonTest, SaysWhatMakesTheMissingChainKey) {
  config::Config config;
  config.database.chain_key_file = "/nonexistent/chain.key";
  Daemon daemon(config);
  const auto started = daemon.start();
  ASSERT_FALSE(started);
  EXPECT_THAT(
      started.error().message,
      HasSubstr("/nonexistent/chain.key: No such file or directory: 'asbb database migrate' "
                "makes it"));
}

TEST_F(ServerTest, TellsWhetherItIsWell) {
  auto plain = tcp();
  const auto health = plain.ask("GET", "/health");
  ASSERT_TRUE(health);
  EXPECT_EQ(health->status, 200);
  EXPECT_EQ(api::from_json<api::Health>(health->body)->status, "healthy");
  EXPECT_EQ(plain.ask("HEAD", "/health")->status, 200);
  EXPECT_EQ(plain.ask("GET", "/version")->status, 200);
  EXPECT_EQ(plain.ask("GET", "/api/v1/status")->status, 401);
  committer_->stop();
  EXPECT_EQ(ask("GET", "/health").status, 503);
}

TEST_F(ServerTest, SpeaksTheProtocolOfThePlugin) {
  fund("10");
  const std::string id = fresh_token();
  const std::string path = "/api/v1/slurm/submissions/" + id;
  const std::string headers =
      std::string(json_header) + "Accept: text/plain\r\nConnection: close\r\n";
  auto client = local();
  const auto allowed = client.ask("PUT", path, submission(60), headers);
  ASSERT_TRUE(allowed);
  EXPECT_EQ(allowed->status, 200);
  EXPECT_EQ(allowed->header("Asbb-Decision"), "allow");
  EXPECT_EQ(allowed->header("Asbb-Token"), id);
  EXPECT_EQ(allowed->header("Connection"), "close");
  EXPECT_EQ(allowed->body, "held $1.20 of account proj001 (estimate $1.00)\n");
  EXPECT_TRUE(client.is_at_end());
  const auto again = ask("PUT", path, submission(60), headers);
  EXPECT_EQ(again.body, allowed->body);
  EXPECT_EQ(again.header("Asbb-Decision"), "allow");

  const auto refused = ask("PUT", "/api/v1/slurm/submissions/" + fresh_token(), submission(1200));
  EXPECT_EQ(refused.status, 200);
  EXPECT_EQ(refused.header("Asbb-Decision"), "deny");
  EXPECT_THAT(refused.body, HasSubstr("only $8.80 is available"));
  EXPECT_THAT(refused.body, HasSubstr("--time=07:19:00"));

  for (const char* bad : {"{", "", "{\"cluster\":7}"}) {
    const auto unreadable = ask("PUT", "/api/v1/slurm/submissions/" + fresh_token(), bad);
    EXPECT_EQ(unreadable.status, 200);
    EXPECT_EQ(unreadable.header("Asbb-Decision"), "deny");
  }
  const auto unnamed = ask("PUT", "/api/v1/slurm/submissions/x%0d%0aX-Forged:%201", submission(60));
  EXPECT_EQ(unnamed.header("Asbb-Token") + unnamed.header("X-Forged"), "");
  const auto json = ask("PUT", "/api/v1/slurm/submissions/" + fresh_token(), submission(60),
                        "Accept: application/json\r\n");
  EXPECT_EQ(api::from_json<api::SubmissionAnswer>(json.body)->decision, "allow");
  EXPECT_EQ(ask("GET", path).status, 405);
  EXPECT_EQ(tcp().ask("PUT", path, submission(60))->status, 401);
  // As much as the protocol says a body may have, and more.
  std::string large = submission(60);
  large.insert(1, "\"name\":\"" + std::string(200'000, 'n') + "\",");
  EXPECT_EQ(ask("PUT", "/api/v1/slurm/submissions/" + fresh_token(), large).status, 200);
  large.insert(1, "\"wckey\":\"" + std::string(100'000, 'n') + "\",");
  EXPECT_EQ(ask("PUT", "/api/v1/slurm/submissions/" + fresh_token(), large).status, 413);
}

TEST_F(ServerTest, ChecksAndReconcilesOverTcp) {
  fund("10");
  auto client = tcp();
  const std::string headers = std::string(json_header) + "Authorization: Bearer q0-secret\r\n";
  const auto checked = client.ask("POST", "/api/v1/budget/check", check_body, headers);
  ASSERT_TRUE(checked);
  ASSERT_EQ(checked->status, 200) << checked->body;
  const auto answer = api::from_json<api::BudgetCheckAnswer>(checked->body);
  EXPECT_TRUE(answer->available);
  const std::string settle = R"({"job_id":"cloud/n1","actual_cost":0.25,"transaction_id":")" +
                             answer->transaction_id + R"("})";
  const auto settled = client.ask("POST", "/api/v1/budget/reconcile", settle, headers);
  EXPECT_EQ(settled->status, 200) << settled->body;
  EXPECT_EQ(client.ask("POST", "/api/v1/budget/reconcile", settle, headers)->body, settled->body);
  const auto wrong =
      client.ask("POST", "/api/v1/budget/reconcile",
                 R"({"job_id":"cloud/n1","actual_cost":-40,"transaction_id":"x"})", headers);
  EXPECT_EQ(wrong->status, 400);
  // The key of the header makes a repeated check one hold.
  const std::string keyed = headers + "Idempotency-Key: k1\r\n";
  const auto first = client.ask("POST", "/api/v1/budget/check", check_body, keyed);
  EXPECT_EQ(client.ask("POST", "/api/v1/budget/check", check_body, keyed)->body, first->body);
  EXPECT_EQ(client.ask("GET", "/api/v1/accounts", {}, headers)->body, "[]");
}

TEST_F(ServerTest, KnowsWhoMayDoWhat) {
  fund("10");
  auto client = tcp();
  EXPECT_EQ(client.ask("GET", "/api/v1/accounts")->status, 401);
  EXPECT_EQ(client.ask("GET", "/api/v1/accounts")->header("WWW-Authenticate"), "Bearer");
  EXPECT_EQ(client.ask("POST", "/api/v1/budget/check", check_body, json_header)->status, 401);
  EXPECT_EQ(client.ask("GET", "/health", {}, "Authorization: Bearer wrong\r\n")->status, 401);
  const std::string eyes = "Authorization: Bearer eyes\r\n";
  EXPECT_EQ(client.ask("GET", "/api/v1/accounts/proj001", {}, eyes)->status, 200);
  EXPECT_EQ(client.ask("DELETE", "/api/v1/accounts/proj001", {}, eyes)->status, 403);
  const std::string boss = "Authorization: Bearer boss-secret\r\n";
  EXPECT_EQ(client.ask("DELETE", "/api/v1/accounts/proj001", {}, boss)->status, 204);
  EXPECT_EQ(
      client.ask("GET", "/api/v1/accounts/proj001", {}, boss + "Origin: http://evil.example\r\n")
          ->status,
      403);
  EXPECT_EQ(client.ask("GET", "/health", {}, "Origin: http://localhost\r\n")->status, 200);
}

TEST_F(ServerTest, AnswersMistakesInOneForm) {
  const auto expect_error = [](const RawAnswer& answer, int status, const char* code) {
    EXPECT_EQ(answer.status, status) << answer.body;
    const auto error = api::from_json<api::ErrorBody>(answer.body);
    ASSERT_TRUE(error) << answer.body;
    EXPECT_EQ(error->error.code, code);
    EXPECT_FALSE(error->error.message.empty());
    EXPECT_EQ(error->request_id, answer.header("Request-Id"));
  };
  expect_error(ask("GET", "/nothing"), 404, "NOT_FOUND");
  EXPECT_NE(ask("GET", "/nothing").body.find("There is nothing at '/nothing'."), std::string::npos);
  EXPECT_NE(ask("PATCH", "/health").body.find("'PATCH' is not possible here"), std::string::npos);
  expect_error(ask("GET", "/api/v1/accounts/nobody"), 404, "NOT_FOUND");
  expect_error(ask("PATCH", "/api/v1/accounts"), 405, "METHOD_NOT_ALLOWED");
  EXPECT_EQ(ask("PATCH", "/api/v1/accounts").header("Allow"), "GET, HEAD, POST, OPTIONS");
  expect_error(ask("POST", "/api/v1/accounts", "{"), 400, "VALIDATION_ERROR");
  expect_error(ask("POST", "/api/v1/accounts", "a=b", "Content-Type: text/plain\r\n"), 415,
               "UNSUPPORTED_MEDIA_TYPE");
  expect_error(ask("GET", "/api/v1/accounts?limit=0"), 400, "VALIDATION_ERROR");
  expect_error(ask("GET", "/api/v1/transactions?bogus=1"), 400, "VALIDATION_ERROR");
  expect_error(ask("GET", "/api/v1/accounts/%zz"), 400, "VALIDATION_ERROR");
  expect_error(ask("GET", "/api/v1/prices/x"), 400, "VALIDATION_ERROR");
  expect_error(ask("POST", "/api/v1/budget/check", check_body), 404, "NOT_FOUND");
  const auto options = ask("OPTIONS", "/api/v1/prices");
  EXPECT_EQ(options.status, 204);
  EXPECT_EQ(options.header("Allow"), "GET, HEAD, POST, OPTIONS");
  auto client = local();
  ASSERT_TRUE(
      client.send("POST /api/v1/accounts HTTP/1.1\r\nHost: x\r\nContent-Length: 70000\r\n\r\n"));
  EXPECT_EQ(client.receive()->status, 413);
  EXPECT_EQ(ask("GET", "/health", {}, "Request-Id: mine-1\r\n").header("Request-Id"), "mine-1");
}

TEST_F(ServerTest, ShowsTheWholeStory) {
  fund("10");
  EXPECT_EQ(
      ask("PUT", "/api/v1/accounts/proj001/partition-limits/gpu-aws", R"({"limit":5})").status,
      200);
  EXPECT_EQ(ask("PUT", "/api/v1/slurm/submissions/" + fresh_token(), submission(60)).status, 200);
  const auto holds =
      api::from_json<std::vector<api::OpenHold>>(ask("GET", "/api/v1/accounts/proj001/holds").body);
  ASSERT_TRUE(holds);
  EXPECT_THAT(*holds, SizeIs(1));
  const auto account = api::from_json<api::Account>(ask("GET", "/api/v1/accounts/proj001").body);
  EXPECT_EQ(to_decimal(account->budget_held), "1.2");
  const auto transactions = api::from_json<std::vector<api::Transaction>>(
      ask("GET", "/api/v1/transactions?account=proj001&type=hold").body);
  ASSERT_THAT(*transactions, SizeIs(1));
  EXPECT_EQ(transactions->front().status, "pending");
  EXPECT_EQ(ask("GET", "/api/v1/accounts/proj001/usage").status, 200);
  EXPECT_THAT(ask("GET", "/api/v1/prices/current").body, HasSubstr("gpu-aws"));
  const auto audit = api::from_json<api::AuditReport>(ask("GET", "/api/v1/audit/verify").body);
  ASSERT_TRUE(audit);
  EXPECT_TRUE(audit->ok) << audit->problems.front();
  EXPECT_EQ(ask("POST", "/api/v1/slurm/notify", R"({"cluster":"onprem","job_id":1})").status, 200);
  EXPECT_EQ(ask("POST", "/api/v1/jobs/1/reconcile").status, 503);
}

TEST_F(ServerTest, CountsWithoutNamingAccounts) {
  fund("10");
  ask("POST", "/api/v1/budget/check", check_body);
  const auto metrics = tcp().ask("GET", "/metrics");
  ASSERT_TRUE(metrics);
  EXPECT_EQ(metrics->status, 200);
  EXPECT_THAT(metrics->body, HasSubstr("asbb_holds_open 1\n"));
  EXPECT_THAT(
      metrics->body,
      HasSubstr("asbb_http_request_duration_seconds_count{route=\"/api/v1/budget/check\"} 1"));
  EXPECT_THAT(metrics->body, Not(HasSubstr("proj001")));
  EXPECT_THAT(metrics->body, Not(HasSubstr("asbb_budget_held_total")));
  EXPECT_THAT(ask("GET", "/metrics").body, HasSubstr("asbb_budget_held_total{unit=\"USD\"} 1.2\n"));
}

TEST_F(ServerTest, KeepsTheHoldOfAClientThatLeft) {
  fund("10");
  for (int i = 0; i < 5; ++i) {
    auto client = local();
    const std::string body = submission(60);
    ASSERT_TRUE(client.send("PUT /api/v1/slurm/submissions/" + fresh_token() +
                            " HTTP/1.1\r\nHost: x\r\nContent-Length: " +
                            std::to_string(body.size()) + "\r\n\r\n" + body));
    client.close();
  }
  Micros held;
  for (int i = 0; i < 500 && to_decimal(held) != "6"; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    held = api::from_json<api::Account>(ask("GET", "/api/v1/accounts/proj001").body)->budget_held;
  }
  EXPECT_EQ(to_decimal(held), "6");
}

// A budget for exactly 100 holds, 2,000 checks at 64 connections over both faces at once.
TEST_F(ServerTest, NeverSpendsMoreThanThereIs) {
  fund("120");
  constexpr int connections = 64;
  constexpr int checks = 2'000;
  std::atomic<int> next{0};
  std::atomic<int> approved{0};
  std::atomic<int> refused{0};
  std::atomic<int> failed{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < connections; ++i) {
    threads.emplace_back([&, over_tcp = i % 2 == 1] {
      auto client = over_tcp ? tcp() : local();
      const std::string headers = std::string(json_header) + "Authorization: Bearer q0-secret\r\n";
      while (next.fetch_add(1) < checks) {
        const auto answer = client.ask("POST", "/api/v1/budget/check", check_body, headers);
        const auto read =
            answer && answer->status == 200
                ? api::from_json<api::BudgetCheckAnswer>(answer->body)
                : Result<api::BudgetCheckAnswer>(fail(ErrorKind::broken, "no answer"));
        ++(!read ? failed : read->available ? approved : refused);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(failed, 0);
  EXPECT_EQ(approved, 100);
  EXPECT_EQ(refused, checks - 100);
  const auto account = api::from_json<api::Account>(ask("GET", "/api/v1/accounts/proj001").body);
  EXPECT_EQ(to_decimal(account->budget_held), "120");
  EXPECT_EQ(to_decimal(account->budget_available), "0");
  EXPECT_TRUE(api::from_json<api::AuditReport>(ask("GET", "/api/v1/audit/verify").body)->ok);
}

}  // namespace
}  // namespace asbb::http
