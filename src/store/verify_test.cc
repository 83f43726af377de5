#include "store/verify.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ledger/record.h"
#include "store/test_support.h"

namespace asbb::store {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

struct Line {
  std::int64_t number = 0;
  std::string record;
  ChainValue chain{};
};

ChainKey test_key() {
  ChainKey key{};
  key[3] = 7;
  return key;
}

std::string record_of(std::int64_t number, const std::string& actor = "root") {
  ledger::Entry entry;
  entry.sequence = number;
  entry.type = ledger::EntryType::account_create;
  entry.actor = actor;
  return ledger::canonical_record(entry);
}

std::vector<Line> chain_of(std::int64_t count) {
  std::vector<Line> lines;
  ChainValue head{};
  for (std::int64_t i = 1; i <= count; ++i) {
    head = chain_next(test_key(), head, record_of(i));
    lines.push_back({i, record_of(i), head});
  }
  return lines;
}

// Each by its place in the list, whatever it says it is.
void number_anew(std::vector<Line>& lines) {
  for (std::size_t i = 0; i < lines.size(); ++i) lines[i].number = static_cast<std::int64_t>(i) + 1;
}

std::vector<std::string> findings(const std::vector<Line>& lines) {
  ChainCheck check(test_key());
  for (const Line& line : lines) check.add(line.number, line.record, line.chain);
  std::vector<std::string> out;
  for (const ChainFinding& finding : check.finish()) out.push_back(finding.text);
  return out;
}

TEST(ChainCheck, IsContentWithWhatWasWritten) {
  EXPECT_THAT(findings(chain_of(20)), IsEmpty());
  EXPECT_THAT(findings({}), IsEmpty());
}

TEST(ChainCheck, FindsEditedEntries) {
  auto lines = chain_of(9);
  lines[3].record = record_of(4, "mallory");
  EXPECT_THAT(findings(lines), ElementsAre(HasSubstr("Entry 4 was edited")));
  lines[4].record = record_of(5, "mallory");
  EXPECT_THAT(findings(lines), ElementsAre(HasSubstr("Entries 4 to 5 were edited")));
  lines[4].record = "nonsense";
  EXPECT_THAT(findings(lines),
              ElementsAre(HasSubstr("Entries 4 to 5 were"), HasSubstr("Entry 5 was edited")));
}

TEST(ChainCheck, FindsAnEditedLastEntryAndAnEditedChainValue) {
  auto lines = chain_of(5);
  lines[4].record = record_of(5, "mallory");
  EXPECT_THAT(findings(lines), ElementsAre(HasSubstr("Entry 5, up to the last")));
  lines = chain_of(5);
  lines[1].chain[0] ^= 1;
  EXPECT_THAT(findings(lines), ElementsAre(HasSubstr("Entries 2 to 3 were edited")));
}

TEST(ChainCheck, FindsDeletedEntries) {
  auto lines = chain_of(9);
  lines.erase(lines.begin() + 3);
  EXPECT_THAT(findings(lines), ElementsAre("Entry 4 is missing: deleted."));
  lines.erase(lines.begin() + 3);
  EXPECT_THAT(findings(lines), ElementsAre("Entries 4 to 5 are missing: deleted."));
  number_anew(lines);
  EXPECT_THAT(findings(lines), ElementsAre("Entries 4 to 7 have the records of entries 6 to 9: "
                                           "entries 4 to 5 deleted, the rest numbered anew."));
}

TEST(ChainCheck, FindsInsertedEntries) {
  auto lines = chain_of(6);
  lines.insert(lines.begin() + 3, Line{4, record_of(4, "mallory"), {}});
  number_anew(lines);
  EXPECT_THAT(findings(lines),
              ElementsAre("Entry 4 was inserted: the chain holds without it.",
                          "Entries 5 to 7 have the records of entries 4 to 6: entry 4 inserted, "
                          "the rest numbered anew."));
  lines[3].chain = lines[2].chain;  // copied with the entry before
  EXPECT_THAT(findings(lines).front(), "Entry 4 was inserted: the chain holds without it.");
  lines = chain_of(3);
  lines.push_back({4, record_of(4), {}});
  EXPECT_THAT(findings(lines), ElementsAre(HasSubstr("Entry 4, up to the last")));
}

TEST(ChainCheck, FindsReorderedEntries) {
  auto lines = chain_of(9);
  std::swap(lines[2], lines[6]);
  number_anew(lines);
  EXPECT_THAT(findings(lines), ElementsAre("Entry 3 has the record of entry 7: reordered.",
                                           "Entry 7 has the record of entry 3: reordered."));
  lines = chain_of(9);
  std::swap(lines[2], lines[3]);
  number_anew(lines);
  EXPECT_THAT(findings(lines), ElementsAre("Entry 3 has the record of entry 4: reordered.",
                                           "Entry 4 has the record of entry 3: reordered."));
}

// Everything from the change on is made with a key again, but with another.
TEST(ChainCheck, FindsWhereAChainWithAnotherKeyBegins) {
  auto lines = chain_of(9);
  ChainValue head = lines[3].chain;
  for (std::size_t i = 4; i < lines.size(); ++i) {
    head = chain_next(ChainKey{}, head, lines[i].record);
    lines[i].chain = head;
  }
  EXPECT_THAT(findings(lines), ElementsAre(HasSubstr("Entries 5 to 9, up to the last")));
  ChainCheck check(ChainKey{});
  for (const Line& line : chain_of(3)) check.add(line.number, line.record, line.chain);
  EXPECT_THAT(check.finish().front().text, HasSubstr("no value of the chain was made with this"));
}

TEST(ChainCheck, SaysWhichColumnDiffersFromTheRecord) {
  ChainedEntry row;
  row.entry.sequence = 1;
  row.entry.type = ledger::EntryType::deposit;
  row.record = ledger::canonical_record(row.entry);
  row.chain = chain_next(test_key(), {}, row.record);
  row.entry.amount = Micros(5);
  ChainCheck check(test_key());
  check.add(row);
  const auto found = check.finish();
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].text,
            "Entry 1 was edited: amount_micros is '5' in its column and '0' in its record.");
}

