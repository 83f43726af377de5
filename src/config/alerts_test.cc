// The section of alerts: what is read, what is refused and in which words.
#include "config/alerts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace asbb::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Loaded<Config> load(const std::string& alerts) {
  return parse_config("alerts:\n" + alerts, "test.yaml", {});
}

std::string refusal_of(const std::string& channel) {
  const auto loaded = load("  channels:\n    - " + channel + "\n");
  return loaded ? "" : loaded.error().front();
}

TEST(AlertSettings, ThereAreThresholdsAndNoChannelsUnlessGiven) {
  const Alerts alerts = load("")->alerts;
  EXPECT_THAT(alerts.thresholds, ElementsAre(50, 75, 90, 100));
  EXPECT_THAT(alerts.channels, IsEmpty());
  EXPECT_EQ(*parse_config(default_config_text(), "written", {}), Config{});
}

TEST(AlertSettings, EveryKindOfChannelIsReadAndShownAgain) {
  const auto loaded = load(R"(  thresholds: [80, 120]
  burn_rate: 1.5
  exhaustion: false
  digest_at: ""
  channels:
    - {name: hook, type: webhook, url: "https://a.example.org/a?b=c", secret_file: /etc/hook}
    - {name: chat, type: slack, url: "http://localhost:9/x", severity: critical, digest: false}
    - name: mail
      type: smtp
      url: smtps://mail.example.org:465
      from: asbb@example.org
      to: [hpc@example.org, office@example.org]
      owners_at: example.org
      user: asbb
      secret_file: /etc/asbb/mail.password
    - {name: local, type: sendmail, from: asbb@example.org, to: [root@localhost]}
    - {name: pager, type: command, program: /usr/local/bin/page}
)");
  ASSERT_TRUE(loaded) << loaded.error()[0];
  const Alerts& alerts = loaded->alerts;
  EXPECT_THAT(alerts.thresholds, ElementsAre(80, 120));
  EXPECT_EQ(alerts.burn_rate, Micros(1'500'000));
  ASSERT_EQ(alerts.channels.size(), 5U);
  EXPECT_EQ(alerts.channels[0].kind, AlertChannel::Kind::webhook);
  EXPECT_EQ(alerts.channels[1].least, AlertSeverity::critical);
  EXPECT_FALSE(alerts.channels[1].has_digest);
  EXPECT_THAT(alerts.channels[2].to, ElementsAre("hpc@example.org", "office@example.org"));
  EXPECT_EQ(alerts.channels[3].program, "/usr/sbin/sendmail");
  Config shown = *loaded;
  shown.alerts.channels[0].url = "https://a.example.org/a?***";  // a query may be a password
  shown.alerts.channels[1].url =
      "http://localhost:9/***";  // who knows a chat's path may write there
  EXPECT_EQ(*parse_config(show_config(*loaded), "shown", {}), shown);
}

// The path of a chat's hook was printed when its scheme was forgotten.
TEST(AlertSettings, ARefusedUrlKeepsItsSecrets) {
  for (const std::string url : {"hooks.example.org/T0/secret", "ftp://hooks.example.org/secret"}) {
    const std::string said = refusal_of("{name: a, type: slack, url: '" + url + "'}");
    EXPECT_THAT(said, HasSubstr("hooks.example.org/***' is not allowed"));
    EXPECT_EQ(said.find("secret"), std::string::npos) << said;
  }
}

TEST(AlertSettings, SaysWhereAndWhatIsAllowed) {
  EXPECT_THAT(refusal_of("{name: a, type: fax}"),
              HasSubstr("test.yaml:3: alerts.channels[0].type: 'fax' is not allowed; expected is "
                        "webhook, slack, smtp, sendmail or command"));
  EXPECT_THAT(refusal_of("{name: a}"), HasSubstr(".type: this setting is missing"));
  EXPECT_THAT(refusal_of("{name: a, type: slack}"), HasSubstr(".url: this setting is missing"));
  EXPECT_THAT(refusal_of("{type: slack, url: 'http://x'}"), HasSubstr(".name: this setting is"));
  EXPECT_THAT(refusal_of("{name: a, type: slack, url: 'ftp://x'}"), HasSubstr("https://"));
  EXPECT_THAT(refusal_of("{name: a, type: slack, url: 'http://x', to: []}"),
              HasSubstr("to: there is no such setting; a channel of type slack has name"));
  EXPECT_THAT(refusal_of("{name: a, type: smtp, url: 'smtp://x', from: a@b}"),
              HasSubstr("nobody would get these e-mails"));
  EXPECT_THAT(refusal_of("{name: a, type: smtp, url: 'smtp://x', from: 'a@b\\nBcc: c@d', to: []}"),
              HasSubstr("from: "));
  EXPECT_THAT(refusal_of("{name: a, type: smtp, url: 'smtp://x', from: a@b, to: [c]}"),
              HasSubstr("to: 'c' is not allowed"));
  EXPECT_THAT(refusal_of("{name: a, type: smtp, url: 'smtp://x', from: a@b, to: [c@d], user: u}"),
              HasSubstr("secret_file: a user needs a password"));
  EXPECT_THAT(refusal_of("{name: a, type: command, program: page}"), HasSubstr("absolute path"));
  EXPECT_THAT(refusal_of("{name: a, type: command, program: /p, severity: loud}"),
              HasSubstr("severity: 'loud' is not allowed"));
  EXPECT_THAT(refusal_of("{name: a, type: command, program: /p}\n    - {name: a, type: command, "
                         "program: /p}"),
              HasSubstr("[1].name: the channel 'a' is listed twice"));
  for (const char* list : {"5", "[90, 50]", "[0]", "[1001]", "[x]", "[50, 50]"}) {
    const auto loaded = load("  thresholds: " + std::string(list) + "\n");
    ASSERT_FALSE(loaded) << list;
    EXPECT_THAT(loaded.error()[0], HasSubstr("alerts.thresholds: ")) << list;
  }
  for (const char* setting : {"digest_at: 24:00", "digest_at: 8:00", "burn_rate: 0.5",
                              "burn_rate: 101", "state_file: alerts.json", "interval: 0s"}) {
    EXPECT_FALSE(load("  " + std::string(setting) + "\n")) << setting;
  }
}

}  // namespace
}  // namespace asbb::config
