#include "service/recovery.h"

#include <algorithm>
#include <utility>

#include "service/job_holds.h"
#include "service/trial_store.h"

namespace asbb::service {
namespace {

constexpr std::int64_t page = 10'000;

bool is_told(const ledger::Entry& entry) {
  using ledger::EntryType;
  return entry.hold.is_set() &&
         (entry.type == EntryType::bind || entry.type == EntryType::charge ||
          entry.type == EntryType::overrun || entry.type == EntryType::release);
}

// What all entries of one hold come to.
struct Deed {
  bool binds = false;
  bool charges = false;
  bool releases = false;
  bool is_of_job = false;
  std::map<std::string, Micros> charged;
  std::map<std::string, Micros> released;
  std::string job;
  std::string cluster;
  std::string reason;
};

void note(Deed& deed, const ledger::Entry& entry) {
  if (entry.type == ledger::EntryType::bind) {
    deed.binds = true;
  } else if (entry.type == ledger::EntryType::release) {
    deed.releases = true;
    deed.released[entry.unit] += entry.amount;
  } else {
    deed.charges = true;
    deed.charged[entry.unit] += entry.amount;
  }
  if (entry.job.job_id != 0) {
    deed.is_of_job = true;
    deed.cluster = entry.job.cluster;
    deed.job = std::to_string(entry.job.job_id);
  }
  if (!entry.reason.empty()) deed.reason = entry.reason;
}

std::string amounts(const std::map<std::string, Micros>& sums) {
  std::string text;
  for (const auto& [unit, sum] : sums) {
    text += (text.empty() ? "" : " and ") + to_display(sum, unit);
  }
  return text;
}

std::string action_of(const Deed& deed) {
  if (deed.charges) return "settle";
  if (deed.releases) return deed.is_of_job ? "settle" : "release";
  return "bind";
}

std::string sentence_of(const Deed& deed) {
  std::string text;
  if (deed.charges) text += "charges " + amounts(deed.charged);
  if (deed.releases) text += (text.empty() ? "" : ", ") + ("gives back " + amounts(deed.released));
  if (deed.binds) text = "ties it to job " + deed.job + (text.empty() ? "" : ", " + text);
  return text + (deed.reason.empty() ? "" : ": " + deed.reason);
}

bool is_meant(const api::RecoveryRequest& request, const api::RecoveryHold& hold) {
  return (request.account.empty() || request.account == hold.account) &&
         (request.job_id.empty() || request.job_id == hold.job_id);
}

}  // namespace

OpenHolds open_holds_of(const Committer& committer) {
  return committer.read([](const ledger::Book& book) {
    OpenHolds open;
    for (const ledger::Hold* hold : book.open_holds()) {
      api::RecoveryHold& view = open[hold->id];
      view.transaction_id = hold->request_id;
      view.kind = ledger::to_string(hold->kind);
      view.account = book.account(hold->account)->name;
      view.user = hold->user;
      view.cluster = hold->job ? hold->job->cluster : hold->cluster;
      if (hold->job) view.job_id = std::to_string(hold->job->job_id);
      view.partition = hold->partition;
      view.since = hold->placed_at;
      const auto shares = book.shares_of(hold->id);
      for (std::size_t i = 0; i < hold->parts.size(); ++i) {
        Micros held = hold->parts[i].unopened;
        for (const ledger::Share* share : shares) {
          if (share->status == ledger::ShareStatus::open) held += share->held[i];
        }
        view.held.push_back({hold->parts[i].unit, held});
        if (view.job_id.empty() && !shares.empty()) view.job_id = job_text(shares.front()->key);
      }
    }
    return open;
  });
}

Result<RecoveryPlan> plan_recovery(Committer& committer, slurm::JobSource& source,
                                   const slurm::ClusterCache& view, const Prices& prices,
                                   const ReconcilerOptions& options) {
  TrialStore store(committer.store(), committer.read(snapshot_of));
  Committer trial(store, store::ChainKey{}, committer.clock(), CommitterOptions{});
  if (auto started = trial.start(); !started) return tl::unexpected(started.error());
  Alarms alarms;
  ReconcilerOptions tried = options;
  tried.looks_back = false;
  tried.allowances = nullptr;
  tried.enforcement.enabled = false;
  PassReport report;
  {
    Reconciler reconciler(trial, source, view, prices, alarms, std::move(tried));
    PassQuestion question;
    question.explains = question.recovers = true;
    report = reconciler.run_pass(question);
  }
  trial.stop();
  RecoveryPlan plan;
  plan.entries = store.tried();
  plan.findings = std::move(report.findings);
  plan.problems = std::move(report.problems);
  return plan;
}

api::RecoveryAnswer tell_recovery(const api::RecoveryRequest& request, const OpenHolds& before,
                                  const std::vector<ledger::Entry>& entries,
                                  const std::vector<OpenFinding>& findings,
                                  const std::vector<std::string>& problems) {
  std::map<ledger::HoldId, Deed> deeds;
  for (const ledger::Entry& entry : entries) {
    if (is_told(entry)) note(deeds[entry.hold], entry);
  }
  api::RecoveryAnswer answer;
  answer.dry_run = request.dry_run;
  answer.problems = problems;
  std::map<ledger::HoldId, api::RecoveryHold> told;
  for (const auto& [id, deed] : deeds) {
    const auto known = before.find(id);
    if (known == before.end()) continue;
    api::RecoveryHold& hold = told[id] = known->second;
    hold.action = action_of(deed);
    hold.why = sentence_of(deed);
    if (!deed.job.empty()) hold.job_id = deed.job;
    if (!deed.cluster.empty()) hold.cluster = deed.cluster;
  }
  for (const OpenFinding& finding : findings) {
    const auto known = before.find(finding.hold);
    if (known == before.end()) continue;
    api::RecoveryHold& hold = told.try_emplace(finding.hold, known->second).first->second;
    if (hold.action.empty()) hold.action = "none";
    hold.why += (hold.why.empty() ? "" : "; then: ") + finding.why;
  }
  for (auto& [id, hold] : told) {
    if (is_meant(request, hold)) answer.holds.push_back(std::move(hold));
  }
  return answer;
}

Result<std::vector<ledger::Entry>> entries_after(store::Store& store, std::int64_t after) {
  std::vector<ledger::Entry> entries;
  store::EntryQuery query;
  query.after_sequence = after;
  query.count_max = page;
  for (;;) {
    const auto found = store.entries(query);
    if (!found) return tl::unexpected(found.error());
    for (const store::ChainedEntry& one : *found) {
      if (one.entry.actor == std::string("reconciler")) entries.push_back(one.entry);
    }
    if (found->size() < static_cast<std::size_t>(page)) return entries;
    query.after_sequence = found->back().entry.sequence;
  }
}

}  // namespace asbb::service
