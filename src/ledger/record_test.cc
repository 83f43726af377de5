// The texts that outlive a program: canonical records, remembered answers, words, legs.
#include "ledger/record.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "ledger/audit_record.h"
#include "ledger/command.h"

namespace asbb::ledger {
namespace {

std::string bytes() {
  return *rc::gen::arbitrary<std::string>();
}

std::int64_t number() {
  return *rc::gen::arbitrary<std::int64_t>();
}

Entry arbitrary_entry() {
  Entry entry;
  entry.sequence = number();
  entry.at.microseconds = number();
  entry.type = static_cast<EntryType>(*rc::gen::inRange(0, 14));
  entry.actor = bytes();
  entry.reason = bytes();
  entry.request_id = bytes();
  entry.account.value = number();
  entry.account_name = bytes();
  entry.budget.value = number();
  entry.unit = bytes();
  entry.amount = Micros(number());
  entry.hold.value = number();
  entry.user = bytes();
  entry.partition = bytes();
  entry.job = {bytes(), number(), number(), number(), bytes()};
  entry.price_version = number();
  entry.details = bytes();
  return entry;
}

RC_GTEST_PROP(CanonicalRecord, ReadsBackWhateverIsInIt, ()) {
  const Entry entry = arbitrary_entry();
  const std::string record = canonical_record(entry);
  const auto back = parse_canonical_record(record);
  RC_ASSERT(back.has_value());
  RC_ASSERT(*back == entry);
  RC_ASSERT(canonical_record(*back) == record);
}

RC_GTEST_PROP(CanonicalRecord, TheAuditorReadsTheSame, ()) {
  Entry entry = arbitrary_entry();
  entry.details = RecordWriter().add("text", bytes()).add("n", number()).text();
  std::string fault;
  const auto read = read_audit_record(canonical_record(entry), fault);
  RC_ASSERT(read.has_value());
  RC_ASSERT(read->sequence == entry.sequence);
  RC_ASSERT(read->at_us == entry.at.microseconds);
  RC_ASSERT(read->type == to_string(entry.type));
  RC_ASSERT(read->account == entry.account.value);
  RC_ASSERT(read->account_name == entry.account_name);
  RC_ASSERT(read->amount_micros == entry.amount.count());
  RC_ASSERT(read->unit == entry.unit);
  RC_ASSERT(read->partition == entry.partition);
  RC_ASSERT(read->hold == entry.hold.value);
  const auto details = read_record(entry.details);
  RC_ASSERT(audit_text(read->details, "text") == details->at("text"));
}

RC_GTEST_PROP(CanonicalRecord, AChangedByteIsNeverReadAsTheSameEntry, ()) {
  const Entry entry = arbitrary_entry();
  std::string record = canonical_record(entry);
  const auto at = *rc::gen::inRange<std::size_t>(0, record.size());
  const char other = *rc::gen::distinctFrom(record[at]);
  record[at] = other;
  const auto back = parse_canonical_record(record);
  // A word that is no type any more has no record to compare with.
  if (!back.has_value()) return;
  if (*back == entry) RC_ASSERT(canonical_record(*back) != record);
}

TEST(CanonicalRecord, IsTheSameInEveryVersion) {
  Entry entry;
  entry.sequence = 7;
  entry.at = Instant{1'750'000'000'123'456};
  entry.type = EntryType::charge;
  entry.actor = "reconciler";
  entry.reason = "50% of\nit";
  entry.request_id = "r-1";
  entry.account.value = 3;
  entry.account_name = "nih-r01";
  entry.budget.value = 4;
  entry.unit = "USD";
  entry.amount = Micros(-12'500'000);
  entry.hold.value = 9;
  entry.user = "ada";
  entry.partition = "gpu-aws";
  entry.job = {"onprem", 67'108'865, 2, 1, ""};
  entry.price_version = 5;
  entry.details = "cause=COMPLETED\n";
  EXPECT_EQ(canonical_record(entry),
            "asbb1\n"
            "sequence=7\nat_us=1750000000123456\ntype=charge\nactor=reconciler\n"
            "reason=50%25 of%0Ait\nrequest_id=r-1\naccount=3\naccount_name=nih-r01\nbudget=4\n"
            "unit=USD\namount_micros=-12500000\nhold=9\nuser=ada\npartition=gpu-aws\n"
            "cluster=onprem\njob_id=67108865\ntask=2\nrun=1\nexternal_id=\nprice_version=5\n"
            "details=cause=COMPLETED%0A\n");
}

TEST(CanonicalRecord, RefusesWhatIsNotOne) {
  const std::string good = canonical_record(Entry{});
  ASSERT_TRUE(parse_canonical_record(good).has_value());
  std::string without_line = good;
  without_line.erase(without_line.find("unit="), 6);
  std::string other_type = good;
  other_type.replace(other_type.find("type=hold"), 9, "type=gift");
  std::string long_number = good;
  long_number.replace(long_number.find("hold=0"), 6, "hold=9223372036854775808");
  for (const std::string& text :
       {std::string(), std::string("asbb2\n") + good.substr(6), good.substr(0, good.size() - 1),
        without_line, other_type, long_number, good + "more=1\n", good + "unit=USD\n",
        good + "no equals\n", good + "=x\n"}) {
    EXPECT_FALSE(parse_canonical_record(text).has_value()) << text;
    std::string fault;
    if (text != other_type) {
      EXPECT_FALSE(read_audit_record(text, fault).has_value()) << text;
    }
  }
}

TEST(ReadRecord, RefusesBrokenEscapes) {
  EXPECT_EQ(read_record("a=%41%0A\n")->at("a"), "A\n");
  for (const char* text : {"a=%\n", "a=%4\n", "a=%4G\n", "a=%4g\n", "a=1", "a\n", "=1\n"}) {
    EXPECT_FALSE(read_record(text).has_value()) << text;
  }
  EXPECT_TRUE(read_record("")->empty());
}

RC_GTEST_PROP(Outcome, ReadsBackWhateverIsInIt, ()) {
  Outcome outcome;
  outcome.refusal = static_cast<Refusal>(*rc::gen::inRange(0, 29));
  outcome.field = bytes();
  outcome.account.value = number();
  outcome.budget.value = number();
  outcome.hold.value = number();
  outcome.unit = bytes();
  outcome.estimate = Micros(number());
  outcome.amount = Micros(number());
  outcome.leg = {bytes(),          bytes(),          Micros(number()),
                 Micros(number()), Micros(number()), Micros(number())};
  outcome.granted = Micros(number());
  outcome.charged = Micros(number());
  outcome.overrun = Micros(number());
  outcome.released = Micros(number());
  outcome.sequence = number();
  outcome.price_version = number();
  const auto back = decode_outcome(encode(outcome));
  RC_ASSERT(back.has_value());
  RC_ASSERT(*back == outcome);
}

TEST(Outcome, RefusesTextThatIsNotOne) {
  for (const char* text : {"", "refusal=what\n", "hold=1\n", "refusal=none\nhold=x\n",
                           "refusal=none", "refusal=none\nhold=\n"}) {
    EXPECT_FALSE(decode_outcome(text).has_value()) << text;
  }
}

TEST(Words, AreAllDifferentAndReadBack) {
  for (int i = 0; i <= static_cast<int>(Refusal::overflow); ++i) {
    const auto refusal = static_cast<Refusal>(i);
    EXPECT_EQ(parse_refusal(to_string(refusal)), refusal);
  }
  for (int i = 0; i <= static_cast<int>(EntryType::prices); ++i) {
    const auto type = static_cast<EntryType>(i);
    EXPECT_EQ(parse_entry_type(to_string(type)), type);
  }
  for (const auto status : {AccountStatus::active, AccountStatus::inactive,
                            AccountStatus::suspended, AccountStatus::closed}) {
    EXPECT_EQ(parse_account_status(to_string(status)), status);
  }
  EXPECT_EQ(parse_hold_kind(to_string(HoldKind::external)), HoldKind::external);
  EXPECT_EQ(parse_hold_status(to_string(HoldStatus::closed)), HoldStatus::closed);
  EXPECT_EQ(parse_share_status(to_string(ShareStatus::settled)), ShareStatus::settled);
  EXPECT_FALSE(parse_refusal("NONE").has_value());
  EXPECT_FALSE(parse_account_status("").has_value());
}

TEST(Legs, ReadBack) {
  const std::vector<Leg> legs{{Leg::Kind::budget, 3}, {Leg::Kind::partition_limit, 7}};
  EXPECT_EQ(to_string(legs), "b3,l7");
  EXPECT_EQ(parse_legs("b3,l7"), legs);
  EXPECT_EQ(read_audit_legs("b3,l7"), (AuditLegs{{'b', 3}, {'l', 7}}));
  for (const char* text : {"b", "3", "b3,", ",b3", "b3,,l7", "x3", "b-1", "b0", "b3 ", "b3x"}) {
    EXPECT_FALSE(parse_legs(text).has_value()) << text;
  }
}

}  // namespace
}  // namespace asbb::ledger
