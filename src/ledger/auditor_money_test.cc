// What the auditor finds where money was carried over, written off or converted: each test takes a
// sound story and spoils one thing in it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "ledger/record.h"
#include "ledger/testing/test_ledger.h"

namespace asbb::ledger {
namespace {

using testing::budget_of;
using testing::epoch;
using ::testing::HasSubstr;
using testing::job;
using testing::settle;
using testing::TestLedger;
using testing::usd;

constexpr Instant first_end = epoch + hours(100);

// proj001: 20 USD until first_end, of which half of what is left is carried into 5 and then half of
// a release; 4 of its charge of 6 were written off, and 1 became 3 core-hours.
struct Story {
  TestLedger ledger;
  std::vector<Entry> entries;

  Story() {
    CreateAccount create;
    create.name = "proj001";
    create.budgets = {budget_of(usd(20), epoch, first_end),
                      budget_of(usd(5), first_end, first_end + hours(100)),
                      budget_of(usd(9), epoch, first_end + hours(100))};
    create.budgets[0].carry_over_millionths = carry_all / 2;
    create.budgets[2].unit = "core-hours";
    run(create);
    ledger.account("overhead", usd(50));
    keep();
    UpdateAccount allow;
    allow.name = "proj001";
    allow.may_convert = true;
    run(allow);
    const HoldId charged = ledger.hold("proj001", usd(6));
    keep();
    run(settle(charged, job(7), usd(6)));
    const HoldId late = ledger.hold("proj001", usd(4));
    keep();
    run(WriteOff{charged, {}, "USD", usd(4), "overhead"});
    run(RecordConversionRate{"USD", "core-hours", usd(3), epoch});
    run(Convert{"proj001", "USD", "core-hours", usd(1)});
    ledger.now = first_end;
    run(CarryOver{});
    run(settle(late, job(8), usd(2)));
  }

  void keep() {
    for (const Entry& entry : ledger.last_entries()) entries.push_back(entry);
  }
  void run(const Action& action) {
    EXPECT_TRUE(ledger.run(action).accepted());
    keep();
  }

  Entry& first(EntryType type) {
    return *std::find_if(entries.begin(), entries.end(),
                         [&](const Entry& entry) { return entry.type == type; });
  }

  [[nodiscard]] AuditReport report() const {
    Auditor auditor;
    for (const Entry& entry : entries) auditor.add(canonical_record(entry));
    return auditor.finish();
  }

