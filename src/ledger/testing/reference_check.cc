#include "ledger/testing/reference_check.h"

#include <algorithm>

#include "base/token.h"

namespace asbb::ledger::testing {
namespace {

namespace ref = asbb::reference;
using ref::Amount;

std::optional<Amount> amount(const std::optional<Micros>& given) {
  return given ? std::optional<Amount>(given->count()) : std::nullopt;
}

std::optional<ref::Moment> moment(const std::optional<Instant>& given) {
  return given ? std::optional(given->microseconds) : std::nullopt;
}

ref::RunName run_name(const ShareKey& key) {
  return {key.cluster, key.job_id, key.task, key.run, key.external_id};
}

ref::NewPeriod new_period(const NewBudget& budget) {
  return {budget.unit,          budget.start.microseconds,   budget.end.microseconds,
          budget.limit.count(), budget.credit_limit.count(), budget.carry_over_millionths};
}

ref::PlaceHold place_hold(const PlaceHold& from) {
  ref::PlaceHold place;
  place.name = from.transaction_id;
  place.is_slurm = from.kind == HoldKind::slurm;
  place.account = from.account;
  place.user = from.user;
  place.partition = from.partition;
  place.texts = {from.user, from.cluster, from.partition, from.group, from.transaction_id};
  place.tasks = from.task_count;
  for (const PlacePart& part : from.parts) {
    place.parts.push_back({part.unit, part.estimate.count(), part.amount.count()});
  }
  place.deadline = moment(from.deadline);
  place.period_at = moment(from.period_at);
  place.unbound_max = from.unbound_max;
  place.is_afterwards = from.backfill;
  place.is_running = from.running;
  place.is_any_unit = from.any_unit;
  return place;
}

ref::CreateAccount create_account(const CreateAccount& from) {
  ref::CreateAccount to;
  to.name = from.name;
  to.texts = {from.display_name, from.description};
  to.parent = from.parent;
  if (from.hold_factor_millionths) to.factor = *from.hold_factor_millionths;
  for (const NewBudget& budget : from.budgets) to.periods.push_back(new_period(budget));
  to.aliases = from.aliases;
  to.owners = from.owners;
  return to;
}

// The command in the reference's words.
struct Translate {
  ref::Command operator()(const CreateAccount& from) const { return create_account(from); }
  ref::Command operator()(const ImportAccounts& from) const {
    ref::Import to;
    for (const CreateAccount& account : from.accounts) {
      to.accounts.push_back(create_account(account));
    }
    for (const AddBudget& budget : from.budgets) {
      to.periods.push_back({budget.account, new_period(budget.budget)});
    }
    return to;
  }
  ref::Command operator()(const UpdateAccount& from) const {
    ref::UpdateAccount to;
    to.name = from.name;
    to.texts = {from.display_name.value_or(""), from.description.value_or("")};
    if (from.hold_factor_millionths) to.factor = *from.hold_factor_millionths;
    if (from.status) to.status = to_string(*from.status);
    to.parent = from.parent;
    to.aliases = from.aliases;
    to.owners = from.owners;
    to.may_convert = from.may_convert;
    to.unit = from.unit;
    to.limit = amount(from.limit);
    to.start = moment(from.start);
    to.end = moment(from.end);
    to.credit = amount(from.credit_limit);
    if (from.carry_over_millionths) to.rule = *from.carry_over_millionths;
    return to;
  }
  ref::Command operator()(const CloseAccount& from) const { return ref::CloseAccount{from.name}; }
  ref::Command operator()(const AddBudget& from) const {
    return ref::AddPeriod{from.account, new_period(from.budget)};
  }
  ref::Command operator()(const SetPartitionLimit& from) const {
    return ref::LimitPartition{from.account, from.unit, from.partition, from.limit.count()};
  }
  ref::Command operator()(const PlaceHold& from) const { return place_hold(from); }
  ref::Command operator()(const BindHold& from) const {
    return ref::Bind{from.hold.value, from.job.cluster, from.job.job_id};
  }
  ref::Command operator()(const SettleShare& from) const {
    return ref::Settle{from.hold.value, run_name(from.key), from.unit,  from.actual.count(),
                       from.requeued,   from.rearms,        from.bearer};
  }
  ref::Command operator()(const OpenShare& from) const {
    return ref::OpenRun{from.hold.value, run_name(from.key)};
  }
  ref::Command operator()(const ArmRun& from) const {
    return ref::ArmRun{from.hold.value, run_name(from.key)};
  }
  ref::Command operator()(const VoidHold& from) const { return ref::Void{from.hold.value}; }
  ref::Command operator()(const ReplaceHold& from) const {
    ref::Replace to{from.hold.value, from.task_count, from.group, {}, {}};
    if (from.proposal) to.proposal = from.proposal->value;
    if (from.place) to.place = place_hold(*from.place);
    return to;
  }
  ref::Command operator()(const CoverJob& from) const {
    ref::Cover to{
        {}, from.drawn.count(), place_hold(from.place), from.job.cluster, from.job.job_id};
    if (from.from) to.from = from.from->value;
    return to;
  }
  ref::Command operator()(const Adjust& from) const {
    ref::Correct to{from.account, from.unit, from.amount.count(), {}};
    if (from.job) to.job = run_name(*from.job);
    return to;
  }
  ref::Command operator()(const Deposit& from) const {
    return ref::Move{{}, from.account, from.unit, from.amount.count()};
  }
  ref::Command operator()(const Withdraw& from) const {
    return ref::Move{from.account, {}, from.unit, from.amount.count()};
  }
  ref::Command operator()(const Transfer& from) const {
    return ref::Move{from.from, from.to, from.unit, from.amount.count()};
  }
  ref::Command operator()(const Refund& from) const {
    return give_back(from, from.amount, std::nullopt);
  }
  ref::Command operator()(const WriteOff& from) const {
    return give_back(from, from.amount, from.to);
  }
  ref::Command operator()(const RecordPrices&) const { return ref::Prices{}; }
  ref::Command operator()(const Decline&) const { return ref::Decline{}; }
  ref::Command operator()(const RecordEnforcement& from) const {
    using enum EnforcementStep;
    return ref::Enforce{from.account,
                        from.unit,
                        {from.user, from.partition, from.limit, from.how},
                        from.step == warn || from.step == stop_new || from.step == credit,
                        run_name(from.job),
                        {from.missing.count(), from.gives_back.count()}};
  }
  ref::Command operator()(const CarryOver&) const { return ref::Carry{}; }
  ref::Command operator()(const RecordConversionRate& from) const {
    return ref::Rate{from.from_unit, from.to_unit, from.rate.count(),
                     from.effective_from.microseconds};
  }
  ref::Command operator()(const Convert& from) const {
    return ref::Convert{from.account, from.from_unit, from.to_unit, from.amount.count()};
  }

