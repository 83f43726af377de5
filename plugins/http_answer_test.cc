#include "plugins/http_answer.h"

#include <gtest/gtest.h>

#include <string>

namespace asbb::plugins {
namespace {

constexpr char kAllow[] =
    "HTTP/1.1 200 OK\r\nServer: x\r\nasbb-decision:  allow \r\nContent-Length: 5\r\n\r\nhello";

TEST(HttpAnswer, ReadsACompleteOne) {
  Answer answer;
  ASSERT_EQ(parse_answer(kAllow, false, &answer), ParseState::complete);
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.decision, DecisionHeader::allow);
  EXPECT_EQ(answer.body, "hello");
}

TEST(HttpAnswer, IsIncompleteAtEveryEarlierByteAndBrokenIfItEndsThere) {
  const std::string text = kAllow;
  for (std::size_t length = 0; length < text.size(); ++length) {
    Answer answer;
    const std::string part = text.substr(0, length);
    EXPECT_EQ(parse_answer(part, false, &answer), ParseState::incomplete) << length;
    EXPECT_EQ(parse_answer(part, true, &answer), ParseState::malformed) << length;
  }
}

TEST(HttpAnswer, KeepsTheConnectionAfterAWholeDecisionThatNamesItsToken) {
  const std::string head = "HTTP/1.1 200 OK\r\nAsbb-Decision: deny\r\n";
  const std::string token = "Asbb-Token: 0123\r\n";
  const std::string rest = "Content-Length: 2\r\n\r\nno";
  const auto keeps = [](const std::string& text, bool ended = false) {
    Answer answer;
    EXPECT_EQ(parse_answer(text, ended, &answer), ParseState::complete) << text;
    return answer.keeps_connection;
  };
  EXPECT_TRUE(keeps(head + token + rest));
  EXPECT_TRUE(keeps(head + token + "connection: Keep-Alive\r\n" + rest));
  EXPECT_FALSE(keeps(head + token + rest, true));
  EXPECT_FALSE(keeps(head + token + rest + "x"));
  EXPECT_FALSE(keeps(head + rest));
  EXPECT_FALSE(keeps(head + token + "Connection: close\r\n" + rest));
  EXPECT_FALSE(keeps(head + token + "Connection: keep-alive, close\r\n" + rest));
  EXPECT_FALSE(keeps("HTTP/1.0 200 OK\r\nAsbb-Decision: deny\r\n" + token + rest));
  EXPECT_FALSE(keeps("HTTP/1.1 503 X\r\n" + token + rest));
  EXPECT_FALSE(keeps(head + token + "\r\nno", true));
  EXPECT_FALSE(keeps(head + token + "Content-Length: 3000\r\n\r\n" + std::string(2'500, 'x')));
}

TEST(HttpAnswer, ReadsTheClustersThatAreLeft) {
  const std::string head = "HTTP/1.1 200 OK\r\nAsbb-Decision: allow\r\nContent-Length: 0\r\n";
  const auto state = [&](const std::string& headers, std::string_view* features = nullptr) {
    static std::string text;
    text = head + headers + "\r\n";
    Answer answer;
    const ParseState parsed = parse_answer(text, false, &answer);
    if (features != nullptr) *features = answer.cluster_features;
    return parsed;
  };
  std::string_view features;
  EXPECT_EQ(state("asbb-cluster-features: !aws,Cloud_2\r\n", &features), ParseState::complete);
  EXPECT_EQ(features, "!aws,Cloud_2");
  EXPECT_EQ(state("", &features), ParseState::complete);
  EXPECT_EQ(features, "");
  for (const std::string& bad :
       {std::string(), std::string("!"), std::string("a b"), std::string("a!b"),
        std::string("a\x7f"), std::string("a;b"), std::string(256, 'a')}) {
    EXPECT_EQ(state("Asbb-Cluster-Features: " + bad + "\r\n"), ParseState::malformed) << bad;
  }
  EXPECT_EQ(state("Asbb-Cluster-Features: a\r\nAsbb-Cluster-Features: a\r\n"),
            ParseState::malformed);
}

TEST(HttpAnswer, WithoutALengthEndsWithTheConnection) {
  const std::string text = "HTTP/1.0 200 OK\r\nAsbb-Decision: deny\r\n\r\nno";
  Answer answer;
  EXPECT_EQ(parse_answer(text, false, &answer), ParseState::incomplete);
  ASSERT_EQ(parse_answer(text, true, &answer), ParseState::complete);
  EXPECT_EQ(answer.decision, DecisionHeader::deny);
  EXPECT_EQ(answer.body, "no");
}

TEST(HttpAnswer, IsCompleteWhenTheShownPartIsThere) {
  const std::string head = "HTTP/1.1 200 OK\r\nContent-Length: 999999999\r\n\r\n";
  Answer answer;
  EXPECT_EQ(parse_answer(head + std::string(2'047, 'x'), false, &answer), ParseState::incomplete);
  const std::string enough = head + std::string(2'050, 'x');
  ASSERT_EQ(parse_answer(enough, false, &answer), ParseState::complete);
  EXPECT_EQ(answer.body.size(), 2'048U);
  EXPECT_EQ(answer.decision, DecisionHeader::absent);
}

TEST(HttpAnswer, IgnoresWhatComesBehindItsLength) {
  Answer answer;
  const std::string text = std::string(kAllow) + "HTTP/1.1 500";
  ASSERT_EQ(parse_answer(text, false, &answer), ParseState::complete);
  EXPECT_EQ(answer.body, "hello");
}

TEST(HttpAnswer, TakesADecisionThatIsNotOneForUnreadable) {
  for (const std::string value : {"ALLOW", "yes", "", "allow, deny", "allowed"}) {
    Answer answer;
    const std::string text = "HTTP/1.1 200 OK\r\nAsbb-Decision: " + value + "\r\n\r\n";
    ASSERT_EQ(parse_answer(text, true, &answer), ParseState::complete);
    EXPECT_EQ(answer.decision, DecisionHeader::unreadable) << value;
  }
  Answer answer;
  const std::string twice =
      "HTTP/1.1 200 OK\r\nAsbb-Decision: allow\r\nAsbb-Decision: allow\r\n\r\n";
  ASSERT_EQ(parse_answer(twice, true, &answer), ParseState::complete);
  EXPECT_EQ(answer.decision, DecisionHeader::unreadable);
}

TEST(HttpAnswer, ReadsWhichTokenIsAnswered) {
  Answer answer;
  const std::string text = "HTTP/1.1 200 OK\r\nasbb-token: 0a1b\r\n\r\n";
  ASSERT_EQ(parse_answer(text, true, &answer), ParseState::complete);
  EXPECT_EQ(answer.token, "0a1b");
  ASSERT_EQ(parse_answer(kAllow, false, &answer), ParseState::complete);
  EXPECT_EQ(answer.token, "");
}

TEST(HttpAnswer, RefusesWhatIsNotHttp) {
  const std::string end = "\r\n\r\n";
  for (const std::string head :
       {"", "garbage", "HTTP/2 200", "HTTP/1.1 20", "HTTP/1.1 2000", "HTTP/1.1 abc",
        "HTTP/1.1 100 Continue", "HTTP/1.1 200 OK\r\nno colon", "HTTP/1.1 200 OK\r\n: x",
        "HTTP/1.1 200 OK\r\nBlank : x", "HTTP/1.1 200 OK\r\n folded: x",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked", "HTTP/1.1 200 OK\r\nContent-Length: -1",
        "HTTP/1.1 200 OK\r\nContent-Length: 1e3", "HTTP/1.1 200 OK\r\nContent-Length: 1234567890",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1",
        "HTTP/1.1 200 OK\r\nAsbb-Token: ", "HTTP/1.1 200 OK\r\nAsbb-Token: 1\r\nAsbb-Token: 1"}) {
    Answer answer;
    EXPECT_EQ(parse_answer(head + end, false, &answer), ParseState::malformed) << head;
  }
}

TEST(HttpAnswer, RefusesAHeadWithoutEnd) {
  Answer answer;
  const std::string text = "HTTP/1.1 200 OK\r\nX: " + std::string(8'000, 'x');
  EXPECT_EQ(parse_answer(text.substr(0, 4'099), false, &answer), ParseState::incomplete);
  EXPECT_EQ(parse_answer(text.substr(0, 4'100), false, &answer), ParseState::malformed);
  EXPECT_EQ(parse_answer(text + "\r\n\r\n", false, &answer), ParseState::malformed);
}

}  // namespace
}  // namespace asbb::plugins
