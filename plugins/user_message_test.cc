#include "plugins/user_message.h"

#include <gtest/gtest.h>

#include <string>

#include "plugins/testing/fake_slurm.h"

namespace asbb::plugins {
namespace {

std::string told(std::string_view text) {
  testing::Request request;
  tell_user(text, request.err_msg());
  return request.take_err_msg();
}

TEST(UserMessage, MarksEachLine) {
  EXPECT_EQ(told("one\ntwo\n"), "asbb: one\nasbb: two");
  EXPECT_EQ(told("one\r\n\r\n\ntwo"), "asbb: one\nasbb: two");
}

TEST(UserMessage, SaysNothingWhenThereIsNothingToSay) {
  EXPECT_EQ(told(""), "");
  EXPECT_EQ(told("\n \n").find("asbb: \n"), std::string::npos);
  tell_user("nobody listens", nullptr);
}

TEST(UserMessage, DropsWhatATerminalWouldObey) {
  EXPECT_EQ(told("a\x1B[31mred\x07"), "asbb: a[31mred");
  EXPECT_EQ(told("a\xC2\x9B"
                 "31m"),
            "asbb: a31m");
  EXPECT_EQ(told("gr\xC3\xBC\xC3\x9F \xFF!"), "asbb: gr\xC3\xBC\xC3\x9F !");
}

TEST(UserMessage, ShowsTheFirstTwoKilobytes) {
  const std::string text = told(std::string(5'000, 'x'));
  EXPECT_EQ(text.size(), std::string("asbb: ").size() + 2'048);
}

TEST(UserMessage, StaysWithinItsBoundsWhateverTheLines) {
  std::string lines;
  for (int at = 0; at < 1'024; ++at) lines += "x\n";
  const std::string text = told(lines);
  EXPECT_LT(text.size(), 4'096U);
  EXPECT_TRUE(text.starts_with("asbb: x\nasbb: x\n"));
}

TEST(UserMessage, KeepsWhatAnEarlierPluginSaid) {
  testing::Request request;
  *request.err_msg() = slurm_xstrdup("lua: be kind");
  tell_user("no money", request.err_msg());
  EXPECT_EQ(request.take_err_msg(), "lua: be kind\nasbb: no money");
  EXPECT_EQ(testing::live_allocations(), 0);
}

}  // namespace
}  // namespace asbb::plugins
