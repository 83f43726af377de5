#include "http/sockets.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "http/connection_limits.h"
#include "http/raw_client.h"

namespace asbb::http {
namespace {

class UnixSocketTest : public testing::Test {
 protected:
  UnixSocketTest() {
    std::string pattern = testing::TempDir() + "asbb-sockets-XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
    path_ = folder_ + "/asbb.sock";
  }
  ~UnixSocketTest() override { std::filesystem::remove_all(folder_); }

  [[nodiscard]] std::size_t files() const {
    return static_cast<std::size_t>(
        std::distance(std::filesystem::directory_iterator(folder_), {}));
  }

  std::string folder_;
  std::string path_;
};

TEST_F(UnixSocketTest, HasTheModeItWasGiven) {
  const auto socket = listen_unix(path_, 0620);
  ASSERT_TRUE(socket) << socket.error().message;
  struct stat found{};
  ASSERT_EQ(::stat(path_.c_str(), &found), 0);
  EXPECT_TRUE(S_ISSOCK(found.st_mode));
  EXPECT_EQ(found.st_mode & 07777, 0620u);
  EXPECT_EQ(files(), 1u);
  EXPECT_TRUE(RawClient::connect_unix(path_).is_connected());
}

TEST_F(UnixSocketTest, ReplacesAFileThatNobodyAnswersOn) {
  {
    ASSERT_TRUE(listen_unix(path_, 0600));
  }
  ASSERT_TRUE(std::filesystem::exists(path_));
  EXPECT_FALSE(RawClient::connect_unix(path_).is_connected());
  const auto socket = listen_unix(path_, 0600);
  ASSERT_TRUE(socket) << socket.error().message;
  EXPECT_TRUE(RawClient::connect_unix(path_).is_connected());
}

TEST_F(UnixSocketTest, RefusesWhatSomebodyAnswersOn) {
  const auto first = listen_unix(path_, 0600);
  ASSERT_TRUE(first);
  const auto second = listen_unix(path_, 0600);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().kind, ErrorKind::conflict);
  EXPECT_TRUE(RawClient::connect_unix(path_).is_connected());
}

TEST_F(UnixSocketTest, LeavesAFileOfAnotherKindAlone) {
  std::ofstream(path_) << "precious";
  const auto socket = listen_unix(path_, 0600);
  ASSERT_FALSE(socket);
  EXPECT_EQ(socket.error().kind, ErrorKind::conflict);
  EXPECT_EQ(std::filesystem::file_size(path_), 8u);
}

TEST_F(UnixSocketTest, RemovesOnlyTheFileItMade) {
  auto first = listen_unix(path_, 0600);
  ASSERT_TRUE(first);
  first->descriptor = Descriptor();
  const auto second = listen_unix(path_, 0600);
  ASSERT_TRUE(second);
  remove_socket_file(*first);
  EXPECT_TRUE(std::filesystem::exists(path_));
  remove_socket_file(*second);
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(UnixSocketTest, RefusesPathsThatCannotBe) {
  EXPECT_EQ(listen_unix("", 0600).error().kind, ErrorKind::invalid);
  EXPECT_EQ(listen_unix(folder_ + "/" + std::string(200, 'x'), 0600).error().kind,
            ErrorKind::invalid);
  EXPECT_FALSE(listen_unix(folder_ + "/absent/asbb.sock", 0600));
  EXPECT_EQ(files(), 0u);
}

TEST(ListenAddressTest, MeansLoopbackWhereItNamesNoHost) {
  const auto address = parse_listen_address(":8080");
  ASSERT_TRUE(address);
  EXPECT_TRUE(address->v4 && address->v6 && address->is_narrowed);
  EXPECT_EQ(address->port, 8080);
}

TEST(ListenAddressTest, TakesLoopbackOnly) {
  EXPECT_TRUE(parse_listen_address("127.0.0.1:0")->v4);
  EXPECT_FALSE(parse_listen_address("127.0.0.1:0")->v6);
  EXPECT_TRUE(parse_listen_address("[::1]:9")->v6);
  EXPECT_FALSE(parse_listen_address("[::1]:9")->v4);
  EXPECT_FALSE(parse_listen_address("localhost:9")->is_narrowed);
  for (const char* text : {"0.0.0.0:8080", "[::]:8080", "*:8080", "10.0.0.1:80", "8080", "", ":",
                           ":65536", ":-1", ":80x", "localhost", "127.0.0.1 :80", "::1:80"}) {
    const auto address = parse_listen_address(text);
    ASSERT_FALSE(address) << text;
    EXPECT_EQ(address.error().kind, ErrorKind::invalid) << text;
  }
}

TEST(TcpTest, BindsBothFamiliesOnOnePort) {
  const auto made = listen_tcp(*parse_listen_address(":0"));
  ASSERT_TRUE(made) << made.error().message;
  ASSERT_GE(made->sockets.size(), 1u);
  EXPECT_NE(made->port, 0);
  for (const auto& socket : made->sockets) {
    EXPECT_TRUE(socket.name.ends_with(":" + std::to_string(made->port))) << socket.name;
  }
  EXPECT_TRUE(RawClient::connect_tcp(made->port).is_connected());
  const auto again = listen_tcp(ListenAddress{true, false, made->port, false});
  EXPECT_FALSE(again);
}

TEST(ConnectionLimitsTest, KeepsRoomForTrustedUsers) {
  ConnectionLimits limits(4, 2);
  const Peer user{true, 1000, 1};
  const Peer other{true, 1001, 1};
  const Peer root{true, 0, 1};
  const Peer tcp{};
  EXPECT_TRUE(limits.enter(user, false));
  EXPECT_TRUE(limits.enter(user, false));
  EXPECT_FALSE(limits.enter(user, false));
  EXPECT_TRUE(limits.enter(root, true));
  EXPECT_TRUE(limits.enter(root, true));
  EXPECT_FALSE(limits.enter(other, false));
  EXPECT_TRUE(limits.enter(tcp, false));
  EXPECT_EQ(limits.open(), 5u);
  limits.leave(user);
  EXPECT_TRUE(limits.enter(other, false));
}

}  // namespace
}  // namespace asbb::http
