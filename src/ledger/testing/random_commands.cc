#include "ledger/testing/random_commands.h"

#include <array>
#include <limits>

#include "base/token.h"
#include "ledger/ledger.h"
#include "ledger/testing/test_ledger.h"

namespace asbb::ledger::testing {
namespace {

const std::vector<std::string> account_names{"root",    "dept",    "dept",    "proj001",
                                             "proj001", "proj001", "proj002", "proj002",
                                             "nobody",  "-x",      "alias1"};
const std::vector<std::string> aliases{"alias1", "alias2", "alias3", "alias4"};
const std::vector<std::string> owners{"ada", "bob", "pi@example.org", "pi@", "a:b"};
const std::vector<std::string> units{"USD", "USD", "USD", "USD", "core-hours", "core-hours", "EUR"};
const std::vector<std::string> partitions{"cpu", "gpu-aws", "gpu-aws", ""};
const std::vector<std::string> users{"ada", "bob"};
constexpr std::int64_t federated_job = (std::int64_t{1} << 26) + 7;
const std::vector<std::string> clusters{"onprem", "onprem", "cloud"};

Micros amount(Chance& chance) {
  static const std::vector<std::int64_t> edges{0,
                                               1,
                                               -1,
                                               2,
                                               7,
                                               max_amount.count(),
                                               max_amount.count() - 1,
                                               max_amount.count() + 1,
                                               -max_amount.count(),
                                               std::numeric_limits<std::int64_t>::max(),
                                               std::numeric_limits<std::int64_t>::min()};
  switch (chance.below(24)) {
    case 0:
      return Micros(chance.of(edges));
    case 1:
      return max_amount;
    case 2:
      return Micros(chance.below(1'000'000'000));
    default:
      return Micros(chance.below(40));
  }
}

// What a budget or a limit has left, or could still take, and one more and one less: the amounts at
// which an answer turns.
Micros amount_near(Chance& chance, const Book& book) {
  if (chance.one_in(2) || book.counters().budget == 0) return amount(chance);
  const Budget& budget = *book.budget(BudgetId{1 + chance.below(book.counters().budget)});
  const auto limits = book.limits_of(budget.id);
  Micros edge = budget.available();
  if (!limits.empty() && chance.one_in(3)) {
    const PartitionLimit& limit = *chance.of(limits);
    edge = limit.limit ? *limit.limit - limit.held - limit.used : limit.used;
  } else if (chance.one_in(3)) {
    edge = chance.one_in(2) ? budget.held + budget.used : max_amount - budget.limit;
  } else if (chance.one_in(3)) {
    edge = budget.available() + budget.credit_limit;
  }
  return edge + Micros(chance.below(3) - 1);
}

// Seldom more than a field may have.
std::string text(Chance& chance, const std::string& usual) {
  if (!chance.one_in(60)) return usual;
  if (chance.one_in(2)) return usual + std::string(1, '\0');
  return std::string(static_cast<std::size_t>(1999 + chance.below(3)), 'x');
}

const std::vector<std::int64_t> carry_rules{carry_all, carry_all, carry_all / 2, 333'333, 1,
                                            0,         -1,        carry_all + 1};

NewBudget new_budget(Chance& chance) {
  NewBudget budget;
  budget.unit = chance.one_in(20) ? "1x" : chance.of(units);
  budget.start = epoch + hours(chance.below(5) * 20);
  budget.end = budget.start + hours(chance.below(6) * 20);
  budget.limit = amount(chance);
  if (chance.one_in(4)) budget.credit_limit = amount(chance);
  if (chance.one_in(2)) budget.carry_over_millionths = chance.of(carry_rules);
  return budget;
}

HoldId some_hold(Chance& chance, const Book& book) {
  const auto open = book.open_holds();
  if (!open.empty() && !chance.one_in(3)) return chance.of(open)->id;
  return HoldId{chance.below(book.counters().hold + 2)};
}

ShareKey some_key(Chance& chance, const Book& book, HoldId id) {
  const Hold* hold = book.hold(id);
  ShareKey key;
  const bool is_external =
      (hold != nullptr && hold->kind == HoldKind::external) != chance.one_in(30);
  if (is_external) {
    key.external_id = chance.one_in(30) ? "" : "fleet/node" + std::to_string(chance.below(4));
    if (chance.one_in(30)) key.job_id = 1;
    return key;
  }
  key.cluster = chance.one_in(30) ? "" : chance.of(clusters);
  key.job_id = chance.one_in(8) ? chance.below(3) : chance.one_in(8) ? federated_job : 7;
  // No run is charged from two holds.
  key.run = chance.one_in(30) ? -1 : 3 * id.value + chance.below(3) * chance.below(2);
  if (hold != nullptr && hold->job && !chance.one_in(8)) {
    key.cluster = hold->job->cluster;
    key.job_id = hold->job->job_id;
  }
  key.task = hold != nullptr && hold->task_count > 1 ? chance.below(hold->task_count + 1) : -1;
  if (chance.one_in(30)) key.task = chance.below(4) - 2;
  return key;
}

std::vector<std::string> some_aliases(Chance& chance) {
  std::vector<std::string> out;
  const std::int64_t many = chance.one_in(10) ? 101 : chance.below(3);
  for (std::int64_t i = 0; i < many; ++i) {
    out.push_back(chance.one_in(5) ? chance.of(account_names) : chance.of(aliases));
  }
  return out;
}

std::vector<std::string> some_owners(Chance& chance) {
  std::vector<std::string> out;
  const std::int64_t many = chance.one_in(10) ? 21 : chance.below(3);
  for (std::int64_t i = 0; i < many; ++i) {
    out.push_back(chance.one_in(8) ? chance.of(owners) : chance.of(users));
  }
  return out;
}

CreateAccount create_account(Chance& chance) {
  CreateAccount create;
  create.name = chance.of(account_names);
  if (chance.one_in(10)) create.aliases = some_aliases(chance);
  if (chance.one_in(5)) create.owners = some_owners(chance);
  if (!chance.one_in(3)) create.parent = chance.of(account_names);
  if (chance.one_in(5)) create.hold_factor_millionths = amount(chance).count();
  for (std::int64_t i = chance.below(3); i > 0; --i) create.budgets.push_back(new_budget(chance));
  return create;
}

Action import_accounts(Chance& chance) {
  ImportAccounts import;
  for (std::int64_t i = chance.below(3); i > 0; --i) {
    import.accounts.push_back(create_account(chance));
    if (chance.one_in(2)) import.accounts.back().name += std::to_string(chance.below(100));
  }
  for (std::int64_t i = chance.below(3); i > 0; --i) {
    import.budgets.push_back({chance.of(account_names), new_budget(chance)});
  }
  return import;
}

Action update_account(Chance& chance, const Book& book) {
  UpdateAccount update;
  update.name = chance.of(account_names);
  update.unit = chance.of(units);
  if (chance.one_in(4)) update.parent = chance.one_in(3) ? "" : chance.of(account_names);
  if (!chance.one_in(3)) {
    update.status = chance.one_in(6)
                        ? chance.of(std::vector{AccountStatus::suspended, AccountStatus::inactive,
                                                AccountStatus::closed})
                        : AccountStatus::active;
  }
  if (chance.one_in(5)) update.description = text(chance, "a\nb=%c");
  if (chance.one_in(5)) update.aliases = some_aliases(chance);
  if (chance.one_in(5)) update.owners = some_owners(chance);
  if (chance.one_in(2)) update.limit = amount_near(chance, book);
  if (chance.one_in(6)) update.start = epoch + hours(chance.below(10) * 10);
  if (chance.one_in(6)) update.end = epoch + hours(chance.below(10) * 20);
  if (chance.one_in(6)) update.credit_limit = amount(chance);
  if (chance.one_in(4)) update.carry_over_millionths = chance.of(carry_rules);
  if (chance.one_in(4)) update.may_convert = !chance.one_in(4);
  return update;
}

Action place_hold(Chance& chance, const Book& book) {
  PlaceHold place;
  place.account = chance.of(account_names);
  place.user = chance.of(users);
  place.cluster = chance.of(clusters);
  place.partition = chance.of(partitions);
  place.kind = chance.one_in(4) ? HoldKind::external : HoldKind::slurm;
  place.task_count = chance.one_in(3) ? chance.below(6) : 1;
  place.backfill = chance.one_in(8);
  for (std::int64_t i = chance.one_in(4) ? 2 : 1; i > 0; --i) {
    PlacePart part{chance.of(units), amount(chance), amount_near(chance, book), 1};
    if (place.backfill) part.amount = Micros();
    place.parts.push_back(part);
  }
  if (chance.one_in(20)) place.parts.clear();
  if (chance.one_in(10)) place.period_at = epoch + hours(chance.below(100));
  if (chance.one_in(10)) place.deadline = epoch + hours(chance.below(100));
  if (chance.one_in(10)) place.unbound_max = chance.below(3);
  if (chance.one_in(10)) place.transaction_id = "txn" + std::to_string(chance.below(3));
  if (chance.one_in(10)) place.group = text(chance, "het");
  place.running = !place.backfill && chance.one_in(12);
  place.any_unit = !place.backfill && chance.one_in(6);
  return place;
}

Action replace_hold(Chance& chance, const Book& book) {
  ReplaceHold replace;
  replace.hold = some_hold(chance, book);
  replace.task_count = chance.below(4);
  if (const Hold* hold = book.hold(replace.hold); hold != nullptr && !chance.one_in(4)) {
    replace.task_count = hold->task_count - hold->tasks_opened + hold->pending_runs;
    if (chance.one_in(3)) replace.task_count = chance.below(replace.task_count + 1);
  }
  if (chance.one_in(3)) replace.proposal = some_hold(chance, book);
  if (chance.one_in(5)) return replace;
  replace.place = std::get<PlaceHold>(place_hold(chance, book));
  if (!chance.one_in(10)) {
    replace.place->kind = HoldKind::slurm;
    replace.place->backfill = false;
    replace.place->task_count = replace.task_count;
    for (PlacePart& part : replace.place->parts) part.amount = Micros(chance.below(40));
  }
  replace.place->running = chance.one_in(3);
  return replace;
}

Action cover_job(Chance& chance, const Book& book) {
  CoverJob cover;
  cover.place = std::get<PlaceHold>(place_hold(chance, book));
  if (!chance.one_in(10)) {
    cover.place.kind = HoldKind::slurm;
    cover.place.backfill = false;
  }
  cover.job = {chance.of(clusters), 7 + chance.below(2), epoch};
  if (chance.one_in(5)) return cover;
  std::vector<const Hold*> sources;
  for (const Hold* hold : book.open_holds()) {
    if (hold->kind == HoldKind::external) sources.push_back(hold);
  }
  if (sources.empty() || chance.one_in(8)) {
    cover.from = some_hold(chance, book);
    cover.drawn = amount(chance);
    return cover;
  }
  const Hold* from = chance.of(sources);
  cover.from = from->id;
  const Micros left = from->parts.front().unopened;
  cover.drawn = chance.one_in(3) ? left + Micros(chance.below(3) - 1)
                                 : Micros(chance.below(left.count() + 1));
  if (cover.place.parts.empty() || chance.one_in(3)) return cover;
  cover.place.account = book.account(from->account)->name;
  PlacePart& part = cover.place.parts.front();
  part.unit = from->parts.front().unit;
  part.amount = cover.drawn + Micros(chance.below(3) - 1);
  return cover;
}

Action settle_share(Chance& chance, const Book& book) {
  SettleShare settle;
  settle.hold = some_hold(chance, book);
  settle.key = some_key(chance, book, settle.hold);
  settle.unit = chance.one_in(20) ? "EUR" : chance.of(units);
  if (const Hold* hold = book.hold(settle.hold); hold != nullptr && !chance.one_in(10)) {
    settle.unit = chance.of(hold->parts).unit;
  }
  settle.actual = amount(chance);
  settle.requeued = chance.one_in(3);
  settle.cause = settle.requeued ? "REQUEUED" : "COMPLETED";
  settle.rearms = settle.requeued && chance.one_in(2);
  if (chance.one_in(8)) settle.bearer = chance.of(account_names);
  return settle;
}

// Of the run after one that is known, mostly.
Action arm_run(Chance& chance, const Book& book, HoldId hold) {
  const auto shares = book.shares_of(hold);
  if (shares.empty() || chance.one_in(8)) return ArmRun{hold, some_key(chance, book, hold)};
  ShareKey key = chance.of(shares)->key;
  if (!chance.one_in(8)) ++key.run;
  return ArmRun{hold, key};
}

Action refund(Chance& chance, const Book& book) {
  Refund refund;
  refund.hold = some_hold(chance, book);
  refund.unit = chance.one_in(20) ? "EUR" : chance.of(units);
  refund.amount = amount(chance);
  const auto shares = book.shares_of(refund.hold);
  if (shares.empty()) return refund;
  const Share* share = chance.of(shares);
  if (chance.one_in(2)) refund.key = share->key;
  if (!chance.one_in(4)) refund.unit = share->unit;
  if (chance.one_in(4)) refund.more.push_back(some_hold(chance, book));
  if (chance.one_in(4)) refund.amount = share->actual - share->refunded + Micros(chance.below(2));
  return refund;
}

Action write_off(Chance& chance, const Book& book) {
  const Action like = refund(chance, book);
  const auto& from = std::get<Refund>(like);
  WriteOff write_off{from.hold, from.key, from.unit, from.amount, chance.of(account_names),
                     from.more};
  if (chance.one_in(2)) write_off.amount = std::nullopt;
  return write_off;
}

Action record_rate(Chance& chance) {
  RecordConversionRate rate{chance.of(units), chance.of(units), amount(chance),
                            epoch + hours(chance.below(100) - 20)};
  if (chance.one_in(2)) rate.rate = Micros(chance.below(5'000'000));
  if (chance.one_in(10)) rate.to_unit = "1x";
  return rate;
}

Action change_unit(Chance& chance, const Book& book) {
  if (chance.one_in(3)) return record_rate(chance);
  return Convert{chance.of(account_names), chance.of(units), chance.of(units),
                 amount_near(chance, book)};
}

Action move_money(Chance& chance, const Book& book) {
  const std::int64_t kind = chance.below(22);
  if (kind >= 17) return write_off(chance, book);
  if (kind >= 12) return change_unit(chance, book);
  if (kind < 2)
    return Deposit{chance.of(account_names), chance.of(units), amount_near(chance, book)};
  if (kind < 4)
    return Withdraw{chance.of(account_names), chance.of(units), amount_near(chance, book)};
  if (kind < 7) {
    return Transfer{chance.of(account_names), chance.of(account_names), chance.of(units),
                    amount_near(chance, book)};
  }
  return refund(chance, book);
}

// Of a job that nothing was done to before, so that it is done once.
Action enforcement(Chance& chance, const Book& book) {
  constexpr std::int64_t any_job = 1'000'000'000'000;
  RecordEnforcement out;
  out.account = chance.one_in(8) ? "nobody" : chance.of(account_names);
  out.step = chance.one_in(8) ? EnforcementStep::warn : EnforcementStep::signal;
  out.unit = chance.one_in(8) ? "" : "USD";
  out.limit = text(chance, "b1");
  out.how = "USR1";
  out.job = {chance.of(clusters), chance.below(any_job), -1, chance.below(3) - 1, ""};
  if (chance.one_in(8)) out.missing = amount_near(chance, book);
  return out;
}

Action some_action(Chance& chance, const Book& book) {
  const std::int64_t kind = chance.below(100);
  if (chance.one_in(6)) return move_money(chance, book);
  if (chance.one_in(25)) return CarryOver{};
  if (kind < 2 && chance.one_in(3)) return import_accounts(chance);
  if (kind < 2) return create_account(chance);
  if (kind < 11) return update_account(chance, book);
  if (kind < 12) return CloseAccount{chance.of(account_names)};
  if (kind < 16) return AddBudget{chance.of(account_names), new_budget(chance)};
  if (kind < 21) {
    return SetPartitionLimit{chance.of(account_names), chance.of(units), chance.of(partitions),
                             amount_near(chance, book)};
  }
  if (kind < 45) return place_hold(chance, book);
  if (kind < 94 && book.counters().hold == 0) return place_hold(chance, book);
  if (kind < 80) return settle_share(chance, book);
  const HoldId hold = some_hold(chance, book);
  if (kind < 85) {
    const std::int64_t job = chance.one_in(4) ? federated_job : chance.below(2) + 7;
    return BindHold{hold, JobRef{chance.of(clusters), job, epoch}};
  }
  if (kind < 88) return replace_hold(chance, book);
  if (kind < 91) return OpenShare{hold, some_key(chance, book, hold)};
  if (kind < 92) return chance.one_in(2) ? arm_run(chance, book, hold) : cover_job(chance, book);
  if (kind < 94) return VoidHold{hold};
  if (kind < 99) {
    Micros correction = chance.one_in(8) ? max_amount : amount_near(chance, book);
    if (chance.one_in(3) && !correction.is_negative()) correction = Micros() - correction;
    Adjust adjust{chance.of(account_names), chance.of(units), correction};
    if (chance.one_in(4)) adjust.job = ShareKey{text(chance, "onprem"), chance.below(9), -1, 0, ""};
    if (chance.one_in(8)) adjust.amount = Micros();
    return adjust;
  }
  if (chance.one_in(3)) return enforcement(chance, book);
  if (chance.one_in(2)) return Decline{"account_not_usable", "Not yours.\n", "alice"};
  return RecordPrices{epoch, "a: 1\n"};
}

std::string token(Chance& chance, Instant now) {
  std::array<std::uint8_t, 16> random{};
  random[0] = static_cast<std::uint8_t>(chance.below(2));
  return make_token(now + hours(chance.below(30) - 26), random);
}

}  // namespace

std::vector<Command> starting_world() {
  std::vector<Command> out;
  const auto add = [&](Action action) {
    Command command;
    command.context.at = epoch;
    command.context.actor = "root";
    command.action = std::move(action);
    out.push_back(std::move(command));
  };
  const auto budgets = [](std::int64_t limit) {
    NewBudget dollars = budget_of(Micros(limit), epoch, epoch + hours(80));
    NewBudget hours_of_cores = dollars;
    hours_of_cores.unit = "core-hours";
    return std::vector{dollars, hours_of_cores};
  };
  add(CreateAccount{"root", "", "", "", {}, budgets(max_amount.count())});
  add(CreateAccount{"dept", "", "", "root", {}, budgets(1000)});
  add(CreateAccount{"proj001", "", "", "dept", {}, budgets(400)});
  add(CreateAccount{"proj002", "", "", "dept", {}, {}});
  for (const char* name : {"dept", "proj001"}) {
    UpdateAccount update;
    update.name = name;
    update.may_convert = true;
    add(update);
  }
  add(RecordConversionRate{"USD", "core-hours", Micros(1'500'000), epoch});
  add(RecordConversionRate{"core-hours", "USD", Micros(333'333), epoch});
  add(SetPartitionLimit{"dept", "USD", "gpu-aws", Micros(300)});
  add(SetPartitionLimit{"proj001", "USD", "gpu-aws", Micros(100)});
  return out;
}

std::uint64_t Chance::next() {
  state_ += 0x9e3779b97f4a7c15;
  std::uint64_t mixed = state_;
  mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
  mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
  return mixed ^ (mixed >> 31);
}

std::int64_t Chance::below(std::int64_t bound) {
  return static_cast<std::int64_t>(next() % static_cast<std::uint64_t>(bound));
}

Command random_command(const Book& book, std::uint64_t seed, Instant now) {
  Chance chance(seed);
  Command command;
  command.context.at = now + seconds(chance.below(3600));
  command.context.actor = "root";
  if (!chance.one_in(40)) command.context.reason = text(chance, "by chance");
  command.context.remembers_refusals = !chance.one_in(10);
  command.action = some_action(chance, book);
  if (chance.one_in(3)) {
    command.context.request_id =
        chance.one_in(2) ? token(chance, now) : "key" + std::to_string(chance.below(20));
    command.context.body_digest = chance.one_in(4) ? "other" : "body";
  }
  return command;
}

std::string describe(const Command& command) {
  static const std::vector<const char*> names{
      "CreateAccount", "UpdateAccount", "CloseAccount", "AddBudget", "SetPartitionLimit",
      "PlaceHold",     "BindHold",      "SettleShare",  "OpenShare", "VoidHold",
      "ReplaceHold",   "Adjust",        "Deposit",      "Withdraw",  "Transfer",
      "Refund",        "RecordPrices",  "WriteOff",     "CarryOver", "RecordConversionRate",
      "Convert",       "ArmRun",        "CoverJob",     "Decline",   "RecordEnforcement",
      "ImportAccounts"};
  std::string out = names.at(command.action.index());
  if (const auto* settle = std::get_if<SettleShare>(&command.action)) {
    out += " hold " + std::to_string(settle->hold.value) + " task " +
           std::to_string(settle->key.task) + " run " + std::to_string(settle->key.run) + " " +
           to_decimal(settle->actual) + " " + settle->cause;
  }
  if (const auto* place = std::get_if<PlaceHold>(&command.action)) {
    out += " on " + place->account + " for " + std::to_string(place->task_count) + " tasks";
    for (const PlacePart& part : place->parts) out += " " + to_decimal(part.amount) + part.unit;
  }
  return out;
}

}  // namespace asbb::ledger::testing
