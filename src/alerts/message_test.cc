// Alerts and digests in the forms that channels need.
#include "alerts/message.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace asbb::alerts {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

const Instant start = Instant::from_unix_seconds(1'767'225'600);

Alert alert(std::int64_t id, const std::string& title) {
  Alert out;
  out.id = id;
  out.finding = {"key", Severity::critical, "proj001", "USD", title, "Nothing is left.", {"alice"}};
  out.raised_at = out.seen_at = start;
  return out;
}

TEST(Message, AWebhookGetsTheAlertAsJson) {
  EXPECT_EQ(to_json(message_of(alert(12, "all is \"spent\""))),
            R"({"kind":"alert","id":12,"severity":"critical","account":"proj001","unit":"USD",)"
            R"("raised_at":"2026-01-01T00:00:00Z","title":"all is \"spent\"",)"
            R"("message":"Nothing is left."})");
}

TEST(Message, SaysHowToAcknowledge) {
  EXPECT_THAT(message_of(alert(12, "a")).text, HasSubstr("asbb alerts ack 12"));
}

TEST(Message, SlacksOwnMarksAreTaken) {
  EXPECT_THAT(to_slack(message_of(alert(1, "a <b> & c"))),
              StartsWith("{\"text\":\"*a &lt;b&gt; &amp; c*\\nNothing"));
}

TEST(Message, AnEmailHasItsHeadersAndNothingSlipsIntoThem) {
  const std::string mail = to_mail(message_of(alert(3, "spent\r\nBcc: eve@example.org")),
                                   "asbb@example.org", {"alice@example.org", "hpc@example.org"});
  EXPECT_THAT(mail, StartsWith("From: asbb@example.org\r\nTo: alice@example.org,\r\n "
                               "hpc@example.org\r\nSubject: [asbb] spent  Bcc: eve@example.org\r\n"
                               "Date: Thu, 01 Jan 2026 00:00:00 +0000\r\n"
                               "Message-ID: <asbb-alert-3-1767225600@example.org>\r\n"
                               "Auto-Submitted: auto-generated\r\n"));
  EXPECT_THAT(mail, Not(HasSubstr("\nBcc")));
  EXPECT_THAT(mail, HasSubstr("\r\n\r\nTm90aGluZyBpcyBsZWZ0"));  // "Nothing is left" in base64
}

TEST(Message, ASubjectBeyondAsciiIsEncodedInWholeCharacters) {
  std::string title;
  for (int i = 0; i < 40; ++i) title += "\xC3\xA9";
  const std::string mail = to_mail(message_of(alert(3, title)), "a@b", {"c@d"});
  EXPECT_THAT(mail, HasSubstr("\r\nSubject: =?UTF-8?B?"));
  // "[asbb] " and 17 of them, then the rest: each word ends with a whole character.
  EXPECT_THAT(mail, HasSubstr("=?=\r\n =?UTF-8?B?w6nD"));
}

TEST(Message, TheSignatureIsTheHmacOfTheBody) {
  // RFC 4231, test case 2.
  EXPECT_EQ(signature("Jefe", "what do ya want for nothing?"),
            "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

TEST(Digest, HasWhatLastsAndWhatEndedSinceTheLast) {
  Alert over = alert(2, "over");
  over.ended_at = start + hours(5);
  Alert long_over = alert(3, "long over");
  long_over.ended_at = start;
  Alert known = alert(4, "known");
  known.acknowledged_at = start;
  known.acknowledged_by = "alice";
  const auto digest = digest_of({alert(1, "lasts"), over, long_over, known}, "2026-01-02",
                                start + hours(1), start + hours(24));
  ASSERT_TRUE(digest);
  EXPECT_EQ(digest->id, "digest 2026-01-02");
  EXPECT_EQ(digest->subject, "Budgets on 2026-01-02: 2 alerts last");
  EXPECT_EQ(digest->text,
            "These alerts last:\n"
            "* lasts (alert 1, critical, since 2026-01-01T00:00:00Z)\n"
            "* known (alert 4, critical, since 2026-01-01T00:00:00Z), acknowledged by alice\n"
            "These ended since the last digest:\n"
            "* over (alert 2, critical, since 2026-01-01T00:00:00Z)\n");
  EXPECT_THAT(to_json(*digest), StartsWith("{\"kind\":\"digest\",\"title\":"));
}

TEST(Digest, IsTheSameWhenItIsSentFromWhatWasKept) {
  Alert kept;
  kept.finding = {"digest 2026-01-02", Severity::info, "", "", "one alert lasts", "which", {}};
  kept.raised_at = start;
  EXPECT_EQ(to_json(message_of(kept)),
            R"({"kind":"digest","title":"one alert lasts","message":"which"})");
  EXPECT_EQ(message_of(kept).id, "digest 2026-01-02");
}

TEST(Digest, OfNothingIsNone) {
  Alert over = alert(2, "over");
  over.ended_at = start;
  EXPECT_FALSE(digest_of({over}, "2026-01-02", start + hours(1), start + hours(24)));
}

TEST(Mail, HasItsFilesAsPartsOfTheirOwn) {
  Message message;
  message.id = "report 2025-W24 proj001";
  message.subject = "proj001 in 2025-W24";
  message.text = "text";
  message.attachments = {{"proj001 \"x\".html", "text/html", "<p>"}, {"a.csv", "text/csv", "a,b"}};
  const std::string mail = to_mail(message, "asbb@example.org", {"alice@example.org"});
  EXPECT_THAT(mail, HasSubstr("Content-Type: multipart/mixed; boundary=\"=_asbb_part_of_a_mail\""));
  EXPECT_THAT(mail, HasSubstr("filename=\"proj001__x_.html\"\r\n\r\nPHA+\r\n--=_asbb"));
  EXPECT_THAT(mail, HasSubstr("Content-Type: text/csv; charset=utf-8\r\n"));
  EXPECT_THAT(mail, HasSubstr("\r\n\r\ndGV4dA==\r\n--=_asbb"));
  EXPECT_TRUE(mail.ends_with("YSxi\r\n--=_asbb_part_of_a_mail--\r\n"));
}

}  // namespace
}  // namespace asbb::alerts
