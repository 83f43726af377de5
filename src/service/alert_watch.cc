#include "service/alert_watch.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/assert.h"
#include "base/text.h"
#include "base/zone.h"
#include "service/account_view.h"
#include "service/entry_pages.h"
#include "service/log.h"
#include "service/usage_sums.h"

namespace asbb::service {
namespace {

constexpr std::int64_t hour_us = hours(1).microseconds;
constexpr Span window = hours(24 * insight::rate_days.front());
constexpr const char* book_alarm = "alerts: the state file";
constexpr const char* spending_alarm = "alerts: spending";

insight::BudgetRules rules_of(const config::Alerts& alerts) {
  return {alerts.thresholds, alerts.burn_rate, alerts.exhaustion};
}

alerts::Severity severity_of(insight::Urgency urgency) {
  switch (urgency) {
    case insight::Urgency::notice:
      return alerts::Severity::info;
    case insight::Urgency::warning:
      return alerts::Severity::warning;
    case insight::Urgency::critical:
      break;
  }
  return alerts::Severity::critical;
}

// The moment of that day at which its digest is due.
std::optional<Instant> digest_time(Day day, const config::Alerts& settings,
                                   const std::string& zone) {
  const auto begins = start_of_day(day, zone);
  const auto hour = parse_count(settings.digest_at.substr(0, 2), 23);
  const auto minute = parse_count(settings.digest_at.substr(3), 59);
  if (!begins || !hour || !minute) return std::nullopt;
  return *begins + seconds(*hour * 3600 + *minute * 60);
}

}  // namespace

Result<void> LateSpending::follow(Instant now) {
  const auto newest = store::newest_entry(store_);
  if (!newest) return tl::unexpected(newest.error());
  if (!*newest) return {};
  const std::int64_t last = (*newest)->entry.sequence;
  store::EntryQuery query;
  query.types = spending_types();
  query.after_sequence = last_sequence_;
  query.before_sequence = last + 1;
  if (last_sequence_ == 0) {
    query.from = now - window - hours(1);
    auto bounded = bound_by_sequence(store_, last, query);
    if (!bounded) return bounded;
  }
  auto read = for_each_entry(store_, query, [&](const ledger::Entry& entry) {
    if (const auto spent = spent_by(entry)) {
      hours_[{entry.account_name, entry.unit, entry.at.microseconds / hour_us}] += *spent;
    }
  });
  if (!read) {
    hours_.clear();
    last_sequence_ = 0;
    return read;
  }
  last_sequence_ = last;
  const std::int64_t oldest = (now - window).microseconds / hour_us;
  std::erase_if(hours_, [&](const auto& hour) { return std::get<2>(hour.first) < oldest; });
  return {};
}

insight::Rate LateSpending::rate_of(const std::vector<std::string>& accounts,
                                    const std::string& unit, Instant since, Instant now) const {
  insight::BurnMeter meter(now, since);
  for (const std::string& account : accounts) {
    for (auto at = hours_.lower_bound({account, unit, 0}); at != hours_.end(); ++at) {
      const auto& [name, of, hour] = at->first;
      if (name != account || of != unit) break;
      // Its last moment: the hour in which the window begins counts whole.
      meter.add(std::min(Instant{(hour + 1) * hour_us - 1}, now - Span{1}), at->second);
    }
  }
  return meter.rates().front();
}

AlertWatch::AlertWatch(const Committer& committer, store::Store& store, Alarms& alarms, Clock clock,
                       AlertWatchOptions options)
    : committer_(committer),
      alarms_(alarms),
      clock_(std::move(clock)),
      options_(std::move(options)),
      spending_(store),
      book_(options_.alerts.state_file) {}

AlertWatch::~AlertWatch() {
  stop();
}

Result<void> AlertWatch::open() {
  for (const config::AlertChannel& settings : options_.alerts.channels) {
    auto channel = alerts::make_channel(settings, stopping_);
    if (!channel) {
      return fail(channel.error().kind,
                  "alerts.channels: " + settings.name + ": " + channel.error().message);
    }
    channels_[settings.name] = std::move(*channel);
  }
  keep_alarm(book_.open());
  return {};
}

Result<void> AlertWatch::start() {
  ASBB_ASSERT(!thread_.joinable());
  if (auto opened = open(); !opened) return opened;
  if (options_.alerts.enabled) thread_ = std::thread([this] { loop(); });
  return {};
}

void AlertWatch::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void AlertWatch::loop() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    lock.unlock();
    look_once();
    lock.lock();
    wake_.wait_for(lock, std::chrono::microseconds(options_.alerts.interval.microseconds),
                   [&] { return stopping_.load(); });
  }
}

