#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/submit_choice.h"

namespace asbb::cli {
namespace {

using ::testing::HasSubstr;

const Instant noon = Instant::from_unix_seconds(1'749'988'800);

Offer offer(const std::string& name, bool is_cloud, const std::string& unit, std::int64_t cost) {
  Offer made;
  made.cluster.name = name;
  made.cluster.is_usable = made.is_wanted = true;
  made.cluster.is_cloud = is_cloud;
  made.quote.emplace().decision = "allow";
  if (unit.empty()) return made;
  api::QuotePart& part = made.quote->parts.emplace_back();
  part.unit = unit;
  part.estimated_cost = Micros(cost * 1'000'000);
  part.hold_amount = Micros(cost * 1'200'000);
  return made;
}

api::ConversionRate rate(const std::string& from, const std::string& to, std::int64_t millionths) {
  api::ConversionRate made;
  made.from_unit = from;
  made.to_unit = to;
  made.rate = Micros(millionths);
  made.in_force = true;
  return made;
}

std::string reason(const Result<Choice>& choice) {
  return choice ? std::to_string(choice->index) + " " + choice->reason : choice.error().message;
}

TEST(ChooseCheapest, ComparesInOneUnitByTheRateInForce) {
  const std::vector<Offer> offers = {offer("onprem", false, "core-hours", 30),
                                     offer("cloud", true, "USD", 2)};
  EXPECT_EQ(reason(choose_cheapest(offers, {rate("core-hours", "USD", 50'000)})),
            "0 it is the cheapest: $1.50 against $2.00 on cloud, by the rates in force");
  EXPECT_EQ(reason(choose_cheapest(offers, {rate("USD", "core-hours", 10'000'000)})),
            "1 it is the cheapest: 20.00 core-hours against 30.00 core-hours on onprem, by the "
            "rates in force")
      << "the other direction has its own rate";
}

TEST(ChooseCheapest, NamesTheRateThatIsMissingAndDoesNotGuess) {
  std::vector<Offer> offers = {offer("onprem", false, "core-hours", 30),
                               offer("cloud", true, "USD", 2)};
  auto old = rate("core-hours", "USD", 50'000);
  old.in_force = false;
  const auto choice = choose_cheapest(offers, {old});
  EXPECT_FALSE(choice);
  EXPECT_THAT(reason(choice), HasSubstr("30.00 core-hours at most"));
  EXPECT_THAT(reason(choice), HasSubstr("no rate between USD and core-hours is in force"));
  offers.push_back(offer("idle", false, "", 0));
  EXPECT_EQ(reason(choose_cheapest(offers, {old})), "2 it is the cheapest: it costs nothing")
      << "nothing is less in any unit";
}

TEST(ChooseCheapest, OnATieOnPremisesWins) {
  const std::vector<Offer> offers = {offer("cloud", true, "USD", 2),
                                     offer("onprem", false, "USD", 2)};
  EXPECT_EQ(reason(choose_cheapest(offers, {})),
            "1 it is the cheapest: $2.00 against $2.00 on cloud (a tie, which on premises wins)");
}

TEST(ChooseCheapest, LeavesOutWhatIsNotWantedOrCannotPay) {
  std::vector<Offer> offers = {offer("onprem", false, "core-hours", 30),
                               offer("cloud", true, "USD", 2)};
  offers[0].quote->decision = "deny";
  EXPECT_THAT(reason(choose_cheapest(offers, {})), HasSubstr("1 the others cannot"));
  offers[1].is_wanted = false;
  EXPECT_FALSE(choose_cheapest(offers, {}));
  EXPECT_FALSE(choose_first(offers));
}

TEST(ChooseSoonest, TakesTheFirstToStartAndShowsTheOthers) {
  std::vector<Offer> offers = {offer("onprem", false, "core-hours", 30),
                               offer("cloud", true, "USD", 2)};
  offers[0].start = noon + seconds(7200);
  offers[1].start = noon + seconds(300);
  EXPECT_EQ(reason(choose_soonest(offers, noon)),
            "1 it would start in 5 min, on onprem in 2 h 0 min");
  offers[0].start = noon + seconds(305);
  EXPECT_EQ(reason(choose_soonest(offers, noon)),
            "0 it would start in 5 min, on cloud in 5 min (a tie, which onprem wins)");
  offers[0].start.reset();
  EXPECT_EQ(reason(choose_soonest(offers, noon)), "1 it would start in 5 min");
  offers[1].start.reset();
  EXPECT_THAT(reason(choose_soonest(offers, noon)), HasSubstr("no controller says"));
}

TEST(ChooseSoonest, DoesNotAskWhereTheAskingWouldTakeTheMoney) {
  std::vector<Offer> offers = {offer("onprem", false, "core-hours", 30),
                               offer("cloud", true, "USD", 2)};
  api::QuoteLeg leg{"proj001", "", {}, {}, {}, Micros(4'800'000), true};
  offers[1].quote->parts[0].legs = {leg};
  EXPECT_TRUE(leaves_room_to_ask(offers)) << "2.40 for the asking and 2.40 for the job";
  offers[1].quote->parts[0].legs[0].available = Micros(4'799'999);
  const auto room = leaves_room_to_ask(offers);
  ASSERT_FALSE(room);
  EXPECT_THAT(room.error().message, HasSubstr("account proj001"));
}

TEST(WantCluster, SuggestsTheNearest) {
  std::vector<Offer> offers = {offer("onprem", false, "", 0), offer("cloud", true, "", 0)};
  EXPECT_TRUE(want_cluster(offers, "Cloud"));
  EXPECT_FALSE(offers[0].is_wanted);
  EXPECT_TRUE(offers[1].is_wanted);
  EXPECT_THAT(want_cluster(offers, "clod").error().message, HasSubstr("did you mean 'cloud'"));
  EXPECT_THAT(want_cluster(offers, "abcdef").error().message, HasSubstr("are onprem, cloud"));
}

}  // namespace
}  // namespace asbb::cli
