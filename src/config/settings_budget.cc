#include <utility>

#include "base/money.h"
#include "base/text.h"
#include "config/setting_kinds.h"

namespace asbb::config {
namespace {

bool set_hold_factor(Config& config, const std::string& text) {
  const auto factor = parse_micros(text);
  if (!factor || *factor < Micros(1'000'000) || *factor > Micros(10'000'000)) return false;
  config.budget.default_hold_percentage = *factor;
  return true;
}

// Shorter than a day would move what a day's work still looks at.
bool set_retention(Config& config, const std::string& text) {
  const auto span = parse_span(text);
  const bool is_never = text == "never";
  if (!is_never && (!span || *span < hours(24))) return false;
  config.budget.transaction_retention = is_never ? Span{} : *span;
  return true;
}

std::string get_retention(const Config& config) {
  const Span span = config.budget.transaction_retention;
  return span == Span{} ? "never" : to_text(span);
}

bool set_burn_rate(Config& config, const std::string& text) {
  const auto factor = parse_micros(text);
  const bool is_none = factor && factor->is_zero();
  if (!factor || (!is_none && (*factor < Micros(1'000'000) || *factor > Micros(100'000'000)))) {
    return false;
  }
  config.alerts.burn_rate = *factor;
  return true;
}

bool is_time_of_day(const std::string& text) {
  return text.size() == 5 && text[2] == ':' && parse_count(text.substr(0, 2), 23) &&
         parse_count(text.substr(3), 59);
}

}  // namespace

std::vector<Setting> budget_settings() {
  const std::string section = "budget";
  constexpr Member<Budget> part = &Config::budget;
  std::vector<Setting> out;
  out.push_back(Setting{
      section, "default_hold_percentage",
      "Factor on the estimate that is set aside, where the account has none.",
      "a factor from 1 to 10 such as 1.2", set_hold_factor,
      [](const Config& config) { return to_decimal(config.budget.default_hold_percentage); },
      false});
  out.push_back(text_of(
      section, "default_unit", part, &Budget::default_unit,
      "a currency such as USD, or a unit such as core-hours",
      [](const std::string& text) { return is_valid_unit(text); },
      "What amounts without a unit are counted in."));
  out.push_back(text_of(
      section, "write_off_account", part, &Budget::write_off_account,
      "an account, or \"\" for none",
      [](const std::string& text) { return text.empty() || is_user_name(text); },
      "The account that bears what is written off: costs that no project shall pay."));
  const Words<bool> costs = {{"bill", false}, {"write-off", true}};
  const std::string who_pays =
      ": billed to the job's account, or written off to write_off_account.";
  out.push_back(word(section, "cost_of_node_fail", part, &Budget::writes_off_node_fail, costs,
                     "What a run cost that ended because a node failed" + who_pays));
  out.push_back(word(section, "cost_of_boot_fail", part, &Budget::writes_off_boot_fail, costs,
                     "What a run cost that ended because a node did not boot" + who_pays));
  out.push_back(word(section, "cost_of_preempted", part, &Budget::writes_off_preempted, costs,
                     "What a run cost that was preempted by another job" + who_pays));
  const Words<bool> periods = {{"stay", false}, {"move", true}};
  out.push_back(word(section, "waiting_at_period_end", part, &Budget::moves_waiting, periods,
                     "Whether the hold of a job that waits when a budget ends moves to the next."));
  out.push_back(word(section, "running_at_period_end", part, &Budget::moves_running, periods,
                     "The same of a job that runs then; otherwise the ended budget is charged."));
  const Words<bool> cron = {{"allow", false}, {"refuse", true}};
  out.push_back(word(section, "scrontab", part, &Budget::refuses_scrontab, cron,
                     "Whether jobs of scrontab may go to partitions that have a price: they run "
                     "again and again, each time on their account's money."));
  out.push_back(
      whole(section, "max_unbound_holds", part, &Budget::max_unbound_holds, 1, 1'000'000'000,
            "Submissions per user and account that may hold money and are not jobs yet."));
  out.push_back(duration(section, "reconciliation_timeout", part, &Budget::reconciliation_timeout,
                         seconds(60), hours(24 * 365),
                         "An open hold that nothing explains raises an alarm after this. Holds are "
                         "never dropped by age."));
  out.push_back(amount(section, "min_budget_amount", part, &Budget::min_budget_amount,
                       "The least limit a budget may be given, and the least deposit, in its own "
                       "unit. Protects against slips."));
  out.push_back(amount(section, "max_budget_amount", part, &Budget::max_budget_amount,
                       "The largest limit a budget may be given, deposits included, in its own "
                       "unit. Protects against slips."));
  out.push_back(yes_or_no(section, "allow_negative_balance", part, &Budget::allow_negative_balance,
                          "Whether a budget that is created without a credit limit gets one as "
                          "large as itself. Credit is for jobs that run already, never for "
                          "holds."));
  out.push_back(yes_or_no(section, "auto_recovery_enabled", part, &Budget::auto_recovery_enabled,
                          "Whether the service itself gives back holds of submissions that never "
                          "became jobs, on the evidence of Slurm's lists. Otherwise each raises an "
                          "alarm."));
  out.push_back(duration(section, "recovery_check_interval", part, &Budget::recovery_check_interval,
                         milliseconds(100), hours(24 * 7),
                         "How often such holds are sought; at most with every look at the jobs "
                         "(slurm.reconcile_interval)."));
  out.push_back(Setting{section, "transaction_retention",
                        "Older entries move into an archive table. Nothing is deleted: lists, "
                        "reports and the audit cover both.",
                        "never, or a duration from 24h to 3660d", set_retention, get_retention,
                        false});
  return out;
}

std::vector<Setting> alerts_settings() {
  const std::string section = "alerts";
  constexpr Member<Alerts> part = &Config::alerts;
  const Words<bool> yes_or_no = {{"true", true}, {"false", false}};
  std::vector<Setting> out;
  out.push_back(word(section, "enabled", part, &Alerts::enabled, yes_or_no,
                     "Whether budgets are watched and people told."));
  out.push_back(Setting{section, "burn_rate",
                        "An alert when an account spends so many times faster than its budget "
                        "lasts evenly until the period's end; 0 for none.",
                        "0, or a factor from 1 to 100 such as 2", set_burn_rate,
                        [](const Config& config) { return to_decimal(config.alerts.burn_rate); },
                        false});
  out.push_back(word(section, "exhaustion", part, &Alerts::exhaustion, yes_or_no,
                     "An alert when, at the rate of the last days, a budget is spent before its "
                     "period ends."));
  out.push_back(duration(section, "interval", part, &Alerts::interval, seconds(1), hours(24),
                         "How often budgets are looked at."));
  out.push_back(text_of(
      section, "digest_at", part, &Alerts::digest_at,
      "a time of day such as 08:00, or \"\" for none",
      [](const std::string& text) { return text.empty() || is_time_of_day(text); },
      "When the daily digest is sent, in service.timezone, on days on which there is something to "
      "say."));
  out.push_back(path(section, "state_file", part, &Alerts::state_file, true,
                     "Where the service writes down which alerts there are, who was told and who "
                     "acknowledged them, so that a restart tells nobody twice; \"\" is alerts.json "
                     "beside the database."));
  return out;
}

}  // namespace asbb::config
