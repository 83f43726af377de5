#include <gtest/gtest.h>

#include "api/transaction.h"

namespace asbb::api {
namespace {

TEST(TransactionQueries, AreReadAndWritten) {
  const auto query = parse_transaction_query({{"account", "proj001"},
                                              {"type", "hold,charge"},
                                              {"status", "completed"},
                                              {"start_date", "2025-01-01"},
                                              {"end_date", "2025-02-01T00:00:00Z"},
                                              {"limit", "5"},
                                              {"offset", "10"},
                                              {"job_id", ""}});
  ASSERT_TRUE(query) << query.error().message;
  EXPECT_EQ(query->types, (std::vector<std::string>{"hold", "charge"}));
  EXPECT_EQ(query->limit, 5);
  EXPECT_EQ(to_query_string(*query),
            "?account=proj001&type=hold%2Ccharge&status=completed&start_date=2025-01-01"
            "&end_date=2025-02-01T00%3A00%3A00Z&limit=5&offset=10");
  EXPECT_EQ(to_query_string(TransactionQuery{}), "");
}

TEST(TransactionQueries, RefuseWhatTheyCannotHonour) {
  const auto field_of = [](const QueryParameters& parameters) {
    const auto query = parse_transaction_query(parameters);
    return query ? std::string("accepted") : query.error().field;
  };
  EXPECT_EQ(field_of({}), "accepted");
  EXPECT_EQ(field_of({{"limit", "0"}}), "limit");
  EXPECT_EQ(field_of({{"limit", "10001"}}), "limit");
  EXPECT_EQ(field_of({{"limit", "1e3"}}), "limit");
  EXPECT_EQ(field_of({{"offset", "-1"}}), "offset");
  EXPECT_EQ(field_of({{"type", "spend"}}), "type");
  EXPECT_EQ(field_of({{"type", "hold,"}}), "type");
  EXPECT_EQ(field_of({{"status", "open"}}), "status");
  EXPECT_EQ(field_of({{"start_date", "yesterday"}}), "start_date");
  EXPECT_EQ(field_of({{"acount", "proj001"}}), "acount");
  EXPECT_EQ(field_of({{"account", "a"}, {"account", "b"}}), "account");
  EXPECT_EQ(field_of({{"account", std::string("a\0b", 3)}}), "account");
}

TEST(UsageQueries, AreReadAndWritten) {
  const auto query = parse_usage_query({{"unit", "core-hours"}, {"end_date", "2025-01-31"}});
  ASSERT_TRUE(query);
  EXPECT_EQ(query->unit, "core-hours");
  EXPECT_FALSE(query->start_date.has_value());
  EXPECT_EQ(to_query_string(*query), "?unit=core-hours&end_date=2025-01-31");
  EXPECT_EQ(parse_usage_query({{"start_date", "x"}}).error().field, "start_date");
  EXPECT_EQ(parse_usage_query({{"account", "x"}}).error().field, "account");
}

TEST(PercentEncode, LeavesOnlyUnreservedCharacters) {
  EXPECT_EQ(percent_encode("proj001-a_b.c~"), "proj001-a_b.c~");
  EXPECT_EQ(percent_encode("a b/c?d=e&f%"), "a%20b%2Fc%3Fd%3De%26f%25");
  EXPECT_EQ(percent_encode("\xC3\xA9"), "%C3%A9");
}

}  // namespace
}  // namespace asbb::api
