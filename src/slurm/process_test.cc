#include "slurm/process.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <cstdlib>
#include <thread>

#include "slurm/slurm_client.h"

namespace asbb::slurm {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

ProcessRequest shell(const std::string& script) {
  ProcessRequest request;
  request.argv = {"/bin/sh", "-c", script};
  return request;
}

TEST(Process, GivesExitCodeAndBothOutputs) {
  const auto ran = run_process(shell("echo out; echo err >&2; exit 7"));
  ASSERT_TRUE(ran.has_value());
  EXPECT_EQ(ran->exit_code, 7);
  EXPECT_EQ(ran->out, "out\n");
  EXPECT_EQ(ran->err, "err\n");
}

TEST(Process, PassesArgumentsWithoutAShell) {
  ProcessRequest request;
  request.argv = {"printf", "%s|", "a b", "$HOME", "'\"", "\x1f\n"};
  const auto ran = run_process(request);
  ASSERT_TRUE(ran.has_value());
  EXPECT_EQ(ran->out, "a b|$HOME|'\"|\x1f\n|");
}

TEST(Process, HandsOverOnlyTheEnvironmentThatWasMade) {
  ::setenv("SQUEUE_STATES", "RUNNING", 1);
  ::setenv("TZ", "Asia/Tokyo", 1);
  ProcessRequest request;
  request.argv = {"env"};
  request.environment = {{"SLURM_CONF", "/etc/a.conf"}};
  const auto ran = run_process(request);
  ::unsetenv("SQUEUE_STATES");
  ::unsetenv("TZ");
  ASSERT_TRUE(ran.has_value());
  EXPECT_THAT(ran->out, HasSubstr("SLURM_CONF=/etc/a.conf\n"));
  EXPECT_THAT(ran->out, HasSubstr("TZ=UTC\n"));
  EXPECT_THAT(ran->out, HasSubstr("LC_ALL=C\n"));
  EXPECT_THAT(ran->out, Not(HasSubstr("SQUEUE_STATES")));
}

TEST(Process, ReadsMoreThanAPipeHolds) {
  const auto ran = run_process(shell("head -c 3000000 /dev/zero; head -c 300000 /dev/zero >&2"));
  ASSERT_TRUE(ran.has_value());
  EXPECT_EQ(ran->out.size(), 3'000'000u);
  EXPECT_EQ(ran->err.size(), 300'000u);
}

TEST(Process, StopsTheWholeGroupAtTheDeadline) {
  auto request = shell("sleep 30 & echo $!; wait");
  request.deadline_ms = 300;
  const auto begin = std::chrono::steady_clock::now();
  const auto ran = run_process(request);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(10));
  ASSERT_FALSE(ran.has_value());
  EXPECT_EQ(ran.error().kind, ErrorKind::unavailable);
  EXPECT_THAT(ran.error().message, HasSubstr("/bin/sh gave no answer within 300 ms"));
}

TEST(Process, DoesNotWaitForWhatAGrandchildHoldsOpen) {
  auto request = shell("sleep 30 & echo done");
  request.deadline_ms = 20'000;
  const auto begin = std::chrono::steady_clock::now();
  const auto ran = run_process(request);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(10));
  ASSERT_TRUE(ran.has_value());
  EXPECT_EQ(ran->out, "done\n");
}

TEST(Process, StopsAtTheOutputLimit) {
  auto request = shell("yes");
  request.output_limit_bytes = 1000;
  const auto ran = run_process(request);
  ASSERT_FALSE(ran.has_value());
  EXPECT_EQ(ran.error().kind, ErrorKind::broken);
  EXPECT_EQ(ran.error().field, output_limit_field);
}

TEST(Process, TellsASignalByItsNumber) {
  const auto ran = run_process(shell("kill -TERM $$"));
  ASSERT_TRUE(ran.has_value());
  EXPECT_EQ(ran->exit_code, 128 + SIGTERM);
}

TEST(Process, SaysWhichProgramIsMissing) {
  ProcessRequest request;
  request.argv = {"/nowhere/squeue"};
  const auto ran = run_process(request);
  ASSERT_FALSE(ran.has_value());
  EXPECT_EQ(ran.error().kind, ErrorKind::broken);
  EXPECT_THAT(ran.error().message, HasSubstr("/nowhere/squeue"));
}

TEST(Process, RefusesNothingAndNul) {
  EXPECT_EQ(run_process({}).error().kind, ErrorKind::invalid);
  ProcessRequest request;
  request.argv = {"printf", std::string("a\0b", 3)};
  EXPECT_EQ(run_process(request).error().kind, ErrorKind::invalid);
}

TEST(Process, RunsFromSeveralThreads) {
  std::vector<std::thread> threads;
  std::vector<std::string> outputs(8);
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    threads.emplace_back([&outputs, i] {
      const auto ran = run_process(shell("echo " + std::to_string(i)));
      outputs[i] = ran ? ran->out : ran.error().message;
    });
  }
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    threads[i].join();
    EXPECT_EQ(outputs[i], std::to_string(i) + "\n");
  }
}

TEST(SlurmCommands, CallsEachClusterByItsOwnConfiguration) {
  SlurmCommands commands;
  const auto said =
      commands.run({"cloud", "/etc/cloud/slurm.conf", ""}, {"sh", "-c", "echo $SLURM_CONF"});
  ASSERT_TRUE(said.has_value());
  EXPECT_EQ(*said, "/etc/cloud/slurm.conf\n");
  EXPECT_TRUE(commands.run({"cloud", "", "/bin"}, {"sh", "-c", "exit 0"}).has_value());
}

// A service that stops does not wait for a controller that hangs.
TEST(SlurmCommands, StopEndsWhatRunsAndWhatWouldFollow) {
  SlurmCommands commands;
  const auto begin = std::chrono::steady_clock::now();
  std::thread stopper([&commands] {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    commands.stop();
  });
  const auto running = commands.run({"cloud", "", ""}, {"sleep", "20"});
  stopper.join();
  const auto later = commands.run({"cloud", "", ""}, {"sleep", "20"});
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(10));
  ASSERT_FALSE(running.has_value());
  ASSERT_FALSE(later.has_value());
  EXPECT_EQ(running.error().kind, ErrorKind::unavailable);
  EXPECT_EQ(later.error().message,
            "Cluster cloud: sleep was stopped: nobody waits for its answer.");
}

TEST(SlurmCommands, QuotesWhatAFailingCommandSaid) {
  SlurmCommands commands;
  const auto said = commands.run({"cloud", "", ""}, {"sh", "-c", "echo no slurmctld >&2; exit 1"});
  ASSERT_FALSE(said.has_value());
  EXPECT_EQ(said.error().kind, ErrorKind::unavailable);
  EXPECT_EQ(said.error().message, "Cluster cloud: sh ended with code 1: no slurmctld.");
}

}  // namespace
}  // namespace asbb::slurm
