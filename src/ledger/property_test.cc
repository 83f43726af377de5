// Long runs of commands by chance: after each one the auditor, which reads nothing but the records,
// must agree with the book, the book with its own sums, and answer and book with the reference,
// which foretells both. A second ledger takes the same commands
// in batches, some of them decided twice because the first stage was dropped: it must end the same.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <cstdlib>
#include <set>
#include <sstream>

#include "ledger/record.h"
#include "ledger/testing/random_commands.h"
#include "ledger/testing/reference_check.h"
#include "ledger/testing/test_ledger.h"

namespace asbb::ledger {
namespace {

using testing::broken_rule;
using testing::describe;
using testing::epoch;
using testing::random_command;
using testing::tables_of;

// How many commands are decided; more for a long run, by the environment.
std::int64_t commands_wanted() {
  const char* text = std::getenv("ASBB_PROPERTY_COMMANDS");
  return text == nullptr ? 60'000 : std::strtoll(text, nullptr, 10);
}

constexpr int commands_per_run = 150;
constexpr std::int64_t commands_for_coverage = 60'000;  // fewer need not meet every refusal

struct Coverage {
  std::int64_t commands = 0;
  std::map<std::pair<std::size_t, Refusal>, std::int64_t> outcomes;  // by command and answer
};

// Ends a run with a sentence.
struct Broken {
  std::string text;
};

void require(bool fine, const char* text) {
  if (!fine) throw Broken{text};
}

// The other ledger: the same commands, but several to a stage.
class BatchedLedger {
 public:
  void run(const Command& command, const Outcome& expected) {
    require(decide(stage_, command) == expected, "a batch decides otherwise");
    commands_.push_back(command);
    answers_.push_back(expected);
  }

  // As a commit that fails and is tried again: what was staged is dropped and decided anew.
  void drop_and_decide_again() {
    stage_ = Stage(book_);
    for (std::size_t i = 0; i < commands_.size(); ++i) {
      require(decide(stage_, commands_[i]) == answers_[i], "a second decision differs");
    }
  }

  void adopt() {
    book_.adopt(stage_);
    require(stage_.is_empty(), "an adopted stage is not empty");
    commands_.clear();
    answers_.clear();
  }

  [[nodiscard]] const Book& book() const { return book_; }

 private:
  Book book_;
  Stage stage_{book_};
  std::vector<Command> commands_;
  std::vector<Outcome> answers_;
};

template <typename Id, typename Find>
void require_equal(std::int64_t count, const Book& one, const Book& other, Find find) {
  for (std::int64_t id = 1; id <= count; ++id) {
    require(*find(one, Id{id}) == *find(other, Id{id}), "the two books differ");
  }
}

void require_equal(const Book& one, const Book& other) {
  const Counters& last = one.counters();
  require(last == other.counters(), "the two books count differently");
  const auto account = [](const Book& book, AccountId id) { return book.account(id); };
  const auto budget = [](const Book& book, BudgetId id) { return book.budget(id); };
  const auto limit = [](const Book& book, LimitId id) { return book.limit(id); };
  const auto hold = [](const Book& book, HoldId id) { return book.hold(id); };
  const auto share = [](const Book& book, ShareId id) { return book.share(id); };
  require_equal<AccountId>(last.account, one, other, account);
  require_equal<BudgetId>(last.budget, one, other, budget);
  require_equal<LimitId>(last.limit, one, other, limit);
  require_equal<HoldId>(last.hold, one, other, hold);
  require_equal<ShareId>(last.share, one, other, share);
}

// A refusal for want of money names a limit that indeed lacks it.
void check_refusal(const Command& command, const Outcome& outcome) {
  const bool lacks_money = outcome.refusal == Refusal::insufficient_budget ||
                           outcome.refusal == Refusal::partition_limit_exceeded;
  if (!lacks_money || outcome.replayed) return;
  require(std::holds_alternative<PlaceHold>(command.action) ||
              std::holds_alternative<ReplaceHold>(command.action) ||
              std::holds_alternative<CoverJob>(command.action),
          "no hold, and no money for it");
  const LegFigures& leg = outcome.leg;
  require(leg.available == leg.limit - leg.held - leg.used, "wrong figures in a refusal");
  require(leg.available < outcome.amount, "refused though the money is there");
}

// One ledger, its auditor, and the batched one beside it.
class Run {
 public:
  // What a budget leaves at its end goes on before anything else is decided, as in the service.
  void step(const Command& command, std::uint64_t seed, Coverage& coverage) {
    const Instant now = command.context.at;
    if (const auto end = book_.next_carry_end(carried_until_); end && *end <= now) {
      Command carry;
      carry.context.actor = "service";
      carry.context.at = carried_until_ = now;
      carry.action = CarryOver{};
      decide_one(carry, seed, coverage);
    }
    decide_one(command, seed, coverage);
  }

