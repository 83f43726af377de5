// How much of each allowance was spent, in memory and in one small file that the next slurmctld
// reads, so that a restart spends nothing twice. The file is written as a whole, without fsync: it
// survives the process, and what a crash of the machine loses is settled from evidence. It is
// written rather than mapped, because a mapped file that is cut, or on a full disk, would kill
// slurmctld with a signal where a write fails. For one thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "plugins/bounded_text.h"
#include "plugins/wire.h"

namespace asbb::plugins {

class AllowanceCount {
 public:
  constexpr AllowanceCount() = default;
  AllowanceCount(const AllowanceCount&) = delete;
  AllowanceCount& operator=(const AllowanceCount&) = delete;
  ~AllowanceCount();

  // Before the first use; the path must outlive this, and may be empty: then nothing can be spent.
  void configure(const char* path) { path_ = path; }

  // The generations in force; what was spent of others is forgotten. Generations only grow, so that
  // one which comes back after it was withdrawn, or which no file tells of because it was
  // unreadable, counts as spent. At most kAllowancesMax.
  void publish(const std::uint64_t* generations, std::size_t count);

  // Takes so much off, where `amount_micros` has it left and the file takes it. *left_micros is
  // what is left, or what was there when it is not enough.
  [[nodiscard]] bool take(std::uint64_t generation, std::int64_t amount_micros, std::int64_t micros,
                          std::int64_t* left_micros);

  // "17=12500000,23=400": what was spent of which generation, as many as fit.
  void write_spent(BoundedText* text) const;

  // Null, or why nothing can be counted.
  [[nodiscard]] const char* problem() const { return problem_; }

 private:
  struct Slot {
    std::uint64_t generation;
    std::int64_t spent_micros;  // kAllSpent: how much is not known, and nothing is left
  };
  struct Image {
    char mark[8];
    std::uint64_t spent_until;  // generations up to this one have nothing left
    std::uint64_t seen_until;   // the highest that was ever published
    Slot slots[wire::policy::kAllowancesMax];
    std::uint64_t check;
  };

  [[nodiscard]] bool open_file();
  [[nodiscard]] bool is_whole() const;
  [[nodiscard]] bool write_file();
  [[nodiscard]] Slot* find(std::uint64_t generation);
  bool fail(const char* problem);

  const char* path_ = "";
  int file_ = -1;
  Image image_ = {};
  const char* problem_ = nullptr;
  bool is_unreadable_ = false;  // there was a file, but not one of ours
};

}  // namespace asbb::plugins
