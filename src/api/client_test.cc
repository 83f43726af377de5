#include "api/client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "api/testing/canned_service.h"

namespace asbb::api {
namespace {

using testing::CannedService;
using ::testing::HasSubstr;
using ::testing::Not;

Endpoint endpoint_of(const CannedService& service) {
  Endpoint endpoint;
  endpoint.socket = service.socket();
  endpoint.timeout_ms = 5'000;
  return endpoint;
}

TEST(Client, SendsARequestAndReadsTheAnswer) {
  CannedService service;
  service.answer("POST /api/v1/slurm/notify", 201, R"({"accepted":true})").start();
  Client client(endpoint_of(service));
  const auto answer =
      client.call<NotifyAnswer>("POST", "/api/v1/slurm/notify", to_json(Notify{"onprem", 7}));
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_TRUE(answer->accepted);
  service.stop();
  const std::string& sent = service.received().back();
  EXPECT_THAT(sent, HasSubstr("POST /api/v1/slurm/notify HTTP/1.1\r\n"));
  EXPECT_THAT(sent, HasSubstr("Content-Type: application/json\r\n"));
  EXPECT_THAT(sent, Not(HasSubstr("Authorization")));
  EXPECT_EQ(service.last_body(), R"({"cluster":"onprem","job_id":7})");
}

TEST(Client, ReadsTheErrorOfARefusal) {
  CannedService service;
  service
      .answer("GET /api/v1/accounts/x", 404,
              R"({"error":{"code":"NOT_FOUND","message":"no account 'x'","field":"account"},)"
              R"("request_id":"r","timestamp":"2026-01-01T00:00:00Z"})")
      .start();
  Client client(endpoint_of(service));
  const auto answer = client.call<Account>("GET", "/api/v1/accounts/x");
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().status, 404);
  EXPECT_EQ(answer.error().code, "NOT_FOUND");
  EXPECT_EQ(answer.error().message, "no account 'x'");
  EXPECT_EQ(answer.error().field, "account");
}

TEST(Client, SaysWhenSomethingElseAnswers) {
  CannedService service;
  service.answer("GET /html", 200, "<html>").answer("GET /gateway", 502, "Bad Gateway").start();
  Client client(endpoint_of(service));
  const auto html = client.call<Account>("GET", "/html");
  ASSERT_FALSE(html);
  EXPECT_EQ(html.error().code, bad_answer_code);
  const auto gateway = client.call<Account>("GET", "/gateway");
  ASSERT_FALSE(gateway);
  EXPECT_EQ(gateway.error().code, bad_answer_code);
  EXPECT_THAT(gateway.error().message, HasSubstr("502"));
}

TEST(Client, SaysWhereNobodyAnswers) {
  const CannedService service;
  Client client(endpoint_of(service));
  const auto answer = client.raw("GET", "/health");
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, unreachable_code);
  EXPECT_THAT(answer.error().message, HasSubstr(service.socket()));
}

TEST(Client, GivesUpAtItsTimeout) {
  CannedService service;
  service.silence("GET /health").start();
  Endpoint endpoint = endpoint_of(service);
  endpoint.timeout_ms = 100;
  Client client(endpoint);
  const auto answer = client.raw("GET", "/health");
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, unreachable_code);
}

void write_file(const std::string& path, const std::string& text, mode_t mode) {
  std::ofstream(path) << text;
  chmod(path.c_str(), mode);
}

TEST(Client, SendsItsTokenOnlyWhereNobodyElseReadsIt) {
  CannedService service;
  service.answer("GET /health", 200, "{}").start();
  Endpoint endpoint = endpoint_of(service);
  endpoint.token_file = service.folder() + "/token";
  write_file(endpoint.token_file, "secret-1\n", 0600);
  {
    Client client(endpoint);
    ASSERT_TRUE(client.raw("GET", "/health"));
  }
  service.stop();
  EXPECT_THAT(service.received().back(), HasSubstr("Authorization: Bearer secret-1\r\n"));
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
  const CannedService folder;
  const std::string path = folder.folder() + "/token";
  const auto with = [&](const std::string& text, mode_t mode) {
    write_file(path, text, mode);
    return read_token_file(path);
  };
  EXPECT_EQ(*with("  abc \n", 0600), "abc");
  EXPECT_EQ(*with("abc", 0400), "abc");
  EXPECT_FALSE(with("abc", 0640));
  EXPECT_FALSE(with("abc", 0604));
  EXPECT_FALSE(with("", 0600));
  EXPECT_FALSE(with("two words", 0600));
  EXPECT_FALSE(with("a\r\nX-Admin: yes", 0600));
  EXPECT_FALSE(read_token_file(folder.folder() + "/missing"));
  EXPECT_FALSE(read_token_file("/tmp"));
}

}  // namespace
}  // namespace asbb::api
