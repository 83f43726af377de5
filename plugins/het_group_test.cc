#include "plugins/het_group.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>

#include "plugins/testing/fake_slurm.h"

namespace asbb::plugins {
namespace {

using testing::Request;

constexpr std::uint32_t kAlice = 1'000;

Token named(char digit) {
  Token token;
  EXPECT_TRUE(token.assign(std::string(44, digit)));
  return token;
}

std::string group_of(char token, std::uint32_t offset, std::uint32_t user = kAlice) {
  Request request;
  request->user_id = user;
  request->het_job_offset = offset;
  return std::string(het_group_of(*request, named(token)).view());
}

const std::string first(44, 'a');

TEST(HetGroup, IsNamedByTheFirstComponent) {
  EXPECT_EQ(group_of('a', 0), first);
  EXPECT_EQ(group_of('b', 1), first);
  EXPECT_EQ(group_of('c', 2), first);
  EXPECT_EQ(group_of('d', 0), std::string(44, 'd')) << "another job";
}

TEST(HetGroup, HasNoPlainJob) {
  EXPECT_EQ(group_of('a', NO_VAL), "");
  EXPECT_EQ(group_of('a', 0), first);
  EXPECT_EQ(group_of('b', NO_VAL), "");
  EXPECT_EQ(group_of('c', 1), "") << "the plain job came between";
}

TEST(HetGroup, IsLeftByAnOffsetThatDoesNotFollow) {
  EXPECT_EQ(group_of('a', 3), "");
  EXPECT_EQ(group_of('a', 0), first);
  EXPECT_EQ(group_of('b', 2), "");
  EXPECT_EQ(group_of('c', 1), "");
}

TEST(HetGroup, IsOfOneUser) {
  EXPECT_EQ(group_of('a', 0), first);
  EXPECT_EQ(group_of('b', 1, kAlice + 1), "");
}

TEST(HetGroup, IsOfOneThread) {
  EXPECT_EQ(group_of('a', 0), first);
  std::thread([] { EXPECT_EQ(group_of('b', 1), ""); }).join();
  EXPECT_EQ(group_of('b', 1), first);
}

}  // namespace
}  // namespace asbb::plugins
