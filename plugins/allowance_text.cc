#include "plugins/allowance_text.h"

#include <algorithm>
#include <cstdlib>
#include <new>
#include <tuple>
#include <utility>

#include "plugins/words.h"

namespace asbb::plugins {
namespace {

constexpr std::int64_t kFactorMax = 1'000'000'000;  // a thousandfold
constexpr std::int64_t kNodesMax = 1'000'000'000;
constexpr std::int64_t kSecondsMax = 100'000'000'000;
constexpr std::int64_t kMinutesMax = kSecondsMax / 60;

// Takes a number of at most `most` off the front.
bool take_count(std::string_view* rest, std::int64_t most, std::int64_t* number) {
  return parse_count(take_word(rest), number) && *number <= most;
}

bool is_at_end(std::string_view rest) {
  return take_word(&rest).empty();
}

bool is_before(const Spender& a, const Spender& b) {
  return std::tie(a.user, a.slurm_account) < std::tie(b.user, b.slurm_account);
}

}  // namespace

struct AllowanceText::Tables {
  Allowance allowances[wire::policy::kAllowancesMax];
  Spender spenders[wire::policy::kSpendersMax];
  WorstRate rates[wire::policy::kPartitionsMax];
};

bool parse_count(std::string_view text, std::int64_t* number) {
  constexpr std::size_t digits_max = 18;
  if (text.empty() || text.size() > digits_max) return false;
  std::int64_t parsed = 0;
  for (const char digit : text) {
    if (digit < '0' || digit > '9') return false;
    parsed = parsed * 10 + (digit - '0');
  }
  *number = parsed;
  return true;
}

AllowanceText::~AllowanceText() {
  std::free(tables_);
}

void AllowanceText::swap(AllowanceText& other) {
  std::swap(tables_, other.tables_);
  std::swap(allowance_count_, other.allowance_count_);
  std::swap(spender_count_, other.spender_count_);
  std::swap(rate_count_, other.rate_count_);
  std::swap(without_allowance_, other.without_allowance_);
  std::swap(says_without_, other.says_without_);
}

bool AllowanceText::has_tables() {
  if (tables_ != nullptr) return true;
  void* memory = std::malloc(sizeof(Tables));
  if (memory != nullptr) tables_ = new (memory) Tables();
  return tables_ != nullptr;
}

bool AllowanceText::is_own_word(std::string_view word) {
  return word == wire::policy::kWithoutAllowance || word == wire::policy::kAllowance ||
         word == wire::policy::kSpender || word == wire::policy::kRate;
}

const char* AllowanceText::parse_statement(std::string_view word, std::string_view rest) {
  if (!has_tables()) return "does not fit into memory";
  if (word == wire::policy::kAllowance) return parse_allowance(rest);
  if (word == wire::policy::kSpender) return parse_spender(rest);
  if (word == wire::policy::kRate) return parse_rate(rest);
  const std::string_view stance = take_word(&rest);
  if (says_without_ || !is_at_end(rest)) return "says twice what lacks an allowance";
  if (stance != wire::kAllow && stance != wire::kDeny) return "says neither allow nor deny";
  without_allowance_ = stance == wire::kAllow ? Stance::allow : Stance::deny;
  says_without_ = true;
  return nullptr;
}

const char* AllowanceText::parse_allowance(std::string_view rest) {
  if (allowance_count_ == wire::policy::kAllowancesMax) return "has too many allowances";
  Allowance& allowance = tables_->allowances[allowance_count_];
  std::int64_t generation = 0;
  constexpr std::int64_t any = 999'999'999'999'999'999;
  allowance.account = take_word(&rest);
  const bool is_read = take_count(&rest, any, &generation) &&
                       take_count(&rest, any, &allowance.amount_micros) &&
                       !(allowance.unit = take_word(&rest)).empty() &&
                       take_count(&rest, kFactorMax, &allowance.factor_millionths) &&
                       take_count(&rest, any, &allowance.until_seconds) && is_at_end(rest);
  if (!is_read) return "has an allowance that cannot be read";
  allowance.generation = static_cast<std::uint64_t>(generation);
  ++allowance_count_;
  return nullptr;
}

const char* AllowanceText::parse_spender(std::string_view rest) {
  constexpr std::int64_t user_max = 0xFFFF'FFFF;
  if (spender_count_ == wire::policy::kSpendersMax) return "has too many spenders";
  Spender& spender = tables_->spenders[spender_count_];
  std::int64_t user = 0;
  const bool has_user = take_count(&rest, user_max, &user);
  spender.slurm_account = take_word(&rest);
  spender.allowance = take_word(&rest);
  const std::string_view more = take_word(&rest);
  const bool is_read = has_user && !spender.allowance.empty() && is_at_end(rest) &&
                       (more.empty() || more == wire::policy::kDefault);
  if (!is_read) return "has a spender who cannot be read";
  spender.user = static_cast<std::uint32_t>(user);
  spender.is_default = !more.empty();
  ++spender_count_;
  return nullptr;
}

const char* AllowanceText::parse_rate(std::string_view rest) {
  if (rate_count_ == wire::policy::kPartitionsMax) return "names too many partitions";
  constexpr std::int64_t rate_max = 999'999'999'999'999'999;
  WorstRate& rate = tables_->rates[rate_count_];
  rate.partition = take_word(&rest);
  rate.unit = take_word(&rest);
  rate.is_bounded = rate.unit != wire::policy::kUnbounded;
  bool is_read = !rate.unit.empty();
  if (rate.is_bounded) {
    is_read = is_read && take_count(&rest, rate_max, &rate.node_hour_micros) &&
              take_count(&rest, rate_max, &rate.cpu_hour_micros) &&
              take_count(&rest, kNodesMax, &rate.least_nodes) &&
              take_count(&rest, kNodesMax, &rate.most_nodes) &&
              take_count(&rest, kSecondsMax, &rate.least_seconds) &&
              take_count(&rest, kMinutesMax, &rate.default_minutes) &&
              take_count(&rest, kMinutesMax, &rate.over_minutes);
  }
  if (!is_read || !is_at_end(rest)) return "has a rate that cannot be read";
  ++rate_count_;
  return nullptr;
}

const char* AllowanceText::put_in_order() {
  if (!is_there()) return nullptr;
  if (const char* problem = find_allowances()) return problem;
  Spender* spenders_end = tables_->spenders + spender_count_;
  std::sort(tables_->spenders, spenders_end, is_before);
  for (std::size_t at = 1; at < spender_count_; ++at) {
    const Spender& before = tables_->spenders[at - 1];
    const Spender& spender = tables_->spenders[at];
    if (!is_before(before, spender)) return "names a spender twice";
  }
  WorstRate* rates_end = tables_->rates + rate_count_;
  std::sort(tables_->rates, rates_end,
            [](const WorstRate& a, const WorstRate& b) { return a.partition < b.partition; });
  const WorstRate* twice = std::adjacent_find(
      tables_->rates, rates_end,
      [](const WorstRate& a, const WorstRate& b) { return a.partition == b.partition; });
  return twice == rates_end ? nullptr : "has two rates of a partition";
}

// Puts the allowances in order, and gives each spender the number of his.
const char* AllowanceText::find_allowances() {
  Allowance* end = tables_->allowances + allowance_count_;
  const auto by_account = [](const Allowance& a, const Allowance& b) {
    return a.account < b.account;
  };
  std::sort(tables_->allowances, end, by_account);
  for (std::size_t at = 0; at < allowance_count_; ++at) {
    const Allowance& allowance = tables_->allowances[at];
    for (std::size_t before = 0; before < at; ++before) {
      const Allowance& other = tables_->allowances[before];
      const bool is_same_money =
          allowance.generation != 0 && other.generation == allowance.generation;
      if (is_same_money || other.account == allowance.account) return "has an allowance twice";
    }
  }
  for (std::size_t at = 0; at < spender_count_; ++at) {
    Spender& spender = tables_->spenders[at];
    Allowance wanted;
    wanted.account = spender.allowance;
    const Allowance* found = std::lower_bound(tables_->allowances, end, wanted, by_account);
    if (found == end || found->account != spender.allowance) {
      return "has a spender of an allowance that is not there";
    }
    spender.allowance_index = static_cast<std::uint16_t>(found - tables_->allowances);
  }
  return nullptr;
}

const Allowance& AllowanceText::allowance(std::size_t index) const {
  return tables_->allowances[index];
}

const Spender* AllowanceText::spender(std::uint32_t user, std::string_view slurm_account) const {
  if (!is_there()) return nullptr;
  const Spender* begin = tables_->spenders;
  const Spender* end = begin + spender_count_;
  Spender wanted;
  wanted.user = user;
  wanted.slurm_account = slurm_account;
  const Spender* found = std::lower_bound(begin, end, wanted, is_before);
  if (!slurm_account.empty()) {
    const bool is_there =
        found != end && found->user == user && found->slurm_account == slurm_account;
    return is_there ? found : nullptr;
  }
  while (found != end && found->user == user && !found->is_default) ++found;
  return found != end && found->user == user ? found : nullptr;
}

bool AllowanceText::is_paid_for(std::string_view slurm_account) const {
  if (!is_there()) return false;
  const Spender* end = tables_->spenders + spender_count_;
  const bool has_spender =
      std::any_of(const_cast<const Spender*>(tables_->spenders), end,
                  [&](const Spender& spender) { return spender.slurm_account == slurm_account; });
  if (has_spender) return true;
  const Allowance* first = tables_->allowances;
  return std::any_of(first, first + allowance_count_, [&](const Allowance& allowance) {
    return equals_without_case(allowance.account, slurm_account);
  });
}

const WorstRate* AllowanceText::rate(std::string_view partition) const {
  if (!is_there()) return nullptr;
  const WorstRate* begin = tables_->rates;
  const WorstRate* end = begin + rate_count_;
  const WorstRate* found = std::lower_bound(
      begin, end, partition,
      [](const WorstRate& rate, std::string_view name) { return rate.partition < name; });
  return found != end && found->partition == partition ? found : nullptr;
}

}  // namespace asbb::plugins
