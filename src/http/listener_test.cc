// The listener against clients that send what they like, when they like, and leave when they like.
#include "http/listener.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <stdexcept>
#include <thread>

#include "http/raw_client.h"

namespace asbb::http {
namespace {

using std::chrono::milliseconds;

class ListenerTest : public testing::Test {
 protected:
  ListenerTest() {
    std::string pattern = testing::TempDir() + "asbb-listener-XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
    options_.socket_path = folder_ + "/asbb.sock";
    options_.read_timeout_ms = 2'000;
    callbacks_.handle = [](Request request, const Responder& responder) {
      responder.send(Answer{
          200, "text/plain", request.method + " " + request.target + " " + request.body, {}});
    };
    callbacks_.is_trusted = [](const Peer&) { return true; };
  }
  ~ListenerTest() override {
    if (late_.joinable()) late_.join();
    listener_.reset();
    std::filesystem::remove_all(folder_);
  }

  void start() {
    listener_.emplace(options_, callbacks_);
    const auto started = listener_->start();
    ASSERT_TRUE(started) << started.error().message;
  }
  [[nodiscard]] RawClient connect() const { return RawClient::connect_unix(options_.socket_path); }

  // Waits until no connection is left.
  [[nodiscard]] bool all_closed() const {
    for (int i = 0; i < 500; ++i) {
      if (listener_->figures().open == 0) return true;
      std::this_thread::sleep_for(milliseconds(10));
    }
    return false;
  }

  // The handler keeps the right to answer; take() waits for it.
  void keep_responders() {
    callbacks_.handle = [this](const Request&, const Responder& responder) {
      const std::lock_guard lock(mutex_);
      kept_.push_back(responder);
      arrived_.notify_all();
    };
  }
  [[nodiscard]] Responder take() {
    std::unique_lock lock(mutex_);
    arrived_.wait(lock, [this] { return !kept_.empty(); });
    const Responder responder = kept_.back();
    kept_.pop_back();
    return responder;
  }

  std::string folder_;
  ListenerOptions options_;
  ListenerCallbacks callbacks_;
  std::optional<Listener> listener_;
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::vector<Responder> kept_;
  std::thread late_;
};

TEST_F(ListenerTest, NamesTheUserAtTheOtherEndOfTheSocket) {
  callbacks_.handle = [](const Request& request, const Responder& responder) {
    responder.send(Answer{200,
                          "text/plain",
                          std::to_string(request.peer.is_local_user) + " " +
                              std::to_string(request.peer.user_id) + " " +
                              std::to_string(request.peer.process_id),
                          {}});
  };
  options_.listen_addr = "127.0.0.1:0";
  start();
  const auto answer = connect().ask("GET", "/");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->body, "1 " + std::to_string(::getuid()) + " " + std::to_string(::getpid()));
  const auto over_tcp = RawClient::connect_tcp(listener_->tcp_port()).ask("GET", "/");
  ASSERT_TRUE(over_tcp);
  EXPECT_EQ(over_tcp->body, "0 0 0");
}

TEST_F(ListenerTest, SaysWhereItListens) {
  options_.listen_addr = ":0";
  start();
  EXPECT_TRUE(listener_->is_narrowed());
  const auto addresses = listener_->addresses();
  ASSERT_GE(addresses.size(), 2u);
  EXPECT_EQ(addresses[0], options_.socket_path);
  EXPECT_EQ(addresses[1], "127.0.0.1:" + std::to_string(listener_->tcp_port()));
}

TEST_F(ListenerTest, KeepsAConnectionForManyRequests) {
  start();
  auto client = connect();
  for (int i = 0; i < 20; ++i) {
    const auto answer = client.ask("POST", "/" + std::to_string(i), "body");
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->body, "POST /" + std::to_string(i) + " body");
  }
  const auto last = client.ask("GET", "/last", {}, "Connection: close\r\n");
  ASSERT_TRUE(last);
  EXPECT_EQ(last->header("Connection"), "close");
  EXPECT_TRUE(client.is_at_end());
  client.close();
  EXPECT_TRUE(all_closed());
  EXPECT_EQ(listener_->figures().requests, 21);
}

TEST_F(ListenerTest, AnswersPipelinedRequestsInOrder) {
  start();
  auto client = connect();
  std::string all;
  for (int i = 0; i < 50; ++i) {
    all += "POST /" + std::to_string(i) + " HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc";
  }
  ASSERT_TRUE(client.send(all));
  for (int i = 0; i < 50; ++i) {
    const auto answer = client.receive();
    ASSERT_TRUE(answer) << i;
    EXPECT_EQ(answer->body, "POST /" + std::to_string(i) + " abc");
  }
}

TEST_F(ListenerTest, ReadsBytesThatComeOneByOne) {
  start();
  auto client = connect();
  for (const char c :
       std::string("POST /slow HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nok")) {
    ASSERT_TRUE(client.send({&c, 1}));
    std::this_thread::sleep_for(milliseconds(1));
  }
  const auto answer = client.receive();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->body, "POST /slow ok");
}

