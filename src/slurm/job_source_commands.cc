#include "slurm/job_source_commands.h"

#include <algorithm>
#include <set>
#include <span>

#include "base/text.h"
#include "slurm/delimited.h"
#include "slurm/queue_reader.h"

namespace asbb::slurm {
namespace {

// As many ids as fit on one command line with room to spare, and in one query of slurmdbd.
constexpr std::size_t ids_per_call = 1000;

// A requeued job is submitted anew when its nodes are free again, not when its run ended.
constexpr Span requeue_slack = seconds(600);

// For a cluster that slurmdbd has never heard of sacct prints nothing and exits with 0.
Result<void> check_known(SlurmClient& client, const SlurmCluster& cluster) {
  auto text = client.run(cluster, {"sacctmgr", "-n", "-P", "show", "cluster",
                                   "name=" + cluster.name, "format=cluster"});
  if (!text) {
    return tl::unexpected(text.error());
  }
  const auto lines = split(*text, '\n');
  if (std::find(lines.begin(), lines.end(), cluster.name) == lines.end()) {
    return fail(ErrorKind::broken, "slurmdbd knows no cluster " + in_quotes(cluster.name) +
                                       ": it must be the ClusterName of slurm.conf.");
  }
  return {};
}

}  // namespace

std::vector<std::string> JobSourceCommands::clusters() const {
  return cluster_names(clusters_);
}

Result<QueueList> JobSourceCommands::list_queue(const std::string& cluster) {
  const auto found = find_cluster(clusters_, cluster);
  if (!found) {
    return tl::unexpected(found.error());
  }
  QueueList list;
  list.cluster = cluster;
  list.read_at = now_();
  const std::string separator = make_separator();
  const auto text = client_.run(**found, queue_arguments(separator));
  if (!text) {
    return tl::unexpected(text.error());
  }
  read_queue(*text, separator, list);
  auto proof = prove_operator(client_, **found, reader_, ProofFor::slurmctld);
  list.proven_operator = proof.proven;
  list.operator_proof = std::move(proof.text);
  return list;
}

Result<AccountingList> JobSourceCommands::list_accounting(const std::string& cluster,
                                                          const AccountingQuery& query) {
  const auto found = find_cluster(clusters_, cluster);
  if (!found) {
    return tl::unexpected(found.error());
  }
  if (query.job_ids.empty() && !query.since) {
    return fail(ErrorKind::invalid, "Accounting is read by job ids or since a time; give one.");
  }
  AccountingList list;
  list.cluster = cluster;
  list.read_at = now_();
  auto known = check_known(client_, **found);
  if (!known) {
    return tl::unexpected(known.error());
  }
  // An hour ahead: slurmdbd's clock may be, and sacct leaves out what is eligible after the end.
  auto asked =
      query.job_ids.empty()
          ? ask_window(**found, *query.since, query.until.value_or(list.read_at + hours(1)), list)
          : ask_by_ids(**found, query.job_ids, list);
  if (!asked) {
    return tl::unexpected(asked.error());
  }
  auto proof = prove_operator(client_, **found, reader_, ProofFor::slurmdbd);
  list.proven_operator = proof.proven;
  list.operator_proof = std::move(proof.text);
  return list;
}

Result<void> JobSourceCommands::ask_accounting(const SlurmCluster& cluster,
                                               const AccountingSelection& selection,
                                               AccountingList& list) {
  const std::string separator = make_separator();
  const auto text = client_.run(cluster, accounting_arguments(cluster.name, selection, separator));
  if (!text) {
    return tl::unexpected(text.error());
  }
  read_accounting(*text, separator, list);
  return {};
}

Result<void> JobSourceCommands::ask_by_ids(const SlurmCluster& cluster,
                                           const std::vector<std::int64_t>& job_ids,
                                           AccountingList& list) {
  for (std::size_t begin = 0; begin < job_ids.size(); begin += ids_per_call) {
    const std::size_t count = std::min(ids_per_call, job_ids.size() - begin);
    const auto piece = std::span(job_ids).subspan(begin, count);
    AccountingSelection selection;
    selection.job_ids.assign(piece.begin(), piece.end());
    if (auto asked = ask_accounting(cluster, selection, list); !asked) {
      return asked;
    }
  }
  arrange_runs(list.records);
  return {};
}

Result<void> JobSourceCommands::ask_window(const SlurmCluster& cluster, Instant since,
                                           Instant until, AccountingList& list) {
  AccountingSelection selection{{}, since, until, false};
  if (auto asked = ask_accounting(cluster, selection, list); !asked) {
    return asked;
  }
  selection.only_ended = true;
  if (auto asked = ask_accounting(cluster, selection, list); !asked) {
    return asked;
  }
  // A run before this one ended when this one was submitted, give or take what an epilog takes:
  // only what was submitted by then can have rows that the window lacks.
  std::set<std::int64_t> older;
  for (const AccountingRecord& record : list.records) {
    if (record.status.has_ended() && record.submit < since + requeue_slack) {
      older.insert(record.job_id);
    }
  }
  return ask_by_ids(cluster, {older.begin(), older.end()}, list);
}

Result<std::int64_t> JobSourceCommands::accounting_queue_length(const std::string& cluster) {
  const auto found = find_cluster(clusters_, cluster);
  if (!found) {
    return tl::unexpected(found.error());
  }
  const auto text = client_.run(**found, {"sdiag"});
  if (!text) {
    return tl::unexpected(text.error());
  }
  constexpr std::string_view label = "DBD Agent queue size:";
  for (std::string_view line : split(*text, '\n')) {
    if (line.starts_with(label)) {
      line.remove_prefix(std::min(line.find_first_not_of(' ', label.size()), line.size()));
      if (const auto length = parse_count(line)) {
        return *length;
      }
    }
  }
  return fail(ErrorKind::broken, "sdiag of " + cluster + " does not say its DBD Agent queue size.");
}

}  // namespace asbb::slurm
