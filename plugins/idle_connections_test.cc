#include "plugins/idle_connections.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>

#include "plugins/testing/fake_service.h"

namespace asbb::plugins {
namespace {

// Both ends of a connection: [0] is the plugin's, [1] the service's.
using Ends = std::array<int, 2>;

Ends connect_ends() {
  Ends ends{};
  EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
  return ends;
}

TEST(IdleConnections, GivesBackTheLastOneThatWasKept) {
  IdleConnections idle;
  EXPECT_EQ(idle.take(0), -1);
  const Ends first = connect_ends();
  const Ends second = connect_ends();
  idle.keep(first[0], 1);
  idle.keep(second[0], 2);
  EXPECT_EQ(idle.take(3), second[0]);
  EXPECT_EQ(idle.take(3), first[0]);
  EXPECT_EQ(idle.take(3), -1);
  for (const int end : {first[0], first[1], second[0], second[1]}) close(end);
}

TEST(IdleConnections, GivesNoneThatTheServiceHasEnded) {
  const int before = testing::open_descriptors();
  IdleConnections idle;
  const Ends good = connect_ends();
  const Ends ended = connect_ends();
  idle.keep(good[0], 1);
  idle.keep(ended[0], 1);
  close(ended[1]);
  EXPECT_EQ(idle.take(2), good[0]);
  close(good[0]);
  close(good[1]);
  EXPECT_EQ(testing::open_descriptors(), before);
}

TEST(IdleConnections, GivesNoneOnWhichTheServiceSpeaksUnasked) {
  IdleConnections idle;
  const Ends ends = connect_ends();
  idle.keep(ends[0], 1);
  ASSERT_EQ(send(ends[1], "H", 1, 0), 1);
  EXPECT_EQ(idle.take(2), -1);
  char byte = 0;
  EXPECT_LE(recv(ends[1], &byte, 1, 0), 0);
  close(ends[1]);
}

TEST(IdleConnections, GivesNoneThatTheServiceMayBeAboutToEnd) {
  IdleConnections idle;
  const Ends ends = connect_ends();
  idle.keep(ends[0], 1);
  EXPECT_EQ(idle.take(kIdleMicrosMax + 1), -1);
  close(ends[1]);
}

TEST(IdleConnections, KeepsAFewAndClosesThemAll) {
  const int before = testing::open_descriptors();
  IdleConnections idle;
  std::array<int, 20> services{};
  for (int& service : services) {
    const Ends ends = connect_ends();
    service = ends[1];
    idle.keep(ends[0], 1);
  }
  EXPECT_LT(testing::open_descriptors(), before + 20 + 10);
  idle.close_all();
  EXPECT_EQ(testing::open_descriptors(), before + 20);
  EXPECT_EQ(idle.take(2), -1);
  for (const int service : services) close(service);
}

}  // namespace
}  // namespace asbb::plugins
