#include "store/lock_file.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <optional>

#include "store/test_support.h"

namespace asbb::store {
namespace {

TEST(LockFile, IsHeldByOneAndNamesTheProcess) {
  const TemporaryFolder folder;
  const std::string path = folder.file("asbb.db.lock");
  auto first = LockFile::acquire(path, 0);
  ASSERT_TRUE(first.has_value()) << first.error().message;
  const auto second = LockFile::acquire(path, 0);
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().kind, ErrorKind::unavailable);
  EXPECT_NE(second.error().message.find("process " + std::to_string(::getpid())),
            std::string::npos);
}

TEST(LockFile, IsFreeAgainWhenItsOwnerGoesAndTheFileStays) {
  const TemporaryFolder folder;
  const std::string path = folder.file("lock");
  {
    ASSERT_TRUE(LockFile::acquire(path, 0).has_value());
  }
  EXPECT_TRUE(std::filesystem::exists(path));
  EXPECT_TRUE(LockFile::acquire(path, 0).has_value());
}

TEST(LockFile, MovesWithItsValue) {
  const TemporaryFolder folder;
  const std::string path = folder.file("lock");
  std::optional<LockFile> kept;
  {
    auto lock = LockFile::acquire(path, 0);
    ASSERT_TRUE(lock.has_value());
    kept.emplace(std::move(*lock));
  }
  EXPECT_FALSE(LockFile::acquire(path, 0).has_value());
  kept.reset();
  EXPECT_TRUE(LockFile::acquire(path, 0).has_value());
}

// Else a second service would lock the new file while the first one still holds the old.
TEST(LockFile, ALockOnAFileThatWasReplacedIsNotHandedOut) {
  const TemporaryFolder folder;
  const std::string path = folder.file("lock");
  const auto first = LockFile::acquire(path, 0);
  ASSERT_TRUE(first.has_value());
  ASSERT_EQ(::unlink(path.c_str()), 0);
  const auto second = LockFile::acquire(path, 0);
  ASSERT_TRUE(second.has_value());
  EXPECT_FALSE(LockFile::acquire(path, 0).has_value());
}

TEST(LockFile, IsPrivate) {
  const TemporaryFolder folder;
  ASSERT_TRUE(LockFile::acquire(folder.file("lock"), 0).has_value());
  struct stat about{};
  ASSERT_EQ(::stat(folder.file("lock").c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 0777, 0600U);
}

TEST(LockFile, IsNotMadeThroughALink) {
  const TemporaryFolder folder;
  ASSERT_EQ(::symlink(folder.file("elsewhere").c_str(), folder.file("lock").c_str()), 0);
  const auto lock = LockFile::acquire(folder.file("lock"), 0);
  ASSERT_FALSE(lock.has_value());
  EXPECT_FALSE(std::filesystem::exists(folder.file("elsewhere")));
}

TEST(LockFile, IsFreeWithinTwoSecondsOfItsOwnersDeath) {
  const TemporaryFolder folder;
  const std::string path = folder.file("lock");
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const auto lock = LockFile::acquire(path, 0);
    const char held = lock ? 'y' : 'n';
    static_cast<void>(::write(ready[1], &held, 1) == 1);
    ::pause();
    ::_exit(0);
  }
  char held = 0;
  ASSERT_EQ(::read(ready[0], &held, 1), 1);
  ASSERT_EQ(held, 'y');
  ASSERT_FALSE(LockFile::acquire(path, 0).has_value());
  ASSERT_EQ(::kill(child, SIGKILL), 0);
  const auto killed = std::chrono::steady_clock::now();
  const auto lock = LockFile::acquire(path, 10'000);
  const auto taken = std::chrono::steady_clock::now();
  EXPECT_EQ(::waitpid(child, nullptr, 0), child);
  ASSERT_TRUE(lock.has_value()) << lock.error().message;
  EXPECT_LT(taken - killed, std::chrono::seconds(2));
  ::close(ready[0]);
  ::close(ready[1]);
}

}  // namespace
}  // namespace asbb::store
