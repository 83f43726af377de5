#include "alerts/alert_book.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>

namespace asbb::alerts {
namespace {

tl::unexpected<Error> cannot(const std::string& what, const std::string& path) {
  return fail(ErrorKind::unavailable, "cannot " + what + " " + path + ": " + std::strerror(errno));
}

// Under another name first: the file is the old one or the new one, whatever happens.
Result<void> replace_file(const std::string& path, const std::string& text) {
  const std::string fresh = path + ".new";
  const int file =
      ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (file < 0) return cannot("create", fresh);
  const bool is_written =
      ::write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
      ::fsync(file) == 0;
  auto outcome = is_written ? Result<void>() : cannot("write", fresh);
  ::close(file);
  if (outcome && std::rename(fresh.c_str(), path.c_str()) != 0) outcome = cannot("replace", path);
  return outcome;
}

Alert* find(AlertState& state, std::int64_t id) {
  const auto found = std::find_if(state.alerts.begin(), state.alerts.end(),
                                  [&](const Alert& alert) { return alert.id == id; });
  return found == state.alerts.end() ? nullptr : &*found;
}

Alert alert_of(const Finding& finding, const std::vector<std::string>& channels, Instant at) {
  Alert alert;
  alert.finding = finding;
  alert.raised_at = alert.seen_at = at;
  for (const std::string& channel : channels) {
    alert.deliveries.push_back(Delivery{channel, false, 0, at, {}});
  }
  return alert;
}

Span wait_after(std::int64_t attempts) {
  Span wait = first_wait;
  for (std::int64_t i = 1; i < attempts && wait < longest_wait; ++i) {
    wait.microseconds *= 2;
  }
  return std::min(wait, longest_wait);
}

}  // namespace

Result<void> AlertBook::open() {
  if (path_.empty()) return {};
  const std::lock_guard lock(mutex_);
  std::ifstream file(path_, std::ios::binary);
  if (!file) {
    if (errno == ENOENT) return {};
    return cannot("read", path_);
  }
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  auto state = read_state(text);
  if (state) {
    state_ = std::move(*state);
    return {};
  }
  const std::string aside = path_ + ".bad";
  if (std::rename(path_.c_str(), aside.c_str()) != 0) return cannot("move aside", path_);
  return fail(ErrorKind::broken, path_ + " cannot be understood (" + state.error().message +
                                     ") and is now " + aside +
                                     ": alerts that still last are told once more, and nobody has "
                                     "acknowledged them");
}

Result<void> AlertBook::keep(AlertState state) {
  if (state == state_) return {};
  if (!path_.empty()) {
    if (auto written = replace_file(path_, to_text(state)); !written) return written;
  }
  state_ = std::move(state);
  return {};
}

Result<void> AlertBook::update(const std::vector<Finding>& findings, const ChannelsOf& channels,
                               Instant at) {
  const std::lock_guard lock(mutex_);
  AlertState next = state_;
  for (const Finding& finding : findings) {
    const auto known = std::find_if(
        next.alerts.begin(), next.alerts.end(),
        [&](const Alert& alert) { return !alert.ended_at && alert.finding.key == finding.key; });
    if (known != next.alerts.end()) {
      known->finding = finding;
      // Not each time: the file would be written each time.
      if (at - known->seen_at > seconds(alert_settles_after.microseconds / 4'000'000)) {
        known->seen_at = at;
      }
      continue;
    }
    next.alerts.push_back(alert_of(finding, channels(finding), at));
    next.alerts.back().id = ++next.last_id;
  }
  for (Alert& alert : next.alerts) {
    const bool is_found =
        std::any_of(findings.begin(), findings.end(),
                    [&](const Finding& finding) { return finding.key == alert.finding.key; });
    if (!is_found && !alert.ended_at && at - alert.seen_at > alert_settles_after) {
      alert.ended_at = at;
    }
  }
  std::erase_if(next.alerts, [&](const Alert& alert) {
    return alert.ended_at && at - *alert.ended_at > ended_alerts_kept;
  });
  return keep(std::move(next));
}

Result<Alert> AlertBook::acknowledge(std::int64_t id, const std::string& user,
                                     const std::string& note, Instant at) {
  const std::lock_guard lock(mutex_);
  AlertState next = state_;
  Alert* alert = find(next, id);
  if (alert == nullptr || alert->is_digest()) {
    return fail(ErrorKind::not_found, "there is no alert " + std::to_string(id), "id");
  }
  if (alert->acknowledged_at) {
    return fail(ErrorKind::conflict,
                "alert " + std::to_string(id) + " was acknowledged by " + alert->acknowledged_by +
                    " at " + to_rfc3339(*alert->acknowledged_at),
                "id");
  }
  alert->acknowledged_at = at;
  alert->acknowledged_by = user;
  alert->note = note;
  // Somebody knows: nobody else has to be told.
  for (Delivery& delivery : alert->deliveries) delivery.is_done = true;
  Alert answer = *alert;
  if (auto kept = keep(std::move(next)); !kept) return tl::unexpected(kept.error());
  return answer;
}

std::vector<AlertBook::Task> AlertBook::tasks(Instant at) const {
  const std::lock_guard lock(mutex_);
  std::vector<Task> out;
  for (const Alert& alert : state_.alerts) {
    for (const Delivery& delivery : alert.deliveries) {
      if (!delivery.is_done && delivery.next_at <= at) out.push_back({alert, delivery.channel});
    }
  }
  return out;
}

Result<void> AlertBook::delivered(std::int64_t id, const std::string& channel,
                                  const std::string& error, Instant at) {
  const std::lock_guard lock(mutex_);
  AlertState next = state_;
  Alert* alert = find(next, id);
  if (alert == nullptr) return {};
  for (Delivery& delivery : alert->deliveries) {
    if (delivery.channel != channel || delivery.is_done) continue;
    ++delivery.attempts;
    delivery.error = error;
    delivery.next_at = at + wait_after(delivery.attempts);
    delivery.is_done = error.empty() || at - alert->raised_at > given_up_after;
  }
  return keep(std::move(next));
}

std::vector<Alert> AlertBook::list() const {
  const std::lock_guard lock(mutex_);
  std::vector<Alert> out;
  std::copy_if(state_.alerts.begin(), state_.alerts.end(), std::back_inserter(out),
               [](const Alert& alert) { return !alert.is_digest(); });
  return out;
}

Result<void> AlertBook::add_digest(const std::string& day, const std::string& title,
                                   const std::string& text,
                                   const std::vector<std::string>& channels, Instant at) {
  if (has_digest(day)) return {};
  const std::lock_guard lock(mutex_);
  AlertState next = state_;
  Alert digest = alert_of({"digest " + day, Severity::info, "", "", title, text, {}}, channels, at);
  digest.id = ++next.last_id;
  digest.ended_at = at;
  next.alerts.push_back(std::move(digest));
  return keep(std::move(next));
}

bool AlertBook::has_digest(const std::string& day) const {
  const std::lock_guard lock(mutex_);
  return std::any_of(state_.alerts.begin(), state_.alerts.end(),
                     [&](const Alert& alert) { return alert.finding.key == "digest " + day; });
}

}  // namespace asbb::alerts
