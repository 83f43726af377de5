// Channels against servers and programs of the test: what arrives, and what is said of failures.
#include "alerts/channel.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <thread>

namespace asbb::alerts {
namespace {

using config::AlertChannel;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

// One connection on loopback, served line by line: what `answer_to` a line gives is sent back;
// "bye" in it ends the connection. The first word is that to the empty line before any.
class LineServer {
 public:
  using Answer = std::function<std::string(const std::string& line)>;

  explicit LineServer(Answer answer_to) : answer_to_(std::move(answer_to)) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(::bind(listener_, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(::listen(listener_, 1), 0);
    EXPECT_EQ(::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size), 0);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~LineServer() { received(); }

  [[nodiscard]] std::string at(const std::string& scheme) const {
    return scheme + "://127.0.0.1:" + std::to_string(port_);
  }
  // Everything that came; when the connection has ended.
  const std::string& received() {
    ::shutdown(listener_, SHUT_RDWR);
    if (thread_.joinable()) thread_.join();
    if (listener_ >= 0) ::close(std::exchange(listener_, -1));
    return received_;
  }

 private:
  void serve() {
    const int connection = ::accept(listener_, nullptr, nullptr);
    if (connection < 0) return;
    bool is_open = say(connection, "");
    std::string line;
    std::array<char, 1> byte{};
    while (is_open && ::read(connection, byte.data(), 1) == 1) {
      received_ += byte[0];
      line += byte[0];
      if (byte[0] != '\n') continue;
      is_open = say(connection, line.substr(0, line.find_last_not_of("\r\n") + 1));
      line.clear();
    }
    ::close(connection);
  }
  bool say(int connection, const std::string& line) {
    std::string text = answer_to_(line);
    const bool is_last = text.ends_with("bye");
    if (is_last) text.resize(text.size() - 3);
    EXPECT_EQ(::send(connection, text.data(), text.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(text.size()));
    return !is_last;
  }

  const Answer answer_to_;
  int listener_ = -1;
  int port_ = 0;
  std::string received_;
  std::thread thread_;
};

Message message() {
  Alert alert;
  alert.id = 12;
  alert.finding = {"key", Severity::warning, "proj001", "USD", "much is spent", "Look.", {"alice"}};
  alert.raised_at = Instant::from_unix_seconds(1'767'225'600);
  return message_of(alert);
}

class ChannelTest : public testing::Test {
 protected:
  ChannelTest() : folder_(testing::TempDir() + "channel." + std::to_string(::getpid())) {
    std::filesystem::create_directories(folder_);
  }
  ~ChannelTest() override { std::filesystem::remove_all(folder_); }

  Result<void> send(const AlertChannel& settings) {
    auto channel = make_channel(settings, stopping_);
    if (!channel) return tl::unexpected(channel.error());
    return (*channel)->send(message());
  }
  std::string write(const std::string& name, const std::string& text, mode_t mode) {
    const std::string path = folder_ + "/" + name;
    std::ofstream(path) << text;
    ::chmod(path.c_str(), mode);
    return path;
  }
  [[nodiscard]] std::string read(const std::string& name) const {
    std::ifstream file(folder_ + "/" + name);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  }
  static AlertChannel of_kind(AlertChannel::Kind kind) {
    AlertChannel settings;
    settings.name = "test";
    settings.kind = kind;
    return settings;
  }

  static AlertChannel mail_to(const LineServer& server) {
    AlertChannel settings = of_kind(AlertChannel::Kind::smtp);
    settings.url = server.at("smtp");
    settings.from = "asbb@example.org";
    settings.to = {"hpc@example.org"};
    return settings;
  }

  const std::string folder_;
  std::atomic<bool> stopping_ = false;
};

// Answers where the headers end; the body, which ends in no line break, comes with them.
LineServer::Answer http_answer(const std::string& answer) {
  return [answer, is_greeted = false](const std::string& line) mutable -> std::string {
    const bool is_greeting = !std::exchange(is_greeted, true);
    return is_greeting || !line.empty() ? "" : answer + "bye";
  };
}

TEST_F(ChannelTest, AWebhookIsPostedAndSigned) {
  AlertChannel settings = of_kind(AlertChannel::Kind::webhook);
  settings.secret_file = write("secret", "Jefe\n", 0400);
  LineServer server(http_answer("HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"));
  settings.url = server.at("http") + "/hook?a=b";
  const auto sent = send(settings);
  ASSERT_TRUE(sent) << sent.error().message;
  const std::string& request = server.received();
  EXPECT_THAT(request, StartsWith("POST /hook?a=b HTTP/1.1\r\n"));
  EXPECT_THAT(request, HasSubstr("Asbb-Message-Id: alert 12\r\n"));
  EXPECT_THAT(request, HasSubstr("Asbb-Signature: " + signature("Jefe", to_json(message()))));
}

TEST_F(ChannelTest, WhatAWebhookAnswersIsSaid) {
  LineServer server(
      http_answer("HTTP/1.1 503 Busy\r\nContent-Length: 7\r\nConnection: close\r\n\r\nnot now"));
  AlertChannel settings = of_kind(AlertChannel::Kind::slack);
  const std::string place = server.at("http");
  settings.url = place + "/services/T000/secret?key=secret";
  const auto sent = send(settings);
  ASSERT_FALSE(sent);
  EXPECT_EQ(sent.error().message, place + " answered 503 'not now'");
  EXPECT_TRUE(sent.error().retry_helps());
}

TEST_F(ChannelTest, NobodyThereIsSaid) {
  AlertChannel settings = of_kind(AlertChannel::Kind::webhook);
  {
    LineServer gone([](const std::string&) { return "bye"; });
    settings.url = gone.at("http");
  }
  const auto sent = send(settings);
  ASSERT_FALSE(sent);
  EXPECT_THAT(sent.error().message, StartsWith(settings.url + ": "));
}

TEST_F(ChannelTest, AServiceThatStopsDoesNotWait) {
  LineServer silent([](const std::string&) { return ""; });
  AlertChannel settings = of_kind(AlertChannel::Kind::webhook);
  settings.url = silent.at("http");
  stopping_ = true;
  const auto begun = std::chrono::steady_clock::now();
  EXPECT_FALSE(send(settings));
  EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(5));
}

// Takes everything; `data` is what stands between DATA and the dot.
LineServer::Answer mail_server(bool& is_data, const std::string& refused) {
  return [&is_data, refused](const std::string& line) -> std::string {
    if (is_data && line != ".") return "";
    if (line.starts_with("DATA")) {
      is_data = true;
      return "354 go on\r\n";
    }
    is_data = false;
    if (line.empty()) return "220 test\r\n";
    if (line.starts_with("EHLO")) return "250 test\r\n";
    if (line.starts_with("QUIT")) return "221 bye\r\nbye";
    if (!refused.empty() && line.starts_with(refused)) return "550 no such user\r\n";
    return "250 ok\r\n";
  };
}

TEST_F(ChannelTest, AnEmailGoesToTheListAndTheOwners) {
  bool is_data = false;
  LineServer server(mail_server(is_data, ""));
  AlertChannel settings = mail_to(server);
  settings.owners_at = "example.org";
  const auto sent = send(settings);
  ASSERT_TRUE(sent) << sent.error().message;
  const std::string& said = server.received();
  EXPECT_THAT(said, HasSubstr("MAIL FROM:<asbb@example.org>"));
  EXPECT_THAT(said, HasSubstr("RCPT TO:<hpc@example.org>\r\nRCPT TO:<alice@example.org>\r\n"));
  EXPECT_THAT(said, HasSubstr("Subject: [asbb] much is spent\r\n"));
}

TEST_F(ChannelTest, WhatAMailServerRefusesIsSaid) {
  bool is_data = false;
  LineServer server(mail_server(is_data, "RCPT"));
  AlertChannel settings = mail_to(server);
  const auto sent = send(settings);
  ASSERT_FALSE(sent);
  EXPECT_THAT(sent.error().message, HasSubstr("550"));
}

TEST_F(ChannelTest, APasswordIsNotSentWithoutTls) {
  bool is_data = false;
  LineServer server(mail_server(is_data, ""));
  AlertChannel settings = mail_to(server);
  settings.user = "asbb";
  settings.secret_file = write("password", "hunter2\n", 0600);
  EXPECT_FALSE(send(settings));
  EXPECT_THAT(server.received(), Not(HasSubstr("AUTH")));
}

TEST_F(ChannelTest, SendmailGetsTheEmailAndItsReceivers) {
  AlertChannel settings = of_kind(AlertChannel::Kind::sendmail);
  settings.program =
      write("sendmail",
            "#!/bin/sh\necho \"$@\" >" + folder_ + "/said\ncat >>" + folder_ + "/said\n", 0700);
  settings.from = "asbb@example.org";
  settings.to = {"hpc@example.org"};
  const auto sent = send(settings);
  ASSERT_TRUE(sent) << sent.error().message;
  EXPECT_THAT(read("said"), StartsWith("-i -f asbb@example.org -- hpc@example.org\n"
                                       "From: asbb@example.org\nTo: hpc@example.org\n"));
}

TEST_F(ChannelTest, ACommandReadsTheAlert) {
  AlertChannel settings = of_kind(AlertChannel::Kind::command);
  settings.program = write("page", "#!/bin/sh\ncat >" + folder_ + "/said\n", 0700);
  const auto sent = send(settings);
  ASSERT_TRUE(sent) << sent.error().message;
  EXPECT_EQ(read("said"), to_json(message()) + "\n");
  settings.program = write("broken", "#!/bin/sh\necho no paper >&2\nexit 3\n", 0700);
  const auto failed = send(settings);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().message, settings.program + " ended with 3 'no paper?'");
}

TEST_F(ChannelTest, ASecretThatOthersMayReadIsRefused) {
  AlertChannel settings = of_kind(AlertChannel::Kind::webhook);
  settings.url = "http://127.0.0.1:1";
  settings.secret_file = write("secret", "x\n", 0644);
  EXPECT_THAT(send(settings).error().message, HasSubstr("chmod 400 it"));
  settings.secret_file = write("empty", "\n", 0400);
  EXPECT_THAT(send(settings).error().message, HasSubstr("has no secret"));
  settings.secret_file = folder_ + "/nothing";
  EXPECT_THAT(send(settings).error().message, HasSubstr("No such file"));
}

}  // namespace
}  // namespace asbb::alerts
