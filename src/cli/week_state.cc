#include "cli/week_state.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "api/transaction.h"
#include "base/text.h"
#include "base/write_all.h"
#include "store/durable_file.h"

namespace asbb::cli {
namespace {

constexpr std::string_view first_line = "asbb-weekly 1";

Error state_error(const std::string& path, const std::string& why) {
  return Error{ErrorKind::unavailable, "'" + path + "' cannot be used: " + why, "--state-file"};
}

std::optional<std::string> decoded(std::string_view word) {
  std::string out;
  for (std::size_t i = 0; i < word.size(); ++i) {
    if (word[i] != '%') {
      out += word[i];
      continue;
    }
    const auto digit = [&](std::size_t at) {
      constexpr std::string_view digits = "0123456789ABCDEF";
      return at < word.size() ? digits.find(word[at]) : std::string_view::npos;
    };
    const std::size_t high = digit(i + 1);
    const std::size_t low = digit(i + 2);
    if (high == std::string_view::npos || low == std::string_view::npos) return std::nullopt;
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return out;
}

// The names under which the file speaks of a week.
std::string name_of(report::Week week) {
  return report::to_string(week);
}

}  // namespace

WeekState::~WeekState() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

Result<void> WeekState::open(const std::string& path) {
  path_ = path;
  // The timer, which is not root, goes on with what root began.
  descriptor_ = store::open_or_create(path, O_RDWR | O_APPEND, 0640);
  if (descriptor_ < 0) return tl::unexpected(state_error(path, std::strerror(errno)));
  if (::flock(descriptor_, LOCK_EX | LOCK_NB) != 0) {
    return fail(ErrorKind::conflict,
                "another 'asbb report weekly' is under way: it has '" + path + "'");
  }
  return read(path);
}

Result<void> WeekState::read(const std::string& path) {
  std::string text;
  std::array<char, 65'536> buffer{};
  for (;;) {
    const ssize_t count = ::read(descriptor_, buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return tl::unexpected(state_error(path, std::strerror(errno)));
    if (count == 0) break;
    text.append(buffer.data(), static_cast<std::size_t>(count));
  }
  if (text.empty()) return add({std::string(first_line)});
  // A last line without an end was cut by a crash: what it would say did not happen.
  const std::size_t whole = text.rfind('\n') == std::string::npos ? 0 : text.rfind('\n') + 1;
  if (whole != text.size() && ::ftruncate(descriptor_, static_cast<off_t>(whole)) != 0) {
    return tl::unexpected(state_error(path, std::strerror(errno)));
  }
  text.resize(whole);
  if (text.empty()) return add({std::string(first_line)});
  const auto lines = split(std::string_view(text).substr(0, text.size() - 1), '\n');
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const bool is_fine = i == 0 ? lines[i] == first_line : take(std::string(lines[i]));
    if (is_fine) continue;
    return fail(ErrorKind::broken,
                "'" + path + "', line " + std::to_string(i + 1) +
                    ": this is no record of weekly reports: " + in_quotes(lines[i]));
  }
  return {};
}

bool WeekState::take(const std::string& line) {
  std::vector<std::string> words;
  for (const std::string_view word : split(line, ' ')) {
    auto text = decoded(word);
    if (!text) return false;
    words.push_back(std::move(*text));
  }
  const auto week = report::parse_week(words.size() > 1 ? words[1] : "");
  if (!week) return false;
  if (words[0] == "since" && words.size() == 3) {
    since_.emplace(words[2], *week);
  } else if (words[0] == "done" && words.size() == 3) {
    done_.insert({words[2], *week});
  } else if (words.size() == 4) {
    Mail& mail = mails_[{words[1], words[2], words[3]}];
    if (words[0] == "begun") {
      mail = Mail::begun;
    } else if (words[0] == "sent") {
      mail = Mail::sent;
    } else if (words[0] == "failed") {
      mail = Mail::not_yet;
    } else {
      return false;
    }
  } else {
    return false;
  }
  return true;
}

Result<void> WeekState::add(const std::vector<std::string>& words) {
  std::string line;
  for (const std::string& word : words) {
    line += (line.empty() ? "" : " ") + (word == first_line ? word : api::percent_encode(word));
  }
  line += '\n';
  const bool is_kept = write_all(descriptor_, line) && ::fsync(descriptor_) == 0;
  if (!is_kept) return tl::unexpected(state_error(path_, std::strerror(errno)));
  return {};
}

Result<std::vector<report::Week>> WeekState::missing(const std::string& destination,
                                                     report::Week last, int most) {
  if (!since_.contains(destination)) {
    since_[destination] = last;
    if (auto added = add({"since", name_of(last), destination}); !added) {
      return tl::unexpected(added.error());
    }
  }
  std::vector<report::Week> weeks;
  report::Week week = last;
  for (int i = 0; i < most && since_[destination] <= week; ++i) {
    if (!is_done(destination, week)) weeks.push_back(week);
    week = report::previous_week(week);
  }
  std::reverse(weeks.begin(), weeks.end());
  return weeks;
}

bool WeekState::is_done(const std::string& destination, report::Week week) const {
  return done_.contains({destination, week});
}

Result<void> WeekState::note_done(const std::string& destination, report::Week week) {
  done_.insert({destination, week});
  return add({"done", name_of(week), destination});
}

WeekState::Mail WeekState::mail(report::Week week, const std::string& account,
                                const std::string& address) const {
  const auto found = mails_.find({name_of(week), account, address});
  return found == mails_.end() ? Mail::not_yet : found->second;
}

Result<void> WeekState::note_begun(report::Week week, const std::string& account,
                                   const std::string& address) {
  mails_[{name_of(week), account, address}] = Mail::begun;
  return add({"begun", name_of(week), account, address});
}

Result<void> WeekState::note_sent(report::Week week, const std::string& account,
                                  const std::string& address) {
  mails_[{name_of(week), account, address}] = Mail::sent;
  return add({"sent", name_of(week), account, address});
}

Result<void> WeekState::note_failed(report::Week week, const std::string& account,
                                    const std::string& address) {
  mails_[{name_of(week), account, address}] = Mail::not_yet;
  return add({"failed", name_of(week), account, address});
}

}  // namespace asbb::cli
