// Runs the simulated centre over the same eighty numbers, or over as many as ASBB_CENTRE_SECONDS
// allow and ASBB_CENTRE_SEEDS at most, from ASBB_CENTRE_FIRST on. ASBB_CENTRE_SEED=7 runs that one
// alone and tells what happened.
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

#include "simulation/centre.h"

namespace asbb::simulation {
namespace {

// Unless somebody asks for others, these worlds are run, which meet all that is expected.
constexpr std::int64_t first_world = 161;
constexpr std::int64_t worlds_usual = 80;
constexpr int steps = 80;

// What those worlds must have met, or they show little.
const std::vector<std::string> expected{
    "a job",
    "an array",
    "a het job",
    "a federated job",
    "a sibling runs a federated job",
    "the origin runs a federated job",
    "a job waits for days",
    "a job that waited for weeks starts",
    "requeued to another cluster",
    "job ids begin anew",
    "cancelled before it started",
    "a task is cancelled without a record",
    "the rest of an array is cancelled in one record",
    "requeued: REQUEUED",
    "requeued: NODE_FAIL",
    "requeued: BOOT_FAIL",
    "requeued: PREEMPTED",
    "a run ends: TIMEOUT",
    "a run goes beyond its limit",
    "a run ends: CANCELLED",
    "a run is written off",
    "suspended",
    "resized",
    "a limit is raised",
    "a limit is cut",
    "another account pays",
    "a change that nobody answers",
    "Slurm refuses a change",
    "Slurm refuses what the plugin let in",
    "a try: --test-only, -M a,b",
    "sbatch timed out, was accepted, and is sent again",
    "denied: insufficient_budget",
    "nobody answers, and the job is let in",
    "nobody answers, and the job is refused",
    "a message is lost",
    "a message is late",
    "a message comes twice",
    "an answer is lost",
    "the service is away",
    "the service's clock steps",
    "killed while it wrote",
    "a kill",
    "a power cut",
    "a commit fails",
    "a search fails",
    "the connection is lost before COMMIT",
    "the connection is lost after COMMIT",
    "slurmctld is down",
    "slurmctld does not answer the service",
    "slurmdbd is down",
    "slurmdbd does not answer the service",
    "slurmctld and slurmdbd are away",
    "slurmdbd is told in pieces",
    "slurmdbd is never told of something",
    "the service is no operator any more",
    "a row of squeue cannot be read",
    "a record is corrected",
    "a controller loses its state",
    "an administrator ends a hold",
    "new prices",
    "slurmctld's machine goes down",
    "slurmctld's machine goes down, and the counter is an old one",
    "slurmctld's machine goes down, and the counter is damaged",
    "money is set aside for the time without the service",
    "an allowance lets a job in",
    "an allowance lets an array in",
    "an allowance does not let a job in",
    "a job takes from an allowance",
    "a job let in on an allowance gets its hold",
    "an allowance is given back",
    "an account without an allowance is let in",
    "an account without an allowance is refused",
    "ladder: warn is written down",
    "ladder: stop_new is written down",
    "ladder: credit is written down",
    "ladder: requeue is written down",
    "ladder: signal is written down",
    "ladder: cancel is written down",
    "ladder: it is over",
    "ladder: requeue",
    "ladder: move",
    "ladder: release",
    "ladder: signal",
    "ladder: cancel",
    "denied: account_dry",
    "a deposit",
    "an adjustment",
    "a refund",
    "a refund after the period's end",
    "all is carried over",
    "a part is carried over",
    "a job that waits goes on into the next period",
    "a job that waits stays in its period",
    "a job that runs goes on into the next period",
    "a job that runs stays in its period",
    "an alarm names the job whose record was corrected",
};

std::int64_t from_environment(const char* name, std::int64_t usual) {
  const char* text = std::getenv(name);
  return text == nullptr ? usual : std::strtoll(text, nullptr, 10);
}

struct Tally {
  std::int64_t worlds = 0;
  std::int64_t jobs = 0;
  std::int64_t days = 0;
};

// One world in eight has the real database on a simulated disk; the others are in memory.
std::string run_centre(std::uint64_t seed, Coverage& coverage, Tally& tally,
                       std::vector<std::string>& log) {
  const bool on_disk = seed % 8 == 0;
  Centre centre(seed, on_disk ? make_sqlite_database() : make_memory_database(), coverage);
  std::string broken;
  try {
    centre.run(steps);
  } catch (const Broken& found) {
    broken = found.text;
  }
  ++tally.worlds;
  tally.jobs += centre.jobs();
  tally.days += centre.simulated().microseconds / hours(24).microseconds;
  log = centre.log();
  return broken;
}

TEST(Centre, EveryRunIsChargedOnceAndNothingStaysHeld) {
  const std::int64_t only = from_environment("ASBB_CENTRE_SEED", 0);
  const std::int64_t first = only != 0 ? only : from_environment("ASBB_CENTRE_FIRST", first_world);
  const std::int64_t seconds = from_environment("ASBB_CENTRE_SECONDS", 0);
  const std::int64_t usual = seconds == 0 ? worlds_usual : 1'000'000;
  const std::int64_t count = only != 0 ? 1 : from_environment("ASBB_CENTRE_SEEDS", usual);
  const std::chrono::seconds time(seconds == 0 ? 600 : seconds);
  const auto end = std::chrono::steady_clock::now() + time;
  Coverage coverage;
  Tally tally;
  while (tally.worlds < count && std::chrono::steady_clock::now() < end) {
    const std::int64_t seed = first + tally.worlds;
    std::vector<std::string> log;
    const std::string broken = run_centre(static_cast<std::uint64_t>(seed), coverage, tally, log);
    const std::size_t last_lines = only != 0 ? log.size() : std::min<std::size_t>(log.size(), 60);
    if (only != 0 || !broken.empty()) {
      for (std::size_t i = log.size() - last_lines; i < log.size(); ++i)
        std::cout << log[i] << "\n";
    }
    ASSERT_EQ(broken, "") << "seed " << seed << " after " << tally.worlds - 1
                          << " others; to replay it: ASBB_CENTRE_SEED=" << seed
                          << " build/dev/tests/centre_test";
  }
  std::cout << tally.worlds << " worlds, " << tally.days << " days, " << tally.jobs << " jobs\n";
  for (const auto& [what, times] : coverage.happened) std::cout << times << " x " << what << "\n";
  if (tally.worlds < worlds_usual) return;
  for (const std::string& what : expected) {
    EXPECT_GT(coverage.happened[what], 0) << "never happened: " << what;
  }
}

}  // namespace
}  // namespace asbb::simulation
