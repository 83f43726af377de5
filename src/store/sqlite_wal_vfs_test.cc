#include "store/sqlite_wal_vfs.h"

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <filesystem>
#include <thread>
#include <vector>

#include "store/faulty_disk.h"
#include "store/sqlite.h"
#include "store/test_support.h"

namespace asbb::store {
namespace {

namespace fs = std::filesystem;
using sqlite::Access;
using sqlite::Connection;
using sqlite::WalVfs;

constexpr std::size_t header_size = 24;

// A log as SQLite writes it, through the layer alone.
class Log {
 public:
  Log(const WalVfs& layer, const std::string& path) : path_(path) {
    sqlite3_vfs* vfs = sqlite3_vfs_find(layer.name().c_str());
    memory_.resize(static_cast<std::size_t>(vfs->szOsFile));
    constexpr int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_WAL;
    EXPECT_EQ(vfs->xOpen(vfs, path_.c_str(), file(), flags, nullptr), SQLITE_OK);
  }
  ~Log() { file()->pMethods->xClose(file()); }
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  void frame(char header, char page) {
    EXPECT_EQ(write(std::string(header_size, header)), SQLITE_OK);
    EXPECT_EQ(write(std::string(4096, page)), SQLITE_OK);
  }
  int write(const std::string& bytes) {
    const int code = file()->pMethods->xWrite(file(), bytes.data(), static_cast<int>(bytes.size()),
                                              static_cast<sqlite3_int64>(end_));
    end_ += bytes.size();
    return code;
  }
  int sync() { return file()->pMethods->xSync(file(), SQLITE_SYNC_NORMAL); }
  std::string read(std::size_t count, std::size_t at) {
    std::string bytes(count, '\0');
    const int code = file()->pMethods->xRead(file(), bytes.data(), static_cast<int>(count),
                                             static_cast<sqlite3_int64>(at));
    EXPECT_EQ(code, SQLITE_OK);
    return bytes;
  }
  std::int64_t size() {
    sqlite3_int64 size = 0;
    EXPECT_EQ(file()->pMethods->xFileSize(file(), &size), SQLITE_OK);
    return size;
  }
  [[nodiscard]] std::string in_file() const { return read_file(path_); }

 private:
  sqlite3_file* file() { return reinterpret_cast<sqlite3_file*>(memory_.data()); }

  const std::string path_;
  std::vector<std::max_align_t> memory_;
  std::size_t end_ = 0;
};

std::string frames(const std::string& letters) {
  std::string bytes;
  for (std::size_t i = 0; i < letters.size(); i += 2) {
    bytes += std::string(header_size, letters[i]) + std::string(4096, letters[i + 1]);
  }
  return bytes;
}

class SqliteWalVfs : public testing::Test {
 protected:
  // The log has the mode of its database.
  SqliteWalVfs() {
    fs::create_directory(folder_.file("synced"));
    write_file(folder_.file("asbb.db"), "");
  }

