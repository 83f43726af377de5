#include "service/authority.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdio>
#include <fstream>

#include "service/digest.h"
#include "slurm/fake.h"

namespace asbb::service {
namespace {

TEST(DigestTest, IsSha256) {
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_TRUE(equal_in_constant_time("abc", "abc"));
  EXPECT_FALSE(equal_in_constant_time("abc", "abd"));
  EXPECT_FALSE(equal_in_constant_time("abc", "ab"));
  EXPECT_NE(fresh_token(Instant{}), fresh_token(Instant{}));
}

TEST(AccessTokensTest, ReadsNamesScopesAndSums) {
  const std::string sum = sha256_hex("secret");
  const auto tokens = AccessTokens::parse("# who may\n\nq0 submit " + sum + " # the launcher\n" +
                                              "grafana read " + sha256_hex("other") + "\n",
                                          "tokens");
  ASSERT_TRUE(tokens) << tokens.error().message;
  EXPECT_EQ(tokens->size(), 2u);
  const AccessToken* found = tokens->find("secret");
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(found->name, "q0");
  EXPECT_TRUE(found->may_submit);
  EXPECT_FALSE(found->may_read);
  EXPECT_EQ(tokens->find("Secret"), nullptr);
  EXPECT_EQ(tokens->find(sum), nullptr);
  EXPECT_EQ(tokens->find(""), nullptr);
}

TEST(AccessTokensTest, ListsEveryProblem) {
  const auto tokens = AccessTokens::parse("a read 12\nb write " + sha256_hex("x") + "\nc\nd read " +
                                              sha256_hex("y") + "\nd read " + sha256_hex("z") +
                                              "\ne read " + sha256_hex("e") + " f\n",
                                          "tokens");
  ASSERT_FALSE(tokens);
  for (const char* place : {"tokens:1:", "tokens:2:", "tokens:3:", "tokens:5:", "tokens:6:"}) {
    EXPECT_NE(tokens.error().message.find(place), std::string::npos) << place;
  }
  EXPECT_EQ(tokens.error().message.find("tokens:4:"), std::string::npos);
}

TEST(AccessTokensTest, RefusesAFileThatOthersMayWrite) {
  const std::string path = testing::TempDir() + "asbb-tokens";
  std::ofstream(path) << "a read " << sha256_hex("x") << "\n";
  ASSERT_EQ(::chmod(path.c_str(), 0640), 0);
  EXPECT_TRUE(AccessTokens::read_file(path));
  ASSERT_EQ(::chmod(path.c_str(), 0660), 0);
  EXPECT_FALSE(AccessTokens::read_file(path));
  std::remove(path.c_str());
  EXPECT_FALSE(AccessTokens::read_file(path));
}

class AuthorityTest : public testing::Test {
 protected:
  AuthorityTest() {
    names_.add(1000, "alice");
    names_.add(1001, "carol");
    names_.learn({"alice", "carol"});
    slurm::Associations associations;
    associations.add(slurm::Association{"onprem", "proj001", "", "", "", "", false});
    associations.add(slurm::Association{"onprem", "proj001", "alice", "", "", "", true});
    view_.put("onprem", associations);
  }
  [[nodiscard]] Authority make(bool anonymous_budget_routes = false) const {
    AuthorityOptions options;
    options.admin_ids = {0, 990};
    options.submit_ids = {64030};
    options.admin_names = {"carol"};
    options.clusters = {"onprem"};
    options.anonymous_budget_routes = anonymous_budget_routes;
    const auto tokens =
        AccessTokens::parse("boss admin " + sha256_hex("b") + "\nq0 submit " + sha256_hex("q") +
                                "\neyes read " + sha256_hex("e") + "\n",
                            "tokens");
    return Authority(options, *tokens, names_, view_);
  }
  slurm::FakeUserNames names_;
  slurm::ClusterCache view_;
};

TEST_F(AuthorityTest, KnowsLocalUsers) {
  const Authority authority = make();
  for (const std::uint32_t id : {0u, 990u, 1001u}) EXPECT_TRUE(authority.local(id).may_admin) << id;
  EXPECT_EQ(authority.local(0).actor, "root");
  EXPECT_EQ(authority.local(990).actor, "uid 990");
  EXPECT_EQ(authority.local(1001).actor, "carol");
  const Caller slurm_user = authority.local(64030);
  EXPECT_TRUE(slurm_user.may_submit && slurm_user.may_read && slurm_user.may_check);
  EXPECT_FALSE(slurm_user.may_admin);
  const Caller alice = authority.local(1000);
  EXPECT_FALSE(alice.may_submit || alice.may_read || alice.may_check || alice.may_admin);
  EXPECT_TRUE(authority.may_see(alice, "proj001"));
  EXPECT_FALSE(authority.may_see(alice, "proj002"));
  EXPECT_FALSE(authority.may_see(authority.local(4711), "proj001"));
  EXPECT_TRUE(authority.may_see(slurm_user, "proj002"));
  EXPECT_TRUE(authority.is_trusted(64030));
  EXPECT_FALSE(authority.is_trusted(1000));
}

TEST_F(AuthorityTest, KnowsTokens) {
  const Authority authority = make();
  const auto boss = authority.remote("Bearer b");
  ASSERT_TRUE(boss);
  EXPECT_TRUE(boss->may_admin && boss->may_submit && boss->may_read && boss->may_check);
  EXPECT_EQ(boss->actor, "token:boss");
  const auto q0 = authority.remote("bearer q");
  EXPECT_TRUE(q0->may_submit && q0->may_check);
  EXPECT_FALSE(q0->may_read || q0->may_admin);
  const auto eyes = authority.remote("Bearer e");
  EXPECT_TRUE(eyes->may_read);
  EXPECT_FALSE(eyes->may_submit || eyes->may_check || eyes->may_admin);
  for (const char* wrong : {"Bearer x", "Bearer ", "Basic b", "b", "Bearer  b"}) {
    EXPECT_FALSE(authority.remote(wrong)) << wrong;
  }
}

TEST_F(AuthorityTest, LetsStrangersCheckOnlyWhereTheAdministratorSaysSo) {
  const auto stranger = make().remote("");
  ASSERT_TRUE(stranger);
  EXPECT_TRUE(stranger->is_anonymous);
  EXPECT_FALSE(stranger->may_check || stranger->may_read || stranger->may_submit);
  EXPECT_FALSE(make().may_see(*stranger, "proj001"));
  EXPECT_TRUE(make(true).remote("")->may_check);
  EXPECT_FALSE(make(true).remote("")->may_submit);
}

}  // namespace
}  // namespace asbb::service
