// Owners of accounts, and many accounts in one command.
#include <gtest/gtest.h>

#include "ledger/testing/test_ledger.h"

namespace asbb::ledger {
namespace {

using testing::epoch;
using testing::TestLedger;
using testing::usd;

using Names = std::vector<std::string>;

CreateAccount create(const std::string& name, const std::string& parent = {}) {
  CreateAccount action;
  action.name = name;
  action.parent = parent;
  return action;
}

NewBudget budget(std::int64_t from_hour, std::int64_t to_hour, const std::string& unit = "USD") {
  return {unit, epoch + hours(from_hour), epoch + hours(to_hour), usd(5), {}, 0};
}

TEST(Owners, AreKeptInOrderAndInTheEntry) {
  TestLedger ledger;
  CreateAccount action = create("proj001");
  action.owners = {"pi@example.org", "alice", "alice"};
  ASSERT_TRUE(ledger.run(action).accepted());
  EXPECT_EQ(ledger.book.account("proj001")->owners, (Names{"alice", "pi@example.org"}));
  EXPECT_NE(ledger.last_entries()[0].details.find("owners=alice,pi@example.org\n"),
            std::string::npos);
  UpdateAccount update;
  update.name = "proj001";
  update.description = "another one";
  ASSERT_TRUE(ledger.run(update).accepted());
  EXPECT_EQ(ledger.book.account("proj001")->owners.size(), 2u);
  update.owners = Names{};
  ASSERT_TRUE(ledger.run(update).accepted());
  EXPECT_TRUE(ledger.book.account("proj001")->owners.empty());
  EXPECT_EQ(ledger.last_entries()[0].details.find("owners="), std::string::npos);
}

TEST(Owners, AreUserNamesOrAddresses) {
  TestLedger ledger;
  for (const char* wrong : {"", "a b", "@example.org", "alice@", "a@b@c", "a,b", "-x", "uid:5"}) {
    CreateAccount action = create("proj001");
    action.owners = {"bob", wrong};
    const Outcome outcome = ledger.run(action);
    EXPECT_EQ(outcome.refusal, Refusal::bad_name) << wrong;
    EXPECT_EQ(outcome.field, "owners");
  }
  CreateAccount action = create("proj001");
  action.owners = Names(21, "bob");
  EXPECT_EQ(ledger.run(action).refusal, Refusal::too_many_owners);
}

TEST(CreateAccount, TakesAliasesAndSaysWhichBudgetIsWrong) {
  TestLedger ledger;
  CreateAccount action = create("proj001");
  action.aliases = {"grant-7"};
  action.budgets = {budget(0, 10), budget(10, 20), budget(0, 10, "core-hours")};
  ASSERT_TRUE(ledger.run(action).accepted());
  EXPECT_EQ(ledger.book.account("grant-7")->name, "proj001");
  EXPECT_EQ(ledger.book.budgets_of(AccountId{1}).size(), 3u);
  action.name = "proj002";
  EXPECT_EQ(ledger.run(action).refusal, Refusal::alias_taken);
  action.aliases = {"proj002"};
  EXPECT_EQ(ledger.run(action).refusal, Refusal::alias_taken);
  action.aliases.clear();
  action.budgets[2] = budget(9, 11);
  const Outcome outcome = ledger.run(action);
  EXPECT_EQ(outcome.refusal, Refusal::budget_overlaps);
  EXPECT_EQ(outcome.field, "budgets[2].start_date");
  EXPECT_EQ(ledger.book.account("proj002"), nullptr);
}

TEST(ImportAccounts, MakesAllInOneCommand) {
  TestLedger ledger;
  ASSERT_TRUE(ledger.run(create("old")).accepted());
  ImportAccounts import;
  import.accounts = {create("dept"), create("proj001", "dept")};
  import.accounts[1].budgets = {budget(0, 10)};
  import.budgets = {{"old", budget(0, 10)}, {"old", budget(10, 20)}, {"dept", budget(0, 10)}};
  ASSERT_TRUE(ledger.run(import).accepted());
  EXPECT_EQ(ledger.last_entries().size(), 6u);
  EXPECT_EQ(ledger.book.account("proj001")->parent, ledger.book.account("dept")->id);
  EXPECT_EQ(ledger.book.budgets_of(ledger.book.account("old")->id).size(), 2u);
}

TEST(ImportAccounts, LeavesNoTraceOfARefusedOne) {
  TestLedger ledger;
  ASSERT_TRUE(ledger.run(create("old")).accepted());
  ImportAccounts import;
  import.accounts = {create("dept"), create("proj001", "nowhere")};
  Outcome outcome = ledger.run(import);
  EXPECT_EQ(outcome.refusal, Refusal::unknown_parent);
  EXPECT_EQ(outcome.field, "accounts[1].parent");
  EXPECT_EQ(ledger.book.account("dept"), nullptr);
  EXPECT_EQ(ledger.book.counters().account, 1);
  import.accounts[1].parent = "dept";
  import.budgets = {{"old", budget(0, 10)}, {"old", budget(5, 20)}};
  outcome = ledger.run(import);
  EXPECT_EQ(outcome.refusal, Refusal::budget_overlaps);
  EXPECT_EQ(outcome.field, "budgets[1].start_date");
  EXPECT_EQ(ledger.book.account("dept"), nullptr);
  EXPECT_TRUE(ledger.book.budgets_of(AccountId{1}).empty());
}

}  // namespace
}  // namespace asbb::ledger
