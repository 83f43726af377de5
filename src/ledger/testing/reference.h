// What the ledger has to say to each command, and what every budget and limit has afterwards,
// written down a second time from docs/concepts/ledger.md: slowly, in 128-bit numbers, over plain
// lists that are searched from end to end. It shares no code and no type with the ledger, so that a
// mistake in one is not a mistake in both; reference_check.h holds the two against each other. For
// tests only; one thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

namespace asbb::reference {

__extension__ using Amount = __int128;  // millionths of a unit
using Moment = std::int64_t;            // microseconds since 1970
using Number = std::int64_t;            // 1, 2, 3 ... in order of creation; 0: none

inline constexpr Amount amount_max = 1'000'000'000'000'000'000;  // 10^12 units can be entered
inline constexpr Amount count_max = 4'000'000'000'000'000'000;   // and this much can be counted

// What is asked, by whom it matters and when.
struct Asked {
  std::string id;                // empty: nobody asks again
  std::optional<Moment> minted;  // of an id that carries its time
  std::string body;              // another body under the same id is another request
  std::string reason;
  bool keeps_refusals = true;
  Moment at = 0;
};

struct NewPeriod {
  std::string unit;
  Moment start = 0;
  Moment end = 0;
  Amount limit = 0;
  Amount credit = 0;
  Amount rule = 0;  // millionths of what is left that go on
};
struct CreateAccount {
  std::string name;
  std::vector<std::string> texts;
  std::string parent;
  std::optional<Amount> factor;
  std::vector<NewPeriod> periods;
  std::vector<std::string> aliases;
  std::vector<std::string> owners;
};
struct UpdateAccount {
  std::string name;
  std::vector<std::string> texts;
  std::optional<Amount> factor;
  std::optional<std::string> status;
  std::optional<std::string> parent;
  std::optional<std::vector<std::string>> aliases;
  std::optional<std::vector<std::string>> owners;
  std::optional<bool> may_convert;
  std::string unit;
  std::optional<Amount> limit;
  std::optional<Moment> start;
  std::optional<Moment> end;
  std::optional<Amount> credit;
  std::optional<Amount> rule;
};
struct CloseAccount {
  std::string name;
};
struct AddPeriod {
  std::string account;
  NewPeriod period;
};
struct Import {
  std::vector<CreateAccount> accounts;
  std::vector<AddPeriod> periods;
};
struct LimitPartition {
  std::string account;
  std::string unit;
  std::string partition;
  Amount limit = 0;
};
struct NewPart {
  std::string unit;
  Amount estimate = 0;
  Amount amount = 0;
};
struct PlaceHold {
  std::string name;
  bool is_slurm = true;
  std::string account;
  std::string user;
  std::string partition;
  std::vector<std::string> texts;
  Number tasks = 1;
  std::vector<NewPart> parts;
  std::optional<Moment> deadline;
  std::optional<Moment> period_at;
  Number unbound_max = 0;
  bool is_afterwards = false;  // the job ran without a hold
  bool is_running = false;
  bool is_any_unit = false;
};
struct RunName {
  std::string cluster;
  Number job = 0;
  Number task = -1;
  Number run = 0;
  std::string external;
  bool operator==(const RunName&) const = default;
};
struct Bind {
  Number hold = 0;
  std::string cluster;
  Number job = 0;
};
struct Settle {
  Number hold = 0;
  RunName run;
  std::string unit;
  Amount actual = 0;
  bool requeued = false;
  bool rearms = false;  // the run that follows may need all of its task's part
  std::string bearer;   // the account that the cost is written off to; empty: none
};
struct OpenRun {
  Number hold = 0;
  RunName run;
};
struct ArmRun {
  Number hold = 0;
  RunName run;
};
struct Void {
  Number hold = 0;
};
struct Replace {
  Number hold = 0;
  Number tasks = 1;
  std::string group;
  std::optional<Number> proposal;
  std::optional<PlaceHold> place;
};
struct Cover {
  std::optional<Number> from;
  Amount drawn = 0;
  PlaceHold place;
  std::string cluster;
  Number job = 0;
};
struct Correct {
  std::string account;
  std::string unit;
  Amount amount = 0;
  std::optional<RunName> job;
};
// A deposit has no `from`, a withdrawal no `to`.
struct Move {
  std::optional<std::string> from;
  std::optional<std::string> to;
  std::string unit;
  Amount amount = 0;
};
// A refund; with `to` a write-off.
struct GiveBack {
  std::set<Number> holds;
  Number first_hold = 0;
  std::optional<RunName> run;
  std::string unit;
  std::optional<Amount> amount;
  std::optional<std::string> to;
};
struct Rate {
  std::string from_unit;
  std::string to_unit;
  Amount rate = 0;
  Moment from = 0;
};
struct Convert {
  std::string account;
  std::string from_unit;
  std::string to_unit;
  Amount amount = 0;
};
struct Carry {};
struct Prices {};
struct Decline {};
struct Enforce {
  std::string account;
  std::string unit;
  std::vector<std::string> texts;
  bool is_of_account = false;
  RunName run;  // of a job
  std::vector<Amount> sums;
};

using Command =
    std::variant<CreateAccount, UpdateAccount, CloseAccount, AddPeriod, LimitPartition, PlaceHold,
                 Bind, Settle, OpenRun, ArmRun, Void, Replace, Cover, Correct, Move, GiveBack, Rate,
                 Convert, Carry, Prices, Decline, Enforce, Import>;

// A limit with what is held and used of it.
struct Figures {
  std::string account;
  std::string partition;
  Amount limit = 0;
  Amount held = 0;
  Amount used = 0;
  Amount available = 0;
  bool operator==(const Figures&) const = default;
};

// What is not set is not foretold.
struct Answer {
  std::string refusal = "none";
  bool is_repeated = false;
  std::optional<Figures> line;
  std::optional<Number> budget;
  std::optional<Number> hold;
  std::optional<Amount> amount;
  std::optional<Amount> granted;
  std::optional<Amount> charged;
  std::optional<Amount> overrun;
  std::optional<Amount> released;
  std::optional<Amount> converted;
  std::optional<Amount> rearmed;
  std::optional<Amount> uncovered;
  std::optional<Amount> written_off;
};

struct Account {
  Number id = 0;
  std::string name;
  std::set<std::string> aliases;
  std::set<std::string> owners;
  Number parent = 0;
  std::string status = "active";
  bool may_convert = false;
};

struct Partition {
  std::optional<Amount> limit;
  Amount held = 0;
  Amount used = 0;
};

// A budget.
struct Period {
  Number id = 0;
  Number account = 0;
  std::string unit;
  Moment start = 0;
  Moment end = 0;
  Amount granted = 0;  // by people
  Amount came_in = 0;  // carried
  Amount went_on = 0;
  Amount credit = 0;
  Amount rule = 0;
  Amount held = 0;
  Amount used = 0;
  std::map<std::string, Partition> partitions;
  [[nodiscard]] Amount limit() const { return granted + came_in - went_on; }
  [[nodiscard]] Amount available() const { return limit() - held - used; }
  [[nodiscard]] bool is_in_force(Moment at) const { return start <= at && at < end; }
};

struct Part {
  std::string unit;
  std::vector<Number> periods;  // the first pays
  Amount granted = 0;
  Amount left = 0;  // what no run has taken
};

struct Run {
  RunName name;
  std::vector<Amount> had;  // of each part
  bool is_settled = false;
  std::string unit;
  Amount actual = 0;
  Amount charged = 0;
  Amount overrun = 0;
  Amount released = 0;
  Amount given_back = 0;
  bool requeued = false;
  Moment settled_at = 0;
  Number seen = 0;  // the how-manieth of all runs
};

struct Hold {
  Number id = 0;
  std::string name;
  bool is_slurm = true;
  Number account = 0;
  std::string user;
  std::string partition;
  Number tasks = 1;
  Number seen = 0;  // tasks that have taken their part
  bool is_open = true;
  std::optional<std::pair<std::string, Number>> job;  // cluster and id
  std::vector<Part> parts;
  std::vector<Run> runs;
};

class Reference {
 public:
  Answer decide(const Asked& asked, const Command& command);

