// Commands by chance, from a number: few names, ids and amounts, so that they meet; edges of every
// range; now and then nonsense. The same number on the same book gives the same command. For tests
// only.
#pragma once

#include "ledger/book.h"

namespace asbb::ledger::testing {

// splitmix64.
class Chance {
 public:
  explicit Chance(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next();
  // 0 to bound - 1.
  std::int64_t below(std::int64_t bound);
  bool one_in(std::int64_t bound) { return below(bound) == 0; }
  template <typename T>
  const T& of(const std::vector<T>& choices) {
    return choices[static_cast<std::size_t>(below(static_cast<std::int64_t>(choices.size())))];
  }

 private:
  std::uint64_t state_;
};

// A tree of four accounts with budgets and partition limits, for the commands to meet on.
[[nodiscard]] std::vector<Command> starting_world();

// The command's time is `now` moved on a little.
[[nodiscard]] Command random_command(const Book& book, std::uint64_t seed, Instant now);

// For messages of failing tests.
[[nodiscard]] std::string describe(const Command& command);

}  // namespace asbb::ledger::testing
