// What accounts may spend while the service is away (docs/concepts/job-life.md): the settings, what
// is published to each cluster's plugin, and what the plugin last told of it. The reconciler keeps
// the money (reconciler_allowances.cc), the refresher writes the files, submissions bring what was
// spent. Nothing here is money: the holds are the ledger's. Thread-safe.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/money.h"
#include "base/time.h"
#include "ledger/types.h"

namespace asbb::service {

struct AllowanceSetting {
  Micros amount;
  std::string unit;
  bool operator==(const AllowanceSetting&) const = default;
};

struct AllowanceSettings {
  std::map<std::string, std::map<std::string, AllowanceSetting>> by_cluster;  // then by account
  bool allow_without_allowance = true;
  Micros hold_factor{1'200'000};  // of accounts that have none of their own
};

// One account's allowance on one cluster; `hold` keeps its money and is its generation.
struct PublishedAllowance {
  std::string account;
  ledger::HoldId hold;  // not set: nothing could be set aside
  Micros amount;        // that the plugin may count down from; never changes for a hold
  std::string unit;
  Micros factor;
  Instant until;  // the end of the period that pays; only with a hold
  bool operator==(const PublishedAllowance&) const = default;
};

struct AllowanceSpender {
  std::string user;
  std::string slurm_account;
  std::string account;
  bool is_default = false;
  bool operator==(const AllowanceSpender&) const = default;
};

struct ClusterAllowances {
  std::vector<PublishedAllowance> allowances;
  std::vector<AllowanceSpender> spenders;
  bool operator==(const ClusterAllowances&) const = default;
};

class Allowances {
 public:
  explicit Allowances(AllowanceSettings settings = {}) : settings_(std::move(settings)) {}

  [[nodiscard]] const AllowanceSettings& settings() const { return settings_; }
  // Whether anything is said about allowances at all.
  [[nodiscard]] bool are_set() const {
    return !settings_.by_cluster.empty() || !settings_.allow_without_allowance;
  }

  // Called after something else is to be published; once, before there are threads.
  void on_change(std::function<void()> changed) { changed_ = std::move(changed); }

  void publish(const std::string& cluster, ClusterAllowances what);
  // Nothing before the first time.
  [[nodiscard]] std::optional<ClusterAllowances> published(const std::string& cluster) const;

  // The cluster's file was written with just that, at that time.
  void written(const std::string& cluster, const ClusterAllowances& what, Instant at);
  // Since when the file in force lacks the hold; nothing while it may have it.
  [[nodiscard]] std::optional<Instant> withdrawn_since(const std::string& cluster,
                                                       ledger::HoldId hold) const;

  // "17=12500000,23=400" from a plugin (plugin-protocol.md): what was spent of which hold.
  void told(std::string_view spent);
  // Nothing where no plugin told of it.
  [[nodiscard]] std::optional<Micros> told_spent(ledger::HoldId hold) const;

 private:
  struct Written {
    std::vector<ledger::HoldId> holds;
    std::map<ledger::HoldId, Instant> withdrawn;  // that stood in it once, or were asked for
    Instant first;                                // since there is a file of this process
  };

  const AllowanceSettings settings_;
  std::function<void()> changed_;
  mutable std::mutex mutex_;
  std::map<std::string, ClusterAllowances> published_;
  std::map<std::string, Written> written_;
  std::map<ledger::HoldId, Micros> spent_;
};

// The text in `group` of the holds that keep allowances; callers of the API cannot set it.
inline constexpr std::string_view allowance_group = "allowance";
[[nodiscard]] bool is_allowance(const ledger::Hold& hold);

// "asbb-allowance=GENERATION:MICROS:TASKS" in an admin_comment.
struct AllowanceTag {
  ledger::HoldId hold;
  Micros amount;
  std::int64_t tasks = 1;
};
[[nodiscard]] std::optional<AllowanceTag> find_allowance(std::string_view admin_comment);

}  // namespace asbb::service
