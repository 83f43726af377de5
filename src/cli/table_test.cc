#include "cli/table.h"

#include <gtest/gtest.h>

namespace asbb::cli {
namespace {

TEST(Table, AlignsOnTheDecimalPoint) {
  Table table({{"ACCOUNT", "account"},
               {"LIMIT (USD)", "limit", Align::decimal},
               {"JOBS", "jobs", Align::right}});
  table.add({"proj001", "50.00", "3"});
  table.add({"nih-r01", "1234567.000001", "12"});
  table.add({"empty", "", "0"});
  table.add({"minus", "-0.50", "0"});
  EXPECT_EQ(table.text(),
            "ACCOUNT     LIMIT (USD)  JOBS\n"
            "proj001       50.00         3\n"
            "nih-r01  1234567.000001    12\n"
            "empty                       0\n"
            "minus         -0.50         0\n");
}

TEST(Table, ShrinksTextNotMoney) {
  Table table({{"NAME", "name", Align::left, true}, {"USED", "used", Align::decimal}});
  table.add({std::string(100, 'x'), "123456789.00"});
  table.add({"k\xC3\xBC" + std::string(100, 'y'), "1.00"});
  EXPECT_EQ(table.text(30),
            "NAME                      USED\n"
            "xxxxxxxxxxxxxxx~  123456789.00\n"
            "k\xC3\xBCyyyyyyyyyyyyy~          1.00\n");
  EXPECT_NE(table.text(10).find("123456789.00"), std::string::npos);
}

TEST(Table, IsHarmlessForATerminal) {
  EXPECT_EQ(harmless("a\x1B[31mb\nc\x7F"), "a?[31mb?c?");
  EXPECT_EQ(harmless("caf\xC3\xA9 \xC2\x9B \xE2\x80\xAE \xFF"), "caf\xC3\xA9 ? ? ?");
  EXPECT_EQ(harmless_lines("a\nb\tc\r"), "a\nb\tc?");
}

TEST(Table, CsvSurvivesCommasQuotesAndSpreadsheets) {
  Table table({{"", "name"}, {"", "amount"}});
  table.add({"a,b", "-1.5"});
  table.add({"say \"hi\"", "=1+1"});
  table.add({"@cmd", "+x"});
  EXPECT_EQ(table.csv(),
            "name,amount\r\n\"a,b\",-1.5\r\n\"say \"\"hi\"\"\",'=1+1\r\n'@cmd,'+x\r\n");
}

TEST(Table, EmptyTablesAreKnown) {
  Table table({{"A", "a"}, {"B", "b"}});
  EXPECT_TRUE(table.is_empty());
  EXPECT_EQ(table.text(), "A  B\n");
  EXPECT_EQ(table.csv(), "a,b\r\n");
}

TEST(Share, IsOfAPositiveWhole) {
  EXPECT_EQ(to_share(Micros(1), Micros(3)), "33.3 %");
  EXPECT_EQ(to_share(Micros(-1), Micros(2)), "-50.0 %");
  EXPECT_EQ(to_share(Micros(1), Micros(0)), "-");
  EXPECT_EQ(to_second_text(Instant::from_unix_seconds(0)), "1970-01-01 00:00:00");
}

}  // namespace
}  // namespace asbb::cli
