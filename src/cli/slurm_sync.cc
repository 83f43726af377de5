#include "cli/slurm_sync.h"

#include <ostream>

#include "base/text.h"
#include "cli/slurm_accounts.h"

namespace asbb::cli {
namespace {

using slurm::AccountTree;
using slurm::FollowRules;

struct SyncFlags {
  std::string from;
  std::string to;
  std::string limits = "fill";
  bool dry_run = false;
  bool prune = false;
};

Result<AccountTree> read_tree(slurm::SlurmClient& client, const slurm::SlurmCluster& cluster) {
  if (const auto sees = check_sees_all(client, cluster); !sees) {
    return tl::unexpected(sees.error());
  }
  return read_account_tree(client, cluster);
}

// A list that is short for another reason than that accounts are gone must remove nothing.
Result<void> check_prune(const AccountTree& from) {
  if (!from.problems.empty()) {
    return fail(ErrorKind::broken, "--prune: " + from.problems.front() +
                                       "; while that is so nothing is removed elsewhere");
  }
  if (from.accounts.empty()) {
    return fail(ErrorKind::conflict, "--prune: cluster " + from.cluster +
                                         " has no account but root; all accounts of the other "
                                         "cluster would be removed");
  }
  return {};
}

Result<FollowRules> rules_of(const config::Config& settings, const SyncFlags& flags) {
  FollowRules rules;
  rules.prune = flags.prune;
  if (flags.limits == "keep") return rules;
  if (flags.limits == "overwrite") rules.existing = FollowRules::Existing::overwrite;
  for (const config::Cluster& cluster : settings.slurm.clusters) {
    if (cluster.name != flags.to) continue;
    auto found = limit_rules(cluster);
    if (!found) return tl::unexpected(found.error());
    rules.limits = std::move(*found);
  }
  return rules;
}

int nothing_to_do(const Context& context, const SyncFlags& flags,
                  const std::vector<ShownChange>& shown) {
  if (!context.wants_table()) {
    print_for_programs(context, shown);
    return exit_done;
  }
  print_changes(context, shown);
  return context.done("Nothing to do: the accounts of " + flags.to + " are those of " + flags.from +
                      (shown.empty() ? "." : ", but for what is left."));
}

int carry_out(Context& context, slurm::SlurmClient& client, const slurm::SlurmCluster& cluster,
              const AccountTree& from, const FollowRules& rules,
              const std::vector<slurm::TreeChange>& changes) {
  const auto outcome = follow(client, cluster, from, rules);
  if (!context.wants_table()) {
    std::vector<ShownChange> shown;
    append_outcome(shown, cluster.name, changes, outcome);
    print_for_programs(context, shown);
  }
  if (!outcome.broken_off.empty() || !outcome.missing.empty()) {
    return say_incomplete(context, cluster.name, outcome,
                          "The same command, once more, goes on from here.");
  }
  if (context.wants_table()) {
    context.out() << "\nDone: the accounts of " << cluster.name << " are those of " << from.cluster
                  << ".\n";
  }
  return exit_done;
}

int synchronize(Context& context, const SyncFlags& flags) {
  const auto settings = context.settings();
  if (!settings) return exit_failed;
  if (flags.from == flags.to) {
    return context.misused("--from and --to are both " + in_quotes(flags.from) +
                           ": two clusters are expected");
  }
  const auto source = settings_cluster(*settings, "--from", flags.from);
  if (!source) return context.misused(source.error().message);
  const auto target = settings_cluster(*settings, "--to", flags.to);
  if (!target) return context.misused(target.error().message);
  const auto rules = rules_of(*settings, flags);
  if (!rules) return context.failed(rules.error());
  const OneWriter writer(context, Span());
  if (!writer.is_alone()) return context.failed(another_writer());
  slurm::SlurmCommands client(sacctmgr_deadline_ms);
  const auto from = read_tree(client, *source);
  if (!from) return context.failed(from.error());
  const auto to = read_tree(client, *target);
  if (!to) return context.failed(to.error());
  if (flags.prune) {
    if (const auto fine = check_prune(*from); !fine) return context.failed(fine.error());
  }
  for (const AccountTree* tree : {&*from, &*to}) {
    for (const std::string& problem : tree->problems) context.warn(problem);
  }
  const auto changes = changes_between(*from, *to, *rules);
  std::vector<ShownChange> shown;
  append_changes(shown, flags.to, changes, "to do");
  if (open_changes(changes).empty()) return nothing_to_do(context, flags, shown);
  warn_of_unknown_users(context, changes);
  if (context.wants_table()) print_changes(context, shown);
  if (!flags.dry_run) return carry_out(context, client, *target, *from, *rules, changes);
  if (!context.wants_table()) {
    print_for_programs(context, shown);
  } else {
    context.out() << "\nNothing is changed: without --dry-run it is.\n";
  }
  return exit_differs;
}

}  // namespace

void add_slurm_sync(Command& slurm, Context& context) {
  auto flags = std::make_shared<SyncFlags>();
  slurm
      .add("sync-accounts",
           "Makes the Slurm accounts and users of one cluster those of another one.")
      .take({"--from", "CLUSTER", "The cluster that is followed.", Presence::required}, flags->from)
      .take({"--to", "CLUSTER", "The cluster that is changed.", Presence::required}, flags->to)
      .take({"--dry-run", "", "Shows what differs, and changes nothing."}, flags->dry_run)
      .take({"--prune", "", "Removes accounts and users that only the second cluster has."},
            flags->prune)
      .take({"--limits",
             "HOW",
             "What the settings' rules may do with limits: set those that are missing (fill, the "
             "default), change others too (overwrite), nothing (keep).",
             Presence::optional,
             {"fill", "overwrite", "keep"}},
            flags->limits)
      .note(
          "Accounts, the accounts above them, descriptions, users and default accounts follow. "
          "Fair shares, QOS, administrators and associations for single partitions are each "
          "cluster's own, and so are limits for which slurm.clusters has no rule.")
      .note(
          "Shows what differs before it changes anything, and reads back what came of it. A second "
          "run finds nothing to do. The exit code is 4 when --dry-run found something to do.")
      .example("asbb slurm sync-accounts --from=onprem --to=cloud --dry-run")
      .example("asbb slurm sync-accounts --from=onprem --to=cloud")
      .action([&context, flags] { return synchronize(context, *flags); });
}

}  // namespace asbb::cli
