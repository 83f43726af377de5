// What becomes of a job when the service does not answer: the policy file that the service keeps
// beside its socket (docs/reference/plugin-protocol.md, section 4). Any thread; the file is looked
// at when a decision is asked for, at most once a second, and read only when it changed.
#pragma once

#include <sys/stat.h>

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "plugins/allowances.h"
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

  // Null, or what is wrong, with *line the number of its line. Neither is to be used after a
  // failure. `allowances` is fresh and takes the lines that are its own.
  const char* parse(std::string_view text, int* line, AllowanceText* allowances);

  // `partitions` is what the user asked for: a name, a list with commas, or empty.
  [[nodiscard]] Stance decide(std::string_view partitions) const;
  // Deny when there is any partition that denies.
  [[nodiscard]] Stance strictest() const;
  [[nodiscard]] std::string_view default_partition() const { return default_partition_; }
  // Whether the file has a line for that partition.
  [[nodiscard]] bool knows(std::string_view partition) const;
  // Whether all that the job names is known and has no rate. `partitions` may be null.
  [[nodiscard]] bool is_free(const char* partitions, const AllowanceText& allowances) const;

 private:
  struct Rule {
    std::string_view partition;
    Stance stance = Stance::deny;
  };

  const char* parse_statement(std::string_view statement, AllowanceText* allowances);
  const char* parse_partition(std::string_view name, std::string_view stance);
  const char* put_in_order();
  [[nodiscard]] Stance decide_one(std::string_view partition) const;
  [[nodiscard]] const Rule* find(std::string_view partition) const;

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

  // Before the first decide. The paths and the users must outlive the policy.
  void configure(const char* path, const TrustedUsers* owners, Stance on_unavailable,
                 const char* count_path = "");

  // now_ms is a moment of the monotonic clock. `partitions` may be null.
  Stance decide(const char* partitions, std::int64_t now_ms);
  // For a change of a job, whose partition is not known here. Where allowances are counted, what it
  // would cost more cannot be.
  Stance strictest(std::int64_t now_ms);
  Stance decide_change(const char* partitions, std::int64_t now_ms);

  // About a job that decide() allows and that nobody answered for: what an allowance has left for
  // it is taken. False: it is refused, and *spending says why.
  bool let_through(const job_desc_msg_t& job, std::int64_t now_ms, Spending* spending);
  // AllowanceCount::write_spent.
  void write_spent(BoundedText* text);

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
  Allowances allowances_;
  struct stat seen_ = {};
  std::int64_t next_look_ms_ = 0;
  bool has_looked_ = false;
  bool is_usable_ = false;
  bool is_complained_about_ = false;
};

}  // namespace asbb::plugins
