// Settings of the REST face, each as a client meets it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>

#include "http/raw_client.h"
#include "http/server.h"
#include "slurm/fake.h"
#include "store/memory_store.h"

namespace asbb::http {
namespace {

using ::testing::HasSubstr;

class ServerSettingsTest : public testing::Test {
 protected:
  ServerSettingsTest() {
    std::string pattern = testing::TempDir() + "asbb-settings-XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
    config_.service.socket = folder_ + "/asbb.sock";
    config_.service.listen_addr = "";
    EXPECT_TRUE(committer_.start());
  }
  ~ServerSettingsTest() override {
    if (server_) server_->stop();
    committer_.stop();
    server_.reset();
    std::filesystem::remove_all(folder_);
  }
  void start() {
    server_.emplace(config_, ServerParts{committer_, prices_, view_, names_, alarms_, {}, {7}});
    ASSERT_TRUE(server_->start());
  }
  RawAnswer get(const std::string& path) const {
    auto client = RawClient::connect_unix(config_.service.socket);
    return client.ask("GET", path).value_or(RawAnswer{});
  }

  std::string folder_;
  config::Config config_;
  store::MemoryStore store_;
  service::Committer committer_{store_, store::ChainKey{7}, service::system_now, {}};
  service::Prices prices_;
  slurm::ClusterCache view_;
  slurm::FakeUserNames names_;
  service::Alarms alarms_;
  std::optional<Server> server_;
};

TEST_F(ServerSettingsTest, FiguresAreWhereTheyAreAskedToBe) {
  config_.metrics.path = "/figures";
  config_.metrics.prefix = "centre";
  start();
  EXPECT_EQ(get("/metrics").status, 404);
  EXPECT_EQ(get("/figures").status, 200);
  EXPECT_THAT(get("/figures").body, HasSubstr("centre_ledger_healthy 1\n"));
}

TEST_F(ServerSettingsTest, FiguresCanBeTurnedOff) {
  config_.metrics.enabled = false;
  start();
  EXPECT_EQ(get("/metrics").status, 404);
  EXPECT_EQ(get("/health").status, 200);
}

TEST_F(ServerSettingsTest, ARequestThatDoesNotEndIsClosedAfterTheReadTimeout) {
  config_.service.read_timeout = milliseconds(200);
  start();
  auto client = RawClient::connect_unix(config_.service.socket);
  const auto before = std::chrono::steady_clock::now();
  ASSERT_TRUE(client.send("GET /health HTTP/1.1\r\nHo"));
  EXPECT_TRUE(client.is_at_end(8'000));
  EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(5));
}

}  // namespace
}  // namespace asbb::http
