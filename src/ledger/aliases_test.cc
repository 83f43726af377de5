// Other names of an account: unique, and free again when they are taken away.
#include <gtest/gtest.h>

#include "ledger/testing/test_ledger.h"

namespace asbb::ledger {
namespace {

using testing::epoch;
using testing::place;
using testing::TestLedger;
using testing::usd;

CreateAccount create(const std::string& name) {
  CreateAccount action;
  action.name = name;
  return action;
}

UpdateAccount aliases(const std::string& name, std::vector<std::string> names) {
  UpdateAccount action;
  action.name = name;
  action.aliases = std::move(names);
  return action;
}

TEST(Aliases, AreOtherNamesOfAnAccount) {
  TestLedger ledger;
  ledger.account("proj001", usd(5));
  ledger.account("proj002", usd(9));
  ASSERT_TRUE(ledger.run(aliases("proj001", {"p1", "grant-7", "p1"})).accepted());
  ASSERT_EQ(ledger.last_entries().size(), 1u);
  EXPECT_NE(ledger.last_entries()[0].details.find("aliases=grant-7,p1\n"), std::string::npos);
  const AccountId id = ledger.book.account("proj001")->id;
  EXPECT_EQ(ledger.book.account("p1")->id, id);
  EXPECT_EQ(ledger.run(place("grant-7", usd(1))).account, id);
  EXPECT_EQ(ledger.last_entries().at(0).account_name, "proj001");
  ASSERT_TRUE(ledger.run(Deposit{"p1", "USD", usd(1)}).accepted());
  EXPECT_EQ(ledger.budget("proj001").limit, usd(6));
  // What is not in the list any more is free again.
  ASSERT_TRUE(ledger.run(aliases("p1", {"p1"})).accepted());
  EXPECT_EQ(ledger.book.account("grant-7"), nullptr);
  EXPECT_EQ(ledger.run(place("grant-7", usd(1))).refusal, Refusal::unknown_account);
  ASSERT_TRUE(ledger.run(aliases("proj002", {"grant-7"})).accepted());
  EXPECT_EQ(ledger.book.account("grant-7")->name, "proj002");
}

TEST(Aliases, AreUniqueAcrossNamesAndAliases) {
  TestLedger ledger;
  ledger.account("proj001", usd(5));
  ledger.account("proj002", usd(9));
  ASSERT_TRUE(ledger.run(aliases("proj001", {"p1"})).accepted());
  for (const std::string& taken : {std::string("p1"), std::string("proj001")}) {
    const Outcome outcome = ledger.run(aliases("proj002", {"fresh", taken}));
    EXPECT_EQ(outcome.refusal, Refusal::alias_taken) << taken;
    EXPECT_EQ(outcome.leg.account, "proj001");
    EXPECT_EQ(outcome.field, "aliases");
  }
  EXPECT_EQ(ledger.book.account("fresh"), nullptr);
  EXPECT_EQ(ledger.run(aliases("proj001", {"proj001"})).refusal, Refusal::alias_taken);
  EXPECT_EQ(ledger.run(create("p1")).refusal, Refusal::account_exists);
  EXPECT_EQ(ledger.run(aliases("proj002", {"a b"})).refusal, Refusal::bad_name);
  EXPECT_EQ(ledger.run(aliases("proj002", std::vector<std::string>(101, "x"))).refusal,
            Refusal::too_many_aliases);
  // A closed account keeps its aliases.
  ASSERT_TRUE(ledger.run(CloseAccount{"p1"}).accepted());
  EXPECT_EQ(ledger.run(create("p1")).refusal, Refusal::account_exists);
}

// Both in one batch: the book learns of the taker before or after the giver.
TEST(Aliases, MoveFromAccountToAccountWithinABatch) {
  Book book;
  for (const bool up : {true, false}) {
    Stage stage(book);
    const auto run = [&](Action action) {
      EXPECT_TRUE(
          decide(stage, Command{{"", "", "root", "", epoch}, std::move(action)}).accepted());
    };
    if (up) run(create("proj001"));
    if (up) run(create("proj002"));
    if (up) run(aliases("proj002", {"p"}));
    run(aliases(up ? "proj002" : "proj001", {}));
    run(aliases(up ? "proj001" : "proj002", {"p"}));
    book.adopt(stage);
    EXPECT_EQ(book.account("p")->name, up ? "proj001" : "proj002");
  }
}

}  // namespace
}  // namespace asbb::ledger
