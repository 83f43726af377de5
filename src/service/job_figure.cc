#include "service/job_figure.h"

#include <algorithm>
#include <set>

#include "ledger/same_job.h"

namespace asbb::service {
namespace {

constexpr std::size_t told_length_max = 600;  // of a reason's 2000
constexpr std::string_view where = " where ";

std::string words_of(const ToldCost& told) {
  return "record " + std::to_string(told.db_index) + " says " + to_decimal(told.amount) + " " +
         told.unit;
}

}  // namespace

std::string figure_prefix(const std::string& cluster, std::int64_t job_id, std::int64_t task) {
  return "sets " + cluster + " job " + std::to_string(job_id) +
         (task < 0 ? "" : "_" + std::to_string(task)) + " to ";
}

std::string figure_reason(const std::string& prefix, Micros amount, const std::string& unit,
                          const std::vector<ToldCost>& told, const std::string& reason) {
  std::string list;
  for (const ToldCost& one : told) {
    const std::string words = words_of(one);
    if (list.size() + words.size() > told_length_max) break;
    list += (list.empty() ? "" : ", ") + words;
  }
  return prefix + to_decimal(amount) + " " + unit +
         (list.empty() ? "" : std::string(where) + list) + ": " + reason;
}

bool knows(std::string_view reason, const ToldCost& told) {
  std::string_view head = reason.substr(0, reason.find(": "));
  const auto begin = head.find(where);
  if (begin == std::string_view::npos) return false;
  head.remove_prefix(begin + where.size());
  const std::string words = words_of(told);
  while (!head.empty()) {
    const std::string_view one = head.substr(0, head.find(", "));
    if (one == words) return true;
    head.remove_prefix(std::min(head.size(), one.size() + 2));
  }
  return false;
}

Micros charged_of(const std::vector<store::HoldRecord>& holds, std::int64_t task,
                  const std::string& unit) {
  Micros sum;
  for (const store::HoldRecord& record : holds) {
    for (const ledger::Share& share : record.shares) {
      const bool is_meant = share.status == ledger::ShareStatus::settled && share.unit == unit &&
                            share.key.task == task;
      if (is_meant) sum += share.actual - share.refunded;
    }
  }
  return sum;
}

Result<Micros> adjusted_for(const Committer& committer, const std::vector<store::HoldRecord>& holds,
                            const std::string& cluster, const ledger::ShareKey& key,
                            const std::string& unit) {
  constexpr std::int64_t entries_max = 10'000;
  const std::string job = cluster + " job " + std::to_string(key.job_id) +
                          (key.task < 0 ? "" : "_" + std::to_string(key.task));
  const std::string correction = "corrects " + job + ", record ";
  std::set<ledger::AccountId> accounts;
  Instant from = holds.front().hold.placed_at;
  for (const store::HoldRecord& record : holds) {
    accounts.insert(record.hold.account);
    from = std::min(from, record.hold.placed_at);
  }
  Micros sum;
  for (const ledger::AccountId account : accounts) {
    store::EntryQuery query;
    query.account =
        committer.read([&](const ledger::Book& book) { return book.account(account)->name; });
    query.types = {ledger::EntryType::adjustment};
    query.from = from;
    query.count_max = entries_max;
    const auto found = committer.store().entries(query);
    if (!found) return tl::unexpected(found.error());
    for (const auto& one : *found) {
      const ledger::Entry& entry = one.entry;
      const bool is_its =
          ledger::is_same_job({entry.job.cluster, entry.job.job_id, {}}, cluster, key.job_id) &&
          entry.job.task == key.task;
      if (entry.unit == unit && (is_its || entry.reason.starts_with(correction))) {
        sum += entry.amount;
      }
    }
  }
  return sum;
}

}  // namespace asbb::service