  [[nodiscard]] const std::vector<Account>& accounts() const { return state_.accounts; }
  [[nodiscard]] const std::vector<Period>& periods() const { return state_.periods; }
  [[nodiscard]] const std::vector<Hold>& holds() const { return state_.holds; }

 private:
  struct State {
    std::vector<Account> accounts;
    std::vector<Period> periods;
    std::vector<Hold> holds;
    std::vector<Rate> rates;
    Number runs = 0;
  };

  Answer judge(const Asked& asked, const CreateAccount& ask);
  Answer judge(const Asked& asked, const UpdateAccount& ask);
  Answer judge(const Asked& asked, const CloseAccount& ask);
  Answer judge(const Asked& asked, const AddPeriod& ask);
  Answer judge(const Asked& asked, const LimitPartition& ask);
  Answer judge(const Asked& asked, const PlaceHold& ask);
  Answer judge(const Asked& asked, const Bind& ask);
  Answer judge(const Asked& asked, const Settle& ask);
  Answer judge(const Asked& asked, const OpenRun& ask);
  Answer judge(const Asked& asked, const ArmRun& ask);
  Answer judge(const Asked& asked, const Void& ask);
  Answer judge(const Asked& asked, const Replace& ask);
  Answer judge(const Asked& asked, const Cover& ask);
  Answer judge(const Asked& asked, const Correct& ask);
  Answer judge(const Asked& asked, const Move& ask);
  Answer judge(const Asked& asked, const GiveBack& ask);
  Answer judge(const Asked& asked, const Rate& ask);
  Answer judge(const Asked& asked, const Convert& ask);
  Answer judge(const Asked& asked, const Carry& ask);
  Answer judge(const Asked& asked, const Prices& ask);
  Answer judge(const Asked& asked, const Decline& ask);
  Answer judge(const Asked& asked, const Enforce& ask);
  Answer judge(const Asked& asked, const Import& ask);

