#include "service/offline_recovery.h"

#include "service/from_settings.h"
#include "service/recovery.h"
#include "slurm/cluster_view_commands.h"
#include "slurm/job_source_commands.h"
#include "store/open_store.h"

namespace asbb::service {
namespace {

Result<store::ChainKey> key_of(const config::Database& database) {
  auto key = store::read_chain_key(database.chain_key_file);
  if (!key && key.error().kind == ErrorKind::not_found) {
    key.error().message += ": the ledger cannot be written without the key of its chain";
  }
  return key;
}

// Who owns the database is asked first, for a sentence that says so.
Result<void> check_owner(const config::Database& database) {
  const auto owner = store::database_owner(database.driver, database.dsn);
  if (!owner || !*owner) return {};
  return fail(
      ErrorKind::unavailable,
      "asbb-service runs: " + **owner + " owns the database " + database.dsn +
          ". 'asbb recover' does the same with the service; asbb-recovery is for when it is "
          "stopped.");
}

}  // namespace

Result<api::RecoveryAnswer> recover_offline(const config::Config& config,
                                            const api::RecoveryRequest& request) {
  const config::Database& database = config.database;
  if (auto free = check_owner(database); !free) return tl::unexpected(free.error());
  const auto key = key_of(database);
  if (!key) return tl::unexpected(key.error());
  auto store = store::open_store(database.driver, database.dsn);
  if (!store) return tl::unexpected(store.error());
  if (database.clock_may_be_behind) (*store)->let_time_go_back();
  Committer committer(**store, *key, system_now, CommitterOptions{});
  if (auto started = committer.start(); !started) return tl::unexpected(started.error());
  Prices prices;
  auto followed = committer.read([&](const ledger::Book& book) { return prices.follow(book); });
  if (!followed) return tl::unexpected(followed.error());
  slurm::SlurmCommands commands(milliseconds_of(config.slurm.command_timeout));
  slurm::ClusterViewCommands views(commands, clusters_of(config), system_now);
  slurm::JobSourceCommands jobs(commands, clusters_of(config), system_now);
  slurm::SystemUserNames names;
  slurm::ClusterCache view;
  std::vector<std::string> problems;
  for (const Error& error : view.refresh(views, names)) problems.push_back(error.message);
  ReconcilerOptions options = reconciler_options(config);
  options.looks_back = false;
  options.enforcement.enabled = false;
  const OpenHolds before = open_holds_of(committer);
  std::vector<ledger::Entry> entries;
  std::vector<OpenFinding> findings;
  if (request.dry_run) {
    const auto plan = plan_recovery(committer, jobs, view, prices, options);
    if (!plan) return tl::unexpected(plan.error());
    entries = plan->entries;
    findings = plan->findings;
    problems.insert(problems.end(), plan->problems.begin(), plan->problems.end());
  } else {
    const std::int64_t written =
        committer.read([](const ledger::Book& book) { return book.counters().entry; });
    Alarms alarms;
    Reconciler reconciler(committer, jobs, view, prices, alarms, options);
    PassQuestion question;
    question.explains = question.recovers = true;
    const PassReport report = reconciler.run_pass(question);
    auto done = entries_after(**store, written);
    if (!done) return tl::unexpected(done.error());
    entries = std::move(*done);
    findings = report.findings;
    problems.insert(problems.end(), report.problems.begin(), report.problems.end());
  }
  committer.stop();
  return tell_recovery(request, before, entries, findings, problems);
}

}  // namespace asbb::service
