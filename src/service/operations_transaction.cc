// /transactions/{id}: one hold with everything that became of it.
#include <algorithm>
#include <utility>

#include "base/text.h"
#include "service/operations.h"
#include "service/transaction_view.h"
#include "service/usage_sums.h"

namespace asbb::service {
namespace {

tl::unexpected<api::Problem> no_such_transaction(const std::string& id) {
  return problem(404, "NOT_FOUND",
                 "There is no transaction " + in_quotes(id) +
                     ". 'asbb transactions list' shows those that you may see.");
}

api::TransactionPart part_view(const ledger::Book& book, const store::HoldRecord& record,
                               std::size_t index) {
  const ledger::HoldPart& part = record.hold.parts[index];
  api::TransactionPart view;
  view.unit = part.unit;
  if (const ledger::Budget* budget = book.budget(part.budget)) {
    if (const auto* payer = book.account(budget->account)) view.paying_account = payer->name;
  }
  view.estimate = part.estimate;
  view.granted = part.granted;
  view.held = part.unopened;
  view.price_version = part.price_version;
  for (const ledger::Share& share : record.shares) {
    if (share.status == ledger::ShareStatus::open) {
      view.held += share.held[index];
      continue;
    }
    if (share.unit != part.unit) continue;
    view.charged += share.charged;
    view.overrun += share.overrun;
    view.released += share.released;
    view.refunded += share.refunded;
  }
  return view;
}

api::TransactionDetails details_view(const ledger::Book& book, const store::HoldRecord& record) {
  const ledger::Hold& hold = record.hold;
  api::TransactionDetails view;
  view.transaction_id = hold.request_id;
  view.kind = ledger::to_string(hold.kind);
  view.status = ledger::to_string(hold.status);
  if (const ledger::Account* account = book.account(hold.account)) view.account = account->name;
  view.user = hold.user;
  view.cluster = hold.cluster;
  view.partition = hold.partition;
  if (hold.job) {
    view.cluster = hold.job->cluster;
    view.job_id = std::to_string(hold.job->job_id);
    view.submitted_at = hold.job->submit_time;
  } else if (!record.shares.empty()) {
    view.job_id = record.shares.front().key.external_id;
  }
  view.task_count = hold.task_count;
  view.placed_at = hold.placed_at;
  if (hold.status == ledger::HoldStatus::closed) view.closed_at = hold.closed_at;
  for (std::size_t i = 0; i < hold.parts.size(); ++i) {
    view.parts.push_back(part_view(book, record, i));
  }
  return view;
}

// "17" or "entry-17".
std::optional<std::int64_t> entry_number(const std::string& id) {
  const std::string_view prefix = "entry-";
  const std::string_view digits =
      id.starts_with(prefix) ? std::string_view(id).substr(prefix.size()) : std::string_view(id);
  if (digits.size() > 18) return std::nullopt;
  const auto number = parse_count(digits);
  return number && *number > 0 ? number : std::nullopt;
}

}  // namespace

Reply<api::TransactionDetails> Operations::transaction(const Caller& caller,
                                                       const std::string& id) const {
  if (caller.is_anonymous) return not_allowed(caller);
  store::EntryQuery query;
  api::TransactionDetails details;
  auto holds = with_.committer.find_holds({{}, id, {}, 0});
  if (!holds) return problem(holds.error());
  if (const auto number = entry_number(id); holds->empty() && number) {
    query.after_sequence = *number - 1;
    query.before_sequence = *number + 1;
    const auto found = with_.committer.store().entries(query);
    if (!found) return problem(found.error());
    if (found->empty()) return no_such_transaction(id);
    const ledger::Entry& entry = found->front().entry;
    if (entry.hold.is_set()) {
      query = {};
      holds = with_.committer.find_holds({entry.hold, {}, {}, 0});
      if (!holds) return problem(holds.error());
    } else {
      details.account = entry.account_name;
      details.transaction_id =
          entry.request_id.empty() ? "entry-" + std::to_string(*number) : entry.request_id;
    }
  } else if (holds->empty()) {
    return no_such_transaction(id);
  }
  if (!holds->empty()) {
    query.hold = holds->back().hold.id.value;
    details = with_.committer.read(
        [&](const ledger::Book& book) { return details_view(book, holds->back()); });
  }
  // A change of prices is nobody's: only who may read everything sees it.
  const bool is_visible =
      details.account.empty() ? caller.may_read : may_see(caller, details.account);
  if (!is_visible) return no_such_transaction(id);
  query.count_max = api::details_entries_max + 1;
  const auto entries = with_.committer.store().entries(query);
  if (!entries) return problem(entries.error());
  with_.committer.read([&](const ledger::Book& book) {
    for (const store::ChainedEntry& chained : *entries) {
      if (details.entries.size() >= static_cast<std::size_t>(api::details_entries_max)) {
        details.has_more = true;
        break;
      }
      details.entries.push_back(transaction_view(chained.entry, is_pending(book, chained.entry)));
    }
  });
  return details;
}

}  // namespace asbb::service