  // Accounts and budgets.
  [[nodiscard]] Account* find_account(const std::string& name);
  [[nodiscard]] Account& account(Number id) { return state_.accounts.at(std::size_t(id - 1)); }
  [[nodiscard]] Period& period(Number id) { return state_.periods.at(std::size_t(id - 1)); }
  [[nodiscard]] Hold* find_hold(Number id);
  [[nodiscard]] std::string why_not(const NewPeriod& wanted, Number account, Number except) const;
  [[nodiscard]] std::string why_not_standing(Number id);
  [[nodiscard]] Answer change_periods(const Asked& asked, const UpdateAccount& ask,
                                      const Account& known);
  [[nodiscard]] Answer change_period(const Asked& asked, const UpdateAccount& ask, Period& changed);
  Number add_period(Number account, const NewPeriod& wanted);
  [[nodiscard]] Period* nearest(Number account, const std::string& unit, Moment at);
  [[nodiscard]] std::string drawn_on(Number account, const std::string& unit, Moment at,
                                     bool late_too, std::vector<Number>& periods);
  [[nodiscard]] Figures figures(const Period& of);
  [[nodiscard]] Figures figures(const Period& of, const std::string& partition);
  [[nodiscard]] Answer refuse(const std::string& refusal, const Figures& line, Amount asked_for);
  void carry(Moment at);

  // Holds and runs. Of every period and, where there is one, the partition in it.
  void count(const std::vector<Number>& periods, const std::string& partition, Amount held,
             Amount used);
  [[nodiscard]] bool can_count(const std::vector<Number>& periods, const std::string& partition,
                               Amount held, Amount used);
  [[nodiscard]] std::optional<Figures> short_of(const std::vector<Number>& periods,
                                                const std::string& partition, Amount amount,
                                                bool with_credit);
  [[nodiscard]] Figures tightest(const std::vector<Number>& periods, const std::string& partition);
  [[nodiscard]] bool is_taken(const std::string& name, bool by_slurm) const;
  [[nodiscard]] Number unbound_of(const std::string& user, Number account) const;
  Run& open_run(Hold& hold, const RunName& name);
  bool take_new_money(const Asked& asked, const Hold& hold, const Part& part, Amount amount);
  void rearm(const Asked& asked, Hold& hold, const std::string& unit, Answer& answer);
  void close_if_done(Hold& hold);
  [[nodiscard]] Answer settle_again(const Settle& ask, const Hold& hold, const Run& run);
  [[nodiscard]] Answer fit(const PlaceHold& ask, const NewPart& part, Number account, Moment at,
                           std::vector<Number>& periods);
  Amount let_leave(Hold& hold, Number leaving);

  // Money that people move.
  [[nodiscard]] Answer find_source(const Asked& asked, const std::string& name,
                                   const std::string& unit, Amount amount, Period*& found);
  [[nodiscard]] Answer find_target(const Asked& asked, const std::string& name,
                                   const std::string& unit, Amount amount, Period*& found);
  struct Claim {
    Hold* hold = nullptr;
    const Part* paid = nullptr;
    Run* run = nullptr;
    Amount back = 0;
  };
  [[nodiscard]] Answer claim(const Asked& asked, const GiveBack& ask, std::vector<Claim>& claims);
  [[nodiscard]] std::optional<Figures> used_less(const std::vector<Claim>& claims);
  [[nodiscard]] Answer take_back(const Asked& asked, const std::vector<Claim>& claims,
                                 const std::optional<std::string>& to, Answer answer);
  Amount write_off(const Asked& asked, const Settle& ask, Hold& hold, Run& run);

  State state_;
  struct Remembered {
    std::string body;
    Answer answer;
  };
  std::map<std::string, Remembered> remembered_;
};

// Rules of form, for all parts of it.
[[nodiscard]] Answer no(const std::string& refusal);
[[nodiscard]] bool is_name(const std::string& text);
[[nodiscard]] bool is_unit(const std::string& text);
[[nodiscard]] bool is_text(const std::string& text);  // at most 2000 bytes, no NUL
[[nodiscard]] bool is_limit(Amount amount);           // 0 to amount_max

}  // namespace asbb::reference
