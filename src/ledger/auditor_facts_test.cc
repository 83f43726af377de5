// What the auditor finds where an entry names what it must not, a settlement does not fit its hold,
// or something due never came: each row takes a sound story and spoils one thing in it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

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
using testing::TestLedger;
using testing::usd;

constexpr Instant first_end = epoch + hours(100);

// dept 100 > proj001 50; stranger 50; carrier 10 until first_end, carried into 1. Hold 1: job 7,
// charged 2 of 10. Hold 2: 6 for two tasks of job 8, one of them charged. Hold 3: made afterwards
// for job 9, charged 5. Hold 4: 3, never bound.
struct Story {
  TestLedger ledger;
  std::vector<Entry> entries;

  Story() {
    ledger.account("dept", usd(100));
    keep();
    ledger.account("proj001", usd(50), "dept");
    keep();
    ledger.account("stranger", usd(50));
    keep();
    CreateAccount carrier;
    carrier.name = "carrier";
    carrier.budgets = {budget_of(usd(10), epoch, first_end),
                       budget_of(usd(1), first_end, first_end + hours(100))};
    carrier.budgets[0].carry_over_millionths = carry_all;
    run(carrier);
    const HoldId first = hold("tok1", usd(10), 1);
    run(bind(first, 7));
    run(settle(first, job(7), usd(2)));
    const HoldId second = hold("tok2", usd(6), 2);
    run(bind(second, 8));
    run(settle(second, job(8, 0), usd(3)));
    PlaceHold late = place("proj001", Micros());
    late.partition.clear();
    late.backfill = true;
    const HoldId third = run(late).hold;
    run(settle(third, job(9), usd(5)));
    hold("tok4", usd(3), 1);
    run(Adjust{"proj001", "USD", usd(1)});
    run(Deposit{"proj001", "USD", usd(3)});
    run(Refund{first, {}, "USD", usd(1)});
    ledger.now = first_end;
    run(CarryOver{});
    ledger.now = first_end + hours(1);
    run(CloseAccount{"stranger"});
  }

  void keep() {
    for (const Entry& entry : ledger.last_entries()) entries.push_back(entry);
  }
  Outcome run(const Action& action) {
    const Outcome outcome = ledger.run(action);
    EXPECT_TRUE(outcome.accepted());
    keep();
    return outcome;
  }
  HoldId hold(const std::string& name, Micros amount, std::int64_t tasks) {
    PlaceHold placed = place("proj001", amount, tasks);
    placed.transaction_id = name;
    return run(placed).hold;
  }

  // The n-th entry of that type and hold; hold 0 is any.
  Entry& at(EntryType type, std::int64_t hold = 0) {
    return *std::find_if(entries.begin(), entries.end(), [&](const Entry& entry) {
      return entry.type == type && (hold == 0 || entry.hold.value == hold);
    });
  }
  void drop(EntryType type) {
    std::erase_if(entries, [&](const Entry& entry) { return entry.type == type; });
  }
  void insert_after(const Entry& where, Entry entry) {
    entries.insert(entries.begin() + (&where - entries.data()) + 1, std::move(entry));
  }

  // Numbered anew, so that what was put in or left out shows by what it is.
  [[nodiscard]] AuditReport report() {
    Auditor auditor;
    std::int64_t number = 0;
    for (Entry& entry : entries) {
      entry.sequence = ++number;
      auditor.add(canonical_record(entry));
    }
    return auditor.finish();
  }
};

void replace(std::string& text, const std::string& what, const std::string& with) {
  const std::size_t at = text.find(what);
  ASSERT_NE(at, std::string::npos) << text;
  text.replace(at, what.size(), with);
}

struct Case {
  const char* name;
  std::function<void(Story&)> spoil;
  const char* words;
};

const std::vector<Case>& settlements() {
  static const std::vector<Case> cases{
      {"charge, overrun and release",
       [](Story& s) {
         Entry overrun = s.at(EntryType::charge, 1);
         overrun.type = EntryType::overrun;
         overrun.amount = usd(3);
         s.insert_after(s.at(EntryType::charge, 1), overrun);
       },
       "hold 1: a settlement has an overrun and releases money"},
      {"less released than was left", [](Story& s) { s.at(EntryType::release, 1).amount = usd(5); },
       "2 charged, 5 released"},
      {"no release", [](Story& s) { s.drop(EntryType::release); }, "2 charged, 0 released"},
      {"a task that leaves some of its part",
       [](Story& s) { s.at(EntryType::charge, 2).amount = usd(2); }, "2 charged, 0 released"},
      {"more than a task's part", [](Story& s) { s.at(EntryType::release, 1).amount = usd(9); },
       "takes more than its task's part"},
      {"a bound hold that is given back",
       [](Story& s) {
         Entry back = s.at(EntryType::release, 1);
         back.details.clear();
         s.drop(EntryType::release);
         s.drop(EntryType::charge);
         s.drop(EntryType::refund);
         back.amount = usd(10);
         s.entries.push_back(back);
       },
       "hold 1 is bound and given back though its job was not settled"},
      {"one run from two holds",
       [](Story& s) {
         s.drop(EntryType::bind);
         s.at(EntryType::charge, 2).job = job(7);
       },
       "hold 2: the same run was settled from hold 1"}};
  return cases;
}

