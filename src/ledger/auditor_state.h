// What the auditor knows after the records so far, and the checks of each type of entry. Inside
// src/ledger only: auditor.h is its face. Sums are 128 bits wide, so that no record, however wrong,
// makes them overflow.
#pragma once

#include <set>
#include <unordered_map>

#include "ledger/audit_record.h"
#include "ledger/auditor.h"

namespace asbb::ledger {

__extension__ using AuditSum = __int128;

inline constexpr AuditSum audit_whole = 1'000'000;  // in millionths
inline constexpr AuditSum audit_limit_edge = audit_whole * audit_whole * audit_whole;
inline constexpr AuditSum audit_counter_edge = 4 * audit_limit_edge;

struct AuditedAccount {
  std::string name;
  std::string parent;  // its name; empty at the top
  std::vector<std::string> aliases;
  std::string owners;  // joined by commas
  std::string status;
  std::vector<std::int64_t> budgets;
  bool may_convert = false;
  std::int64_t carrying = 0;  // budgets that carry over
};

// A budget, or a partition inside one.
struct AuditedLimit {
  std::int64_t account = 0;
  std::int64_t budget = 0;  // of a partition
  std::string unit;
  std::string partition;
  std::int64_t start_us = 0;
  std::int64_t end_us = 0;
  bool is_limited = false;
  AuditSum limit = 0;
  AuditSum held = 0;
  AuditSum used = 0;
  AuditSum credit = 0;       // of a budget, for jobs that run already
  AuditSum carry_share = 0;  // of a budget, in millionths of what is left at its end
  AuditSum carried = 0;
  AuditSum carried_in = 0;
  std::vector<std::int64_t> limits;  // of a budget: its partitions
};

struct AuditedUnit {
  AuditSum funded = 0;
  AuditSum converted = 0;
  AuditSum spent = 0;
  AuditSum moved = 0;  // by transfers and carrying over: in less out
  AuditSum written_off = 0;
};

struct AuditedRate {
  std::string from_unit;
  std::string to_unit;
  AuditSum rate = 0;
  std::int64_t effective_us = 0;
};

// The money of one unit inside a hold.
struct AuditedPart {
  std::int64_t budget = 0;
  AuditLegs legs;
  AuditSum granted = 0;  // at first, for all tasks
  AuditSum held = 0;     // what is left of it and of later money
  AuditSum charged = 0;  // by charges and overruns, less refunds
  std::int64_t price_version = 0;
};

struct AuditedHold {
  std::int64_t account = 0;
  std::string kind;
  std::int64_t task_count = 1;
  bool backfilled = false;
  bool bound = false;
  std::string name;  // the request's, or an external caller's
  std::string user;
  std::string partition;
  std::string cluster;  // of the job that it is bound to
  std::int64_t job_id = 0;
  std::int64_t submit_us = 0;
  bool is_plain = true;  // no task left it, no run was requeued or got more: a task has its part
  std::int64_t last_sequence = 0;            // of what a settlement or a release took from it
  std::set<std::string> tasks;               // settled
  std::map<std::string, AuditedPart> parts;  // by unit
  struct Settlement {
    std::int64_t last_sequence = 0;
    std::vector<std::string> seen;          // "charge USD", ...: each once
    AuditSum charged = 0;                   // less what was refunded
    std::map<std::string, AuditSum> taken;  // by unit: charge and release
    std::string unit;                       // of what was charged
    AuditSum charge = 0;
    AuditSum overrun = 0;
    AuditSum refunded = 0;
    bool requeued = false;
    bool is_of_new_task = false;
    bool fitted = true;  // in a plain hold
  };
  std::unordered_map<std::string, Settlement> settlements;  // by job
};

struct Auditor::State {
  std::int64_t entries = 0;
  std::int64_t last_sequence = 0;
  std::int64_t last_at_us = 0;
  std::int64_t price_version = 0;
  std::int64_t problem_count = 0;
  std::vector<AuditProblem> problems;
  std::vector<AuditProblem> notes;
  std::map<std::int64_t, AuditedAccount> accounts;
  std::map<std::string, std::int64_t> account_names;  // aliases too
  std::map<std::int64_t, AuditedLimit> budgets;
  std::map<std::int64_t, AuditedLimit> limits;
  std::unordered_map<std::int64_t, AuditedHold> holds;
  std::map<std::string, AuditedUnit> units;
  std::vector<AuditedRate> rates;  // by version, from 1
  struct {
    std::string kind;  // transfer, carry, write_off, convert; empty: nothing is on its way
    std::int64_t sequence = 0;
    std::int64_t budget = 0;
    std::int64_t other_budget = 0;
    std::string unit;  // in which it arrives
    std::int64_t amount_micros = 0;
    std::int64_t hold = 0;
    std::string job;
  } sent;  // the first half of a pair, until the second one follows
  struct {
    std::int64_t hold = 0;  // 0: none
    std::int64_t sequence = 0;
    std::string job;
  } settling;  // the settlement whose entries follow each other
  std::unordered_map<std::string, std::int64_t> hold_names;    // the hold that has it
  std::unordered_map<std::string, std::int64_t> run_holds;     // that a run was charged from
  std::set<std::pair<std::int64_t, std::int64_t>> carry_ends;  // (end, budget), to come
  std::set<std::int64_t> carry_due;  // budgets that have ended and may have something to carry
  std::vector<std::pair<std::int64_t, std::string>> price_texts;  // by version, from 1
  std::unordered_map<std::string, std::string> enforced;          // what is in force, by what it is

