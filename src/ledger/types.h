// What the ledger keeps: accounts, budgets, partition limits, holds with their shares, and the
// immutable entries. Plain values without behaviour beyond sums; the Book owns them, on the
// committer's thread. The words are those of DESIGN section 2.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/money.h"
#include "base/strong_id.h"
#include "base/time.h"

namespace asbb::ledger {

using AccountId = StrongId<struct AccountTag>;
using BudgetId = StrongId<struct BudgetTag>;
using LimitId = StrongId<struct LimitTag>;
using HoldId = StrongId<struct HoldTag>;
using ShareId = StrongId<struct ShareTag>;

enum class AccountStatus { active, inactive, suspended, closed };

struct Account {
  AccountId id;
  std::string name;                  // the Slurm account
  std::vector<std::string> aliases;  // other names for it, sorted; no other account has one of them
  std::vector<std::string> owners;   // user names and mail addresses, sorted
  std::string display_name;          // for people
  std::string description;
  AccountId parent;  // not set at the top of the tree
  AccountStatus status = AccountStatus::active;
  std::optional<std::int64_t>
      hold_factor_millionths;  // 1'200'000 = estimate x 1.2; else the service's
  bool may_convert = false;    // an administrator lets it pay one unit with another
  Instant created_at;
  Instant updated_at;
  bool operator==(const Account&) const = default;
};

inline constexpr std::int64_t carry_all = 1'000'000;

// One limit of one unit over [start, end). held and used also count what descendants drew through
// it.
struct Budget {
  BudgetId id;
  AccountId account;
  std::string unit;
  Instant start;
  Instant end;
  Micros limit;
  Micros held;
  Micros used;
  Micros credit_limit;  // for overruns and jobs that already run, never for holds
  // How much of what is left at the end goes into the account's next budget: 0 to carry_all.
  std::int64_t carry_over_millionths = 0;
  Micros carried;     // of it, what has gone there
  Micros carried_in;  // what has come from the budgets before
  Instant created_at;
  Instant updated_at;
  bool operator==(const Budget&) const = default;
  [[nodiscard]] Micros available() const { return limit - held - used; }
  // What people put into it: what an update declares. What was carried comes on top, and goes off.
  [[nodiscard]] Micros granted() const { return limit + carried - carried_in; }
  [[nodiscard]] bool covers(Instant at) const { return start <= at && at < end; }
};

// What one partition holds and has used inside a budget, from the first hold on; and a narrower
// limit for it, once somebody has set one.
struct PartitionLimit {
  LimitId id;
  BudgetId budget;
  std::string partition;
  std::optional<Micros> limit;
  Micros held;
  Micros used;
  Instant updated_at;
  bool operator==(const PartitionLimit&) const = default;
};

// What a hold is drawn on: a budget, or a partition inside one.
struct Leg {
  enum class Kind { budget, partition_limit };
  Kind kind = Kind::budget;
  std::int64_t id = 0;  // BudgetId or LimitId by kind
  bool operator==(const Leg&) const = default;
};

// The money of one unit inside a hold.
struct HoldPart {
  std::string unit;
  BudgetId budget;        // pays: entries are posted on it, once
  std::vector<Leg> legs;  // the paying budget first; each is followed by its partition
  Micros estimate;        // of all tasks together, before the safety factor
  Micros granted;         // set aside at first for all tasks together
  Micros unopened;        // of it, what no share has taken yet (or a requeued run gave back)
  std::int64_t price_version = 0;
  bool operator==(const HoldPart&) const = default;
};

enum class HoldKind { slurm, external };
enum class HoldStatus { open, closed };

// The job on which a hold's token was first seen.
struct JobRef {
  std::string cluster;
  std::int64_t job_id = 0;  // of an array: the array's id
  Instant submit_time;      // job ids come back after a wrap
  bool operator==(const JobRef&) const = default;
};

struct Hold {
  HoldId id;
  std::string request_id;  // the plugin's token, or the key an API caller gave
  HoldKind kind = HoldKind::slurm;
  AccountId account;
  std::string user;     // Slurm user name, may be empty for external holds
  std::string cluster;  // asked on; may run elsewhere in a federation
  std::string partition;
  std::string group;  // which of the job's tasks it pays for, where that is not all of them; the
                      // caller's own text, the ledger does not read it
  std::int64_t task_count = 1;
  std::int64_t tasks_opened = 0;  // first runs seen so far
  std::int64_t open_shares = 0;
  std::int64_t pending_runs = 0;  // requeued, the next run not seen yet
  bool backfilled = false;        // made afterwards for a job that ran without one
  HoldStatus status = HoldStatus::open;
  std::optional<JobRef> job;
  std::vector<HoldPart> parts;  // one per unit, units differ
  Instant placed_at;
  Instant closed_at;
  bool operator==(const Hold&) const = default;
};

// Names a share inside its hold: a run of a job or array task, or an external caller's job.
struct ShareKey {
  std::string cluster;
  std::int64_t job_id = 0;  // of an array task: the array's id
  std::int64_t task = -1;   // array index, -1 for a job that is no array
  std::int64_t run = 0;     // 0 for the first run, then one more per requeue
  std::string external_id;  // set instead of all others
  auto operator<=>(const ShareKey&) const = default;
};

enum class ShareStatus { open, settled };

struct Share {
  ShareId id;
  HoldId hold;
  ShareKey key;
  ShareStatus status = ShareStatus::open;
  std::vector<Micros> held;  // per part of the hold; what it held when it was opened
  // Facts of the settlement, once settled.
  std::string unit;
  Micros actual;
  Micros charged;   // out of what was held
  Micros overrun;   // beyond it
  Micros released;  // back to the budget, or to the hold when requeued
  Micros refunded;  // of charged and overrun, given back or written off since
  bool requeued = false;
  Instant opened_at;
  Instant settled_at;
  bool operator==(const Share&) const = default;
};

enum class EntryType {
  account_create,
  account_update,
  account_close,
  budget_create,
  budget_update,
  limit_set,
  hold,
  bind,
  charge,
  release,
  overrun,
  refund,
  adjustment,
  deposit,
  withdrawal,
  transfer_out,
  transfer_in,
  carry_out,
  carry_in,
  write_off_out,
  write_off_in,
  convert_out,
  convert_in,
  conversion_rate,
  enforcement,  // what was done because an account ran dry; moves no money
  prices
};

// One immutable line of the ledger. Every change of money or of a limit is one, posted on the
// budget that pays.
struct Entry {
  std::int64_t sequence = 0;  // 1, 2, 3 ... without a gap
  Instant at;
  EntryType type = EntryType::hold;
  std::string actor;
  std::string reason;
  std::string request_id;
  AccountId account;
  std::string account_name;
  BudgetId budget;
  std::string unit;
  Micros amount;  // adjustment: signed; limits: the new limit; of all others >= 0
  HoldId hold;
  std::string user;
  std::string partition;
  ShareKey job;  // whatever of it is known
  std::int64_t price_version = 0;
  std::string details;  // canonical "key=value" lines of the type's own facts (record.h)
  bool operator==(const Entry&) const = default;
};

struct PriceVersion {
  std::int64_t version = 0;
  Instant effective_from;
  Instant imported_at;
  std::string text;  // the price book's canonical text; the ledger does not read it
  bool operator==(const PriceVersion&) const = default;
};

// What one unit of `from_unit` comes to in `to_unit`, from a moment on; the other direction has a
// rate of its own.
struct ConversionRate {
  std::int64_t version = 0;
  std::string from_unit;
  std::string to_unit;
  Micros rate;  // of to_unit for one of from_unit
  Instant effective_from;
  Instant recorded_at;
  bool operator==(const ConversionRate&) const = default;
};

// Stable lower-case words for the wire and the database; parse gives nothing for another word.
[[nodiscard]] const char* to_string(AccountStatus status);
[[nodiscard]] const char* to_string(HoldKind kind);
[[nodiscard]] const char* to_string(HoldStatus status);
[[nodiscard]] const char* to_string(ShareStatus status);
[[nodiscard]] const char* to_string(EntryType type);
[[nodiscard]] std::optional<AccountStatus> parse_account_status(std::string_view text);
[[nodiscard]] std::optional<HoldKind> parse_hold_kind(std::string_view text);
[[nodiscard]] std::optional<HoldStatus> parse_hold_status(std::string_view text);
[[nodiscard]] std::optional<ShareStatus> parse_share_status(std::string_view text);
[[nodiscard]] std::optional<EntryType> parse_entry_type(std::string_view text);

// "b3,l7": the legs of a part, for records and tables. parse gives nothing for text that is not
// such a list.
[[nodiscard]] std::string to_string(const std::vector<Leg>& legs);
[[nodiscard]] std::optional<std::vector<Leg>> parse_legs(std::string_view text);

}  // namespace asbb::ledger