void AlertWatch::look_once() {
  const Instant now = clock_();
  const auto channels_of = [&](const alerts::Finding& finding) {
    std::vector<std::string> names;
    for (const config::AlertChannel& channel : options_.alerts.channels) {
      if (finding.severity >= channel.least) names.push_back(channel.name);
    }
    return names;
  };
  keep_alarm(book_.update(findings(now), channels_of, now));
  if (!options_.alerts.digest_at.empty()) make_digest(now);
  send_due();
}

std::vector<alerts::Finding> AlertWatch::findings(Instant now) {
  const auto followed = spending_.follow(now);
  knows_spending_ = followed.has_value();
  if (followed) {
    alarms_.clear(spending_alarm);
  } else {
    alarms_.raise(spending_alarm,
                  "what budgets spent of late cannot be read, so nobody is told of haste: " +
                      followed.error().message,
                  now);
  }
  std::vector<alerts::Finding> out;
  committer_.read([&](const ledger::Book& book) { add_notices(out, book, now); });
  for (const Alarm& alarm : alarms_.list()) {
    out.push_back({"alarm " + alarm.key,
                   alerts::Severity::warning,
                   "",
                   "",
                   excerpt(alarm.message),
                   alarm.message,
                   {}});
  }
  return out;
}

void AlertWatch::add_notices(std::vector<alerts::Finding>& out, const ledger::Book& book,
                             Instant now) const {
  const insight::BudgetRules rules = rules_of(options_.alerts);
  for (const ledger::Account* account : book.accounts()) {
    if (account->status != ledger::AccountStatus::active) continue;
    for (const ledger::Budget* budget : book.budgets_of(account->id)) {
      if (!budget->covers(now)) continue;
      for (insight::BudgetNotice& notice :
           insight::notices_of(watched(book, *account, *budget, now), rules, now)) {
        alerts::Finding& finding = out.emplace_back();
        finding.key = std::move(notice.key);
        finding.severity = severity_of(notice.urgency);
        finding.account = account->name;
        finding.unit = budget->unit;
        finding.owners = owners_of(book, *account);
        finding.title = std::move(notice.title);
        finding.message = std::move(notice.message);
      }
    }
  }
}

insight::WatchedBudget AlertWatch::watched(const ledger::Book& book, const ledger::Account& account,
                                           const ledger::Budget& budget, Instant now) const {
  insight::WatchedBudget out;
  out.id = budget.id.value;
  out.account = account.name;
  out.unit = budget.unit;
  out.start = budget.start;
  out.end = budget.end;
  const auto last_day = day_of(budget.end - Span{1}, options_.zone);
  out.last_day = last_day ? to_string(*last_day) : "the period's end";
  out.limit = budget.limit;
  out.used = budget.used;
  out.held = budget.held;
  const Instant since = std::max(budget.start, account.created_at);
  if (knows_spending_) {
    out.late = spending_.rate_of(subtree(book, account.name), budget.unit, since, now);
  }
  return out;
}

void AlertWatch::make_digest(Instant now) {
  const auto today = day_of(now, options_.zone);
  if (!today || book_.has_digest(to_string(*today))) return;
  const auto due = digest_time(*today, options_.alerts, options_.zone);
  if (!due || now < *due) return;
  const auto before = digest_time(previous_day(*today), options_.alerts, options_.zone);
  const auto digest = alerts::digest_of(book_.list(), to_string(*today), before.value_or(now), now);
  std::vector<std::string> names;
  for (const config::AlertChannel& channel : options_.alerts.channels) {
    if (channel.has_digest) names.push_back(channel.name);
  }
  if (!digest || names.empty()) return;
  keep_alarm(book_.add_digest(to_string(*today), digest->subject, digest->text, names, now));
}

void AlertWatch::send_due() {
  for (const alerts::AlertBook::Task& task : book_.tasks(clock_())) {
    if (stopping_) return;
    const std::string what = "alert " + std::to_string(task.alert.id) + " to " + task.channel;
    const auto channel = channels_.find(task.channel);
    const Result<void> sent = channel == channels_.end()
                                  ? fail(ErrorKind::not_found, "there is no such channel any more")
                                  : channel->second->send(alerts::message_of(task.alert));
    if (stopping_ && !sent) return;
    if (sent) {
      log_info("sent " + what + ": " + task.alert.finding.title);
    } else {
      log_warning("cannot send " + what + ": " + sent.error().message);
    }
    keep_alarm(
        book_.delivered(task.alert.id, task.channel, sent ? "" : sent.error().message, clock_()));
  }
}

void AlertWatch::keep_alarm(const Result<void>& outcome) {
  if (outcome) {
    alarms_.clear(book_alarm);
  } else {
    alarms_.raise(book_alarm,
                  "what was told to whom is not written down: " + outcome.error().message,
                  clock_());
  }
}

}  // namespace asbb::service
