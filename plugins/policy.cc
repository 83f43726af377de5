#include "plugins/policy.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>

#include "plugins/clock.h"
#include "plugins/log.h"
#include "plugins/wire.h"
#include "plugins/words.h"

namespace asbb::plugins {
namespace {

bool parse_stance(std::string_view word, Stance* stance) {
  if (word != wire::kAllow && word != wire::kDeny) return false;
  *stance = word == wire::kAllow ? Stance::allow : Stance::deny;
  return true;
}

}  // namespace

const char* PolicyText::parse(std::string_view text, int* line, AllowanceText* allowances) {
  *line = 0;
  while (!text.empty()) {
    ++*line;
    const char* problem = parse_statement(without_comment(take_until("\n", &text)), allowances);
    if (problem != nullptr) return problem;
  }
  if (!has_version_) return "does not say 'version 1'";
  if (!has_default_) return "has no line 'default allow' or 'default deny'";
  const char* problem = allowances->put_in_order();
  return problem != nullptr ? problem : put_in_order();
}

const char* PolicyText::parse_statement(std::string_view statement, AllowanceText* allowances) {
  const std::string_view word = take_word(&statement);
  if (word.empty()) return nullptr;
  if (has_version_ && AllowanceText::is_own_word(word)) {
    return allowances->parse_statement(word, statement);
  }
  const std::string_view first = take_word(&statement);
  const std::string_view second = take_word(&statement);
  const bool has_one = !first.empty() && second.empty();
  if (!take_word(&statement).empty()) return "has too many words in a line";
  if (word == wire::policy::kVersion) {
    if (has_version_ || first != wire::policy::kVersionNumber || !has_one) {
      return "is of an unknown version";
    }
    has_version_ = true;
    return nullptr;
  }
  if (!has_version_) return "does not begin with 'version 1'";
  if (word == wire::policy::kPartition) return parse_partition(first, second);
  if (word == wire::policy::kDefaultPartition && has_one && default_partition_.empty()) {
    default_partition_ = first;
    return nullptr;
  }
  if (word == wire::policy::kDefault && has_one && !has_default_) {
    has_default_ = true;
    return parse_stance(first, &default_) ? nullptr : "says neither allow nor deny";
  }
  return "has a line that is unknown, incomplete or there twice";
}

const char* PolicyText::parse_partition(std::string_view name, std::string_view stance) {
  if (rule_count_ == wire::policy::kPartitionsMax) return "names too many partitions";
  Rule& rule = rules_[rule_count_];
  if (!parse_stance(stance, &rule.stance)) return "says neither allow nor deny";
  rule.partition = name;
  ++rule_count_;
  return nullptr;
}

const char* PolicyText::put_in_order() {
  Rule* end = rules_ + rule_count_;
  std::sort(rules_, end, [](const Rule& a, const Rule& b) { return a.partition < b.partition; });
  const Rule* twice = std::adjacent_find(
      rules_, end, [](const Rule& a, const Rule& b) { return a.partition == b.partition; });
  return twice == end ? nullptr : "names a partition twice";
}

const PolicyText::Rule* PolicyText::find(std::string_view partition) const {
  const Rule* end = rules_ + rule_count_;
  const Rule* found = std::lower_bound(
      rules_, end, partition,
      [](const Rule& rule, std::string_view name) { return rule.partition < name; });
  return found != end && found->partition == partition ? found : nullptr;
}

Stance PolicyText::decide_one(std::string_view partition) const {
  const Rule* found = find(partition);
  return found != nullptr ? found->stance : default_;
}

bool PolicyText::knows(std::string_view partition) const {
  return find(partition) != nullptr;
}

bool PolicyText::is_free(const char* partitions, const AllowanceText& allowances) const {
  std::string_view rest = partitions == nullptr ? std::string_view() : partitions;
  if (rest.empty()) rest = default_partition_;
  bool names_one = false;
  while (!rest.empty()) {
    const std::string_view partition = take_until(",", &rest);
    if (partition.empty()) continue;
    names_one = true;
    if (!knows(partition) || allowances.rate(partition) != nullptr) return false;
  }
  return names_one;
}

Stance PolicyText::decide(std::string_view partitions) const {
  if (partitions.size() > kPartitionListBytesMax) return Stance::deny;
  bool names_one = false;
  while (!partitions.empty()) {
    const std::string_view partition = take_until(",", &partitions);
    if (partition.empty()) continue;
    names_one = true;
    if (decide_one(partition) == Stance::deny) return Stance::deny;
  }
  if (names_one) return Stance::allow;
  return default_partition_.empty() ? default_ : decide_one(default_partition_);
}

Stance PolicyText::strictest() const {
  const bool denies = default_ == Stance::deny ||
                      std::any_of(rules_, rules_ + rule_count_,
                                  [](const Rule& rule) { return rule.stance == Stance::deny; });
  return denies ? Stance::deny : Stance::allow;
}

void Policy::configure(const char* path, const TrustedUsers* owners, Stance on_unavailable,
                       const char* count_path) {
  allowances_.configure(count_path);
  path_ = path;
  owners_ = owners;
  on_unavailable_ = on_unavailable;
}

Stance Policy::decide(const char* partitions, std::int64_t now_ms) {
  const Locked locked(mutex_);
  look(now_ms);
  if (!is_usable_) return on_unavailable_;
  return text_.decide(partitions == nullptr ? std::string_view() : partitions);
}

Stance Policy::strictest(std::int64_t now_ms) {
  const Locked locked(mutex_);
  look(now_ms);
  return is_usable_ ? text_.strictest() : on_unavailable_;
}

Stance Policy::decide_change(const char* partitions, std::int64_t now_ms) {
  const Stance stance = is_set(partitions) ? decide(partitions, now_ms) : strictest(now_ms);
  const Locked locked(mutex_);
  return is_usable_ && allowances_.are_there() ? Stance::deny : stance;
}

bool Policy::let_through(const job_desc_msg_t& job, std::int64_t now_ms, Spending* spending) {
  const Locked locked(mutex_);
  look(now_ms);
  return !is_usable_ || allowances_.let_through(job, text_, unix_millis() / 1'000, spending);
}

void Policy::write_spent(BoundedText* text) {
  const Locked locked(mutex_);
  allowances_.write_spent(text);
}

void Policy::look(std::int64_t now_ms) {
  if (has_looked_ && now_ms < next_look_ms_) return;
  next_look_ms_ = now_ms + kPolicyLookMs;
  struct stat seen = {};
  if (stat(path_, &seen) != 0) {
    reject(errno == ENOENT ? "is not there" : "cannot be seen", 0);
  } else if (!has_looked_ || !is_unchanged(seen)) {
    load(seen);
  }
  has_looked_ = true;
  seen_ = seen;
}

bool Policy::is_unchanged(const struct stat& seen) const {
  return seen.st_ino == seen_.st_ino && seen.st_dev == seen_.st_dev &&
         seen.st_size == seen_.st_size && seen.st_mode == seen_.st_mode &&
         seen.st_uid == seen_.st_uid && seen.st_mtim.tv_sec == seen_.st_mtim.tv_sec &&
         seen.st_mtim.tv_nsec == seen_.st_mtim.tv_nsec;
}

void Policy::load(const struct stat& seen) {
  if (!S_ISREG(seen.st_mode)) return reject("is not a regular file", 0);
  FileText file;
  if (!file.read(path_, wire::policy::kFileBytesMax)) return reject(file.problem(), 0);
  if (!owners_->contains(file.status().st_uid)) return reject("belongs to another user", 0);
  if ((file.status().st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    return reject("can be written by group or others", 0);
  }
  PolicyText text;
  AllowanceText allowances;
  int line = 0;
  const char* problem = text.parse(file.view(), &line, &allowances);
  if (problem != nullptr) return reject(problem, line);
  file_.swap(file);
  text_ = text;
  allowances_.adopt(allowances);
  is_usable_ = true;
  is_complained_about_ = false;
  log_info("policy file %s is in force", path_);
}

void Policy::reject(const char* problem, int line) {
  is_usable_ = false;
  if (is_complained_about_) return;
  is_complained_about_ = true;
  char where[32] = "";
  if (line > 0) std::snprintf(where, sizeof where, " in line %d", line);
  const char* stance = on_unavailable_ == Stance::allow ? "accepted" : "refused";
  log_error("policy file %s %s%s: while the service is silent, jobs are %s", path_, problem, where,
            stance);
}

}  // namespace asbb::plugins
