#include "plugins/arguments.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "plugins/testing/fake_slurm.h"

namespace asbb::plugins {
namespace {

struct Parsed {
  Arguments arguments;
  std::vector<std::string> log;
};

Parsed parsed(const std::string& line, std::string_view cluster = "onprem") {
  testing::take_log();
  Parsed result;
  parse_arguments(line, cluster, "/var/spool/slurmctld", &result.arguments);
  result.log = testing::take_log();
  return result;
}

TEST(Arguments, HaveDefaults) {
  const Parsed result = parsed("");
  EXPECT_EQ(result.arguments.socket_path.view(), "/run/asbb/asbb.sock");
  EXPECT_EQ(result.arguments.policy_path.view(), "/run/asbb/policy.onprem");
  EXPECT_EQ(result.arguments.timeout_ms, 50U);
  EXPECT_EQ(result.arguments.on_unavailable, Stance::deny);
  EXPECT_TRUE(result.arguments.trusted.contains(0));
  EXPECT_TRUE(result.arguments.trusted.contains(geteuid()));
  EXPECT_FALSE(result.arguments.trusted.contains(12'345));
  EXPECT_TRUE(result.log.empty());
}

TEST(Arguments, TakeALoopbackUrlForTheSocket) {
  for (const std::string url :
       {"http://localhost:8080", "http://localhost", "http://127.0.0.1:1/", "http://[::1]:65535"}) {
    const Parsed result = parsed("budget_service_url=" + url);
    EXPECT_EQ(result.arguments.socket_path.view(), "/run/asbb/asbb.sock") << url;
    EXPECT_TRUE(result.log.empty()) << url;
  }
}

TEST(Arguments, TakeAPathFromTheUrlOrFromTheSocket) {
  EXPECT_EQ(parsed("budget_service_url=unix:/tmp/a.sock").arguments.socket_path.view(),
            "/tmp/a.sock");
  const Parsed both = parsed("socket=/srv/b.sock budget_service_url=unix:/tmp/a.sock");
  EXPECT_EQ(both.arguments.socket_path.view(), "/srv/b.sock");
  EXPECT_EQ(both.arguments.policy_path.view(), "/srv/policy.onprem");
  const Parsed corrected = parsed("budget_service_url=http://far.example:80 socket=/srv/b.sock");
  EXPECT_EQ(corrected.arguments.socket_path.view(), "/srv/b.sock");
}

TEST(Arguments, RefuseEveryOtherUrl) {
  for (const std::string url :
       {"http://budget.example.org:8080", "https://localhost:8080", "http://localhost.evil:80",
        "http://localhost:0", "http://localhost:65536", "http://localhost:80x",
        "http://localhost:8080/path", "http://127.0.0.2:80", "http://user@localhost:80",
        "unix:relative", "unix:", "", "localhost:8080"}) {
    const Parsed result = parsed("budget_service_url=" + url);
    EXPECT_TRUE(result.arguments.socket_path.empty()) << url;
    ASSERT_EQ(result.log.size(), 1U) << url;
    EXPECT_NE(result.log[0].find("only a loopback URL"), std::string::npos) << result.log[0];
    EXPECT_EQ(result.arguments.policy_path.view(), "/run/asbb/policy.onprem") << url;
  }
}

TEST(Arguments, RefuseASocketThatCannotBeOne) {
  for (const std::string& path :
       {std::string("relative"), std::string(), "/" + std::string(107, 'x')}) {
    const Parsed result = parsed("socket=" + path);
    EXPECT_TRUE(result.arguments.socket_path.empty()) << path;
    EXPECT_EQ(result.log.size(), 1U) << path;
  }
  EXPECT_FALSE(parsed("socket=/" + std::string(106, 'x')).arguments.socket_path.empty());
}

TEST(Arguments, KeepTheTimeoutWithinItsRange) {
  EXPECT_EQ(parsed("timeout_ms=1").arguments.timeout_ms, 1U);
  EXPECT_EQ(parsed("timeout_ms=1000").arguments.timeout_ms, 1'000U);
  for (const std::string value : {"0", "1001", "-1", "50ms", "", "99999999999", "1.5"}) {
    const Parsed result = parsed("timeout_ms=" + value);
    EXPECT_EQ(result.arguments.timeout_ms, 50U) << value;
    EXPECT_EQ(result.log.size(), 1U) << value;
  }
}

TEST(Arguments, StayWithDenyWhenTheStanceIsBad) {
  EXPECT_EQ(parsed("on_unavailable=allow").arguments.on_unavailable, Stance::allow);
  EXPECT_TRUE(parsed("on_unavailable=deny").log.empty());
  const Parsed bad = parsed("on_unavailable=Allow");
  EXPECT_EQ(bad.arguments.on_unavailable, Stance::deny);
  EXPECT_EQ(bad.log.size(), 1U);
}

TEST(Arguments, KnowTheServiceUserByNameOrNumber) {
  EXPECT_TRUE(parsed("service_user=12345").arguments.trusted.contains(12'345));
  EXPECT_TRUE(parsed("service_user=root").log.empty());
  const Parsed unknown = parsed("service_user=no-such-user-here");
  EXPECT_EQ(unknown.log.size(), 1U);
  EXPECT_FALSE(unknown.arguments.trusted.contains(static_cast<uid_t>(-1)));
  EXPECT_EQ(parsed("service_user=").log.size(), 1U);
}

TEST(Arguments, TakeAPolicyFileByItsAbsolutePath) {
  EXPECT_EQ(parsed("policy_file=/etc/p").arguments.policy_path.view(), "/etc/p");
  const Parsed relative = parsed("policy_file=p");
  EXPECT_EQ(relative.arguments.policy_path.view(), "/run/asbb/policy.onprem");
  EXPECT_EQ(relative.log.size(), 1U);
  EXPECT_TRUE(parsed("", "").arguments.policy_path.empty()) << "no cluster, no file";
}

TEST(Arguments, NameWhatTheyDoNotKnowAndGoOn) {
  const Parsed result = parsed(" timeout=5\ton_unavailable=allow  rubbish ");
  EXPECT_EQ(result.arguments.on_unavailable, Stance::allow);
  ASSERT_EQ(result.log.size(), 2U);
  EXPECT_EQ(result.log[0],
            "error: asbb: plugstack.conf: timeout=5: is not an argument of this plugin; "
            "it is ignored");
}

}  // namespace
}  // namespace asbb::plugins
