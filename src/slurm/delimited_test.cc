#include "slurm/delimited.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "slurm/slurm_text.h"
#include "slurm/test_files.h"

namespace asbb::slurm {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST(Separator, IsNewEachTimeAndNoFieldWidth) {
  const std::string one = make_separator();
  EXPECT_EQ(one.size(), 17u);
  EXPECT_EQ(one.front(), '\x1f');
  EXPECT_EQ(one.find(','), std::string::npos);
  EXPECT_NE(one, make_separator());
}

TEST(CutRecords, KeepsNewlinesBarsAndNulsInsideFields) {
  const std::string text =
      joined({"1", "a|b\nc", std::string("x\0y", 3)}) + joined({"2", "", "\n"});
  const auto cut = cut_records(text, recorded_separator, 3);
  EXPECT_THAT(cut.problems, IsEmpty());
  ASSERT_THAT(cut.records, SizeIs(2));
  EXPECT_THAT(cut.records[0], ElementsAre("1", "a|b\nc", std::string("x\0y", 3)));
  EXPECT_THAT(cut.records[1], ElementsAre("2", "", "\n"));
}

TEST(CutRecords, LeavesOutRecordsOfOtherColumnsAndReadsTheRest) {
  const std::string text = joined({"1", "a"}) + joined({"2", "b", "c"}) + joined({"3"}) +
                           joined({"4", "d"}) + "5" + recorded_separator + "cut sh";
  const auto cut = cut_records(text, recorded_separator, 2);
  ASSERT_THAT(cut.records, SizeIs(2));
  EXPECT_EQ(cut.records[0][0], "1");
  EXPECT_EQ(cut.records[1][0], "4");
  EXPECT_THAT(cut.problems, SizeIs(3));
}

TEST(CutRecords, OfNothingIsNothing) {
  EXPECT_THAT(cut_records("", recorded_separator, 3).records, IsEmpty());
  EXPECT_THAT(cut_records("", recorded_separator, 3).problems, IsEmpty());
  EXPECT_THAT(cut_records("\n", recorded_separator, 3).problems, SizeIs(1));
}

RC_GTEST_PROP(CutRecords, GivesBackWhateverTheFieldsHold, ()) {
  const auto columns = *rc::gen::inRange<std::size_t>(1, 6);
  const auto rows = *rc::gen::container<std::vector<std::vector<std::string>>>(
      rc::gen::container<std::vector<std::string>>(columns, rc::gen::arbitrary<std::string>()));
  std::string text;
  for (const auto& row : rows) {
    text += joined(row);
  }
  const auto cut = cut_records(text, recorded_separator, columns);
  RC_ASSERT(cut.problems.empty());
  RC_ASSERT(cut.records.size() == rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    RC_ASSERT(std::equal(rows[i].begin(), rows[i].end(), cut.records[i].begin()));
  }
}

RC_GTEST_PROP(CutRecords, ACutLosesOnlyTheLastRecord, ()) {
  const auto rows = *rc::gen::inRange<std::size_t>(1, 6);
  std::string text;
  for (std::size_t i = 0; i < rows; ++i) {
    text += joined({std::to_string(i), "x"});
  }
  const auto length = *rc::gen::inRange<std::size_t>(0, text.size());
  const auto cut = cut_records(std::string_view(text).substr(0, length), recorded_separator, 2);
  const std::size_t whole = length / (text.size() / rows);
  RC_ASSERT(cut.records.size() == whole);
  RC_ASSERT(cut.problems.empty() == (length % (text.size() / rows) == 0));
}

struct Row {
  std::vector<std::string_view> names{"Column"};
  std::vector<std::string_view> fields;
  FieldReader reader;
  explicit Row(std::string_view text) : fields{text}, reader(fields, names) {}
};

TEST(FieldReader, TellsNothingFromSomething) {
  EXPECT_EQ(Row("(null)").reader.text(0), "");
  EXPECT_EQ(Row("None assigned").reader.text(0), "");
  EXPECT_EQ(Row("abc").reader.text(0), "abc");
  EXPECT_EQ(Row("Unknown").reader.optional_time(0), std::nullopt);
  EXPECT_EQ(Row("None").reader.optional_time(0), std::nullopt);
  EXPECT_EQ(Row("1795298790").reader.optional_time(0), Instant::from_unix_seconds(1'795'298'790));
  EXPECT_EQ(Row("UNLIMITED").reader.limit_minutes(0), unlimited);
  EXPECT_EQ(Row("Partition_Limit").reader.limit_minutes(0), unlimited);
  EXPECT_EQ(Row("10:30").reader.limit_minutes(0), 11);
}

TEST(FieldReader, SaysWhatIsWrongWithTheFirstBadField) {
  for (const char* text : {"", "x", "-1", "1.5", "99999999999999999999", "1795298790 "}) {
    Row row(text);
    static_cast<void>(row.reader.count(0));
    EXPECT_EQ(row.reader.problem(), "Column is '" + std::string(text) + "'");
  }
  Row far("253402300800");
  static_cast<void>(far.reader.time(0));
  EXPECT_FALSE(far.reader.problem().empty());
  Row large("4294967296");
  static_cast<void>(large.reader.user_id(0));
  EXPECT_FALSE(large.reader.problem().empty());
  Row endless("UNLIMITED");
  static_cast<void>(endless.reader.duration_seconds(0));
  EXPECT_FALSE(endless.reader.problem().empty());
}

}  // namespace
}  // namespace asbb::slurm
