#include "plugins/channel.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <string>

#include "plugins/clock.h"
#include "plugins/testing/fake_service.h"

namespace asbb::plugins {
namespace {

using testing::Connection;
using testing::FakeService;
using testing::Folder;

constexpr std::int64_t kDeadlineMs = 30;
// For a busy machine; what ignores its deadline hangs for as long as the service likes.
constexpr std::int64_t kToleranceMs = 100;

struct Outcome {
  Failure failure = Failure::none;
  std::int64_t took_ms = 0;
  std::string body;
  int status = 0;
};

class Channel : public ::testing::Test {
 protected:
  Channel() { trusted_.add(geteuid()); }

  Outcome converse(const std::string& body = "{}") {
    const std::string head =
        "PUT /x HTTP/1.1\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n";
    Exchange conversation;
    Outcome outcome;
    const std::int64_t start = monotonic_micros();
    outcome.failure = exchange({path_.c_str(), &trusted_}, {head, body},
                               start + kDeadlineMs * 1'000, &conversation, nullptr);
    outcome.took_ms = (monotonic_micros() - start) / 1'000;
    if (outcome.failure == Failure::none) {
      outcome.body = conversation.answer.body;
      outcome.status = conversation.answer.status;
    }
    return outcome;
  }

  // What a service that behaves like this makes of a few conversations, always in time.
  void expect(Failure failure, const FakeService::Handler& handler,
              const std::string& body = "{}") {
    const FakeService service(path_, handler);
    const int descriptors = testing::open_descriptors();
    for (int at = 0; at < 5; ++at) {
      const Outcome outcome = converse(body);
      EXPECT_EQ(describe(outcome.failure), std::string(describe(failure)));
      EXPECT_LT(outcome.took_ms, kDeadlineMs + kToleranceMs);
    }
    // The service's own ends may still be closing: only growth by ours would stay.
    for (int at = 0; at < 100 && testing::open_descriptors() > descriptors; ++at) usleep(5'000);
    EXPECT_LE(testing::open_descriptors(), descriptors);
  }

  Folder folder_;
  std::string path_ = folder_.path("asbb.sock");
  TrustedUsers trusted_;
};

TEST_F(Channel, BringsTheAnswer) {
  const FakeService service(path_, testing::answering(testing::answer(200, "allow", "hello")));
  const Outcome outcome = converse();
  ASSERT_EQ(outcome.failure, Failure::none);
  EXPECT_EQ(outcome.body, "hello");
}

TEST_F(Channel, SendsALargeRequestWhole) {
  std::string seen;
  const std::string body(250'000, 'x');
  {
    const FakeService service(path_, [&seen](Connection& connection) {
      seen = connection.read_request();
      connection.send(testing::answer(200, "allow", ""));
    });
    EXPECT_EQ(converse(body).failure, Failure::none);
  }
  EXPECT_TRUE(seen.ends_with("\r\n\r\n" + body));
}

TEST_F(Channel, ReadsAnAnswerThatComesInPieces) {
  const FakeService service(path_, [](Connection& connection) {
    connection.read_request();
    connection.send("HTTP/1.1 200 OK\r\nAsbb-De");
    connection.sleep_ms(5);
    connection.send("cision: allow\r\nContent-Length: 4\r\n\r");
    connection.sleep_ms(5);
    connection.send("\nab");
    connection.send("cd");
  });
  EXPECT_EQ(converse().body, "abcd");
}

TEST_F(Channel, ReadsAnAnswerWithoutLengthToItsEnd) {
  const FakeService service(path_, [](Connection& connection) {
    connection.read_request();
    connection.send("HTTP/1.1 200 OK\r\n\r\nbye");
  });
  EXPECT_EQ(converse().body, "bye");
}

TEST_F(Channel, FindsNoSocket) {
  EXPECT_EQ(converse().failure, Failure::no_socket);
  path_ = folder_.write("file", "x");
  EXPECT_EQ(converse().failure, Failure::not_listening);
  path_ += "/below";
  EXPECT_EQ(converse().failure, Failure::no_socket);
  path_ = "/" + std::string(200, 'x');
  EXPECT_EQ(converse().failure, Failure::no_socket);
}

TEST_F(Channel, FindsNobodyListening) {
  {
    const FakeService service(path_, testing::answering(""));
  }
  const Outcome outcome = converse();
  EXPECT_EQ(outcome.failure, Failure::not_listening);
  EXPECT_LT(outcome.took_ms, kDeadlineMs);
}

TEST_F(Channel, DoesNotWaitForAFullBacklog) {
  const int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path_.copy(address.sun_path, sizeof address.sun_path - 1);
  ASSERT_EQ(bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  ASSERT_EQ(listen(listener, 0), 0);
  Failure last = Failure::none;
  for (int at = 0; at < 3; ++at) {
    const Outcome outcome = converse();
    EXPECT_LT(outcome.took_ms, kDeadlineMs + kToleranceMs);
    last = outcome.failure;
    if (last == Failure::not_listening) break;
    // Each that timed out was closed by us and still fills the backlog.
    EXPECT_EQ(last, Failure::deadline);
  }
  EXPECT_EQ(last, Failure::not_listening);
  close(listener);
}

TEST_F(Channel, SendsNothingToAServerWhoseUserIsNotTrusted) {
  std::string seen = "nothing";
  trusted_ = TrustedUsers();
  trusted_.add(geteuid() + 1);
  {
    const FakeService service(
        path_, [&seen](Connection& connection) { seen = connection.read_request(); });
    EXPECT_EQ(converse().failure, Failure::untrusted_server);
    for (int at = 0; at < 100 && service.connections() == 0; ++at) usleep(5'000);
  }
  EXPECT_EQ(seen, "");
}

TEST_F(Channel, LeavesAServiceThatNeverAnswers) {
  expect(Failure::deadline, [](Connection& connection) { connection.wait_for_end(); });
}

TEST_F(Channel, LeavesAServiceThatReadsNothingOfALargeRequest) {
  expect(
      Failure::deadline, [](Connection& connection) { connection.wait_for_end(); },
      std::string(4'000'000, 'x'));
}

TEST_F(Channel, LeavesAServiceThatSendsHalfAnAnswer) {
  expect(Failure::deadline, [](Connection& connection) {
    connection.read_request();
    connection.send("HTTP/1.1 200 OK\r\nAsbb-Decision: allow\r\nContent-Length: 10\r\n\r\nhalf");
    connection.wait_for_end();
  });
}

TEST_F(Channel, LeavesAServiceThatSendsByteByByte) {
  expect(Failure::deadline, [](Connection& connection) {
    connection.read_request();
    const std::string text = testing::answer(200, "allow", "never");
    for (const char byte : text) {
      connection.send(std::string(1, byte));
      if (connection.is_over() || !connection.sleep_ms(5)) return;
    }
  });
}

TEST_F(Channel, LeavesAServiceThatStopsInTheMiddle) {
  expect(Failure::broken_off, [](Connection& connection) {
    connection.read_request();
    connection.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
  });
  expect(Failure::broken_off, [](Connection& connection) { connection.read_request(); });
}

TEST_F(Channel, LeavesAServiceThatHangsUpAtOnce) {
  const FakeService service(path_, [](Connection&) {});
  for (int at = 0; at < 200; ++at) EXPECT_EQ(converse().failure, Failure::broken_off);
  EXPECT_EQ(converse(std::string(4'000'000, 'x')).failure, Failure::broken_off);
}

TEST_F(Channel, LeavesAServiceThatTalksNonsense) {
  expect(Failure::malformed_answer, [](Connection& connection) {
    connection.read_request();
    connection.send(std::string(1'000, '\0') + "\r\n\r\n");
    connection.wait_for_end();
  });
  expect(Failure::malformed_answer, [](Connection& connection) {
    connection.read_request();
    connection.send("SSH-2.0-OpenSSH\r\n\r\n");
  });
}

TEST_F(Channel, LeavesAServiceThatSendsHeadersWithoutEnd) {
  expect(Failure::malformed_answer, [](Connection& connection) {
    connection.read_request();
    connection.send("HTTP/1.1 200 OK\r\n");
    while (!connection.is_over()) connection.send("X: " + std::string(1'000, 'x') + "\r\n");
  });
}

TEST_F(Channel, ReadsNoMoreOfAHugeBodyThanItShows) {
  const FakeService service(path_, [](Connection& connection) {
    connection.read_request();
    connection.send("HTTP/1.1 200 OK\r\nContent-Length: 999999999\r\n\r\n");
    while (!connection.is_over()) connection.send(std::string(65'536, 'x'));
  });
  for (int at = 0; at < 5; ++at) EXPECT_EQ(converse().body.size(), 2'048U);
}

TEST_F(Channel, LeavesNoDescriptorBehindInAThousandConversations) {
  const int before = testing::open_descriptors();
  {
    std::atomic<int> turn{0};
    const FakeService service(path_, [&turn](Connection& connection) {
      switch (turn++ % 4) {
        case 0:
          return;
        case 1:
          connection.read_request();
          return connection.send("nonsense\r\n\r\n");
        case 2:
          connection.read_request();
          return connection.send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n");
        default:
          connection.read_request();
          return connection.send(testing::answer(200, "deny", "no"));
      }
    });
    for (int at = 0; at < 1'000; ++at) {
      EXPECT_LT(converse().took_ms, kDeadlineMs + kToleranceMs);
    }
  }
  for (int at = 0; at < 500; ++at) {
    EXPECT_EQ(converse().failure, Failure::not_listening);
  }
  EXPECT_EQ(testing::open_descriptors(), before);
}

TEST(TrustedUsers, AreThreeAtMost) {
  TrustedUsers users;
  EXPECT_TRUE(users.add(1));
  EXPECT_TRUE(users.add(1));
  EXPECT_TRUE(users.add(2));
  EXPECT_TRUE(users.add(3));
  EXPECT_FALSE(users.add(4));
  EXPECT_TRUE(users.contains(3));
  EXPECT_FALSE(users.contains(4));
  EXPECT_FALSE(users.contains(0));
}

TEST(Failure, IsAlwaysDescribed) {
  for (int at = 0; at <= static_cast<int>(Failure::request_too_long); ++at) {
    EXPECT_STRNE(describe(static_cast<Failure>(at)), "unknown");
  }
}

}  // namespace
}  // namespace asbb::plugins
