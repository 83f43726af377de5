#include "cli/report_facts.h"

#include <algorithm>
#include <set>

#include "cli/progress.h"
#include "report/facts.h"
#include "slurm/run_reader.h"

namespace asbb::cli {
namespace {

constexpr std::int64_t charges_per_page = 5'000;
constexpr int sacct_deadline_ms = 300'000;
constexpr std::size_t sacct_bytes_max = 8u * 1024u * 1024u;

// Negative for what came back. Nothing of an adjustment, which is of no job.
std::optional<Micros> spent(const api::Charge& charge) {
  if (charge.type == "adjustment") return std::nullopt;
  const bool came_back = charge.type == "refund" || charge.type == "write_off_out";
  return came_back ? Micros() - charge.amount : charge.amount;
}

struct Accounting {
  Context& context;
  Instant start;
  Instant end;
  const Payers& payers;
  report::RecordSorter& sorter;
};

Result<void> add_runs(const Accounting& to, const std::string& cluster, slurm::EndedRuns runs) {
  for (slurm::EndedRun& run : runs.runs) {
    auto payer = to.payers.find({cluster, run.account});
    if (payer == to.payers.end()) payer = to.payers.find({"", run.account});
    if (payer == to.payers.end()) continue;
    const auto added = to.sorter.add(report::to_record(report::Run{{cluster, std::move(run.job)},
                                                                   payer->second,
                                                                   std::move(run.user),
                                                                   std::move(run.partition),
                                                                   run.start,
                                                                   run.end,
                                                                   run.wait_seconds,
                                                                   run.elapsed_seconds,
                                                                   run.limit_seconds,
                                                                   run.cpus}));
    if (!added) return added;
  }
  return {};
}

// What was not read, as a sentence; an error is one of the sorter.
Result<std::string> read_cluster(const Accounting& to, slurm::SlurmClient& client,
                                 const slurm::SlurmCluster& cluster) {
  Progress progress(to.context, "accounting of " + cluster.name);
  std::optional<Error> broken;
  std::string problem;
  std::int64_t count = 0;
  // Nothing ends in the future.
  const Instant until = std::min(to.end, to.context.now() + seconds(1));
  const Span all = until - to.start;
  const auto read = slurm::read_ended_runs(
      client, cluster, to.start, until,
      [&](const slurm::EndedRuns& runs, Instant read_until) -> Result<void> {
        count += static_cast<std::int64_t>(runs.runs.size());
        if (!runs.problems.empty()) problem = runs.problems.front();
        progress.at(count, (read_until - to.start).microseconds, all.microseconds);
        auto added = add_runs(to, cluster.name, runs);
        if (!added) broken = added.error();
        return added;
      });
  if (broken) return tl::unexpected(std::move(*broken));
  return read ? problem : read.error().message;
}

}  // namespace

api::Reply<void> LedgerFacts::read(const std::vector<std::string>& accounts) {
  if (accounts.empty()) return read_account("");
  for (const std::string& account : accounts) {
    if (auto done = read_account(account); !done) return done;
  }
  return {};
}

void LedgerFacts::set_units(report::Dual& report) const {
  const std::set<std::string> accounts(report.accounts.begin(), report.accounts.end());
  ByUnit units;
  for (const auto& [account, of_account] : adjusted_) {
    if (!report.account.empty() && !accounts.contains(account)) continue;
    for (const auto& [unit, amount] : of_account) {
      auto& sum = units[unit];
      if (amount) sum = sum.value_or(Micros()) + *amount;
    }
  }
  for (const auto& [unit, adjusted] : units) {
    report.units.push_back(unit);
    report.adjusted.push_back(adjusted);
  }
}

api::Reply<void> LedgerFacts::read_account(const std::string& account) {
  Progress progress(context_, "charges");
  api::ChargeQuery query;
  query.account = account;
  query.start_date = start_;
  query.end_date = end_;
  query.limit = charges_per_page;
  do {
    auto page = context_.call<api::ChargePage>(
        "GET", "/api/v1/usage/charges" + api::to_query_string(query));
    if (!page) return tl::unexpected(page.error());
    query.after = page->next;
    for (api::Charge& charge : page->charges) {
      if (auto added = add(charge); !added) {
        api::Problem problem;
        problem.message = added.error().message;
        return tl::unexpected(std::move(problem));
      }
    }
    count_ += static_cast<std::int64_t>(page->charges.size());
    if (!page->charges.empty()) {
      const Span read = page->charges.back().created_at - start_;
      progress.at(count_, read.microseconds, (end_ - start_).microseconds);
    }
  } while (query.after != 0);
  return {};
}

Result<void> LedgerFacts::add(api::Charge& charge) {
  auto& adjusted = adjusted_[charge.account][charge.unit];  // names the unit
  const auto amount = spent(charge);
  if (!amount) {
    adjusted = adjusted.value_or(Micros()) + charge.amount;
    return {};
  }
  return sorter_.add(
      report::to_record(report::Spending{{std::move(charge.cluster), std::move(charge.job_id)},
                                         charge.created_at,
                                         std::move(charge.account),
                                         std::move(charge.user),
                                         std::move(charge.partition),
                                         std::move(charge.unit),
                                         *amount}));
}

Result<std::vector<report::Cluster>> read_accounting(Context& context, Instant start, Instant end,
                                                     const Payers& payers,
                                                     report::RecordSorter& sorter) {
  std::vector<report::Cluster> clusters;
  const auto settings = config::load_config(context.flags.config, context.environment());
  if (!settings) {
    clusters.push_back({"Slurm", "the settings, which name the clusters, cannot be read: " +
                                     settings.error().front()});
    return clusters;
  }
  const Accounting to{context, start, end, payers, sorter};
  slurm::SlurmCommands client(sacct_deadline_ms, sacct_bytes_max);
  for (const config::Cluster& cluster : settings->slurm.clusters) {
    auto problem = read_cluster(to, client, {cluster.name, cluster.conf, cluster.bin_dir});
    if (!problem) return tl::unexpected(problem.error());
    clusters.push_back({cluster.name, std::move(*problem)});
  }
  if (clusters.empty()) {
    clusters.push_back({"Slurm", "slurm.clusters in the settings names no cluster"});
  }
  return clusters;
}

}  // namespace asbb::cli