  TemporaryFolder folder_;
  FaultyDisk disk_{folder_.file("synced")};
  WalVfs layer_{FaultyDisk::name()};
  const std::string path_ = folder_.file("asbb.db-wal");
};

TEST_F(SqliteWalVfs, WritesWhenItIsToSync) {
  Log log(layer_, path_);
  log.frame('A', 'a');
  log.frame('B', 'b');
  EXPECT_EQ(log.in_file(), "");
  ASSERT_EQ(log.sync(), SQLITE_OK);
  EXPECT_EQ(log.in_file(), frames("AaBb"));
  EXPECT_EQ(read_file(folder_.file("synced/asbb.db-wal")), frames("AaBb"));
}

TEST_F(SqliteWalVfs, WhatIsReadOrMeasuredIsWrittenBefore) {
  Log log(layer_, path_);
  log.frame('A', 'a');
  EXPECT_EQ(log.read(5, header_size), "aaaaa");
  log.frame('B', 'b');
  EXPECT_EQ(log.size(), static_cast<std::int64_t>(2 * (header_size + 4096)));
  EXPECT_EQ(log.in_file(), frames("AaBb"));
}

TEST_F(SqliteWalVfs, MoreThanIsGatheredIsWrittenInPieces) {
  Log log(layer_, path_);
  std::string letters;
  for (int i = 0; i < 600; ++i) {
    letters += {static_cast<char>('A' + i % 26), static_cast<char>('a' + i % 26)};
    log.frame(letters[letters.size() - 2], letters.back());
  }
  EXPECT_FALSE(log.in_file().empty());
  ASSERT_EQ(log.sync(), SQLITE_OK);
  EXPECT_EQ(log.in_file(), frames(letters));
}

TEST_F(SqliteWalVfs, AFailedWriteLeavesNoCommitMark) {
  for (const DiskFailure failure : {DiskFailure::full, DiskFailure::torn}) {
    for (int operation = 1; operation <= 2; ++operation) {
      SCOPED_TRACE(operation);
      fs::remove(path_);
      Log log(layer_, path_);
      log.frame('A', 'a');
      log.frame('B', 'b');
      disk_.fail_at(operation, failure, false);
      EXPECT_EQ(log.sync(), failure == DiskFailure::full ? SQLITE_FULL : SQLITE_IOERR_WRITE);
      EXPECT_TRUE(disk_.has_failed());
      disk_.heal();
      const std::string left = log.in_file();
      // Of the last frame's header no more than a part is there, nor is anything that looks like
      // it.
      const std::size_t last = header_size + 4096;
      if (left.size() > last) {
        EXPECT_NE(left.substr(last, header_size), std::string(header_size, 'B'));
        EXPECT_NE(left[last + header_size - 1], 'B');
      }
      // What failed is not written later.
      EXPECT_EQ(log.sync(), SQLITE_OK);
      EXPECT_EQ(log.in_file(), left);
    }
  }
}

// Also where a page ends just as there is no room for more.
TEST_F(SqliteWalVfs, TheLastHeaderIsWrittenAfterItsPage) {
  for (int count = 1; count <= 70; ++count) {
    for (int operation = 1;; ++operation) {
      SCOPED_TRACE(std::to_string(count) + " frames, operation " + std::to_string(operation));
      fs::remove(path_);
      Log log(layer_, path_);
      disk_.fail_at(operation, DiskFailure::full, true);
      bool is_written = true;
      for (int i = 1; i <= count && is_written; ++i) {
        const bool is_last = i == count;
        is_written = log.write(std::string(header_size, is_last ? 'Z' : 'A')) == SQLITE_OK &&
                     log.write(std::string(4096, is_last ? 'z' : 'a')) == SQLITE_OK;
      }
      is_written = is_written && log.sync() == SQLITE_OK;
      disk_.heal();
      const std::string left = log.in_file();
      const bool has_page = left.find(std::string(4096, 'z')) != std::string::npos;
      const bool has_header = left.find(std::string(header_size, 'Z')) != std::string::npos;
      EXPECT_TRUE(has_page || !has_header);
      EXPECT_TRUE(has_header || !is_written);
      if (is_written) break;
    }
  }
}

TEST_F(SqliteWalVfs, ACommitIsTwoWritesAndASync) {
  auto opened = Connection::open({folder_.file("asbb.db"), layer_.name(), Access::create, 0});
  ASSERT_TRUE(opened.has_value());
  Connection& connection = **opened;
  ASSERT_TRUE(
      connection.execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
                         "CREATE TABLE t (x); CREATE INDEX i ON t (x)"));
  disk_.fail_at(4, DiskFailure::full, true);
  EXPECT_TRUE(connection.execute("INSERT INTO t VALUES (1), (2)"));
  EXPECT_FALSE(disk_.has_failed());
  EXPECT_FALSE(connection.execute("INSERT INTO t VALUES (3)"));
  disk_.heal();
}

// Pages that leave the cache before the commit are written twice, and their sums anew at the end.
TEST_F(SqliteWalVfs, ATransactionLargerThanTheCacheIsWhole) {
  const std::string database = folder_.file("asbb.db");
  auto opened = Connection::open({database, layer_.name(), Access::create, 0});
  ASSERT_TRUE(opened.has_value());
  Connection& connection = **opened;
  ASSERT_TRUE(connection.execute(
      "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = 5;"
      "PRAGMA wal_autocheckpoint = 0; CREATE TABLE t (x INTEGER PRIMARY KEY, y BLOB)"));
  ASSERT_TRUE(connection.begin_write());
  ASSERT_TRUE(connection.execute(
      "WITH RECURSIVE n (x) AS (VALUES (1) UNION ALL SELECT x + 1 FROM n WHERE x < 2000)"
      "INSERT INTO t SELECT x, zeroblob(900) FROM n; UPDATE t SET y = randomblob(900);"
      "SAVEPOINT s; DELETE FROM t WHERE x % 3 = 0; UPDATE t SET y = zeroblob(9);"
      "ROLLBACK TO s; UPDATE t SET y = randomblob(800) WHERE x % 7 = 0"));
  ASSERT_TRUE(connection.commit());
  const auto sum = connection.number("SELECT sum(unicode(hex(y)) * x) FROM t");
  ASSERT_TRUE(sum.has_value());
  const TemporaryFolder copy;
  fs::copy_file(database, copy.file("asbb.db"));
  fs::copy_file(database + "-wal", copy.file("asbb.db-wal"));
  EXPECT_EQ(query_sql(copy.file("asbb.db"),
                      "PRAGMA integrity_check; SELECT count(*) FROM t;"
                      "SELECT sum(unicode(hex(y)) * x) FROM t"),
            (std::vector<std::string>{"ok", "2000", std::to_string(*sum)}));
}

// A reader that looked at a commit before its frames are in the file would find none or old ones.
TEST_F(SqliteWalVfs, ReadersSeeWholeCommitsOnly) {
  const std::string database = folder_.file("asbb.db");
  const WalVfs layer{""};
  auto opened = Connection::open({database, layer.name(), Access::create, 1000});
  ASSERT_TRUE(opened.has_value());
  Connection& connection = **opened;
  ASSERT_TRUE(connection.execute(
      "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 50;"
      "CREATE TABLE t (x INTEGER PRIMARY KEY, y BLOB); CREATE INDEX i ON t (y)"));
  std::atomic<bool> stop = false;
  std::atomic<int> looked = 0;
  std::atomic<int> wrong = 0;
  std::vector<std::thread> readers;
  for (int i = 0; i < 2; ++i) {
    readers.emplace_back([&] {
      auto reader = Connection::open({database, "", Access::read_only, 1000});
      while (reader && !stop) {
        // Ten rows a commit, each in the table and in the index.
        const auto odd = (*reader)->number("SELECT count(*) % 10 FROM t");
        const auto both = (*reader)->number(
            "SELECT (SELECT count(y) FROM t NOT INDEXED) - (SELECT count(y) FROM t INDEXED BY i)");
        if (!odd || !both || *odd != 0 || *both != 0) ++wrong;
        ++looked;
      }
    });
  }
  for (int commit = 0; commit < 200 || (looked < 50 && commit < 5000); ++commit) {
    EXPECT_TRUE(connection.begin_write());
    EXPECT_TRUE(connection.execute(
        "WITH RECURSIVE n (x) AS (VALUES (1) UNION ALL SELECT x + 1 FROM n WHERE x < 10)"
        "INSERT INTO t (y) SELECT randomblob(300) FROM n"));
    EXPECT_TRUE(connection.commit());
  }
  stop = true;
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_GT(looked, 0);
}

}  // namespace
}  // namespace asbb::store