const std::vector<Case>& names() {
  static const std::vector<Case> cases{
      {"a stranger pays for a hold made afterwards",
       [](Story& s) {
         replace(s.at(EntryType::hold, 3).details, "b2,b1", "b3");
         for (Entry& entry : s.entries) {
           if (entry.hold.value == 3) entry.budget = BudgetId{3};
         }
       },
       "hold 3 (USD) does not draw on the budgets and limits in force"},
      {"two holds of one request",
       [](Story& s) {
         for (Entry& entry : s.entries) {
           if (entry.request_id == "tok4") entry.request_id = "tok1";
         }
       },
       "hold 4 has the request of hold 1"},
      {"settled for another job", [](Story& s) { s.at(EntryType::charge, 1).job.job_id = 99; },
       "hold 1 is bound to job 7 of 'onprem', and the charge is of job 99"},
      {"settled on another cluster",
       [](Story& s) { s.at(EntryType::charge, 1).job.cluster = "cloud"; },
       "the charge is of job 7 of 'cloud'"},
      {"another account's name",
       [](Story& s) { s.at(EntryType::charge, 1).account_name = "stranger"; },
       "the entry names account 'stranger', but account 2 is 'proj001'"},
      {"another user", [](Story& s) { s.at(EntryType::charge, 1).user = "mallory"; },
       "a charge of hold 1 names another user, partition, request or price version"},
      {"another partition", [](Story& s) { s.at(EntryType::release, 1).partition = "gpu"; },
       "a release of hold 1 names another user"},
      {"another price version", [](Story& s) { s.at(EntryType::refund).price_version = 77; },
       "a refund of hold 1 names another user"},
      {"bound by another user", [](Story& s) { s.at(EntryType::bind).user = "mallory"; },
       "a bind of hold 1 names another user"},
      {"nobody did it", [](Story& s) { s.at(EntryType::bind).actor = " "; },
       "the entry names nobody who did it"}};
  return cases;
}

const std::vector<Case>& limits() {
  static const std::vector<Case> cases{
      {"a carry-over that never came",
       [](Story& s) {
         s.drop(EntryType::carry_out);
         s.drop(EntryType::carry_in);
       },
       "budget 4 has not carried over 10 that was due"},
      {"a correction without a reason",
       [](Story& s) { s.at(EntryType::adjustment).reason.clear(); },
       "a adjustment without a reason"},
      {"a deposit without a reason", [](Story& s) { s.at(EntryType::deposit).reason = "\t"; },
       "a deposit without a reason"},
      {"a refund without a reason", [](Story& s) { s.at(EntryType::refund).reason.clear(); },
       "a refund without a reason"},
      {"a budget of a closed account",
       [](Story& s) {
         Entry budget = s.at(EntryType::budget_create);
         budget.account = AccountId{3};
         budget.account_name = "stranger";
         budget.budget = BudgetId{9};
         budget.unit = "EUR";
         budget.at = s.entries.back().at;
         s.entries.push_back(budget);
       },
       "budget 9 is added to a closed account"},
      {"a limit beyond what can be entered",
       [](Story& s) { s.at(EntryType::budget_create).amount = max_amount + Micros(1); },
       "the budget is beyond what can be entered"},
      {"a deposit beyond what can be entered",
       [](Story& s) {
         Entry& deposit = s.at(EntryType::deposit);
         deposit.amount = max_amount - usd(50) + Micros(1);
         deposit.details = "limit_micros=" + std::to_string(max_amount.count() + 1) + "\n";
       },
       "the budget is beyond what can be entered"},
      {"a grant that does not add up",
       [](Story& s) { s.at(EntryType::budget_create).details += "granted_micros=1\n"; },
       "budget 1 was granted 100, and the entry says otherwise"}};
  return cases;
}

void expect_found(const std::vector<Case>& cases) {
  for (const Case& row : cases) {
    Story story;
    row.spoil(story);
    const AuditReport report = story.report();
    EXPECT_FALSE(report.ok()) << row.name;
    std::string all;
    for (const AuditProblem& problem : report.problems) {
      all += std::to_string(problem.sequence) + " " + problem.text + "\n";
      EXPECT_TRUE(problem.sequence > 0 || problem.text.starts_with("USD")) << row.name;
    }
    EXPECT_THAT(all, HasSubstr(row.words)) << row.name;
  }
}

TEST(AuditorOfFacts, ASoundStoryHasNoProblem) {
  Story story;
  const AuditReport report = story.report();
  EXPECT_TRUE(report.ok()) << report.problems.front().text;
}

TEST(AuditorOfFacts, FindsSettlementsThatDoNotFit) {
  expect_found(settlements());
}

TEST(AuditorOfFacts, FindsWhatAnEntryMustNotName) {
  expect_found(names());
}

TEST(AuditorOfFacts, FindsWhatIsMissingOrTooMuch) {
  expect_found(limits());
}

// A further run of a requeued job gets new money from budgets in force alone.
TEST(AuditorOfFacts, FindsNewMoneyFromABudgetThatHasEnded) {
  TestLedger ledger;
  ledger.account("proj001", usd(50));
  const HoldId id = ledger.hold("proj001", usd(10));
  ledger.run(settle(id, job(7), usd(8), true));
  ledger.run(OpenShare{id, job(7, -1, 1)});
  Auditor auditor;
  for (const EntryType type : {EntryType::account_create, EntryType::budget_create, EntryType::hold,
                               EntryType::charge, EntryType::hold}) {
    for (Entry entry : ledger.entries_of(type)) {
      const bool is_top_up = entry.details.find("run=") != std::string::npos;
      if (type == EntryType::hold && is_top_up != (entry.sequence == 5)) continue;
      if (is_top_up) entry.at = epoch + hours(1000);
      auditor.add(canonical_record(entry));
    }
  }
  std::string all;
  for (const AuditProblem& problem : auditor.finish().problems) all += problem.text + "\n";
  EXPECT_THAT(all, HasSubstr("gets more money from a budget out of force"));
}

}  // namespace
}  // namespace asbb::ledger
