// What the policy file says about allowances (docs/reference/plugin-protocol.md, section 4): how
// much each account may spend while the service is silent, who may spend it, and what an hour of
// each priced partition costs at most. Borrows the file's text. Its tables are on the heap, made
// when the first such line is met; for one thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "plugins/http_answer.h"
#include "plugins/wire.h"

namespace asbb::plugins {

// Amounts are millionths of the unit, at most 10^18.
struct Allowance {
  std::string_view account;
  std::uint64_t generation = 0;  // 0: nothing was set aside
  std::int64_t amount_micros = 0;
  std::string_view unit;
  std::int64_t factor_millionths = 0;  // on the largest cost, as for every hold
  std::int64_t until_seconds = 0;      // of unix time; 0: no end
};

// A user who may use a Slurm account that the allowance pays for.
struct Spender {
  std::uint32_t user = 0;
  std::string_view slurm_account;  // in lower case
  std::string_view allowance;
  std::uint16_t allowance_index = 0;
  bool is_default = false;  // the account of his jobs that name none
};

struct WorstRate {
  std::string_view partition;
  std::string_view unit;
  bool is_bounded = false;            // else a job there has no largest cost
  std::int64_t node_hour_micros = 0;  // of a whole node
  std::int64_t cpu_hour_micros = 0;   // of a CPU that was asked for; 0: only whole nodes are known
  std::int64_t least_nodes = 0;
  std::int64_t most_nodes = 0;
  std::int64_t least_seconds = 0;    // that are billed
  std::int64_t default_minutes = 0;  // of a job that names no time limit; 0: there is none
  std::int64_t over_minutes = 0;     // OverTimeLimit
};

class AllowanceText {
 public:
  constexpr AllowanceText() = default;
  AllowanceText(const AllowanceText&) = delete;
  AllowanceText& operator=(const AllowanceText&) = delete;
  ~AllowanceText();
  void swap(AllowanceText& other);

  // Whether a line that begins with this word belongs here.
  [[nodiscard]] static bool is_own_word(std::string_view word);
  // Null, or what is wrong with the line; `rest` is what follows the word.
  const char* parse_statement(std::string_view word, std::string_view rest);
  // After the last line: null, or what is wrong with all of them together.
  const char* put_in_order();

  // Whether there is any such line.
  [[nodiscard]] bool is_there() const { return tables_ != nullptr; }
  [[nodiscard]] Stance without_allowance() const { return without_allowance_; }
  [[nodiscard]] std::size_t allowance_count() const { return allowance_count_; }
  [[nodiscard]] const Allowance& allowance(std::size_t index) const;
  // Null where there is none. `slurm_account` is in lower case; empty: the user's default one.
  [[nodiscard]] const Spender* spender(std::uint32_t user, std::string_view slurm_account) const;
  // Whether an allowance pays for that account, whoever may use it.
  [[nodiscard]] bool is_paid_for(std::string_view slurm_account) const;
  [[nodiscard]] const WorstRate* rate(std::string_view partition) const;

 private:
  struct Tables;

  [[nodiscard]] bool has_tables();
  const char* parse_allowance(std::string_view rest);
  const char* parse_spender(std::string_view rest);
  const char* parse_rate(std::string_view rest);
  const char* find_allowances();

  Tables* tables_ = nullptr;
  std::size_t allowance_count_ = 0;
  std::size_t spender_count_ = 0;
  std::size_t rate_count_ = 0;
  Stance without_allowance_ = Stance::allow;
  bool says_without_ = false;
};

// Digits alone, at most 18 of them.
[[nodiscard]] bool parse_count(std::string_view text, std::int64_t* number);

}  // namespace asbb::plugins
