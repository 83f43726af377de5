#include "store/arbitrary.h"

#include <rapidcheck.h>

#include <algorithm>
#include <limits>
#include <tuple>

namespace asbb::store {
namespace {

using ledger::EntryType;

// Mostly edges: where encodings and types break.
std::int64_t any_number() {
  using Limits = std::numeric_limits<std::int64_t>;
  return *rc::gen::oneOf(rc::gen::element<std::int64_t>(0, 1, -1, Limits::min(), Limits::max(),
                                                        1LL << 53, -(1LL << 53)),
                         rc::gen::arbitrary<std::int64_t>());
}

// Both ends included, and likely.
std::int64_t number_between(std::int64_t low, std::int64_t high) {
  if (low == high) return low;
  return *rc::gen::oneOf(rc::gen::element(low, high), rc::gen::inRange(low, high));
}

std::int64_t any_positive() {
  return number_between(0, std::numeric_limits<std::int64_t>::max());
}

Micros any_limit() {
  return Micros(number_between(0, max_amount.count()));
}

Micros any_held() {
  return Micros(any_positive());
}

Instant any_time() {
  return Instant{any_number()};
}

bool chance() {
  return *rc::gen::arbitrary<bool>();
}

template <typename Map>
typename Map::mapped_type any_of(const Map& map) {
  auto at = map.begin();
  std::advance(at, number_between(0, static_cast<std::int64_t>(map.size()) - 1));
  return at->second;
}

template <typename Id, typename Map>
Id next_id(const Map& map) {
  return map.empty() ? Id{1} : Id{map.rbegin()->first.value + 1};
}

// A text that names a row: never empty, never given twice.
std::string unique_text(const std::string& what, std::int64_t number) {
  return what + std::to_string(number) + arbitrary_text();
}

void fill(const Model& model, ledger::Account& account) {
  account.aliases.clear();
  for (std::int64_t i = number_between(0, 3); i > 0; --i) {
    account.aliases.push_back("alias" + std::to_string(i));
  }
  account.owners.clear();
  for (std::int64_t i = number_between(0, 2); i > 0; --i) {
    account.owners.push_back("owner" + std::to_string(i) + "@example.org");
  }
  account.display_name = arbitrary_text();
  account.description = arbitrary_text();
  account.parent = {};
  if (!model.accounts.empty() && chance()) account.parent = any_of(model.accounts).id;
  if (account.parent == account.id) account.parent = {};
  account.status =
      *rc::gen::element(ledger::AccountStatus::active, ledger::AccountStatus::inactive,
                        ledger::AccountStatus::suspended, ledger::AccountStatus::closed);
  account.hold_factor_millionths = std::nullopt;
  if (chance()) account.hold_factor_millionths = any_positive();
  account.may_convert = chance();
  account.created_at = any_time();
  account.updated_at = any_time();
}

void fill(const Model& model, ledger::Budget& budget) {
  budget.account = any_of(model.accounts).id;
  budget.unit = *rc::gen::element<std::string>("USD", "core-hours", "EUR");
  budget.start.microseconds = number_between(std::numeric_limits<std::int64_t>::min(), 0);
  budget.end.microseconds = number_between(1, std::numeric_limits<std::int64_t>::max());
  budget.limit = any_limit();
  budget.held = any_held();
  budget.used = any_held();
  budget.credit_limit = any_limit();
  budget.carry_over_millionths = number_between(0, ledger::carry_all);
  budget.carried = any_held();
  budget.carried_in = any_held();
  budget.created_at = any_time();
  budget.updated_at = any_time();
}

void fill(ledger::PartitionLimit& limit) {
  limit.limit = std::nullopt;
  if (chance()) limit.limit = any_limit();
  limit.held = any_held();
  limit.used = any_held();
  limit.updated_at = any_time();
}

ledger::HoldPart any_part(const Model& model, std::size_t place) {
  ledger::HoldPart part;
  part.unit = "unit" + std::to_string(place);
  part.budget = any_of(model.budgets).id;
  const std::int64_t legs = number_between(0, 3);
  for (std::int64_t i = 0; i < legs; ++i) {
    const auto kind = chance() ? ledger::Leg::Kind::budget : ledger::Leg::Kind::partition_limit;
    part.legs.push_back({kind, std::max<std::int64_t>(any_positive(), 1)});
  }
  part.estimate = any_held();
  part.granted = any_held();
  part.unopened = any_held();
  part.price_version = any_positive();
  return part;
}

void fill(const Model& model, ledger::Hold& hold) {
  hold.account = any_of(model.accounts).id;
  hold.user = arbitrary_text();
  hold.cluster = arbitrary_text();
  hold.partition = arbitrary_text();
  hold.group = arbitrary_text();
  hold.task_count = std::max<std::int64_t>(any_positive(), 1);
  hold.tasks_opened = number_between(0, hold.task_count);
  hold.status = chance() ? ledger::HoldStatus::open : ledger::HoldStatus::closed;
  hold.open_shares = hold.status == ledger::HoldStatus::open ? any_positive() : 0;
  hold.pending_runs = any_positive();
  hold.backfilled = chance();
  hold.job = std::nullopt;
  if (chance()) hold.job = ledger::JobRef{arbitrary_text(), number_between(1, 3), any_time()};
  hold.parts.clear();
  const std::int64_t parts = number_between(0, 3);
  for (std::int64_t i = 0; i < parts; ++i) {
    hold.parts.push_back(any_part(model, hold.parts.size()));
  }
  hold.placed_at = any_time();
  hold.closed_at = any_time();
}

void fill(ledger::Share& share) {
  share.status = chance() ? ledger::ShareStatus::open : ledger::ShareStatus::settled;
  share.held.clear();
  const std::int64_t parts = number_between(0, 3);
  for (std::int64_t i = 0; i < parts; ++i) share.held.push_back(any_held());
  share.unit = arbitrary_text();
  share.actual = any_held();
  share.charged = any_held();
  share.overrun = any_held();
  share.released = any_held();
  share.refunded = Micros(number_between(0, share.actual.count()));
  share.requeued = chance();
  share.opened_at = any_time();
  share.settled_at = any_time();
}

ledger::ShareKey any_key(std::int64_t number) {
  ledger::ShareKey key;
  if (chance()) {
    key.external_id = unique_text("external", number);
    return key;
  }
  key.cluster = arbitrary_text();
  key.job_id = number;
  key.task = number_between(-1, std::numeric_limits<std::int64_t>::max());
  key.run = any_positive();
  return key;
}

EntryType any_type() {
  return static_cast<EntryType>(number_between(0, static_cast<std::int64_t>(EntryType::prices)));
}

ChainedEntry any_entry(const Model& model, std::int64_t sequence) {
  ChainedEntry chained;
  ledger::Entry& entry = chained.entry;
  entry.sequence = sequence;
  entry.at = any_time();
  entry.type = any_type();
  entry.actor = arbitrary_text();
  entry.reason = arbitrary_text();
  entry.request_id = arbitrary_text();
  if (!model.accounts.empty() && chance()) {
    entry.account = any_of(model.accounts).id;
    entry.account_name = model.accounts.at(entry.account).name;
  }
  if (!model.budgets.empty() && chance()) entry.budget = any_of(model.budgets).id;
  if (!model.holds.empty() && chance()) entry.hold = any_of(model.holds).id;
  entry.unit = arbitrary_text();
  const bool signed_too = entry.type == EntryType::adjustment;
  entry.amount = Micros(signed_too ? any_number() : any_positive());
  entry.user = arbitrary_text();
  entry.partition = arbitrary_text();
  if (chance()) {
    entry.job.cluster = arbitrary_text();
    entry.job.job_id = number_between(1, 3);
    entry.job.task = number_between(-1, 5);
    entry.job.run = any_positive();
  } else if (chance()) {
    entry.job.external_id = *rc::gen::element<std::string>("1", "cluster/node", "a'b");
  }
  entry.price_version = any_number();
  entry.details = arbitrary_text();
  chained.record = "r" + arbitrary_text();
  for (auto& byte : chained.chain) byte = *rc::gen::arbitrary<std::uint8_t>();
  return chained;
}

// Rows are added to a copy of the model as they are made, so that later ones may refer to them.
class BatchMaker {
 public:
  explicit BatchMaker(const Model& model) : model_(model) {}