 private:
  template <typename Action>
  static ref::Command give_back(const Action& from, const std::optional<Micros>& most,
                                const std::optional<std::string>& to) {
    ref::GiveBack back;
    back.first_hold = from.hold.value;
    back.holds.insert(from.hold.value);
    for (const HoldId more : from.more) back.holds.insert(more.value);
    if (from.key) back.run = run_name(*from.key);
    back.unit = from.unit;
    back.amount = amount(most);
    back.to = to;
    return back;
  }
};

ref::Asked asked_in(const Context& context) {
  ref::Asked asked;
  asked.id = context.request_id;
  if (is_token(context.request_id)) asked.minted = token_time(context.request_id).microseconds;
  asked.body = context.body_digest;
  asked.reason = context.reason;
  asked.keeps_refusals = context.remembers_refusals;
  asked.at = context.at.microseconds;
  return asked;
}

// A sentence for the first thing that differs.
class Differences {
 public:
  explicit Differences(std::string where) : where_(std::move(where)) {}

  void expect(const char* what, const std::optional<Amount>& right, Micros given) {
    if (right && *right != given.count()) {
      note(what, to_decimal(Micros(static_cast<std::int64_t>(*right))), to_decimal(given));
    }
  }
  void expect(const char* what, const std::string& right, const std::string& given) {
    if (right != given) note(what, right, given);
  }
  void expect_number(const char* what, const std::optional<ref::Number>& right,
                     std::int64_t given) {
    if (right && *right != given) note(what, std::to_string(*right), std::to_string(given));
  }
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  void note(const char* what, const std::string& right, const std::string& given) {
    if (text_.empty()) text_ = where_ + ": " + what + " is " + given + " and should be " + right;
  }
  std::string where_;
  std::string text_;
};

std::string differs(const ref::Answer& right, const Outcome& given) {
  Differences found("the answer");
  found.expect("refusal", right.refusal, to_string(given.refusal));
  found.expect("repeated", right.is_repeated ? "yes" : "no", given.replayed ? "yes" : "no");
  found.expect_number("budget", right.budget, given.budget.value);
  found.expect_number("hold", right.hold, given.hold.value);
  found.expect("amount", right.amount, given.amount);
  found.expect("granted", right.granted, given.granted);
  found.expect("charged", right.charged, given.charged);
  found.expect("overrun", right.overrun, given.overrun);
  found.expect("released", right.released, given.released);
  found.expect("converted", right.converted, given.converted);
  found.expect("rearmed", right.rearmed, given.rearmed);
  found.expect("uncovered", right.uncovered, given.uncovered);
  found.expect("written off", right.written_off, given.written_off);
  if (right.line) {
    found.expect("account of the line", right.line->account, given.leg.account);
    found.expect("partition of the line", right.line->partition, given.leg.partition);
    found.expect("limit of the line", right.line->limit, given.leg.limit);
    found.expect("held of the line", right.line->held, given.leg.held);
    found.expect("used of the line", right.line->used, given.leg.used);
    found.expect("available of the line", right.line->available, given.leg.available);
  }
  return found.text();
}

std::string differs(const ref::Account& right, const Account& given) {
  Differences found("account " + right.name);
  found.expect("name", right.name, given.name);
  found.expect("status", right.status, to_string(given.status));
  found.expect_number("parent", right.parent, given.parent.value);
  found.expect("right to convert", right.may_convert ? "yes" : "no",
               given.may_convert ? "yes" : "no");
  const std::set<std::string> aliases(given.aliases.begin(), given.aliases.end());
  if (aliases != right.aliases) found.expect("aliases", "others", "these");
  const std::set<std::string> owners(given.owners.begin(), given.owners.end());
  if (owners != right.owners) found.expect("owners", "others", "these");
  return found.text();
}

std::string differs(const ref::Period& right, const Budget& given, const Book& book) {
  const std::string name = "budget " + std::to_string(right.id);
  Differences found(name);
  found.expect_number("account", right.account, given.account.value);
  found.expect("unit", right.unit, given.unit);
  found.expect_number("start", right.start, given.start.microseconds);
  found.expect_number("end", right.end, given.end.microseconds);
  found.expect("limit", right.limit(), given.limit);
  found.expect("held", right.held, given.held);
  found.expect("used", right.used, given.used);
  found.expect("available", right.available(), given.available());
  found.expect("granted", right.granted, given.granted());
  found.expect("carried", right.went_on, given.carried);
  found.expect("carried in", right.came_in, given.carried_in);
  found.expect("credit", right.credit, given.credit_limit);
  found.expect("carry-over", right.rule, Micros(given.carry_over_millionths));
  if (!found.text().empty()) return found.text();
  const auto limits = book.limits_of(given.id);
  if (limits.size() != right.partitions.size()) return name + ": it counts other partitions";
  for (const PartitionLimit* limit : limits) {
    const auto known = right.partitions.find(limit->partition);
    if (known == right.partitions.end()) return name + ": it should not count " + limit->partition;
    Differences inside(name + ", " + limit->partition);
    inside.expect("limit", known->second.limit ? "set" : "none", limit->limit ? "set" : "none");
    inside.expect("limit", known->second.limit, limit->limit.value_or(Micros()));
    inside.expect("held", known->second.held, limit->held);
    inside.expect("used", known->second.used, limit->used);
    if (!inside.text().empty()) return inside.text();
  }
  return {};
}

std::string differs(const ref::Hold& right, const Hold& given) {
  Differences found("hold " + std::to_string(right.id));
  found.expect("status", right.is_open ? "open" : "closed", to_string(given.status));
  found.expect_number("tasks", right.tasks, given.task_count);
  found.expect("job", right.job ? right.job->first + " " + std::to_string(right.job->second) : "",
               given.job ? given.job->cluster + " " + std::to_string(given.job->job_id) : "");
  for (std::size_t i = 0; i < right.parts.size() && i < given.parts.size(); ++i) {
    found.expect("part", right.parts[i].granted, given.parts[i].granted);
    found.expect("rest", right.parts[i].left, given.parts[i].unopened);
  }
  return found.text();
}

std::string differs(const ref::Reference& right, const Book& book) {
  const auto accounts = book.accounts();
  const Counters& last = book.counters();
  if (right.accounts().size() != accounts.size() ||
      static_cast<std::int64_t>(right.periods().size()) != last.budget ||
      static_cast<std::int64_t>(right.holds().size()) != last.hold) {
    return "there are other accounts, budgets or holds than there should be";
  }
  for (std::size_t i = 0; i < accounts.size(); ++i) {
    if (std::string found = differs(right.accounts()[i], *accounts[i]); !found.empty()) {
      return found;
    }
  }
  for (const ref::Period& period : right.periods()) {
    std::string found = differs(period, *book.budget(BudgetId{period.id}), book);
    if (!found.empty()) return found;
  }
  for (const ref::Hold& hold : right.holds()) {
    if (std::string found = differs(hold, *book.hold(HoldId{hold.id})); !found.empty()) {
      return found;
    }
  }
  return {};
}

}  // namespace

std::string ReferenceCheck::compare(const Command& command, const Outcome& outcome,
                                    const Book& book) {
  const ref::Answer answer =
      reference_.decide(asked_in(command.context), std::visit(Translate{}, command.action));
  if (std::string found = differs(answer, outcome); !found.empty()) return found;
  return differs(reference_, book);
}

}  // namespace asbb::ledger::testing
