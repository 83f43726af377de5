// What becomes of a job when the service does not answer: the policy file that the service keeps
// beside its socket (docs/reference/plugin-protocol.md, section 4). Any thread; the file is looked
// at when a decision is asked for, at most once a second, and read only when it changed.
#pragma once

#include <sys/stat.h>

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "plugins/channel.h"
#include "plugins/file_text.h"
#include "plugins/http_answer.h"
#include "plugins/mutex.h"
#include "plugins/wire.h"

namespace asbb::plugins {

inline constexpr std::int64_t kPolicyLookMs = 1'000;
// A longer list of partitions is denied unread: its length is the user's choice.
inline constexpr std::size_t kPartitionListBytesMax = 16'384;

// A policy file's text, checked as a whole and put in order. Borrows the text. 24 kB.
class PolicyText {
 public:
  constexpr PolicyText() = default;

  // Null, or what is wrong, with *line the number of its line. Not to be used after a failure.
  const char* parse(std::string_view text, int* line);

  // `partitions` is what the user asked for: a name, a list with commas, or empty.
  [[nodiscard]] Stance decide(std::string_view partitions) const;
  // Deny when there is any partition that denies.
  [[nodiscard]] Stance strictest() const;

 private:
  struct Rule {
    std::string_view partition;
    Stance stance = Stance::deny;
  };

  const char* parse_statement(std::string_view statement);
  const char* parse_partition(std::string_view name, std::string_view stance);
  const char* put_in_order();
  [[nodiscard]] Stance decide_one(std::string_view partition) const;

  Rule rules_[wire::policy::kPartitionsMax];
  std::size_t rule_count_ = 0;
  std::string_view default_partition_;
  bool has_version_ = false;
  bool has_default_ = false;
  Stance default_ = Stance::deny;
};

class Policy {
 public:
  constexpr Policy() = default;

  // Before the first decide. The path and the users must outlive the policy.
  void configure(const char* path, const TrustedUsers* owners, Stance on_unavailable);

  // now_ms is a moment of the monotonic clock. `partitions` may be null.
  Stance decide(const char* partitions, std::int64_t now_ms);
  // For a job whose partition is not known here.
  Stance strictest(std::int64_t now_ms);

 private:
  void look(std::int64_t now_ms);
  void load(const struct stat& seen);
  void reject(const char* problem, int line);
  [[nodiscard]] bool is_unchanged(const struct stat& seen) const;

  const char* path_ = nullptr;
  const TrustedUsers* owners_ = nullptr;
  Stance on_unavailable_ = Stance::deny;

  Mutex mutex_;
  FileText file_;
  PolicyText text_;
  struct stat seen_ = {};
  std::int64_t next_look_ms_ = 0;
  bool has_looked_ = false;
  bool is_usable_ = false;
  bool is_complained_about_ = false;
};

}  // namespace asbb::plugins