  Batch make() {
    some([&] { add_account(); });
    if (!model_.accounts.empty()) some([&] { add_budget(); });
    if (!model_.budgets.empty()) {
      some([&] { add_limit(); });
      some([&] { add_hold(); });
    }
    if (!model_.holds.empty()) some([&] { add_share(); });
    some([&] { add_prices(); });
    some([&] { add_rate(); });
    some([&] { add_answer(); });
    some([&] {
      const auto sequence = static_cast<std::int64_t>(model_.entries.size()) + 1;
      keep(batch_.entries, any_entry(model_, sequence));
    });
    return std::move(batch_);
  }

 private:
  template <typename Make>
  void some(Make&& make) {
    for (std::int64_t count = number_between(0, 3); count > 0; --count) make();
  }

  template <typename Row>
  void keep(std::vector<Row>& rows, Row row) {
    Batch one;
    rows.push_back(row);
    if constexpr (std::is_same_v<Row, ledger::Account>) one.accounts.push_back(row);
    if constexpr (std::is_same_v<Row, ledger::Budget>) one.budgets.push_back(row);
    if constexpr (std::is_same_v<Row, ledger::PartitionLimit>) one.limits.push_back(row);
    if constexpr (std::is_same_v<Row, ledger::Hold>) one.holds.push_back(row);
    if constexpr (std::is_same_v<Row, ledger::Share>) one.shares.push_back(row);
    if constexpr (std::is_same_v<Row, ChainedEntry>) one.entries.push_back(row);
    model_.apply(one);
  }

