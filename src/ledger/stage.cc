#include <algorithm>
#include <limits>
#include <map>
#include <string>
#include <utility>

#include "base/assert.h"
#include "ledger/book.h"

namespace asbb::ledger {
namespace {

// The staged object, else the committed one, else nothing.
template <typename Map, typename Key, typename Committed>
auto staged_or(const Map& map, const Key& key, Committed committed) -> decltype(committed) {
  const auto found = map.find(key);
  return found == map.end() ? committed : &found->second;
}

// The staged copy of an object that exists.
template <typename Map, typename Key, typename Committed>
auto& copy_in(Map& map, const Key& key, const Committed* committed) {
  const auto found = map.find(key);
  if (found != map.end()) return found->second;
  ASBB_ASSERT(committed != nullptr);
  return map.emplace(key, *committed).first->second;
}

using ShareKeys = std::map<std::pair<HoldId, ShareKey>, ShareId>;

using LatestRuns = std::map<std::string, std::pair<std::int64_t, ShareId>>;  // by cluster

// The highest among the shares of one task of a hold, if it is higher than what is there. Goes from
// cluster to cluster, never over the other tasks.
void add_latest(const ShareKeys& keys, HoldId hold, const ShareKey& key, LatestRuns& out) {
  constexpr std::int64_t highest = std::numeric_limits<std::int64_t>::max();
  auto at = keys.lower_bound(first_key(hold));
  while (at != keys.end() && at->first.first == hold) {
    const std::string cluster = at->first.second.cluster;
    auto after = keys.upper_bound({hold, ShareKey{cluster, key.job_id, key.task, highest, ""}});
    if (after != keys.begin()) {
      const auto& [name, id] = *--after;
      const ShareKey& found = name.second;
      if (name.first == hold && found.cluster == cluster && found.job_id == key.job_id &&
          found.task == key.task) {
        const auto [known, is_new] = out.try_emplace(cluster, found.run, id);
        if (!is_new) known->second = std::max(known->second, {found.run, id});
      }
    }
    at = keys.lower_bound(first_key(hold, cluster + '\0'));
  }
}

}  // namespace

const Account* Stage::account(AccountId id) const {
  return staged_or(accounts_, id, book_->account(id));
}

const Account* Stage::account(const std::string& name) const {
  if (const auto found = account_names_.find(name); found != account_names_.end()) {
    return found->second.is_set() ? account(found->second) : nullptr;
  }
  const Account* committed = book_->account(name);
  return committed == nullptr ? nullptr : account(committed->id);
}

const Budget* Stage::budget(BudgetId id) const {
  return staged_or(budgets_, id, book_->budget(id));
}

const PartitionLimit* Stage::limit(LimitId id) const {
  return staged_or(limits_, id, book_->limit(id));
}

const Hold* Stage::hold(HoldId id) const {
  return staged_or(holds_, id, book_->hold(id));
}

const Hold* Stage::hold_of_request(const std::string& request_id) const {
  if (const auto found = hold_requests_.find(request_id); found != hold_requests_.end()) {
    return hold(found->second);
  }
  const Hold* committed = book_->hold_of_request(request_id);
  return committed == nullptr ? nullptr : hold(committed->id);
}

const Share* Stage::share(HoldId hold, const ShareKey& key) const {
  if (const auto found = share_keys_.find({hold, key}); found != share_keys_.end()) {
    return &shares_.at(found->second);
  }
  const Share* committed = book_->share(hold, key);
  return committed == nullptr ? nullptr : staged_or(shares_, committed->id, committed);
}

const Share* Stage::latest_run(HoldId hold, const ShareKey& key) const {
  const auto runs = latest_runs(hold, key);
  // Ids tell what was opened later when two clusters count runs alike.
  const auto latest =
      std::max_element(runs.begin(), runs.end(), [](const Share* one, const Share* other) {
        return std::pair(one->key.run, one->id) < std::pair(other->key.run, other->id);
      });
  return latest == runs.end() ? nullptr : *latest;
}

std::vector<const Share*> Stage::latest_runs(HoldId hold, const ShareKey& key) const {
  std::vector<const Share*> out;
  if (!key.external_id.empty()) {
    if (const Share* known = share(hold, key)) out.push_back(known);
    return out;
  }
  LatestRuns latest;
  add_latest(book_->share_keys_, hold, key, latest);
  add_latest(share_keys_, hold, key, latest);
  for (const auto& [cluster, run] : latest) {
    out.push_back(staged_or(shares_, run.second, book_->share(run.second)));
  }
  return out;
}

std::vector<const Share*> Stage::shares_of(HoldId hold) const {
  std::map<ShareId, const Share*> found;
  for (const Share* share : book_->shares_of(hold)) {
    found[share->id] = staged_or(shares_, share->id, share);
  }
  for (const auto& [id, share] : shares_) {
    if (share.hold == hold) found[id] = &share;
  }
  std::vector<const Share*> out;
  for (const auto& [id, share] : found) out.push_back(share);
  return out;
}

const RememberedAnswer* Stage::answer(const std::string& request_id) const {
  return staged_or(answers_, request_id, book_->answer(request_id));
}

std::vector<BudgetId> Stage::budgets_of(AccountId account) const {
  std::vector<BudgetId> out;
  if (const auto found = book_->account_budgets_.find(account);
      found != book_->account_budgets_.end()) {
    out.assign(found->second.begin(), found->second.end());
  }
  for (const auto& [id, budget] : budgets_) {
    if (budget.account == account && std::find(out.begin(), out.end(), id) == out.end()) {
      out.push_back(id);
    }
  }
  return out;
}

std::vector<LimitId> Stage::limits_of(BudgetId budget) const {
  std::vector<LimitId> out;
  if (const auto found = book_->budget_limits_.find(budget); found != book_->budget_limits_.end()) {
    out.assign(found->second.begin(), found->second.end());
  }
  for (const auto& [id, limit] : limits_) {
    if (limit.budget == budget && std::find(out.begin(), out.end(), id) == out.end()) {
      out.push_back(id);
    }
  }
  return out;
}

std::int64_t Stage::unbound_count(const std::string& user, AccountId account) const {
  const Book::UnboundKey key{user, account};
  const auto found = unbound_.find(key);
  return book_->unbound_count(user, account) + (found == unbound_.end() ? 0 : found->second);
}

std::vector<AccountId> Stage::accounts_with_ended(Instant at) const {
  std::set<AccountId> found;
  for (const auto& [end, id] : book_->carry_ends_) {
    if (end > at) break;
    found.insert(budget(id)->account);
  }
  for (const auto& [id, budget] : budgets_) {
    if (budget.carry_over_millionths > 0 && budget.end <= at) found.insert(budget.account);
  }
  return {found.begin(), found.end()};
}

const ConversionRate* Stage::rate(const std::string& from_unit, const std::string& to_unit,
                                  Instant at) const {
  const ConversionRate* best = nullptr;
  for (const auto* rates : {&book_->rates_, &rates_}) {
    for (const auto& [version, rate] : *rates) {
      if (rate.from_unit != from_unit || rate.to_unit != to_unit || at < rate.effective_from) {
        continue;
      }
      if (best == nullptr || best->effective_from <= rate.effective_from) best = &rate;
    }
  }
  return best;
}

std::set<AccountId> Stage::take_touched() {
  return std::exchange(touched_, {});
}

Account& Stage::edit(AccountId id) {
  return copy_in(accounts_, id, book_->account(id));
}
void Stage::set_aliases(AccountId id, std::vector<std::string> aliases) {
  Account& account = edit(id);
  for (const std::string& alias : account.aliases) account_names_[alias] = AccountId{};
  for (const std::string& alias : aliases) account_names_[alias] = id;
  account.aliases = std::move(aliases);
}

Budget& Stage::edit(BudgetId id) {
  Budget& budget = copy_in(budgets_, id, book_->budget(id));
  if (budget.carry_over_millionths > 0) touch(budget.account);
  return budget;
}
PartitionLimit& Stage::edit(LimitId id) {
  return copy_in(limits_, id, book_->limit(id));
}
Hold& Stage::edit(HoldId id) {
  return copy_in(holds_, id, book_->hold(id));
}
Share& Stage::edit(ShareId id) {
  return copy_in(shares_, id, book_->share(id));
}

Account& Stage::add(Account account) {
  account.id.value = ++counters_.account;
  account_names_[account.name] = account.id;
  return accounts_.emplace(account.id, std::move(account)).first->second;
}

Budget& Stage::add(Budget budget) {
  touch(budget.account);
  budget.id.value = ++counters_.budget;
  return budgets_.emplace(budget.id, std::move(budget)).first->second;
}

PartitionLimit& Stage::add(PartitionLimit limit) {
  limit.id.value = ++counters_.limit;
  return limits_.emplace(limit.id, std::move(limit)).first->second;
}

Hold& Stage::add(Hold hold) {
  hold.id.value = ++counters_.hold;
  if (!hold.request_id.empty()) hold_requests_[hold.request_id] = hold.id;
  return holds_.emplace(hold.id, std::move(hold)).first->second;
}

Share& Stage::add(Share share) {
  share.id.value = ++counters_.share;
  share_keys_[{share.hold, share.key}] = share.id;
  return shares_.emplace(share.id, std::move(share)).first->second;
}

PriceVersion& Stage::add(PriceVersion prices) {
  prices.version = ++counters_.price_version;
  return prices_.emplace(prices.version, std::move(prices)).first->second;
}

ConversionRate& Stage::add(ConversionRate rate) {
  rate.version = ++counters_.rate_version;
  return rates_.emplace(rate.version, std::move(rate)).first->second;
}

Entry& Stage::add(Entry entry) {
  entry.sequence = ++counters_.entry;
  return entries_.emplace_back(std::move(entry));
}

void Stage::remember(RememberedAnswer answer) {
  const std::string id = answer.request_id;
  answers_.insert_or_assign(id, std::move(answer));
}

void Stage::count_unbound(const std::string& user, AccountId account, std::int64_t change) {
  unbound_[{user, account}] += change;
}

Changes Stage::take() {
  Changes changes;
  const auto move_rows = [](auto& map, auto& rows) {
    rows.reserve(map.size());
    for (auto& [id, row] : map) rows.push_back(std::move(row));
  };
  move_rows(accounts_, changes.accounts);
  move_rows(budgets_, changes.budgets);
  move_rows(limits_, changes.limits);
  move_rows(holds_, changes.holds);
  move_rows(shares_, changes.shares);
  move_rows(prices_, changes.prices);
  move_rows(rates_, changes.rates);
  move_rows(answers_, changes.answers);
  changes.entries = std::move(entries_);
  changes.counters = counters_;
  return changes;
}

bool Stage::is_empty() const {
  return accounts_.empty() && budgets_.empty() && limits_.empty() && holds_.empty() &&
         shares_.empty() && prices_.empty() && rates_.empty() && answers_.empty() &&
         entries_.empty();
}

}  // namespace asbb::ledger
