// A second opinion on the ledger (DESIGN 4): fed with the canonical record of every entry in order,
// it recomputes each budget, limit and hold from the text alone and says what cannot be. It shares
// no types and no rules with the ledger, so that a mistake there does not repeat here; it does not
// check the chain (store/chain.h). `asbb audit verify` and the property tests use it. One owner,
// one thread; no I/O, no clock. It never stops at a problem: bad input becomes a sentence, and the
// rest is still checked. Memory grows with the number of holds and runs, not
// with the length of texts.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace asbb::ledger {

struct AuditProblem {
  std::int64_t sequence = 0;  // of the entry that shows it; 0: of no single entry
  std::string text;           // a sentence
  bool operator==(const AuditProblem&) const = default;
};

// Figures of a budget, or of a partition inside one, in millionths of its unit.
struct AuditFigures {
  std::optional<std::int64_t> limit_micros = 0;  // not set: a partition that has no limit
  std::int64_t held_micros = 0;
  std::int64_t used_micros = 0;
  bool operator==(const AuditFigures&) const = default;
};

// The money of one unit over all budgets. What goes from one budget to another comes to nothing in
// it, or there is a problem.
struct AuditUnit {
  std::int64_t limit_micros = 0;      // of all budgets, now
  std::int64_t funded_micros = 0;     // put in by hand, less what was taken out
  std::int64_t converted_micros = 0;  // come from other units, less what went to them
  std::int64_t spent_micros = 0;      // charges, overruns and corrections, less refunds
  bool operator==(const AuditUnit&) const = default;
};

struct AuditReport {
  std::int64_t entries = 0;        // records fed
  std::int64_t last_sequence = 0;  // of the last readable one
  std::int64_t problem_count = 0;
  std::vector<AuditProblem> problems;  // the first audit_problems_max of them
  std::vector<AuditProblem> notes;     // odd but allowed (time that went back); bounded likewise
  std::map<std::int64_t, AuditFigures> budgets;  // by budget id
  std::map<std::int64_t, AuditFigures> limits;   // by id of the partition's row
  // (hold id, unit) -> what is still set aside for it; those with nothing left are not in it.
  std::map<std::pair<std::int64_t, std::string>, std::int64_t> open_holds;
  std::map<std::string, AuditUnit> units;
  [[nodiscard]] bool ok() const { return problem_count == 0; }
};

inline constexpr std::size_t audit_problems_max = 100;

// The tables of a database, as they were right after the entry that was fed last. A hold's money in
// a unit is what is unopened plus what its open shares hold; holds without money may be left out.
// What else there is of a table, as "key value" words in the auditor's order, by the row's name:
// "account 3", "terms of budget 3", "place of limit 2", "rate 1", "prices 1"; of a hold "hold 4
// (USD)" and "run of hold 4 (...)". A run of nothing (audit_nothing) that is requeued has no entry.
// Where there are no rows at all, they are not compared.
using AuditRows = std::map<std::string, std::string>;
inline constexpr std::string_view audit_nothing = "cost nothing";

struct AuditTables {
  std::map<std::int64_t, AuditFigures> budgets;
  std::map<std::int64_t, AuditFigures> limits;
  std::map<std::pair<std::int64_t, std::string>, std::int64_t> open_holds;
  AuditRows rows;
  std::map<std::int64_t, AuditRows> hold_rows;  // by hold; holds may be left out
};

class Auditor {
 public:
  Auditor();
  ~Auditor();
  Auditor(Auditor&&) noexcept;
  Auditor& operator=(Auditor&&) noexcept;

  // The next record, "asbb1\nkey=value\n..." with percent escapes; the first has sequence 1.
  void add(std::string_view record);

  // Everything found so far. May be called at any time; more records may follow.
  [[nodiscard]] AuditReport finish() const;

  // One sentence for every row that differs from the recomputation, is missing or is too much; at
  // most audit_problems_max.
  [[nodiscard]] std::vector<AuditProblem> compare(const AuditTables& tables) const;
  // The same for the rows of one hold.
  [[nodiscard]] std::vector<AuditProblem> compare_hold(std::int64_t id,
                                                       const AuditRows& rows) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace asbb::ledger