  void add_account() {
    ledger::Account account;
    if (!model_.accounts.empty() && chance()) {
      account = any_of(model_.accounts);
    } else {
      account.id = next_id<ledger::AccountId>(model_.accounts);
      account.name = unique_text("account", account.id.value);
    }
    fill(model_, account);
    keep(batch_.accounts, account);
  }

  void add_budget() {
    ledger::Budget budget;
    budget.id = next_id<ledger::BudgetId>(model_.budgets);
    if (!model_.budgets.empty() && chance()) budget = any_of(model_.budgets);
    fill(model_, budget);
    keep(batch_.budgets, budget);
  }

  void add_limit() {
    ledger::PartitionLimit limit;
    if (!model_.limits.empty() && chance()) {
      limit = any_of(model_.limits);
    } else {
      limit.id = next_id<ledger::LimitId>(model_.limits);
      limit.budget = any_of(model_.budgets).id;
      limit.partition = unique_text("partition", limit.id.value);
    }
    fill(limit);
    keep(batch_.limits, limit);
  }

  void add_hold() {
    ledger::Hold hold;
    if (!model_.holds.empty() && chance()) {
      hold = any_of(model_.holds);
    } else {
      hold.id = next_id<ledger::HoldId>(model_.holds);
      hold.kind = chance() ? ledger::HoldKind::slurm : ledger::HoldKind::external;
      if (chance()) hold.request_id = unique_text("token", hold.id.value);
    }
    fill(model_, hold);
    keep(batch_.holds, hold);
  }

  void add_share() {
    ledger::Share share;
    if (!model_.shares.empty() && chance()) {
      share = any_of(model_.shares);
    } else {
      share.id = next_id<ledger::ShareId>(model_.shares);
      share.hold = any_of(model_.holds).id;
      share.key = any_key(share.id.value);
    }
    fill(share);
    keep(batch_.shares, share);
  }

