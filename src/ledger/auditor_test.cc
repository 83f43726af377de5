// The auditor finds what was done to the records, entry by entry, and to the tables. Each test
// takes a sound story and spoils one thing in it.
#include "ledger/auditor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

#include "ledger/record.h"
#include "ledger/testing/test_ledger.h"

namespace asbb::ledger {
namespace {

using testing::bind;
using testing::budget_of;
using testing::epoch;
using ::testing::HasSubstr;
using testing::job;
using testing::place;
using testing::settle;
using testing::tables_of;
using testing::TestLedger;
using testing::usd;

constexpr std::int64_t open_hold = 3;

// dept 50 > proj001 20 (cpu 15); hold 1 charged and released, hold 2 overrun, hold 3 open with one
// of two tasks charged.
struct Story {
  TestLedger ledger;
  std::vector<Entry> entries;

  Story() {
    ledger.account("dept", usd(50));
    ledger.account("proj001", usd(20), "dept");
    run(SetPartitionLimit{"proj001", "USD", "cpu", usd(15)});
    const HoldId first = ledger.hold("proj001", usd(5));
    run(bind(first, 7));
    run(settle(first, job(7), usd(3)));
    const HoldId second = ledger.hold("proj001", usd(2));
    run(settle(second, job(8), usd(4)));
    const HoldId third = ledger.hold("proj001", usd(6), 2);
    run(settle(third, job(9, 0), usd(3)));
    EXPECT_EQ(third.value, open_hold);
    run(Adjust{"proj001", "USD", usd(-1)});
    run(RecordPrices{epoch, "a: 1\n"});
    for (int type = 0; type <= static_cast<int>(EntryType::prices); ++type) {
      for (Entry& entry : ledger.entries_of(static_cast<EntryType>(type))) {
        entries.push_back(entry);
      }
    }
    std::sort(entries.begin(), entries.end(),
              [](const Entry& a, const Entry& b) { return a.sequence < b.sequence; });
  }

  void run(const Action& action) { EXPECT_TRUE(ledger.run(action).accepted()); }

  Entry& first(EntryType type) {
    return *std::find_if(entries.begin(), entries.end(),
                         [&](const Entry& entry) { return entry.type == type; });
  }

  // As an entry after all others.
  void append(Entry entry) {
    entry.sequence = entries.back().sequence + 1;
    entries.push_back(std::move(entry));
  }

  [[nodiscard]] Auditor audited() const {
    Auditor auditor;
    for (const Entry& entry : entries) auditor.add(canonical_record(entry));
    return auditor;
  }

