// What the commands that change accounts in Slurm share: which cluster is meant, how changes are
// shown to people and programs, what is said when not all of them came about. They talk to
// sacctmgr, not to the budget service.
#pragma once

#include <string>
#include <vector>

#include "cli/context.h"
#include "slurm/account_writer.h"

namespace asbb::cli {

inline constexpr int sacctmgr_deadline_ms = 30'000;

// As the settings have it; `invalid` with the nearest name when they have none of that name.
[[nodiscard]] Result<slurm::SlurmCluster> settings_cluster(const config::Config& settings,
                                                           const std::string& flag,
                                                           const std::string& name);

// Two commands at once would add accounts side by side, which slurmdbd puts under wrong parents.
// Waits for the other that long at most. Held on the settings, which both read, to the end of the
// object.
class OneWriter {
 public:
  static constexpr Span usual_patience = seconds(30);  // of a command that need not be given again

  OneWriter(const Context& context, Span patience);
  OneWriter(const OneWriter&) = delete;
  OneWriter& operator=(const OneWriter&) = delete;
  ~OneWriter();
  [[nodiscard]] bool is_alone() const { return is_alone_; }

 private:
  int descriptor_;
  bool is_alone_;
};

// What is said where another one is at work. `cure`: what to do then.
[[nodiscard]] Error another_writer(
    const std::string& cure = "Nothing is changed: try again when it has ended.");

// Who reads must be shown everything, or what is hidden from him would look as if it were missing.
[[nodiscard]] Result<void> check_sees_all(slurm::SlurmClient& client,
                                          const slurm::SlurmCluster& cluster);

// slurm.clusters[].limits as what they mean; `invalid` names the limit whose value is none.
[[nodiscard]] Result<std::map<std::string, slurm::LimitRule>> limit_rules(
    const config::Cluster& cluster);

// Of one cluster. A change that is part of another one (the description of a new account) is not
// shown by itself.
struct ShownChange {
  std::string cluster;
  slurm::TreeChange change;
  std::string state;  // "to do", "made", "missing", "left"
};
void append_changes(std::vector<ShownChange>& shown, const std::string& cluster,
                    const std::vector<slurm::TreeChange>& changes, const std::string& state);
// What was planned, as it has turned out.
void append_outcome(std::vector<ShownChange>& shown, const std::string& cluster,
                    const std::vector<slurm::TreeChange>& changes,
                    const slurm::FollowOutcome& outcome);

// Changes that are to be made, in aligned columns; what is left below them, with why.
void print_changes(const Context& context, const std::vector<ShownChange>& shown);
// A list of objects.
[[nodiscard]] std::string changes_json(const std::vector<ShownChange>& shown);
// All of them in CSV or JSON.
void print_for_programs(const Context& context, const std::vector<ShownChange>& shown);

// On `err`: what sacctmgr said, what is missing, and `cure`. Returns the exit code.
[[nodiscard]] int say_incomplete(const Context& context, const std::string& cluster,
                                 const slurm::FollowOutcome& outcome, const std::string& cure);

// Warns of users of whom this machine knows no uid.
void warn_of_unknown_users(const Context& context, const std::vector<slurm::TreeChange>& changes);

}  // namespace asbb::cli
