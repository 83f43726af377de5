#include "plugins/allowances.h"

#include <algorithm>

#include "plugins/policy.h"
#include "plugins/words.h"
#include "plugins/worst_case.h"

namespace asbb::plugins {
namespace {

constexpr std::int64_t kWhole = 1'000'000;
constexpr std::size_t kAccountBytes = 129;
constexpr std::string_view kAway = "The budget service does not answer";

// "12.5 USD"
void append_amount(std::int64_t micros, std::string_view unit, BoundedText* text) {
  text->append_decimal(static_cast<std::uint64_t>(micros / kWhole));
  std::int64_t fraction = micros % kWhole;
  if (fraction > 0) text->append('.');
  for (std::int64_t digit = kWhole / 10; fraction > 0; digit /= 10) {
    text->append(static_cast<char>('0' + fraction / digit));
    fraction %= digit;
  }
  text->append(' ');
  text->append(unit);
}

class Refusal {
 public:
  explicit Refusal(Spending* spending) : spending_(spending) {}
  ~Refusal() { static_cast<void>(spending_->why.assign(text_.view())); }
  Refusal(const Refusal&) = delete;
  Refusal& operator=(const Refusal&) = delete;

  BoundedText& text() { return text_; }

 private:
  Spending* spending_;
  char storage_[512];
  BoundedText text_{storage_, sizeof storage_};
};

bool refuse_other_account(std::string_view account, bool is_paid_for, Spending* spending) {
  Refusal why(spending);
  why.text().append(kAway);
  if (account.empty()) {
    why.text().append(
        ", and your default account has no allowance for that time.\n"
        "Name an account that has one with --account, or try again in a few minutes.");
  } else if (is_paid_for) {
    why.text().append(
        ", and you may not use this account as far as the controller knows.\n"
        "Try again in a few minutes.");
  } else {
    why.text().append(
        ", and this account has no allowance for that time.\nTry again in a few minutes.");
  }
  return false;
}

// Whose account that is, and so whose money, is not known here.
bool refuse_unnamed_account(Spending* spending) {
  Refusal why(spending);
  why.text().append(kAway);
  why.text().append(
      ", and which account pays for this job is not known to the controller.\n"
      "Name the account with --account, or try again in a few minutes.");
  return false;
}

bool refuse_unbounded(const char* problem, Spending* spending) {
  Refusal why(spending);
  why.text().append(kAway);
  why.text().append(
      ", and until it does only jobs are accepted whose largest cost is known: this one ");
  why.text().append(problem);
  why.text().append('.');
  return false;
}

bool refuse_cost(const Allowance& allowance, std::int64_t cost, std::int64_t left,
                 Spending* spending) {
  Refusal why(spending);
  why.text().append(kAway);
  why.text().append(". Until it does, account ");
  why.text().append(allowance.account);
  if (allowance.generation == 0) {
    why.text().append(" may spend nothing: no money could be set aside for that in advance.");
    return false;
  }
  why.text().append(" may spend ");
  append_amount(allowance.amount_micros, allowance.unit, &why.text());
  why.text().append(" on this cluster in all.\nThis job may need up to ");
  append_amount(cost, allowance.unit, &why.text());
  why.text().append(", and ");
  append_amount(left, allowance.unit, &why.text());
  why.text().append(
      " of it is left.\nAsk for less time or fewer nodes, or try again in a few minutes.");
  return false;
}

}  // namespace

void Allowances::adopt(AllowanceText& text) {
  text_.swap(text);
  if (!text_.is_there()) return;
  std::uint64_t generations[wire::policy::kAllowancesMax];
  const std::size_t count = text_.allowance_count();
  for (std::size_t i = 0; i < count; ++i) generations[i] = text_.allowance(i).generation;
  count_.publish(generations, count);
}

// Of a list of partitions the dearest counts; those without a price cost nothing.
const char* Allowances::bound(const job_desc_msg_t& job, const PolicyText& policy,
                              const Allowance& allowance, std::int64_t* micros) const {
  *micros = 0;
  std::string_view rest = is_set(job.partition) ? job.partition : policy.default_partition();
  if (rest.empty()) return "names no partition, and there is no default one";
  while (!rest.empty()) {
    const std::string_view partition = take_until(",", &rest);
    if (partition.empty()) continue;
    const WorstRate* rate = text_.rate(partition);
    if (rate == nullptr && policy.knows(partition)) continue;
    if (rate == nullptr) return "is for a partition that is not known yet";
    if (rate->is_bounded && rate->unit != allowance.unit) {
      return "is for a partition that is priced in another unit than the account's allowance";
    }
    std::int64_t cost = 0;
    const char* problem = worst_case(job, *rate, allowance.factor_millionths, &cost);
    if (problem != nullptr) return problem;
    *micros = std::max(*micros, cost);
  }
  return nullptr;
}

bool Allowances::let_through(const job_desc_msg_t& job, const PolicyText& policy,
                             std::int64_t unix_seconds, Spending* spending) {
  if (!text_.is_there() || policy.is_free(job.partition, text_)) return true;
  char storage[kAccountBytes];
  BoundedText account(storage, sizeof storage);
  for (const char character : std::string_view(is_set(job.account) ? job.account : "")) {
    account.append(lower(character));
  }
  const Spender* spender =
      account.overflowed() ? nullptr : text_.spender(job.user_id, account.view());
  if (spender == nullptr) {
    const bool is_paid_for = !account.view().empty() && text_.is_paid_for(account.view());
    if (!is_paid_for && text_.without_allowance() == Stance::allow) {
      const bool is_unknown = account.view().empty() && text_.allowance_count() > 0;
      return is_unknown ? refuse_unnamed_account(spending) : true;
    }
    return refuse_other_account(account.view(), is_paid_for, spending);
  }
  const Allowance& allowance = text_.allowance(spender->allowance_index);
  std::int64_t cost = 0;
  if (const char* problem = bound(job, policy, allowance, &cost)) {
    return refuse_unbounded(problem, spending);
  }
  if (cost == 0) return true;
  const bool is_over = allowance.until_seconds != 0 && unix_seconds >= allowance.until_seconds;
  std::int64_t left = 0;
  if (is_over || !count_.take(allowance.generation, allowance.amount_micros, cost, &left)) {
    if (count_.problem() != nullptr) {
      return refuse_unbounded("cannot be counted by the controller", spending);
    }
    return refuse_cost(allowance, cost, left, spending);
  }
  spending->allowed = {allowance.generation, cost, count_tasks(job.array_inx)};
  return true;
}

}  // namespace asbb::plugins
