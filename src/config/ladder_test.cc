// Ladders of enforcement in the file: what is read, what is refused and in which words.
#include "config/ladder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace asbb::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Loaded<Config> load(const std::string& ladder) {
  return parse_config("enforcement:\n  ladder: " + ladder + "\n", "test.yaml", {});
}

std::string refusal_of(const std::string& ladder) {
  const auto loaded = load(ladder);
  return loaded ? "" : loaded.error().front();
}

TEST(Ladder, WithoutOneNewJobsAreStoppedAndPeopleWarned) {
  const Enforcement defaults = parse_config("", "test.yaml", {})->enforcement;
  EXPECT_TRUE(defaults.enabled);
  EXPECT_EQ(defaults.ladder, (Ladder{.warn = true, .stop_new = true}));
  EXPECT_FALSE(defaults.ladder.acts_on_jobs());
  EXPECT_EQ(to_text(defaults.ladder), "[warn, stop_new]");
}

TEST(Ladder, EveryStepIsRead) {
  const auto loaded =
      load("[warn, stop_new, credit, {requeue: cpu}, {signal: SIGTERM, grace: 1h}, cancel]");
  ASSERT_TRUE(loaded) << loaded.error()[0];
  const Ladder& ladder = loaded->enforcement.ladder;
  EXPECT_TRUE(ladder.warn && ladder.stop_new && ladder.credit && ladder.cancel);
  EXPECT_EQ(ladder.requeue_to, "cpu");
  EXPECT_EQ(ladder.signal, "TERM");
  EXPECT_EQ(ladder.grace, hours(1));
  EXPECT_TRUE(ladder.acts_on_jobs());
  EXPECT_EQ(*parse_config(show_config(*loaded), "shown", {}), *loaded);
  EXPECT_EQ(load("[stop_new, {signal: USR2}]")->enforcement.ladder.grace, usual_grace);
  EXPECT_EQ(load("[]")->enforcement.ladder, Ladder{});
}

TEST(Ladder, ItCanBeSwitchedOffByTheEnvironment) {
  EXPECT_FALSE(
      parse_config("", "test.yaml", {{"ASBB_ENFORCEMENT_ENABLED", "false"}})->enforcement.enabled);
}

TEST(Ladder, SaysWhereAndWhatIsAllowed) {
  EXPECT_EQ(refusal_of("[warn, shout]"),
            "test.yaml:2: enforcement.ladder: there is no step 'shout'; a step is warn, stop_new, "
            "credit, {requeue: PARTITION}, {signal: NAME, grace: DURATION} or cancel");
  EXPECT_THAT(refusal_of("warn"), HasSubstr("2: enforcement.ladder: a list of steps is expected"));
  EXPECT_THAT(refusal_of("[warn, warn]"), HasSubstr("the step warn is given twice"));
  EXPECT_THAT(refusal_of("[stop_new, warn]"),
              HasSubstr("the step warn comes after stop_new; the order is warn, stop_new"));
  EXPECT_THAT(refusal_of("[stop_new, cancel, {signal: USR1}]"),
              HasSubstr("signal comes after cancel"));
  EXPECT_THAT(refusal_of("[stop_new, requeue]"), HasSubstr("requeue needs the partition"));
  EXPECT_THAT(refusal_of("[stop_new, {requeue: }]"), HasSubstr("requeue needs the partition"));
  EXPECT_THAT(refusal_of("[stop_new, {requeue: \"a,b\"}]"),
              HasSubstr("requeue needs the partition"));
  EXPECT_THAT(refusal_of("[stop_new, signal]"),
              HasSubstr("expected is HUP, INT, QUIT, TERM, USR1"));
  EXPECT_THAT(refusal_of("[stop_new, {signal: KILL}]"), HasSubstr("signal: 'KILL' is not allowed"));
  EXPECT_THAT(refusal_of("[stop_new, {signal: USR1, grace: 0s}]"),
              HasSubstr("grace: '0s' is not allowed; expected is a duration from 1s to 7d"));
  EXPECT_THAT(refusal_of("[stop_new, {signal: USR1, grace: 8d}]"),
              HasSubstr("grace: '8d' is not allowed"));
  EXPECT_THAT(refusal_of("[stop_new, {grace: 5m}]"), HasSubstr("grace belongs to a signal"));
  EXPECT_THAT(refusal_of("[stop_new, {signal: USR1, cancel: }]"),
              HasSubstr("each step is an item of its own"));
  EXPECT_THAT(refusal_of("[stop_new, {cancel: 5m}]"), HasSubstr("the step cancel is a word alone"));
  EXPECT_THAT(refusal_of("[warn, stop_new, credit]"), HasSubstr("one of these must follow"));
  EXPECT_THAT(refusal_of("[warn, cancel]"), HasSubstr("stop_new is missing"));
  EXPECT_THAT(refusal_of("[[warn]]"), HasSubstr("a step is warn"));
}

TEST(Ladder, OverridesAreNamedWhereTheyAreWrong) {
  const auto loaded = parse_config(
      "enforcement:\n"
      "  accounts:\n"
      "    proj001: [stop_new, cancel]\n"
      "    proj002: [never]\n"
      "  partitions: [gpu-aws]\n"
      "  ladders: []\n",
      "test.yaml", {});
  ASSERT_FALSE(loaded);
  EXPECT_THAT(
      loaded.error(),
      ElementsAre(HasSubstr("test.yaml:4: enforcement.accounts.proj002: there is no step 'never'"),
                  HasSubstr("test.yaml:5: enforcement.partitions: a map of names to lists of steps "
                            "is expected, not a list"),
                  HasSubstr("test.yaml:6: enforcement.ladders: there is no such setting; "
                            "did you mean 'ladder'?")));
}

}  // namespace
}  // namespace asbb::config
