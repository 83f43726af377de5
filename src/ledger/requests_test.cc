// The same request id gives the same answer, refusals included (DESIGN 4.6).
#include <gtest/gtest.h>

#include "base/token.h"
#include "ledger/testing/test_ledger.h"

namespace asbb::ledger {
namespace {

using testing::epoch;
using testing::place;
using testing::TestLedger;
using testing::usd;

std::string token_at(Instant at, std::uint8_t number = 1) {
  return make_token(at, {number});
}

TestLedger with_account(Micros limit = usd(10)) {
  TestLedger ledger;
  ledger.account("proj001", limit);
  return ledger;
}

TEST(RequestId, AnAcceptedHoldIsAnsweredAgainAndPlacedOnce) {
  TestLedger ledger = with_account();
  const std::string id = token_at(epoch);
  const Outcome first = ledger.run(place("proj001", usd(4)), id);
  ASSERT_TRUE(first.accepted());
  EXPECT_FALSE(first.replayed);
  EXPECT_EQ(ledger.hold(first.hold).request_id, id);
  ledger.now = epoch + hours(23);
  Outcome again = ledger.run(place("proj001", usd(4)), id);
  EXPECT_TRUE(again.replayed);
  again.replayed = false;
  EXPECT_EQ(again, first);
  EXPECT_EQ(ledger.budget("proj001").held, usd(4));
}

TEST(RequestId, ARefusalIsAnsweredAgainThoughMoneyHasCome) {
  TestLedger ledger = with_account();
  const std::string id = token_at(epoch);
  const Outcome first = ledger.run(place("proj001", usd(11)), id);
  EXPECT_EQ(first.refusal, Refusal::insufficient_budget);
  UpdateAccount more;
  more.name = "proj001";
  more.limit = usd(100);
  ASSERT_TRUE(ledger.run(more).accepted());
  Outcome again = ledger.run(place("proj001", usd(11)), id);
  EXPECT_TRUE(again.replayed);
  again.replayed = false;
  EXPECT_EQ(again, first);
  EXPECT_EQ(again.leg.available, usd(10));
  EXPECT_EQ(ledger.budget("proj001").held, Micros());
}

TEST(RequestId, ARefusalNeedNotBeKept) {
  TestLedger ledger = with_account();
  Command command{{"key", "body", "root", "", epoch}, place("proj001", usd(11))};
  command.context.remembers_refusals = false;
  EXPECT_EQ(ledger.run(command).refusal, Refusal::insufficient_budget);
  EXPECT_EQ(ledger.book.answer("key"), nullptr);
  command.action = place("proj001", usd(9));
  const Outcome held = ledger.run(command);
  ASSERT_TRUE(held.accepted());
  EXPECT_EQ(held.asked_by, "ada");
  EXPECT_TRUE(ledger.run(command).replayed);
}

TEST(RequestId, AnotherBodyUnderTheSameIdIsAConflict) {
  TestLedger ledger = with_account();
  const Outcome first = ledger.run(place("proj001", usd(4)), "key", "digest-1");
  ASSERT_TRUE(first.accepted());
  EXPECT_EQ(ledger.run(place("proj001", usd(5)), "key", "digest-2").refusal,
            Refusal::request_id_conflict);
  EXPECT_EQ(ledger.run(place("proj001", usd(4)), "key", "digest-1").hold, first.hold);
  EXPECT_EQ(ledger.budget("proj001").held, usd(4));
}

TEST(RequestId, EveryCommandRemembers) {
  TestLedger ledger = with_account();
  const Adjust correction{"proj001", "USD", usd(1)};
  ASSERT_TRUE(ledger.run(correction, "key").accepted());
  EXPECT_TRUE(ledger.run(correction, "key").replayed);
  EXPECT_EQ(ledger.budget("proj001").used, usd(1));
  ASSERT_TRUE(ledger.run(correction).accepted());
  ASSERT_TRUE(ledger.run(correction).accepted());
  EXPECT_EQ(ledger.budget("proj001").used, usd(3));
}

TEST(RequestId, WithinABatchToo) {
  TestLedger ledger = with_account();
  Stage stage(ledger.book);
  const Command command{{"key", "body", "root", "", epoch}, place("proj001", usd(4))};
  const Outcome first = decide(stage, command);
  const Outcome again = decide(stage, command);
  EXPECT_TRUE(again.replayed);
  EXPECT_EQ(again.hold, first.hold);
  EXPECT_EQ(stage.holds().size(), 1u);
}

TEST(RequestId, ADroppedStageForgetsTheAnswer) {
  TestLedger ledger = with_account();
  const Command command{{"key", "body", "root", "", epoch}, place("proj001", usd(4))};
  {
    Stage dropped(ledger.book);
    ASSERT_TRUE(decide(dropped, command).accepted());
  }
  EXPECT_EQ(ledger.book.answer("key"), nullptr);
  EXPECT_EQ(ledger.book.counters().hold, 0);
  EXPECT_FALSE(ledger.run(command).replayed);
}

TEST(Token, OlderThanADayIsRefused) {
  TestLedger ledger = with_account();
  ledger.now = epoch + hours(100);
  const Instant oldest = ledger.now - token_age_max;
  EXPECT_TRUE(ledger.run(place("proj001", usd(1)), token_at(oldest)).accepted());
  const std::string old = token_at(oldest - milliseconds(1), 2);
  EXPECT_EQ(ledger.run(place("proj001", usd(1)), old).refusal, Refusal::request_too_old);
  EXPECT_EQ(ledger.budget("proj001").held, usd(1));
}

TEST(Token, FromTheFutureStaysRefused) {
  TestLedger ledger = with_account();
  const Instant latest = epoch + token_ahead_max;
  EXPECT_TRUE(ledger.run(place("proj001", usd(1)), token_at(latest)).accepted());
  const std::string early = token_at(latest + milliseconds(1), 2);
  EXPECT_EQ(ledger.run(place("proj001", usd(1)), early).refusal, Refusal::request_too_old);
  ledger.now = epoch + hours(2);
  const Outcome again = ledger.run(place("proj001", usd(1)), early);
  EXPECT_EQ(again.refusal, Refusal::request_too_old);
  EXPECT_TRUE(again.replayed);
}

// An answer is remembered for longer than its token is taken, so there is no moment between.
TEST(Token, IsNeverForgottenWhileItIsTaken) {
  const Instant minted = epoch;
  const Instant first_answer_earliest = minted - token_ahead_max;
  EXPECT_GT(first_answer_earliest + answer_memory, minted + token_age_max);
}

TEST(Answers, AreForgottenByAge) {
  TestLedger ledger = with_account();
  ASSERT_TRUE(ledger.run(place("proj001", usd(1)), "first").accepted());
  ledger.now = epoch + hours(1);
  ASSERT_TRUE(ledger.run(place("proj001", usd(1)), "second").accepted());
  ledger.book.forget_answers(epoch + hours(1));
  EXPECT_EQ(ledger.book.answer("first"), nullptr);
  EXPECT_NE(ledger.book.answer("second"), nullptr);
  // The hold that bears the name is still there: it is not placed a second time.
  EXPECT_EQ(ledger.run(place("proj001", usd(1)), "first").refusal, Refusal::request_id_conflict);
  ledger.book.forget_answers(epoch + hours(1));
  EXPECT_NE(ledger.book.answer("first"), nullptr);
}

}  // namespace
}  // namespace asbb::ledger