  void add_prices() {
    ledger::PriceVersion prices;
    prices.version = number_between(1, 4);
    prices.effective_from = any_time();
    prices.imported_at = any_time();
    prices.text = arbitrary_text();
    batch_.prices.push_back(prices);
  }

  void add_rate() {
    ledger::ConversionRate rate;
    rate.version = number_between(1, 4);
    rate.from_unit = "from" + arbitrary_text();
    rate.to_unit = "to" + arbitrary_text();
    rate.rate = Micros(std::max<std::int64_t>(any_positive(), 1));
    rate.effective_from = any_time();
    rate.recorded_at = any_time();
    batch_.rates.push_back(rate);
  }

  void add_answer() {
    ledger::RememberedAnswer answer;
    answer.request_id = "id" + arbitrary_text();
    answer.body_digest = arbitrary_text();
    answer.at = any_time();
    if (const auto before = model_.answers.find(answer.request_id);
        before != model_.answers.end()) {
      answer.at = std::max(answer.at, before->second.at);
    }
    for (const auto& other : batch_.answers) {
      if (other.request_id == answer.request_id) answer.at = std::max(answer.at, other.at);
    }
    answer.outcome = arbitrary_text();
    batch_.answers.push_back(answer);
  }

  Model model_;
  Batch batch_;
};

}  // namespace

std::string arbitrary_text() {
  using namespace std::string_literals;
  return *rc::gen::oneOf(
      rc::gen::element(""s, "'"s, "a \"quoted\" word"s, "two\nlines\r\n"s, "nul\0byte"s, "\0"s,
                       "naïve ☃ 𝄞"s, "\xff\xfe\x80"s, "'); DELETE FROM budget_accounts; --"s,
                       "%_?"s, std::string(10'000, 'x')),
      rc::gen::arbitrary<std::string>());
}

Batch arbitrary_batch(const Model& model) {
  return BatchMaker(model).make();
}

EntryQuery arbitrary_query(const Model& model) {
  EntryQuery query;
  const auto count = static_cast<std::int64_t>(model.entries.size());
  if (chance()) query.after_sequence = number_between(0, count + 2);
  if (chance()) query.before_sequence = number_between(0, count + 2);
  query.newest_first = chance();
  query.count_max = *rc::gen::element<std::int64_t>(1, 2, 5, 100'000);
  if (!model.accounts.empty() && chance()) query.account = any_of(model.accounts).name;
  if (!model.holds.empty() && chance()) query.hold = any_of(model.holds).id.value;
  query.of_open_holds = chance();
  if (chance()) {
    query.job_id = *rc::gen::element<std::string>("1", "2", "01", "cluster/node", "a'b", "x");
  }
  while (chance()) query.types.push_back(any_type());
  if (chance()) query.from = any_time();
  if (chance()) query.until = any_time();
  return query;
}

void Model::apply(const Batch& batch) {
  for (const auto& row : batch.accounts) accounts[row.id] = row;
  for (const auto& row : batch.budgets) budgets[row.id] = row;
  for (const auto& row : batch.limits) limits[row.id] = row;
  for (const auto& row : batch.holds) holds[row.id] = row;
  for (const auto& row : batch.shares) shares[row.id] = row;
  for (const auto& row : batch.prices) prices[row.version] = row;
  for (const auto& row : batch.rates) rates[row.version] = row;
  for (const auto& row : batch.answers) answers[row.request_id] = row;
  for (const auto& row : batch.entries) entries.push_back(row);
}

std::vector<ledger::Share> Model::shares_of(ledger::HoldId hold) const {
  std::vector<ledger::Share> out;
  for (const auto& [id, share] : shares) {
    if (share.hold == hold) out.push_back(share);
  }
  return out;
}

Snapshot Model::snapshot(Instant answers_since) const {
  Snapshot out;
  for (const auto& [id, row] : accounts) out.accounts.push_back(row);
  for (const auto& [id, row] : budgets) out.budgets.push_back(row);
  for (const auto& [id, row] : limits) out.limits.push_back(row);
  for (const auto& [id, row] : holds) {
    if (row.status != ledger::HoldStatus::open) continue;
    out.holds.push_back(row);
    for (ledger::Share& share : shares_of(id)) out.shares.push_back(std::move(share));
  }
  for (const auto& [id, row] : prices) out.prices.push_back(row);
  for (const auto& [id, row] : rates) out.rates.push_back(row);
  for (const auto& [id, row] : answers) {
    if (row.at >= answers_since) out.answers.push_back(row);
  }
  // Ids are given without a gap here, so that the highest is the number of rows.
  out.counters.account = static_cast<std::int64_t>(accounts.size());
  out.counters.budget = static_cast<std::int64_t>(budgets.size());
  out.counters.limit = static_cast<std::int64_t>(limits.size());
  out.counters.hold = static_cast<std::int64_t>(holds.size());
  out.counters.share = static_cast<std::int64_t>(shares.size());
  out.counters.entry = static_cast<std::int64_t>(entries.size());
  out.counters.price_version = prices.empty() ? 0 : prices.rbegin()->first;
  out.counters.rate_version = rates.empty() ? 0 : rates.rbegin()->first;
  if (!entries.empty()) out.chain_head = entries.back().chain;
  return out;
}

bool Model::is_open(ledger::HoldId id) const {
  const auto found = holds.find(id);
  return found != holds.end() && found->second.status == ledger::HoldStatus::open;
}

std::vector<ChainedEntry> Model::find(const EntryQuery& query) const {
  std::vector<ChainedEntry> out = entries;
  std::erase_if(out, [&](const ChainedEntry& chained) {
    const ledger::Entry& entry = chained.entry;
    const auto& types = query.types;
    return entry.sequence <= query.after_sequence ||
           (query.before_sequence != 0 && entry.sequence >= query.before_sequence) ||
           (!query.account.empty() && query.account != entry.account_name) ||
           (query.hold != 0 && query.hold != entry.hold.value) ||
           (query.of_open_holds && !is_open(entry.hold)) ||
           (!query.job_id.empty() && query.job_id != entry.job.external_id &&
            query.job_id != std::to_string(entry.job.job_id)) ||
           (!types.empty() && std::count(types.begin(), types.end(), entry.type) == 0) ||
           (query.from && entry.at < *query.from) || (query.until && entry.at >= *query.until);
  });
  if (query.newest_first) std::reverse(out.begin(), out.end());
  if (static_cast<std::int64_t>(out.size()) > query.count_max) {
    out.resize(static_cast<std::size_t>(query.count_max));
  }
  return out;
}

bool is_same(const std::vector<ChainedEntry>& left, const std::vector<ChainedEntry>& right) {
  return std::equal(left.begin(), left.end(), right.begin(), right.end(),
                    [](const ChainedEntry& a, const ChainedEntry& b) {
                      return a.entry == b.entry && a.record == b.record && a.chain == b.chain;
                    });
}

bool is_same(const Snapshot& left, const Snapshot& right) {
  const auto sorted = [](std::vector<ledger::Share> shares) {
    std::sort(shares.begin(), shares.end(),
              [](const auto& a, const auto& b) { return a.id < b.id; });
    return shares;
  };
  return left.accounts == right.accounts && left.budgets == right.budgets &&
         left.limits == right.limits && left.holds == right.holds &&
         sorted(left.shares) == sorted(right.shares) && left.prices == right.prices &&
         left.rates == right.rates && left.answers == right.answers &&
         left.counters == right.counters && left.chain_head == right.chain_head;
}

}  // namespace asbb::store
