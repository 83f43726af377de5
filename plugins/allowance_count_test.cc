#include "plugins/allowance_count.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <string>
#include <vector>

#include "plugins/testing/fake_service.h"
#include "plugins/testing/fake_slurm.h"

namespace asbb::plugins {
namespace {

constexpr std::int64_t kAmount = 1'000;

class AllowanceFile : public ::testing::Test {
 protected:
  AllowanceFile() { testing::take_log(); }
  ~AllowanceFile() override { testing::take_log(); }

  // A slurmctld that starts: what it can still take of these generations.
  struct Controller {
    Controller(const std::string& path, const std::vector<std::uint64_t>& generations) {
      count.configure(path.c_str());
      count.publish(generations.data(), generations.size());
    }
    bool take(std::uint64_t generation, std::int64_t micros) {
      return count.take(generation, kAmount, micros, &left);
    }
    AllowanceCount count;
    std::int64_t left = -1;
  };

  std::string read() const {
    std::ifstream file(path_, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  }
  void write(const std::string& bytes) const {
    std::ofstream(path_, std::ios::binary | std::ios::trunc) << bytes;
    chmod(path_.c_str(), 0600);
  }

  testing::Folder folder_;
  std::string path_ = folder_.path("asbb_allowances");
};

TEST_F(AllowanceFile, CountsDownToNothingAndNoFurther) {
  Controller controller(path_, {7});
  EXPECT_TRUE(controller.take(7, 600));
  EXPECT_EQ(controller.left, 400);
  EXPECT_FALSE(controller.take(7, 401));
  EXPECT_EQ(controller.left, 400);
  EXPECT_TRUE(controller.take(7, 400));
  EXPECT_FALSE(controller.take(7, 1));
  EXPECT_EQ(controller.left, 0);
  EXPECT_FALSE(controller.take(8, 1)) << "not published";
  EXPECT_FALSE(controller.take(0, 1));
  EXPECT_FALSE(controller.take(7, -1));
}

TEST_F(AllowanceFile, TheNextControllerGoesOnWhereTheLastOneStopped) {
  {
    Controller controller(path_, {7, 9});
    EXPECT_TRUE(controller.take(7, 600));
  }
  struct stat status = {};
  ASSERT_EQ(stat(path_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600U);
  Controller next(path_, {7, 9});
  EXPECT_FALSE(next.take(7, 401));
  EXPECT_TRUE(next.take(7, 400));
  EXPECT_TRUE(next.take(9, kAmount));
}

TEST_F(AllowanceFile, ANewGenerationBeginsAnewAndTheOldOneIsForgotten) {
  Controller controller(path_, {7});
  EXPECT_TRUE(controller.take(7, kAmount));
  const std::uint64_t fresh[] = {8};
  controller.count.publish(fresh, 1);
  EXPECT_TRUE(controller.take(8, kAmount));
  EXPECT_FALSE(controller.take(7, 1));
  char storage[64];
  BoundedText spent(storage, sizeof storage);
  controller.count.write_spent(&spent);
  EXPECT_EQ(spent.view(), "8=1000");
}

// The service may forget that it has withdrawn a generation, when it starts again while a
// controller cannot be read, and publish it once more: what was spent of it then is no longer known
// here.
TEST_F(AllowanceFile, AWithdrawnGenerationCountsAsSpentWhenItIsPublishedAgain) {
  {
    Controller controller(path_, {7, 9});
    EXPECT_TRUE(controller.take(7, 600));
    const std::uint64_t fresh[] = {9, 12};
    controller.count.publish(fresh, 2);
  }
  Controller next(path_, {7, 9, 12});
  EXPECT_FALSE(next.take(7, 1));
  EXPECT_EQ(next.left, 0);
  EXPECT_TRUE(next.take(9, kAmount)) << "was published all the time";
  EXPECT_TRUE(next.take(12, 5));
  char storage[64];
  BoundedText spent(storage, sizeof storage);
  next.count.write_spent(&spent);
  EXPECT_EQ(spent.view(), "12=5,9=1000,7=0") << "so that the service sets money aside anew";
  Controller third(path_, {7, 9, 12});
  EXPECT_FALSE(third.take(7, 1)) << "nor after another restart";
  EXPECT_FALSE(Controller(path_, {11}).take(11, 1)) << "older than one that was seen";
  EXPECT_TRUE(Controller(path_, {13}).take(13, kAmount));
  EXPECT_FALSE(Controller(path_, {12}).take(12, 1));
}

TEST_F(AllowanceFile, NothingIsSpentOfAWithdrawnGenerationWithinOneController) {
  Controller controller(path_, {7});
  EXPECT_TRUE(controller.take(7, kAmount));
  controller.count.publish(nullptr, 0);
  const std::uint64_t again[] = {7};
  controller.count.publish(again, 1);
  EXPECT_FALSE(controller.take(7, 1));
}

// Whatever the file says, what it does not prove to be left is spent, until the service sets money
// aside anew.
TEST_F(AllowanceFile, ADamagedFileSpendsNothingThatWasPublishedBefore) {
  {
    Controller controller(path_, {7});
    EXPECT_TRUE(controller.take(7, 100));
  }
  const std::string whole = read();
  std::string flipped = whole;
  flipped[20] = static_cast<char>(flipped[20] ^ 1);
  for (const std::string& bytes :
       {std::string(), whole.substr(0, 100), whole + "x", std::string("x"), flipped,
        std::string(whole.size(), 0), std::string(whole.size(), '\xff')}) {
    write(bytes);
    Controller controller(path_, {7});
    EXPECT_FALSE(controller.take(7, 1));
    char storage[64];
    BoundedText spent(storage, sizeof storage);
    controller.count.write_spent(&spent);
    EXPECT_EQ(spent.view(), "7=0") << "so that the service hears of it";
    Controller next(path_, {7});
    EXPECT_FALSE(next.take(7, 1)) << "nor after a restart";
    const std::uint64_t fresh[] = {7, 8};
    next.count.publish(fresh, 2);
    EXPECT_TRUE(next.take(8, kAmount));
  }
}

TEST_F(AllowanceFile, AFileThatOthersCouldHaveWrittenIsNotUsed) {
  for (const mode_t mode : {0620U, 0602U, 0640U, 0666U}) {
    write("");
    chmod(path_.c_str(), mode);
    Controller controller(path_, {7});
    EXPECT_FALSE(controller.take(7, 1)) << std::oct << mode;
    EXPECT_NE(controller.count.problem(), nullptr);
  }
  unlink(path_.c_str());
  const std::string other = folder_.write("other", "");
  chmod(other.c_str(), 0600);
  ASSERT_EQ(symlink(other.c_str(), path_.c_str()), 0);
  EXPECT_FALSE(Controller(path_, {7}).take(7, 1)) << "a symbolic link";
  unlink(path_.c_str());
  ASSERT_EQ(link(other.c_str(), path_.c_str()), 0);
  EXPECT_FALSE(Controller(path_, {7}).take(7, 1)) << "a file with another name";
  unlink(path_.c_str());
  ASSERT_EQ(mkfifo(path_.c_str(), 0600), 0);
  EXPECT_FALSE(Controller(path_, {7}).take(7, 1));
}

TEST_F(AllowanceFile, WithoutAPlaceNothingIsSpent) {
  EXPECT_FALSE(Controller("", {7}).take(7, 1));
  EXPECT_FALSE(Controller(folder_.path("nowhere/file"), {7}).take(7, 1));
}

// Somebody cuts the file under a running controller: no signal, and nothing is spent twice.
TEST_F(AllowanceFile, ACutFileIsMadeWholeByTheNextCount) {
  Controller controller(path_, {7});
  EXPECT_TRUE(controller.take(7, 600));
  ASSERT_EQ(truncate(path_.c_str(), 0), 0);
  EXPECT_TRUE(controller.take(7, 100));
  EXPECT_FALSE(Controller(path_, {7}).take(7, 301));
  EXPECT_TRUE(controller.take(7, 300));
}

}  // namespace
}  // namespace asbb::plugins