TEST_F(ListenerTest, ClosesOnAClientThatNeverFinishes) {
  options_.read_timeout_ms = 200;
  start();
  auto header = connect();
  auto body = connect();
  ASSERT_TRUE(header.send("GET / HTTP/1.1\r\nHo"));
  ASSERT_TRUE(body.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc"));
  EXPECT_TRUE(header.is_at_end());
  EXPECT_TRUE(body.is_at_end());
  EXPECT_TRUE(all_closed());
  EXPECT_EQ(listener_->figures().requests, 0);
}

TEST_F(ListenerTest, ClosesOnAClientThatSendsNothing) {
  options_.idle_timeout_ms = 200;
  start();
  auto client = connect();
  EXPECT_TRUE(client.is_at_end());
  EXPECT_TRUE(all_closed());
}

TEST_F(ListenerTest, RefusesGarbage) {
  start();
  for (const char* bytes :
       {"hello\r\n\r\n", "\x16\x03\x01\x02\x01\x01\xfc\x03\x03", "GET / HTTP/9.9\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n",
        "GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\nabc",
        "GET / HTTP/1.1\r\nbad header\r\n\r\n",
        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"}) {
    auto client = connect();
    ASSERT_TRUE(client.send(bytes));
    const auto answer = client.receive();
    ASSERT_TRUE(answer) << bytes;
    EXPECT_EQ(answer->status, 400) << bytes;
    EXPECT_TRUE(client.is_at_end()) << bytes;
  }
  EXPECT_EQ(listener_->figures().requests, 0);
}

TEST_F(ListenerTest, RefusesALargeHeader) {
  start();
  auto client = connect();
  ASSERT_TRUE(client.send("GET / HTTP/1.1\r\nX: " + std::string(9'000, 'x') + "\r\n\r\n"));
  const auto answer = client.receive();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 431);
  EXPECT_TRUE(client.is_at_end());
}

TEST_F(ListenerTest, BoundsBodiesByRoute) {
  callbacks_.body_limit = [](std::string_view method, std::string_view target) {
    return method == "POST" && target == "/large" ? std::size_t{100'000} : std::size_t{1'000};
  };
  start();
  EXPECT_EQ(connect().ask("POST", "/", std::string(1'000, 'a'))->status, 200);
  EXPECT_EQ(connect().ask("POST", "/large", std::string(100'000, 'a'))->status, 200);
  EXPECT_EQ(connect().ask("PUT", "/large", std::string(1'001, 'a'))->status, 413);

  auto announced = connect();  // refused before a byte of it is sent
  ASSERT_TRUE(announced.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4000000000\r\n\r\n"));
  EXPECT_EQ(announced.receive()->status, 413);

  auto chunked = connect();
  ASSERT_TRUE(chunked.send("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"));
  ASSERT_TRUE(chunked.send("3e9\r\n" + std::string(1'001, 'b') + "\r\n0\r\n\r\n"));
  EXPECT_EQ(chunked.receive()->status, 413);
}

TEST_F(ListenerTest, ReadsChunkedBodies) {
  start();
  auto client = connect();
  ASSERT_TRUE(
      client.send("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                  "3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n"));
  EXPECT_EQ(client.receive()->body, "POST / abcdefg");
}

TEST_F(ListenerTest, LeavesTheBodyOutOfAnAnswerToHead) {
  start();
  auto client = connect();
  const auto head = client.ask("HEAD", "/x");
  ASSERT_TRUE(head);
  EXPECT_EQ(head->header("Content-Length"), "8");
  EXPECT_EQ(client.ask("GET", "/x")->body, "GET /x ");
}

TEST_F(ListenerTest, GoesOnWhenAClientExpectsIt) {
  start();
  auto client = connect();
  ASSERT_TRUE(
      client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n"
                  "Expect: 100-continue\r\n\r\n"));
  const auto go_on = client.receive();
  ASSERT_TRUE(go_on);
  EXPECT_EQ(go_on->status, 100);
  ASSERT_TRUE(client.send("ok"));
  EXPECT_EQ(client.receive()->body, "POST / ok");
}

TEST_F(ListenerTest, AnswersAClientThatHasFinishedSending) {
  keep_responders();
  start();
  auto client = connect();
  ASSERT_TRUE(client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
  client.finish_sending();
  const Responder responder = take();
  std::this_thread::sleep_for(milliseconds(50));
  late_ = std::thread([responder] { responder.send(Answer{200, "text/plain", "late", {}}); });
  const auto answer = client.receive();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->body, "late");
}

TEST_F(ListenerTest, SurvivesClientsThatLeaveBeforeTheAnswer) {
  keep_responders();
  start();
  std::vector<Responder> owed;
  for (int i = 0; i < 50; ++i) {
    auto client = connect();
    ASSERT_TRUE(client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
    owed.push_back(take());
  }
  EXPECT_EQ(listener_->figures().open, 50);
  for (const auto& responder : owed) {
    responder.send(Answer{200, "text/plain", std::string(100'000, 'x'), {}});
  }
  EXPECT_TRUE(all_closed());
}

TEST_F(ListenerTest, AnswersWhenTheHandlerForgetsTo) {
  callbacks_.handle = [](const Request&, const Responder&) {};
  start();
  auto client = connect();
  EXPECT_EQ(client.ask("GET", "/")->status, 500);
  EXPECT_EQ(client.ask("GET", "/")->status, 500);
}

TEST_F(ListenerTest, AnswersWhenTheHandlerThrows) {
  callbacks_.handle = [](const Request&, const Responder&) { throw std::runtime_error("boom"); };
  callbacks_.make_error = [](int status, std::string_view sentence) {
    return Answer{status, "application/json", "{\"said\":\"" + std::string(sentence) + "\"}", {}};
  };
  start();
  const auto answer = connect().ask("GET", "/");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 500);
  EXPECT_EQ(answer->body, "{\"said\":\"The service failed at this request.\"}");
}

TEST_F(ListenerTest, TakesTheFirstAnswerOnly) {
  callbacks_.handle = [](const Request&, const Responder& responder) {
    responder.send(Answer{201, "text/plain", "first", {}});
    responder.send(Answer{202, "text/plain", "second", {}});
  };
  start();
  auto client = connect();
  EXPECT_EQ(client.ask("GET", "/")->body, "first");
  EXPECT_EQ(client.ask("GET", "/")->body, "first");
}

TEST_F(ListenerTest, ServesAThousandConnectionsAtOnce) {
  rlimit files{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &files), 0);
  files.rlim_cur = std::min<rlim_t>(files.rlim_max, 8'192);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &files), 0);
  start();
  std::vector<RawClient> clients;
  for (int i = 0; i < 1'000; ++i) {
    clients.push_back(connect());
    ASSERT_TRUE(clients.back().is_connected()) << i;
  }
  for (int round = 0; round < 3; ++round) {
    for (auto& client : clients) ASSERT_TRUE(client.send("GET /n HTTP/1.1\r\nHost: x\r\n\r\n"));
    for (auto& client : clients) ASSERT_EQ(client.receive()->body, "GET /n ");
  }
  EXPECT_EQ(listener_->figures().open, 1'000);
  clients.clear();
  EXPECT_TRUE(all_closed());
}

TEST_F(ListenerTest, RefusesConnectionsBeyondTheLimits) {
  options_.user_connections_max = 3;
  options_.connections_max = 5;
  std::atomic<bool> trusted{false};
  callbacks_.is_trusted = [&trusted](const Peer&) { return trusted.load(); };
  start();
  std::vector<RawClient> clients;
  for (int i = 0; i < 4; ++i) clients.push_back(connect());
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(clients[static_cast<std::size_t>(i)].ask("GET", "/")->status, 200);
  EXPECT_EQ(clients[3].receive()->status, 503);
  trusted = true;
  for (int i = 0; i < 3; ++i) clients.push_back(connect());
  EXPECT_EQ(clients[4].ask("GET", "/")->status, 200);
  EXPECT_EQ(clients[5].ask("GET", "/")->status, 200);
  EXPECT_EQ(clients[6].receive()->status, 503);
  EXPECT_EQ(listener_->figures().refused, 2);
}

TEST_F(ListenerTest, WaitsForOwedAnswersWhenItStops) {
  keep_responders();
  start();
  auto idle = connect();
  auto client = connect();
  ASSERT_TRUE(client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
  late_ = std::thread([responder = take()] {
    std::this_thread::sleep_for(milliseconds(200));
    responder.send(Answer{200, "text/plain", "owed", {}});
  });
  std::thread stopper([this] { listener_->stop(5'000); });
  const auto answer = client.receive();
  client.close();
  stopper.join();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->body, "owed");
  EXPECT_EQ(answer->header("Connection"), "close");
  EXPECT_TRUE(idle.is_at_end());
  EXPECT_FALSE(connect().is_connected());
  EXPECT_FALSE(std::filesystem::exists(options_.socket_path));
}

TEST_F(ListenerTest, GivesUpOnOwedAnswersAfterTheGrace) {
  keep_responders();
  start();
  auto client = connect();
  ASSERT_TRUE(client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
  const Responder responder = take();
  const auto before = std::chrono::steady_clock::now();
  listener_->stop(100);
  EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(5));
  EXPECT_TRUE(client.is_at_end());
  listener_.reset();
  responder.send(Answer{200, "text/plain", "nobody listens", {}});
}

TEST_F(ListenerTest, LeavesNothingBehindWhenItCannotStart) {
  options_.listen_addr = "0.0.0.0:0";
  listener_.emplace(options_, callbacks_);
  const auto started = listener_->start();
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().kind, ErrorKind::invalid);
  EXPECT_FALSE(std::filesystem::exists(options_.socket_path));
}

}  // namespace
}  // namespace asbb::http