KnownHead head_of(const std::vector<Line>& lines, std::size_t count) {
  return {lines[count - 1].number, to_hex(lines[count - 1].chain), "2025-06-15T12:00:00Z"};
}

std::vector<std::string> head_findings(const std::vector<Line>& lines, KnownHeads heads) {
  HeadCheck check(std::move(heads));
  for (const Line& line : lines) check.add(line.number, line.chain);
  return check.finish(lines.empty() ? 0 : lines.back().number);
}

TEST(Heads, ShowACutTailAndChangedHistory) {
  const TemporaryFolder folder;
  const std::string path = folder.file("heads");
  const auto lines = chain_of(6);
  ASSERT_TRUE(append_head(path, head_of(lines, 2)));
  ASSERT_TRUE(append_head(path, head_of(lines, 6)));
  const auto heads = read_heads(path);
  ASSERT_TRUE(heads);
  EXPECT_THAT(heads->heads, ElementsAre(head_of(lines, 2), head_of(lines, 6)));
  EXPECT_THAT(head_findings(lines, *heads), IsEmpty());
  auto cut = lines;
  cut.resize(4);
  EXPECT_THAT(head_findings(cut, *heads),
              ElementsAre("The ledger ends at entry 4, but had 6 entries at 2025-06-15T12:00:00Z: "
                          "the tail from entry 5 on is cut."));
  auto changed = lines;
  changed[1].chain[0] ^= 1;
  EXPECT_THAT(head_findings(changed, *heads),
              ElementsAre(HasSubstr("Entry 2: the head of the chain was")));
}

TEST(Heads, TornAndEditedLinesAreTold) {
  const TemporaryFolder folder;
  const std::string path = folder.file("heads");
  const auto lines = chain_of(2);
  write_file(path, "2 abc");
  EXPECT_THAT(read_heads(path)->problems, IsEmpty());
  ASSERT_TRUE(append_head(path, head_of(lines, 2)));
  const auto heads = read_heads(path);
  EXPECT_THAT(heads->problems, ElementsAre(HasSubstr("Line 1 of")));
  EXPECT_THAT(heads->heads, ElementsAre(head_of(lines, 2)));
}

TEST(Heads, AMissingFileIsToldOnceThereAreEntries) {
  const TemporaryFolder folder;
  const auto heads = read_heads(folder.file("none"));
  ASSERT_TRUE(heads);
  EXPECT_THAT(head_findings({}, *heads), IsEmpty());
  EXPECT_THAT(head_findings(chain_of(1), *heads), ElementsAre(HasSubstr("is not there")));
  EXPECT_EQ(read_heads("")->missing_file, "");
  EXPECT_FALSE(append_head(folder.file("no/such/folder"), {}));
}

}  // namespace
}  // namespace asbb::store
