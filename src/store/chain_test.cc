#include "store/chain.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "store/test_support.h"

namespace asbb::store {
namespace {

ChainKey counting_key() {
  ChainKey key{};
  for (std::size_t i = 0; i < key.size(); ++i) key[i] = static_cast<std::uint8_t>(i);
  return key;
}

mode_t mode_of(const std::string& path) {
  struct stat about{};
  EXPECT_EQ(::stat(path.c_str(), &about), 0);
  return about.st_mode & 07777;
}

// Computed apart, with Python's hmac module: HMAC-SHA-256 of previous || record.
TEST(Chain, IsHmacSha256OverPreviousAndRecord) {
  const ChainKey key = counting_key();
  const ChainValue first = chain_next(key, ChainValue{}, "asbb1\nsequence=1\n");
  EXPECT_EQ(to_hex(first), "cde380becdcdd157a0546e9d027cec133aa77d1fa4dcfe092627d05a6b72a3f0");
  const ChainValue second = chain_next(key, first, "asbb1\nsequence=2\n");
  EXPECT_EQ(to_hex(second), "ddadb1ba7bbfd6d108c3e6a09c1fa7c8aaca813bd3c7286cda3010662a49a2fc");
}

TEST(Chain, DependsOnKeyPreviousAndRecord) {
  const ChainKey key = counting_key();
  ChainKey other_key = key;
  other_key[31] ^= 1;
  ChainValue other_previous{};
  other_previous[0] = 1;
  const ChainValue value = chain_next(key, ChainValue{}, "record");
  EXPECT_NE(value, chain_next(other_key, ChainValue{}, "record"));
  EXPECT_NE(value, chain_next(key, other_previous, "record"));
  EXPECT_NE(value, chain_next(key, ChainValue{}, "recore"));
}

TEST(ChainKeyFile, IsCreatedOnceAndReadBack) {
  const TemporaryFolder folder;
  const std::string path = folder.file("chain.key");
  ASSERT_TRUE(create_chain_key(path).has_value());
  EXPECT_EQ(mode_of(path), 0400U);
  EXPECT_EQ(read_file(path).size(), 65U);
  const auto key = read_chain_key(path);
  ASSERT_TRUE(key.has_value()) << key.error().message;
  EXPECT_EQ(to_hex(*key) + "\n", read_file(path));

  const std::string before = read_file(path);
  const auto again = create_chain_key(path);
  ASSERT_FALSE(again.has_value());
  EXPECT_EQ(again.error().kind, ErrorKind::conflict);
  EXPECT_EQ(read_file(path), before);
}

TEST(ChainKeyFile, TwoKeysDiffer) {
  const TemporaryFolder folder;
  ASSERT_TRUE(create_chain_key(folder.file("a")).has_value());
  ASSERT_TRUE(create_chain_key(folder.file("b")).has_value());
  EXPECT_NE(read_file(folder.file("a")), read_file(folder.file("b")));
}

TEST(ChainKeyFile, IsRefusedWhenOthersMayUseIt) {
  const TemporaryFolder folder;
  const std::string path = folder.file("chain.key");
  ASSERT_TRUE(create_chain_key(path).has_value());
  for (const mode_t mode : {0440U, 0404U, 0420U, 0410U}) {
    ASSERT_EQ(::chmod(path.c_str(), mode), 0);
    const auto key = read_chain_key(path);
    ASSERT_FALSE(key.has_value()) << mode;
    EXPECT_NE(key.error().message.find("0400"), std::string::npos);
  }
  ASSERT_EQ(::chmod(path.c_str(), 0600), 0);
  EXPECT_TRUE(read_chain_key(path).has_value());
}

TEST(ChainKeyFile, IsRefusedWhenItIsNotAKey) {
  const TemporaryFolder folder;
  const std::string path = folder.file("chain.key");
  const std::string digits(64, 'a');
  for (const std::string& content :
       {std::string(), digits.substr(1), digits + "a", digits + "\n\n", digits + "\na",
        "g" + digits.substr(1), digits.substr(2) + " \n"}) {
    write_file(path, content);
    ASSERT_EQ(::chmod(path.c_str(), 0600), 0);
    EXPECT_FALSE(read_chain_key(path).has_value()) << content;
  }
  write_file(path, digits);
  EXPECT_TRUE(read_chain_key(path).has_value());
  EXPECT_EQ(read_chain_key(folder.file("none")).error().kind, ErrorKind::not_found);
  EXPECT_FALSE(read_chain_key(folder.path()).has_value());
}

TEST(ChainKeyFile, IsNotCreatedWhereItCannotBe) {
  const TemporaryFolder folder;
  EXPECT_EQ(create_chain_key(folder.file("no/such/key")).error().kind, ErrorKind::not_found);
}

}  // namespace
}  // namespace asbb::store
