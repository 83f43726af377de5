// /usage/charges: the entries that spent money or gave it back, for who adds them up himself.
#include <algorithm>

#include "service/entry_pages.h"
#include "service/operations.h"
#include "service/usage_sums.h"

namespace asbb::service {
namespace {

std::string name_of_job(const ledger::ShareKey& key) {
  if (!key.external_id.empty()) return key.external_id;
  if (key.job_id == 0) return {};
  const std::string id = std::to_string(key.job_id);
  return key.task < 0 ? id : id + "_" + std::to_string(key.task);
}

api::Charge charge_view(ledger::Entry&& entry) {
  api::Charge out;
  out.id = entry.sequence;
  out.created_at = entry.at;
  out.type = ledger::to_string(entry.type);
  out.job_id = name_of_job(entry.job);
  out.account = std::move(entry.account_name);
  out.unit = std::move(entry.unit);
  out.amount = entry.amount;
  out.user = std::move(entry.user);
  out.cluster = std::move(entry.job.cluster);
  out.partition = std::move(entry.partition);
  return out;
}

}  // namespace

Reply<api::ChargePage> Operations::charges(const Caller& caller,
                                           const api::ChargeQuery& query) const {
  if (caller.is_anonymous) return not_allowed(caller);
  std::vector<std::string> accounts{query.account};
  if (!query.account.empty()) {
    if (!may_see(caller, query.account)) return no_such_account(query.account);
    const auto shown = show_account(query.account);
    if (!shown) return tl::unexpected(shown.error());
    accounts.front() = shown->slurm_account;  // entries have the name, not an alias
  } else if (!caller.may_read) {
    accounts = visible_accounts(caller);
  }
  store::EntryQuery entries;
  entries.types = spending_types();
  entries.after_sequence = query.after;
  entries.count_max = query.limit;
  for (const auto& [date, target, of] :
       {std::tuple{&query.start_date, &entries.from, &api::period_start},
        std::tuple{&query.end_date, &entries.until, &api::period_end}}) {
    if (!*date) continue;
    const auto at = of(**date, options_.zone);
    if (!at) return problem(at.error());
    *target = *at;
  }
  const std::int64_t last =
      with_.committer.read([](const ledger::Book& book) { return book.counters().entry; });
  if (auto bound = bound_by_sequence(with_.committer.store(), last, entries); !bound) {
    return problem(bound.error());
  }
  api::ChargePage page;
  for (const std::string& account : accounts) {
    entries.account = account;
    auto found = with_.committer.store().entries(entries);
    if (!found) return problem(found.error());
    for (store::ChainedEntry& chained : *found) {
      page.charges.push_back(charge_view(std::move(chained.entry)));
    }
  }
  const auto limit = static_cast<std::size_t>(query.limit);
  if (accounts.size() > 1) {
    std::sort(page.charges.begin(), page.charges.end(),
              [](const auto& a, const auto& b) { return a.id < b.id; });
  }
  if (page.charges.size() < limit) return page;
  page.charges.resize(limit);
  page.next = page.charges.back().id;
  return page;
}

}  // namespace asbb::service
