// Runs the simulation over the same 120 numbers, or over as many as ASBB_SIMULATION_SECONDS allow
// and ASBB_SIMULATION_SEEDS at most, from ASBB_SIMULATION_FIRST on. ASBB_SIMULATION_SEED=7 runs
// that one alone and tells what happened.
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <iostream>

#include "simulation/world.h"

namespace asbb::simulation {
namespace {

std::int64_t from_environment(const char* name, std::int64_t usual) {
  const char* text = std::getenv(name);
  return text == nullptr ? usual : std::strtoll(text, nullptr, 10);
}

// One world in three has the real database on a simulated disk; the others are in memory.
std::string run_world(std::uint64_t seed, Coverage& coverage, std::vector<std::string>& log) {
  const bool on_disk = seed % 3 == 0;
  World world(seed, on_disk ? make_sqlite_database() : make_memory_database(), coverage);
  std::string broken;
  try {
    world.run(on_disk ? 60 : 150);
  } catch (const Broken& found) {
    broken = found.text;
  }
  log = world.log();
  return broken;
}

// What a run over many numbers has met, or it shows little.
const std::vector<std::string>& expected() {
  static const std::vector<std::string> words{
      "accepted",
      "refused",
      "the same answer",
      "the same refusal",
      "a conflict",
      "a kill",
      "a power cut",
      "a take-over",
      "denied",
      "disk full",
      "disk torn",
      "disk failing in name",
      "the commit fails",
      "the commit is late",
      "the answer to COMMIT is late",
      "the next search fails",
      "the next search is late",
      "a start fails",
      "old answers are dropped",
      "a take-over while a call waits",
      "a retry on the service that took over",
      "expired in the queue",
      "accepted after the deadline",
      "given back, for the answer was late",
      "the connection is lost before COMMIT",
      "the connection is lost after COMMIT",
      "the connection is lost in COMMIT, and the reload fails",
      "the connection is lost in COMMIT, and the reload is late",
      "the connection is lost before COMMIT, and the service is killed",
      "the connection is lost after COMMIT, and the service is killed",
  };
  return words;
}

TEST(Simulation, NothingAcknowledgedIsLostWhateverFails) {
  const std::int64_t only = from_environment("ASBB_SIMULATION_SEED", 0);
  const std::int64_t first = only != 0 ? only : from_environment("ASBB_SIMULATION_FIRST", 1);
  const std::int64_t seconds = from_environment("ASBB_SIMULATION_SECONDS", 0);
  const std::int64_t usual = seconds == 0 ? 120 : 1'000'000;
  const std::int64_t count = only != 0 ? 1 : from_environment("ASBB_SIMULATION_SEEDS", usual);
  const std::chrono::seconds time(seconds == 0 ? 600 : seconds);
  const auto end = std::chrono::steady_clock::now() + time;
  Coverage coverage;
  std::int64_t done = 0;
  for (; done < count && (done == 0 || std::chrono::steady_clock::now() < end); ++done) {
    const std::int64_t seed = first + done;
    std::vector<std::string> log;
    const std::string broken = run_world(static_cast<std::uint64_t>(seed), coverage, log);
    const std::size_t last_lines = only != 0 ? log.size() : std::min<std::size_t>(log.size(), 12);
    if (only != 0 || !broken.empty()) {
      for (std::size_t i = log.size() - last_lines; i < log.size(); ++i)
        std::cout << log[i] << "\n";
    }
    ASSERT_EQ(broken, "") << "seed " << seed << " after " << done
                          << " others; to replay it: ASBB_SIMULATION_SEED=" << seed
                          << " build/dev/tests/simulation_test";
  }
  std::cout << done << " worlds\n";
  for (const auto& [what, times] : coverage.happened) std::cout << times << " x " << what << "\n";
  if (done < 60) return;
  for (const std::string& what : expected()) {
    EXPECT_GT(coverage.happened[what], 0) << "never happened: " << what;
  }
}

}  // namespace
}  // namespace asbb::simulation