  void add_units(AuditReport& report) const;
  void check_facts(const AuditRecord& record);
  void settlement_ends(const AuditRecord& record);
  [[nodiscard]] std::string fault_of_settlement() const;
  void time_moves(const AuditRecord& record);
  void may_carry(std::int64_t account, std::int64_t at_us);
  [[nodiscard]] const AuditedLimit* next_of(const AuditedLimit& budget, std::int64_t& id) const;
  [[nodiscard]] AuditSum due_of(const AuditedLimit& budget) const;
  [[nodiscard]] std::string carry_left() const;
  void check_hold_facts(const AuditRecord& record, const AuditedHold& hold,
                        const AuditedPart* part);
  void check_bound_release(const AuditRecord& record, const AuditedHold& hold);
  void check_name(const AuditRecord& record, const AuditedHold& hold);
  void check_run(const AuditRecord& record, const AuditedHold& hold);
  [[nodiscard]] AuditLegs legs_out_of_force(const AuditRecord& record, std::int64_t at_us) const;
  [[nodiscard]] AuditRows rows() const;
  [[nodiscard]] AuditRows rows_of_hold(std::int64_t id) const;
  void problem(std::int64_t sequence, std::string text);
  void note(std::int64_t sequence, std::string text);
  void apply(const AuditRecord& record);

  void account_entry(const AuditRecord& record);
  void check_parents(const AuditRecord& record);
  void take_in_aliases(const AuditRecord& record);
  void budget_entry(const AuditRecord& record);
  void limit_entry(const AuditRecord& record);
  void hold_entry(const AuditRecord& record);
  void bind_entry(const AuditRecord& record);
  void hold_money_entry(const AuditRecord& record);
  void adjustment_entry(const AuditRecord& record);
  void moved_limit_entry(const AuditRecord& record);
  void write_off_entry(const AuditRecord& record);
  void rate_entry(const AuditRecord& record);
  void check_carry(const AuditRecord& record, AuditedLimit& budget);
  void check_conversion(const AuditRecord& record);
  void count_in_unit(const AuditRecord& record);
  void pair_entry(const AuditRecord& record);
  void refund_of_run(const AuditRecord& record, AuditedHold& hold);
  void prices_entry(const AuditRecord& record);
  void enforcement_entry(const AuditRecord& record);

  void first_hold_entry(const AuditRecord& record, const AuditLegs& legs);
  void further_hold_entry(const AuditRecord& record, AuditedHold& hold, const AuditLegs& legs);
  void check_standing(const AuditRecord& record);
  void check_settlement(const AuditRecord& record, AuditedHold& hold, const AuditedPart& part);
  void check_available(const AuditRecord& record, const AuditLegs& legs, bool with_credit);
  void take_in_partitions(const AuditRecord& record, const AuditLegs& legs);
  [[nodiscard]] std::int64_t partition_of(std::int64_t budget, const std::string& name) const;
  void add_partition(const AuditRecord& record, std::int64_t budget, std::int64_t id);
  [[nodiscard]] bool check_legs(const AuditRecord& record, const AuditLegs& legs);
  void new_limit(const AuditRecord& record, AuditedLimit& limit, const char* what);

  // Adds to every leg and says when a counter cannot be so.
  void move(const AuditRecord& record, const AuditLegs& legs, AuditSum held, AuditSum used);

  // Every budget in force at that time on the account and above it, each with the partition's count
  // inside it, nearest first.
  [[nodiscard]] AuditLegs expected_legs(const AuditRecord& record, std::int64_t at_us) const;
  [[nodiscard]] AuditedLimit* leg(const std::pair<char, std::int64_t>& name);
};

// Amounts in sentences: exact decimal text of whole units.
[[nodiscard]] std::string audit_amount(AuditSum micros);

// Within 64 bits, for a report; anything beyond has been reported as a problem.
[[nodiscard]] std::int64_t audit_narrow(AuditSum micros);

}  // namespace asbb::ledger