  void expect_problem(const std::string& words) const {
    const AuditReport found = report();
    EXPECT_FALSE(found.ok());
    std::string all;
    for (const AuditProblem& problem : found.problems) all += problem.text + "\n";
    EXPECT_THAT(all, HasSubstr(words));
  }
};

void replace(std::string& text, const std::string& what, const std::string& with) {
  const std::size_t at = text.find(what);
  ASSERT_NE(at, std::string::npos) << text;
  text.replace(at, what.size(), with);
}

// Of 20: 2 used, 4 held, 1 converted; half of 13 is carried, then half of the 2 that came free.
TEST(AuditorOfMoves, ASoundStoryAddsUp) {
  const AuditReport report = Story().report();
  EXPECT_TRUE(report.ok());
  EXPECT_EQ(report.budgets.at(1), (AuditFigures{11'500'000, 0, 4'000'000}));
  EXPECT_EQ(report.budgets.at(2).limit_micros, 12'500'000);
  EXPECT_EQ(report.units.at("USD"), (AuditUnit{74'000'000, 75'000'000, -1'000'000, 8'000'000}));
  EXPECT_EQ(report.units.at("core-hours"), (AuditUnit{12'000'000, 9'000'000, 3'000'000, 0}));
}

TEST(AuditorOfMoves, FindsMoreCarriedThanTheRuleSays) {
  Story story;
  for (const EntryType type : {EntryType::carry_out, EntryType::carry_in}) {
    story.first(type).amount += Micros(1);
  }
  story.expect_problem("budget 1 carries 6.500001 over where 6.5 is due");
}

TEST(AuditorOfMoves, FindsWhatIsCarriedTwice) {
  Story story;
  for (const EntryType type : {EntryType::carry_out, EntryType::carry_in}) {
    Entry again = story.first(type);
    again.sequence = story.entries.back().sequence + 1;
    story.entries.push_back(again);
  }
  story.expect_problem("budget 1 carries 6.5 over where 0 is due");
}

TEST(AuditorOfMoves, FindsACarryBeforeTheEndOrToAnotherBudget) {
  Story early;
  early.first(EntryType::carry_out).at = first_end - Span{1};
  early.expect_problem("carries over before its end");
  Story astray;
  replace(astray.first(EntryType::carry_out).details, "other_budget=2", "other_budget=3");
  astray.expect_problem("not to the account's next budget");
  Story ruleless;
  replace(ruleless.first(EntryType::budget_create).details, "carry_over_millionths=500000\n", "");
  ruleless.expect_problem("over where 0 is due");
}

TEST(AuditorOfMoves, FindsWhatDoesNotArrive) {
  for (const auto& [type, words] :
       {std::pair{EntryType::carry_in, "a carry was sent and did not arrive"},
        std::pair{EntryType::write_off_in, "a write_off was sent and did not arrive"},
        std::pair{EntryType::convert_in, "a convert was sent and did not arrive"}}) {
    Story story;
    const std::int64_t number = story.first(type).sequence;
    story.entries.erase(story.entries.begin() + number - 1);
    story.expect_problem(words);
    Story less;
    less.first(type).amount -= Micros(1);
    less.expect_problem("arrives that nobody sent so");
  }
}

// Even where both halves agree with each other, a unit's money must come from somewhere.
TEST(AuditorOfMoves, AUnitThatDoesNotAddUpIsNamed) {
  Story lost;
  lost.first(EntryType::carry_in).amount -= usd(1);
  lost.expect_problem("USD: the budgets have");
  Story written;
  written.first(EntryType::write_off_in).amount += usd(1);
  written.expect_problem("USD: 1 more was written off than taken from those who paid");
}

TEST(AuditorOfMoves, FindsAWriteOffBeyondTheCharge) {
  Story story;
  for (const EntryType type : {EntryType::write_off_out, EntryType::write_off_in}) {
    story.first(type).amount = usd(6) + Micros(1);
  }
  story.expect_problem("hold 1: a run got back more than it was charged");
}

TEST(AuditorOfMoves, FindsAWriteOffBorneElsewhere) {
  Story story;
  replace(story.first(EntryType::write_off_in).details, "legs=b4", "legs=b2");
  story.expect_problem("the budget that pays is not the first that is drawn on");
  Story other_run;
  other_run.first(EntryType::write_off_in).job = job(8);
  other_run.expect_problem("a write_off arrives that nobody sent so");
}

TEST(AuditorOfMoves, FindsAConversionAtAnotherRate) {
  Story story;
  replace(story.first(EntryType::convert_out).details, "rate_micros=3000000",
          "rate_micros=3100000");
  story.expect_problem("at another rate than the one in force");
  Story later;
  replace(later.first(EntryType::conversion_rate).details, "effective_from_us=1750000000000000",
          "effective_from_us=1750000000000001");
  later.expect_problem("at another rate than the one in force");
}

TEST(AuditorOfMoves, FindsAConversionThatIsNotRoundedDownOrNotAllowed) {
  Story story;
  replace(story.first(EntryType::convert_out).details, "other_amount_micros=3000000",
          "other_amount_micros=3000001");
  story.expect_problem("a conversion of 1 comes to 3 core-hours, and the entry says otherwise");
  Story forbidden;
  replace(forbidden.first(EntryType::account_update).details, "may_convert=1\n", "");
  forbidden.expect_problem("account 'proj001' may not convert");
}

TEST(AuditorOfMoves, FindsARateOutOfOrder) {
  Story story;
  replace(story.first(EntryType::conversion_rate).details, "version=1", "version=2");
  story.expect_problem("conversion rate 1 has another number");
}

}  // namespace
}  // namespace asbb::ledger