  void decide_one(const Command& command, std::uint64_t seed, Coverage& coverage) {
    const Instant at = command.context.at;
    const bool all_was_carried = testing::left_to_carry(book_, at).empty();
    Stage stage(book_);
    Outcome outcome = decide(stage, command);
    if (seed % 4 == 0) {
      stage = Stage(book_);
      require(decide(stage, command) == outcome, "a dropped stage left something behind");
    }
    ++coverage.commands;
    // From memory comes another command's answer, when they have the same id and body.
    if (!outcome.replayed) ++coverage.outcomes[{command.action.index(), outcome.refusal}];
    require(outcome.accepted() || stage.entries().empty(), "a refusal has entries");
    check_refusal(command, outcome);
    for (const Entry& entry : stage.entries()) auditor_.add(canonical_record(entry));
    book_.adopt(stage);
    const std::string differs = reference_.compare(command, outcome, book_);
    if (!differs.empty()) throw Broken{differs};
    const std::string broken = broken_rule(book_);
    if (!broken.empty()) throw Broken{broken};
    const bool carries = std::holds_alternative<CarryOver>(command.action) && !outcome.replayed &&
                         outcome.accepted();
    const std::string left = testing::left_to_carry(book_, at);
    if ((all_was_carried || carries) && !left.empty()) {
      throw Broken{"not carried over: " + left};
    }
    check_audit();
    batched_.run(command, outcome);
    if (seed % 7 == 0) batched_.drop_and_decide_again();
    if (seed % 5 == 0) batched_.adopt();
  }

  void finish() {
    batched_.adopt();
    require_equal(book_, batched_.book());
    require(auditor_.compare(tables_of(book_)).empty(), "the auditor compares otherwise");
  }

  [[nodiscard]] const Book& book() const { return book_; }

 private:
  void check_audit() {
    const AuditReport report = auditor_.finish();
    if (!report.ok()) throw Broken{report.problems.front().text};
    AuditTables tables = tables_of(book_);
    std::erase_if(tables.open_holds, [](const auto& row) { return row.second == 0; });
    require(report.budgets == tables.budgets, "the auditor sees other budgets");
    require(report.limits == tables.limits, "the auditor sees other limits");
    require(report.open_holds == tables.open_holds, "the auditor sees other holds");
    require(report.last_sequence == book_.counters().entry, "entries are missing");
  }

  Book book_;
  Auditor auditor_;
  testing::ReferenceCheck reference_;
  BatchedLedger batched_;
  Instant carried_until_;
};

using Seeds = std::vector<std::uint64_t>;

// What broke, empty when nothing did; the run ends there and `seeds` with it.
std::string run_commands(Seeds& seeds, Coverage& coverage, std::string* log = nullptr) {
  Run run;
  Instant now = epoch;
  std::size_t done = 0;
  try {
    for (const Command& command : testing::starting_world()) run.step(command, 0, coverage);
    for (; done < seeds.size(); ++done) {
      const Command command = random_command(run.book(), seeds[done], now);
      now = command.context.at;
      if (log != nullptr) *log += describe(command) + "\n";
      run.step(command, seeds[done], coverage);
    }
    run.finish();
  } catch (const Broken& broken) {
    seeds.resize(std::min(done + 1, seeds.size()));
    return broken.text;
  }
  return {};
}

// Leaves out whatever a run does not need to break; each command stays what it is.
void leave_out_commands(Seeds& seeds) {
  Coverage ignored;
  for (std::size_t piece = seeds.size() / 2; piece > 0; piece /= 2) {
    for (std::size_t at = 0; at + piece <= seeds.size();) {
      Seeds fewer = seeds;
      const auto from = fewer.begin() + static_cast<std::ptrdiff_t>(at);
      fewer.erase(from, from + static_cast<std::ptrdiff_t>(piece));
      if (run_commands(fewer, ignored).empty()) {
        at += piece;
      } else {
        seeds = std::move(fewer);
      }
    }
  }
}

TEST(Property, AuditorAndBookAgreeAfterEveryCommand) {
  Coverage coverage;
  const auto property = [&coverage] {
    // One number gives the run; a failing one is made short by leave_out_commands().
    testing::Chance chance(
        *rc::gen::noShrink(rc::gen::resize(rc::kNominalSize, rc::gen::arbitrary<std::uint64_t>())));
    Seeds seeds(commands_per_run);
    for (std::uint64_t& seed : seeds) seed = chance.next();
    if (run_commands(seeds, coverage).empty()) return;
    leave_out_commands(seeds);
    std::string log;
    const std::string broken = run_commands(seeds, coverage, &log);
    RC_LOG() << log;
    RC_FAIL(broken);
  };
  rc::detail::TestParams params = rc::detail::configuration().testParams;
  params.maxSuccess = static_cast<int>(commands_wanted() / commands_per_run);
  rc::detail::TestMetadata metadata;
  metadata.id = "AuditorAndBookAgreeAfterEveryCommand";
  const auto result = rc::detail::checkTestable(property, metadata, params);
  std::ostringstream message;
  rc::detail::printResultMessage(result, message);
  EXPECT_TRUE(result.template is<rc::detail::SuccessResult>()) << message.str();
  EXPECT_GE(coverage.commands, commands_wanted());
  if (commands_wanted() < commands_for_coverage) return;
  // Every command was accepted but Decline, which never is, and every refusal given but the rarest,
  // or the run shows little.
  std::set<std::size_t> accepted;
  std::set<Refusal> refusals;
  for (const auto& [key, count] : coverage.outcomes) {
    if (key.second == Refusal::none) accepted.insert(key.first);
    refusals.insert(key.second);
  }
  for (std::size_t kind = 0; kind < std::variant_size_v<Action>; ++kind) {
    EXPECT_TRUE(accepted.contains(kind) || kind == Action(Decline{}).index()) << "command " << kind;
  }
  for (int refusal = 0; refusal < static_cast<int>(Refusal::overflow); ++refusal) {
    EXPECT_TRUE(refusals.contains(static_cast<Refusal>(refusal)))
        << to_string(static_cast<Refusal>(refusal));
  }
}

}  // namespace
}  // namespace asbb::ledger