  void expect_problem(const std::string& words) const {
    const AuditReport report = audited().finish();
    EXPECT_FALSE(report.ok());
    std::string all;
    for (const AuditProblem& problem : report.problems) all += problem.text + "\n";
    EXPECT_THAT(all, HasSubstr(words));
  }
};

void replace(std::string& text, const std::string& what, const std::string& with) {
  const std::size_t at = text.find(what);
  ASSERT_NE(at, std::string::npos) << text;
  text.replace(at, what.size(), with);
}

TEST(Auditor, ASoundLedgerHasNoProblem) {
  const Story story;
  const Auditor auditor = story.audited();
  const AuditReport report = auditor.finish();
  EXPECT_TRUE(report.ok());
  EXPECT_TRUE(report.notes.empty());
  EXPECT_EQ(report.entries, static_cast<std::int64_t>(story.entries.size()));
  EXPECT_EQ(report.last_sequence, report.entries);
  EXPECT_EQ(report.budgets.at(2), (AuditFigures{20'000'000, 3'000'000, 9'000'000}));
  EXPECT_EQ(report.budgets.at(1), (AuditFigures{50'000'000, 3'000'000, 9'000'000}));
  EXPECT_EQ(report.limits.at(1), (AuditFigures{15'000'000, 3'000'000, 10'000'000}));
  EXPECT_EQ(report.limits.at(2), (AuditFigures{std::nullopt, 3'000'000, 10'000'000}));
  ASSERT_EQ(report.open_holds.size(), 1u);
  EXPECT_EQ(report.open_holds.at({open_hold, "USD"}), 3'000'000);
  EXPECT_TRUE(auditor.compare(tables_of(story.ledger.book)).empty());
}

TEST(Auditor, FindsTablesThatDiffer) {
  const Story story;
  const Auditor auditor = story.audited();
  const AuditTables good = tables_of(story.ledger.book);
  const auto found = [&](const AuditTables& tables) {
    const auto problems = auditor.compare(tables);
    EXPECT_EQ(problems.size(), 1u);
    return problems.empty() ? std::string() : problems.front().text;
  };
  AuditTables tables = good;
  tables.budgets[2].held_micros -= 1;
  EXPECT_EQ(found(tables),
            "budget 2: the table says limit 20, held 2.999999, used 9, the entries add up to limit "
            "20, held 3, used 9");
  tables = good;
  tables.limits.erase(1);
  EXPECT_THAT(found(tables), HasSubstr("partition limit 1 is missing from the table"));
  tables = good;
  tables.budgets[9] = {1, 0, 0};
  EXPECT_THAT(found(tables), HasSubstr("no entry made it"));
  tables = good;
  tables.limits[2].limit_micros = 0;
  EXPECT_THAT(found(tables), HasSubstr("says limit 0, held 3, used 10, the entries add up to no"));
  tables = good;
  tables.open_holds[{open_hold, "USD"}] += 1;
  EXPECT_THAT(found(tables), HasSubstr("hold 3 (USD)"));
  tables = good;
  tables.open_holds[{1, "USD"}] = 0;
  EXPECT_TRUE(auditor.compare(tables).empty());
}

TEST(Auditor, FindsMissingAndMovedEntries) {
  Story story;
  story.entries.erase(story.entries.begin() + 4);
  story.expect_problem("stands where entry 5 must be");
  Story swapped;
  std::swap(swapped.entries[5], swapped.entries[6]);
  swapped.expect_problem("stands where entry");
  Story cut;
  cut.entries.erase(cut.entries.begin());
  cut.expect_problem("entry 2 stands where entry 1 must be");
}

TEST(Auditor, FindsWhatIsNoRecord) {
  for (const std::string& text :
       {std::string(), std::string("asbb1\n"), std::string("nonsense"),
        "asbb2\n" + canonical_record(Entry{}).substr(6), std::string("asbb1\na=%zz\n")}) {
    Auditor auditor;
    auditor.add(text);
    EXPECT_EQ(auditor.finish().problem_count, 1) << text;
    EXPECT_EQ(auditor.finish().entries, 1);
  }
  Story story;
  std::string record = canonical_record(story.first(EntryType::charge));
  replace(record, "type=charge", "type=gift");
  Auditor auditor;
  auditor.add(record);
  EXPECT_THAT(auditor.finish().problems.back().text, HasSubstr("'gift'"));
}

TEST(Auditor, FindsAChangedAmount) {
  Story more;
  more.first(EntryType::charge).amount += usd(3);
  more.expect_problem("of which only 5 is left");
  Story less;
  less.first(EntryType::release).amount -= usd(1);
  const auto differences = less.audited().compare(tables_of(less.ledger.book));
  EXPECT_FALSE(differences.empty());
  for (const EntryType type : {EntryType::charge, EntryType::release, EntryType::overrun,
                               EntryType::hold, EntryType::budget_create, EntryType::limit_set}) {
    Story negative;
    negative.first(type).amount = Micros(-1);
    negative.expect_problem("is negative");
  }
}

TEST(Auditor, FindsASecondSettlement) {
  Story story;
  story.append(story.first(EntryType::charge));
  story.expect_problem("the same run is settled twice");
  Story overrun;
  overrun.append(overrun.first(EntryType::overrun));
  overrun.expect_problem("the same run is settled twice");
  // Also when the second one writes nothing that the first one wrote.
  Story late;
  Entry more = late.first(EntryType::charge);
  more.type = EntryType::overrun;
  late.append(more);
  late.expect_problem("the same run is settled twice");
}

TEST(Auditor, FindsAChargeOutOfAnotherTasksShare) {
  Story story;
  Entry charge = story.first(EntryType::charge);
  charge.hold = HoldId{open_hold};
  charge.job = job(9, 1);
  charge.amount = usd(3) + Micros(1);
  story.append(charge);
  story.expect_problem("from a share of at most 3");
}

TEST(Auditor, FindsMoneyOfHoldsThatNeverWere) {
  Story story;
  Entry release = story.first(EntryType::release);
  release.hold = HoldId{99};
  story.append(release);
  story.expect_problem("hold 99 (USD), which was never placed");
  Story other_unit;
  other_unit.first(EntryType::charge).unit = "EUR";
  other_unit.expect_problem("hold 1 (EUR), which was never placed");
  Story other_budget;
  other_budget.first(EntryType::charge).budget = BudgetId{1};
  other_budget.expect_problem("posted on another account or budget");
  Story topped_up;
  Entry more = topped_up.first(EntryType::hold);
  more.hold = HoldId{99};
  more.details += "run=1\n";
  topped_up.append(more);
  topped_up.expect_problem("gets more money, but was never placed");
}

TEST(Auditor, FindsAHoldBeyondWhatWasAvailable) {
  Story story;
  story.first(EntryType::limit_set).amount = usd(4);
  story.expect_problem("hold 1 (USD) sets 5 aside where only 4 is left");
  Story dept;
  dept.first(EntryType::budget_create).amount = usd(4);
  dept.expect_problem("sets 5 aside where only 4 is left");
}

TEST(Auditor, FindsALegThatIsMissing) {
  Story story;
  replace(story.first(EntryType::hold).details, "b2,l1,b1,l2", "b2,b1,l2");
  story.expect_problem("does not draw on the budgets and limits in force");
  Story without_ancestor;
  replace(without_ancestor.first(EntryType::hold).details, "b2,l1,b1,l2", "b2,l1");
  without_ancestor.expect_problem("does not draw on the budgets and limits in force");
  Story unknown;
  replace(unknown.first(EntryType::hold).details, "b2,l1,b1,l2", "b2,l1,b9");
  unknown.expect_problem("budget 9 is unknown");
  Story twice;
  replace(twice.first(EntryType::hold).details, "b2,l1,b1,l2", "b2,l1,b2");
  twice.expect_problem("drawn on twice");
  Story wrong_payer;
  replace(wrong_payer.first(EntryType::hold).details, "b2,l1,b1,l2", "b1,l2,b2,l1");
  wrong_payer.expect_problem("the budget that pays is not the first");
  Story uncounted;
  replace(uncounted.first(EntryType::hold).details, "b2,l1,b1,l2", "b2,l1,b1");
  uncounted.expect_problem("does not draw on the budgets and limits in force");
  Story counted_twice;
  replace(counted_twice.first(EntryType::hold).details, "b2,l1,b1,l2", "b2,l3,b1,l2");
  counted_twice.expect_problem("budget 2 has two counts for 'cpu'");
  Story correction;
  replace(correction.first(EntryType::adjustment).details, "b2,b1", "b2");
  correction.expect_problem("does not change the budgets in force");
}

TEST(Auditor, FindsAHoldTwiceOrOnAClosedAccount) {
  Story story;
  story.append(story.first(EntryType::hold));
  story.expect_problem("hold 1 (USD) is placed twice");
  Story bound;
  bound.append(bound.first(EntryType::bind));
  bound.expect_problem("hold 1 is bound twice");
  Story closed;
  Entry close = closed.first(EntryType::account_create);
  close.type = EntryType::account_close;
  closed.append(close);
  Entry hold = closed.first(EntryType::hold);
  hold.hold = HoldId{4};
  closed.append(hold);
  closed.expect_problem("account 'dept' is closed");
}

TEST(Auditor, FindsALimitBelowWhatIsCommitted) {
  Story story;
  Entry limit = story.first(EntryType::limit_set);
  limit.amount = usd(12);
  story.append(limit);
  story.expect_problem(
      "the partition limit is lowered to 12, below what is held (3) and used (10)");
  Story budget;
  Entry change = budget.first(EntryType::budget_create);
  change.type = EntryType::budget_update;
  change.amount = usd(11);
  budget.append(change);
  budget.expect_problem("the budget is lowered to 11");
}

TEST(Auditor, FindsALimitThatIgnoresWhatIsThere) {
  Story story;
  Entry limit = story.first(EntryType::limit_set);
  limit.account = AccountId{1};
  limit.account_name = "dept";
  limit.budget = BudgetId{1};
  replace(limit.details, "limit=1", "limit=2");
  limit.amount = usd(13) - Micros(1);
  story.append(limit);
  story.expect_problem("the partition limit is lowered to 12.999999, below what is held (3)");
}

TEST(Auditor, FindsAPeriodMovedAwayFromItsMoney) {
  Story story;
  Entry change = story.first(EntryType::budget_create);
  change.type = EntryType::budget_update;
  replace(change.details, "start_us=", "start_us=1");
  replace(change.details, "end_us=", "end_us=1");
  story.append(change);
  story.expect_problem("budget 1 is moved away from what it holds and has used");
}

TEST(Auditor, FindsMoreGivenBackThanWasUsed) {
  Story story;
  Entry adjustment = story.first(EntryType::adjustment);
  adjustment.amount = usd(-9) - Micros(1);
  story.append(adjustment);
  story.expect_problem("budget 2 has used less than nothing");
}

TEST(Auditor, FindsAccountsAndBudgetsThatCannotBe) {
  Story twice;
  twice.append(twice.first(EntryType::account_create));
  twice.expect_problem("account 'dept' is created twice");
  Story overlap;
  Entry budget = overlap.first(EntryType::budget_create);
  budget.budget = BudgetId{9};
  overlap.append(budget);
  overlap.expect_problem("budget 9 overlaps budget 1");
  Story circle;
  Entry update = circle.first(EntryType::account_create);
  update.type = EntryType::account_update;
  replace(update.details, "parent=\n", "parent=proj001\n");
  circle.append(update);
  circle.expect_problem("an unknown account or a circle");
  Story second_limit;
  Entry limit = second_limit.first(EntryType::limit_set);
  replace(limit.details, "limit=1", "limit=9");
  second_limit.append(limit);
  second_limit.expect_problem("has two counts for 'cpu'");
  Story prices;
  prices.append(prices.first(EntryType::prices));
  prices.expect_problem("price version 1 stands where version 2 must be");
  Story unknown;
  unknown.first(EntryType::account_create).account_name = "other";
  unknown.expect_problem("above account 'proj001' there is an unknown account");
}

TEST(Auditor, RefundsGoBackToTheBudgetThatPaid) {
  Story story;
  Entry refund = story.first(EntryType::charge);
  refund.type = EntryType::refund;
  refund.details.clear();
  refund.amount = usd(3);
  story.append(refund);
  EXPECT_TRUE(story.audited().finish().ok());
  EXPECT_EQ(story.audited().finish().budgets.at(2).used_micros, 6'000'000);
  refund.amount = Micros(1);
  story.append(refund);
  story.expect_problem("got back more than it was charged");
}

TEST(Auditor, FindsARefundOfARunThatWasNotCharged) {
  Story story;
  Entry refund = story.first(EntryType::charge);
  refund.type = EntryType::refund;
  refund.details.clear();
  refund.job = job(8);  // charged 4, but to another hold
  refund.amount = usd(1);
  story.append(refund);
  story.expect_problem("hold 1: a run got back more than it was charged");
}

// A deposit of 5 into dept, and 2 of it moved on to proj001.
Story moved_story() {
  Story story;
  for (const Action& action :
       {Action(Deposit{"dept", "USD", usd(5)}), Action(Transfer{"dept", "proj001", "USD", usd(2)}),
        Action(Withdraw{"proj001", "USD", usd(1)})}) {
    story.ledger.run(action);
    for (const Entry& entry : story.ledger.last_entries()) story.append(entry);
  }
  return story;
}

TEST(Auditor, FindsMoneyThatWasMovedWrongly) {
  const Story sound = moved_story();
  EXPECT_TRUE(sound.audited().finish().ok());
  EXPECT_EQ(sound.audited().finish().budgets.at(1).limit_micros, 53'000'000);
  EXPECT_TRUE(sound.audited().compare(tables_of(sound.ledger.book)).empty());
  Story more = moved_story();
  more.first(EntryType::transfer_in).amount += Micros(1);
  more.expect_problem("a transfer arrives that nobody sent so");
  Story lost = moved_story();
  lost.entries.erase(lost.entries.end() - 2);
  lost.expect_problem("a transfer was sent and did not arrive");
  Story too_much = moved_story();
  too_much.first(EntryType::withdrawal).amount = usd(13);
  too_much.expect_problem("a withdrawal of 13 where only 10 is left");
  too_much.expect_problem("and the entry says otherwise");
  Story late = moved_story();
  late.first(EntryType::deposit).at = epoch + hours(1000);
  late.expect_problem("a deposit into a budget that is over");
  Story foreign = moved_story();
  foreign.first(EntryType::deposit).budget = BudgetId{2};
  foreign.expect_problem("a deposit on a budget that is not the account's");
}

TEST(Auditor, CreditIsForRunningJobsAlone) {
  TestLedger ledger;
  CreateAccount create;
  create.name = "proj001";
  create.budgets = {budget_of(usd(10))};
  create.budgets[0].credit_limit = usd(4);
  ledger.run(create);
  const HoldId id = ledger.hold("proj001", usd(10));
  ledger.run(settle(id, job(7), usd(4), true));
  ledger.run(OpenShare{id, job(7, -1, 1)});
  const auto audited = [&](const std::function<void(Entry&)>& change) {
    Auditor auditor;
    for (const EntryType type : {EntryType::account_create, EntryType::budget_create,
                                 EntryType::hold, EntryType::charge}) {
      for (Entry entry : ledger.entries_of(type)) {
        if (type == EntryType::hold && entry.sequence > 3) continue;
        change(entry);
        auditor.add(canonical_record(entry));
      }
    }
    Entry top_up = ledger.entries_of(EntryType::hold).back();
    auditor.add(canonical_record(top_up));
    return auditor.finish();
  };
  EXPECT_TRUE(audited([](Entry&) {}).ok());
  const AuditReport without = audited([](Entry& entry) {
    if (entry.type != EntryType::budget_create) return;
    replace(entry.details, "credit_limit_micros=4", "credit_limit_micros=3");
  });
  ASSERT_FALSE(without.ok());
  EXPECT_THAT(without.problems[0].text, HasSubstr("sets 4 aside where only 0 is left"));
  const AuditReport lent = audited([](Entry& entry) {
    if (entry.type == EntryType::hold) entry.amount = usd(11);
  });
  EXPECT_THAT(lent.problems.at(0).text, HasSubstr("sets 11 aside where only 10 is left"));
}

TEST(Auditor, FindsAnAliasThatNamesAnotherAccount) {
  Story story;
  Entry update = story.first(EntryType::account_create);
  update.type = EntryType::account_update;
  update.details += "aliases=free,proj001\n";
  story.append(update);
  story.expect_problem("the alias 'proj001' of account 'dept' names an account already");
}

TEST(Auditor, TimeThatGoesBackIsNoted) {
  Story story;
  story.entries[3].at = epoch - Span{1};
  const AuditReport report = story.audited().finish();
  ASSERT_EQ(report.notes.size(), 1u);
  EXPECT_EQ(report.notes[0].sequence, 4);
}

TEST(Auditor, NoSumOverflows) {
  Story story;
  Entry adjustment = story.first(EntryType::adjustment);
  for (const std::int64_t amount :
       {std::numeric_limits<std::int64_t>::max(), std::numeric_limits<std::int64_t>::min()}) {
    adjustment.amount = Micros(amount);
    for (int i = 0; i < 5; ++i) story.append(adjustment);
  }
  story.expect_problem("beyond what is counted");
}

TEST(Auditor, ReportsABoundedNumberOfProblemsAndCountsAll) {
  Auditor auditor;
  for (int i = 0; i < 1000; ++i) auditor.add("nonsense");
  const AuditReport report = auditor.finish();
  EXPECT_EQ(report.problem_count, 1000);
  EXPECT_EQ(report.problems.size(), audit_problems_max);
}

}  // namespace
}  // namespace asbb::ledger
