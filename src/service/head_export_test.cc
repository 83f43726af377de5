#include "service/head_export.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "store/memory_store.h"

namespace asbb::service {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class HeadExportTest : public ::testing::Test {
 protected:
  HeadExportTest() : folder_(std::filesystem::temp_directory_path() / "asbb-heads-XXXXXX") {
    std::string name = folder_.string();
    folder_ = ::mkdtemp(name.data());
    EXPECT_TRUE(store_.own(0));
  }
  ~HeadExportTest() override { std::filesystem::remove_all(folder_); }

  std::string file(const std::string& name = "heads") const { return folder_ / name; }

  void commit_entry(std::int64_t sequence) {
    store::Batch batch;
    store::ChainedEntry chained;
    chained.entry.sequence = sequence;
    chained.entry.type = ledger::EntryType::prices;
    chained.record = "record";
    chained.chain[0] = static_cast<std::uint8_t>(sequence);
    batch.entries.push_back(chained);
    const auto done = store_.commit(batch);
    ASSERT_TRUE(done) << done.error().message;
  }

  std::vector<std::int64_t> sequences() const {
    std::vector<std::int64_t> out;
    const auto known = store::read_heads(file());
    for (const auto& head : known->heads) out.push_back(head.sequence);
    return out;
  }

  HeadExport make(HeadExportOptions options) {
    return HeadExport(
        store_, alarms_, [] { return Instant{}; }, std::move(options),
        [this](const std::string& line) { said_.push_back(line); });
  }

  std::filesystem::path folder_;
  store::MemoryStore store_;
  Alarms alarms_;
  std::vector<std::string> said_;
};

TEST_F(HeadExportTest, WritesALineAtStartAndAtStop) {
  commit_entry(1);
  {
    HeadExport heads = make({file(), hours(1), false});
    heads.start();
    while (sequences().empty()) std::this_thread::yield();
    commit_entry(2);
    heads.stop();
  }
  EXPECT_THAT(sequences(), ElementsAre(1, 2));
  EXPECT_THAT(said_, IsEmpty());
}

TEST_F(HeadExportTest, WritesOnItsTimer) {
  commit_entry(1);
  HeadExport heads = make({file(), milliseconds(5), true});
  heads.start();
  while (sequences().size() < 3) std::this_thread::yield();
  heads.stop();
  ASSERT_GE(said_.size(), 3U);
  EXPECT_THAT(said_.front(), HasSubstr("head of the audit chain: 1 0100"));
}

TEST_F(HeadExportTest, WritesNothingForNoEntriesOrNowhere) {
  HeadExport heads = make({file(), hours(1), true});
  heads.write_once();
  EXPECT_THAT(sequences(), IsEmpty());
  EXPECT_THAT(said_, IsEmpty());
  commit_entry(1);
  HeadExport nowhere = make({"", hours(1), false});
  nowhere.start();
  nowhere.stop();
  EXPECT_THAT(said_, IsEmpty());
}

TEST_F(HeadExportTest, AFileThatCannotBeWrittenIsAnAlarmUntilItCan) {
  commit_entry(1);
  HeadExport heads = make({file("sub/heads"), hours(1), false});
  heads.write_once();
  ASSERT_EQ(alarms_.list().size(), 1U);
  EXPECT_THAT(alarms_.list().front().message, HasSubstr("is not written down"));
  std::filesystem::create_directory(folder_ / "sub");
  heads.write_once();
  EXPECT_THAT(alarms_.list(), IsEmpty());
}

}  // namespace
}  // namespace asbb::service
