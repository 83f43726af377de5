#include "ledger/book.h"

#include <algorithm>
#include <limits>

#include "base/assert.h"

namespace asbb::ledger {
namespace {

template <typename Map, typename Key>
auto find_in(const Map& map, const Key& key) -> decltype(&map.begin()->second) {
  const auto found = map.find(key);
  return found == map.end() ? nullptr : &found->second;
}

bool is_unbound(const Hold& hold) {
  return hold.kind == HoldKind::slurm && hold.status == HoldStatus::open && !hold.job.has_value();
}

}  // namespace

std::pair<HoldId, ShareKey> first_key(HoldId hold, const std::string& cluster) {
  constexpr std::int64_t lowest = std::numeric_limits<std::int64_t>::min();
  return {hold, ShareKey{cluster, lowest, lowest, lowest, ""}};
}

void Book::put(const Account& account) {
  if (const auto before = accounts_.find(account.id); before != accounts_.end()) {
    // Another account may have taken an alias over in the same batch.
    for (const std::string& alias : before->second.aliases) {
      const auto named = account_names_.find(alias);
      if (named != account_names_.end() && named->second == account.id) account_names_.erase(named);
    }
  }
  accounts_[account.id] = account;
  account_names_[account.name] = account.id;
  for (const std::string& alias : account.aliases) account_names_[alias] = account.id;
}

void Book::put(const Budget& budget) {
  if (const auto before = budgets_.find(budget.id); before != budgets_.end()) {
    carry_ends_.erase({before->second.end, budget.id});
  }
  if (budget.carry_over_millionths > 0) carry_ends_.insert({budget.end, budget.id});
  budgets_[budget.id] = budget;
  account_budgets_[budget.account].insert(budget.id);
}

void Book::put(const PartitionLimit& limit) {
  limits_[limit.id] = limit;
  budget_limits_[limit.budget].insert(limit.id);
}

void Book::put(Hold hold) {
  const UnboundKey owner{hold.user, hold.account};
  if (const auto before = holds_.find(hold.id);
      before != holds_.end() && is_unbound(before->second)) {
    if (--unbound_[owner] == 0) unbound_.erase(owner);
  }
  if (is_unbound(hold)) ++unbound_[owner];
  if (hold.status == HoldStatus::open) {
    open_holds_.insert(open_holds_.end(), hold.id);
  } else {
    open_holds_.erase(hold.id);
  }
  if (!hold.request_id.empty()) hold_requests_[hold.request_id] = hold.id;
  if (hold.job) job_holds_[{hold.job->cluster, hold.job->job_id}].insert(hold.id);
  const HoldId id = hold.id;
  holds_[id] = std::move(hold);
}

void Book::put(Share share) {
  share_keys_[{share.hold, share.key}] = share.id;
  const ShareId id = share.id;
  shares_[id] = std::move(share);
}

void Book::put(const PriceVersion& prices) {
  prices_[prices.version] = prices;
}

void Book::put(const ConversionRate& rate) {
  rates_[rate.version] = rate;
}

void Book::put(RememberedAnswer answer) {
  const auto [place, is_new] = answers_.try_emplace(answer.request_id);
  if (!is_new) {
    const auto [from, to] = answer_times_.equal_range(place->second.at);
    for (auto at = from; at != to; ++at) {
      if (at->second != &place->first) continue;
      answer_times_.erase(at);
      break;
    }
  }
  answer_times_.emplace_hint(answer_times_.end(), answer.at, &place->first);
  place->second = std::move(answer);
}

void Book::adopt(Stage& stage) {
  ASBB_ASSERT(stage.book_ == this);
  Changes changes = stage.take();
  for (const Account& account : changes.accounts) put(account);
  for (const Budget& budget : changes.budgets) put(budget);
  for (const PartitionLimit& limit : changes.limits) put(limit);
  for (Hold& hold : changes.holds) put(std::move(hold));
  for (Share& share : changes.shares) put(std::move(share));
  for (const PriceVersion& prices : changes.prices) put(prices);
  for (const ConversionRate& rate : changes.rates) put(rate);
  for (RememberedAnswer& answer : changes.answers) put(std::move(answer));
  counters_ = changes.counters;
  stage = Stage(*this);
}

void Book::forget(HoldId id) {
  const auto found = holds_.find(id);
  if (found == holds_.end()) return;
  ASBB_ASSERT(found->second.status == HoldStatus::closed);
  if (const auto name = hold_requests_.find(found->second.request_id);
      name != hold_requests_.end() && name->second == id) {
    hold_requests_.erase(name);
  }
  if (const auto& job = found->second.job) {
    auto& ids = job_holds_[{job->cluster, job->job_id}];
    ids.erase(id);
    if (ids.empty()) job_holds_.erase({job->cluster, job->job_id});
  }
  auto at = share_keys_.lower_bound(first_key(id));
  while (at != share_keys_.end() && at->first.first == id) {
    shares_.erase(at->second);
    at = share_keys_.erase(at);
  }
  holds_.erase(found);
}

void Book::forget_answers(Instant before) {
  while (!answer_times_.empty() && answer_times_.begin()->first < before) {
    const auto oldest = answers_.find(*answer_times_.begin()->second);
    answer_times_.erase(answer_times_.begin());
    answers_.erase(oldest);
  }
}

const Account* Book::account(AccountId id) const {
  return find_in(accounts_, id);
}
const Account* Book::account(const std::string& name) const {
  const auto* id = find_in(account_names_, name);
  return id == nullptr ? nullptr : account(*id);
}
const Budget* Book::budget(BudgetId id) const {
  return find_in(budgets_, id);
}
const PartitionLimit* Book::limit(LimitId id) const {
  return find_in(limits_, id);
}
const Hold* Book::hold(HoldId id) const {
  return find_in(holds_, id);
}
const Hold* Book::hold_of_request(const std::string& request_id) const {
  const auto* id = find_in(hold_requests_, request_id);
  return id == nullptr ? nullptr : hold(*id);
}

std::vector<const Hold*> Book::holds_of_job(const std::string& cluster, std::int64_t job_id) const {
  std::vector<const Hold*> out;
  if (const auto* ids = find_in(job_holds_, std::pair(cluster, job_id))) {
    for (const HoldId id : *ids) out.push_back(hold(id));
  }
  std::sort(out.begin(), out.end(),
            [](const Hold* a, const Hold* b) { return a->job->submit_time < b->job->submit_time; });
  return out;
}

const Share* Book::share(ShareId id) const {
  return find_in(shares_, id);
}
const Share* Book::share(HoldId hold, const ShareKey& key) const {
  const auto* id = find_in(share_keys_, std::pair(hold, key));
  return id == nullptr ? nullptr : share(*id);
}
const RememberedAnswer* Book::answer(const std::string& request_id) const {
  return find_in(answers_, request_id);
}

std::vector<const Account*> Book::accounts() const {
  std::vector<const Account*> out;
  for (const auto& [id, account] : accounts_) out.push_back(&account);
  return out;
}

std::vector<const Budget*> Book::budgets_of(AccountId account) const {
  std::vector<const Budget*> out;
  if (const auto* ids = find_in(account_budgets_, account)) {
    for (const BudgetId id : *ids) out.push_back(budget(id));
  }
  std::sort(out.begin(), out.end(), [](const Budget* a, const Budget* b) {
    return std::pair(a->start, a->id) < std::pair(b->start, b->id);
  });
  return out;
}

std::vector<const PartitionLimit*> Book::limits_of(BudgetId budget) const {
  std::vector<const PartitionLimit*> out;
  if (const auto* ids = find_in(budget_limits_, budget)) {
    for (const LimitId id : *ids) out.push_back(limit(id));
  }
  return out;
}

std::vector<const Hold*> Book::open_holds() const {
  std::vector<const Hold*> out;
  for (const HoldId id : open_holds_) out.push_back(hold(id));
  return out;
}

std::vector<const Share*> Book::shares_of(HoldId hold) const {
  std::vector<const Share*> out;
  for (auto at = share_keys_.lower_bound(first_key(hold));
       at != share_keys_.end() && at->first.first == hold; ++at) {
    out.push_back(share(at->second));
  }
  return out;
}

std::int64_t Book::unbound_count(const std::string& user, AccountId account) const {
  const auto* count = find_in(unbound_, UnboundKey{user, account});
  return count == nullptr ? 0 : *count;
}

std::optional<Instant> Book::next_carry_end(Instant after) const {
  const auto found = carry_ends_.lower_bound({after + Span{1}, BudgetId{}});
  if (found == carry_ends_.end()) return std::nullopt;
  return found->first;
}

}  // namespace asbb::ledger
