#include "api/client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <fstream>
#include <thread>

namespace asbb::api {
namespace {

using testing::HasSubstr;
using testing::Not;

class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = "/tmp/asbb-client-XXXXXX";
    path_ = mkdtemp(name.data());
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder() {
    for (const char* name : {"/sock", "/token"}) unlink((path_ + name).c_str());
    rmdir(path_.c_str());
  }
  [[nodiscard]] std::string path(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

// Answers one connection on a unix socket with a fixed text and keeps what it was sent.
class OneAnswer {
 public:
  OneAnswer(const std::string& socket_path, std::string answer) : answer_(std::move(answer)) {
    listener_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    socket_path.copy(address.sun_path, sizeof address.sun_path - 1);
    EXPECT_EQ(bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(listen(listener_, 4), 0);
    thread_ = std::thread([this] { serve(); });
  }
  ~OneAnswer() { finish(); }
  OneAnswer(const OneAnswer&) = delete;
  OneAnswer& operator=(const OneAnswer&) = delete;

  const std::string& finish() {
    if (thread_.joinable()) {
      thread_.join();
      close(listener_);
    }
    return received_;
  }

 private:
  void serve() {
    pollfd waiting{listener_, POLLIN, 0};
    if (poll(&waiting, 1, 5'000) != 1) return;
    const int connection = accept(listener_, nullptr, nullptr);
    std::array<char, 4096> buffer{};
    std::size_t expected = 0;
    while (expected == 0 || received_.size() < expected) {
      const ssize_t size = read(connection, buffer.data(), buffer.size());
      if (size <= 0) break;
      received_.append(buffer.data(), static_cast<std::size_t>(size));
      const auto end = received_.find("\r\n\r\n");
      if (end == std::string::npos) continue;
      const auto length = received_.find("Content-Length: ");
      expected = end + 4 + (length < end ? std::stoul(received_.substr(length + 16)) : 0);
    }
    if (!answer_.empty()) {
      EXPECT_EQ(write(connection, answer_.data(), answer_.size()),
                static_cast<ssize_t>(answer_.size()));
    } else {
      pollfd closing{connection, POLLIN, 0};
      poll(&closing, 1, 2'000);
    }
    close(connection);
  }

  int listener_ = -1;
  std::string answer_;
  std::string received_;
  std::thread thread_;
};

std::string http(int status, const std::string& body) {
  return "HTTP/1.1 " + std::to_string(status) +
         " Word\r\nContent-Type: application/json\r\nContent-Length: " +
         std::to_string(body.size()) + "\r\nConnection: close\r\n\r\n" + body;
}

Endpoint endpoint_of(const TemporaryFolder& folder) {
  Endpoint endpoint;
  endpoint.socket = folder.path("sock");
  endpoint.timeout_ms = 5'000;
  return endpoint;
}

TEST(Client, SendsARequestAndReadsTheAnswer) {
  const TemporaryFolder folder;
  OneAnswer server(folder.path("sock"), http(201, R"({"accepted":true})"));
  Client client(endpoint_of(folder));
  const auto answer =
      client.call<NotifyAnswer>("POST", "/api/v1/slurm/notify", to_json(Notify{"onprem", 7}));
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_TRUE(answer->accepted);
  const std::string& sent = server.finish();
  EXPECT_THAT(sent, HasSubstr("POST /api/v1/slurm/notify HTTP/1.1\r\n"));
  EXPECT_THAT(sent, HasSubstr("Content-Type: application/json\r\n"));
  EXPECT_THAT(sent, HasSubstr("\r\n\r\n{\"cluster\":\"onprem\",\"job_id\":7}"));
  EXPECT_THAT(sent, Not(HasSubstr("Authorization")));
}

TEST(Client, ReadsTheErrorOfARefusal) {
  const TemporaryFolder folder;
  OneAnswer server(folder.path("sock"),
                   http(404, R"({"error":{"code":"NOT_FOUND","message":"no account 'x'",)"
                             R"("field":"account"},"request_id":"r",)"
                             R"("timestamp":"2026-01-01T00:00:00Z"})"));
  Client client(endpoint_of(folder));
  const auto answer = client.call<Account>("GET", "/api/v1/accounts/x");
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().status, 404);
  EXPECT_EQ(answer.error().code, "NOT_FOUND");
  EXPECT_EQ(answer.error().message, "no account 'x'");
  EXPECT_EQ(answer.error().field, "account");
}

TEST(Client, SaysWhenSomethingElseAnswers) {
  const TemporaryFolder folder;
  {
    OneAnswer server(folder.path("sock"), http(200, "<html>"));
    Client client(endpoint_of(folder));
    const auto answer = client.call<Account>("GET", "/api/v1/accounts/x");
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code, bad_answer_code);
  }
  unlink(folder.path("sock").c_str());
  OneAnswer server(folder.path("sock"), http(502, "Bad Gateway"));
  Client client(endpoint_of(folder));
  const auto answer = client.call<Account>("GET", "/api/v1/accounts/x");
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, bad_answer_code);
  EXPECT_THAT(answer.error().message, HasSubstr("502"));
}

TEST(Client, SaysWhereNobodyAnswers) {
  const TemporaryFolder folder;
  Client client(endpoint_of(folder));
  const auto answer = client.raw("GET", "/health");
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, unreachable_code);
  EXPECT_THAT(answer.error().message, HasSubstr(folder.path("sock")));
}

TEST(Client, GivesUpAtItsTimeout) {
  const TemporaryFolder folder;
  OneAnswer server(folder.path("sock"), "");
  Endpoint endpoint = endpoint_of(folder);
  endpoint.timeout_ms = 100;
  Client client(endpoint);
  const auto answer = client.raw("GET", "/health");
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, unreachable_code);
}

TEST(Client, SendsItsTokenOnlyWhereNobodyElseReadsIt) {
  const TemporaryFolder folder;
  std::ofstream(folder.path("token")) << "secret-1\n";
  chmod(folder.path("token").c_str(), 0600);
  Endpoint endpoint = endpoint_of(folder);
  endpoint.token_file = folder.path("token");
  {
    OneAnswer server(folder.path("sock"), http(200, "{}"));
    Client client(endpoint);
    ASSERT_TRUE(client.raw("GET", "/health"));
    EXPECT_THAT(server.finish(), HasSubstr("Authorization: Bearer secret-1\r\n"));
  }
  for (const std::string url : {"http://budget.example.org", "http://127.0.0.1@evil.example.org",
                                "http://localhost.evil/"}) {
    endpoint.url = url;
    Client client(endpoint);
    const auto answer = client.raw("GET", "/health");
    ASSERT_FALSE(answer);
    EXPECT_THAT(answer.error().message, HasSubstr("use https")) << url;
  }
}

TEST(ReadTokenFile, RefusesWhatOthersCanReadAndWhatIsNoToken) {
  const TemporaryFolder folder;
  const std::string path = folder.path("token");
  const auto with = [&](const std::string& text, mode_t mode) {
    std::ofstream(path) << text;
    chmod(path.c_str(), mode);
    return read_token_file(path);
  };
  EXPECT_EQ(*with("  abc \n", 0600), "abc");
  EXPECT_EQ(*with("abc", 0400), "abc");
  EXPECT_FALSE(with("abc", 0640));
  EXPECT_FALSE(with("abc", 0604));
  EXPECT_FALSE(with("", 0600));
  EXPECT_FALSE(with("two words", 0600));
  EXPECT_FALSE(with("a\r\nX-Admin: yes", 0600));
  EXPECT_FALSE(read_token_file(folder.path("missing")));
  EXPECT_FALSE(read_token_file("/tmp"));
}

}  // namespace
}  // namespace asbb::api
