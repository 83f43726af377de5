#include "cli/account_budgets.h"

#include <algorithm>
#include <cctype>

#include "base/text.h"
#include "cli/context.h"

namespace asbb::cli {
namespace {

bool is_letter(char c) {
  return std::isalpha(static_cast<unsigned char>(c)) != 0;
}

// "50k" and "1e6" are amounts to some people: a unit of that name would be a surprise.
bool reads_as_number(const std::string& unit) {
  const bool is_exponent = (unit.front() == 'e' || unit.front() == 'E') && unit.size() > 1 &&
                           std::all_of(unit.begin() + 1, unit.end(), [](char c) {
                             return std::isdigit(static_cast<unsigned char>(c)) != 0;
                           });
  return unit.size() == 1 || is_exponent;
}

struct Amount {
  Micros value;
  std::string unit;
};

Result<Amount> read_amount_and_unit(const std::string& flag, const std::string& text,
                                    const std::string& default_unit) {
  const auto letter = std::find_if(text.begin(), text.end(), is_letter);
  const std::string number(text.begin(), letter);
  const std::string unit(letter, text.end());
  if (!unit.empty() && reads_as_number(unit)) {
    return fail(ErrorKind::invalid, flag + ": " + in_quotes(text) +
                                        " is not allowed: write the amount out, such as 50000, "
                                        "50000USD or 100000core-hours");
  }
  if (!unit.empty() && !default_unit.empty() && unit != default_unit) {
    return fail(ErrorKind::invalid, flag + ": " + in_quotes(text) + " is counted in " + unit +
                                        ", but --unit says " + default_unit + "; leave one out");
  }
  const auto value = read_limit(flag, number.empty() ? text : number);
  if (!value) return tl::unexpected(value.error());
  return Amount{*value, unit.empty() ? default_unit : unit};
}

Result<api::Date> read_date(const std::string& flag, const std::string& text) {
  auto date = api::parse_date(text);
  if (!date) return fail(ErrorKind::invalid, flag + ": " + date.error().message);
  return *date;
}

Result<void> read_first_period(const BudgetFlags& flags, std::vector<api::NewBudget>& out) {
  if (flags.budgets.empty() && !flags.start && !flags.end) return {};
  if (flags.budgets.empty() || !flags.start || !flags.end) {
    return fail(ErrorKind::invalid,
                "a budget needs all of --budget=AMOUNT, --start=YYYY-MM-DD and --end=YYYY-MM-DD");
  }
  const auto start = read_date("--start", *flags.start);
  if (!start) return tl::unexpected(start.error());
  const auto end = read_date("--end", *flags.end);
  if (!end) return tl::unexpected(end.error());
  for (const std::string& text : flags.budgets) {
    const auto amount = read_amount_and_unit("--budget", text, flags.unit);
    if (!amount) return tl::unexpected(amount.error());
    for (const api::NewBudget& other : out) {
      if (other.unit != amount->unit) continue;
      return fail(ErrorKind::invalid,
                  "--budget: two amounts " +
                      (amount->unit.empty() ? "of one unit" : "in " + amount->unit) +
                      " for the same period; a further period is added with "
                      "--period=FIRST..LAST:AMOUNT");
    }
    out.push_back({amount->unit, amount->value, *start, *end, {}, flags.carry_over});
  }
  return {};
}

Result<void> read_period(const BudgetFlags& flags, const std::string& text,
                         std::vector<api::NewBudget>& out) {
  const std::size_t dots = text.find("..");
  const std::size_t colon = text.rfind(':');
  if (dots == std::string::npos || colon == std::string::npos || colon < dots) {
    return fail(ErrorKind::invalid, "--period: " + in_quotes(text) +
                                        " is not allowed: FIRST..LAST:AMOUNT is expected, such as "
                                        "2025-01-01..2025-12-31:50000USD");
  }
  const auto start = read_date("--period", text.substr(0, dots));
  if (!start) return tl::unexpected(start.error());
  const auto end = read_date("--period", text.substr(dots + 2, colon - dots - 2));
  if (!end) return tl::unexpected(end.error());
  const auto amount = read_amount_and_unit("--period", text.substr(colon + 1), flags.unit);
  if (!amount) return tl::unexpected(amount.error());
  out.push_back({amount->unit, amount->value, *start, *end, {}, flags.carry_over});
  return {};
}

Result<void> read_credit(const std::string& text, std::vector<api::NewBudget>& out) {
  const auto credit = read_limit("--credit-limit", text);
  if (!credit) return tl::unexpected(credit.error());
  for (api::NewBudget& budget : out) {
    if (budget.unit != out.front().unit) {
      return fail(ErrorKind::invalid,
                  "--credit-limit: the budgets have several units; 'asbb account update ACCOUNT "
                  "--unit=UNIT --credit-limit=AMOUNT' sets it for one of them");
    }
    budget.credit_limit = *credit;
  }
  return {};
}

}  // namespace

std::optional<Error> carry_over_fault(const std::string& text) {
  if (text.empty()) return std::nullopt;
  const auto part = api::parse_carry_over(text);
  if (part) return std::nullopt;
  return Error{ErrorKind::invalid, "--carry-over: " + part.error().message, ""};
}

Result<std::vector<api::NewBudget>> read_budgets(const BudgetFlags& flags) {
  if (auto fault = carry_over_fault(flags.carry_over)) return tl::unexpected(*fault);
  std::vector<api::NewBudget> out;
  if (auto read = read_first_period(flags, out); !read) return tl::unexpected(read.error());
  for (const std::string& text : flags.periods) {
    if (auto read = read_period(flags, text, out); !read) return tl::unexpected(read.error());
  }
  if (out.empty() && (!flags.carry_over.empty() || flags.credit_limit || !flags.unit.empty())) {
    return fail(ErrorKind::invalid,
                "a budget needs all of --budget=AMOUNT, --start=YYYY-MM-DD and --end=YYYY-MM-DD");
  }
  if (flags.credit_limit) {
    if (auto read = read_credit(*flags.credit_limit, out); !read) {
      return tl::unexpected(read.error());
    }
  }
  return out;
}

}  // namespace asbb::cli
