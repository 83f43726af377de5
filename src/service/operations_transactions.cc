// /transactions: the entries of the ledger, newest first, in the words of the REST API.
#include <algorithm>
#include <utility>

#include "base/text.h"
#include "ledger/record.h"
#include "service/account_view.h"
#include "service/entry_pages.h"
#include "service/job_holds.h"
#include "service/operations.h"
#include "service/transaction_view.h"

namespace asbb::service {
namespace {

using ledger::EntryType;

constexpr std::int64_t page_max = 1000;

std::string money(const ledger::Entry& entry) {
  return to_display(entry.amount, entry.unit);
}

// A line of the type's own facts; empty when there is none of that name.
std::string detail(const ledger::Entry& entry, const std::string& key) {
  auto details = ledger::read_record(entry.details);
  return details ? (*details)[key] : std::string();
}

// What was done because an account ran dry.
std::string enforcement_sentence(const ledger::Entry& entry) {
  const std::string step = detail(entry, "step");
  const std::string state = detail(entry, "state");
  const std::string how = detail(entry, "how");
  const std::string job = "job " + job_text(entry.job);
  const bool is_over = state == "ended";
  if (step == "warn") {
    const Micros missing(parse_whole(detail(entry, "missing_micros")).value_or(0));
    return is_over ? "The account has money again, or none of its jobs runs."
                   : "The account ran dry: " + to_display(missing, entry.unit) + " missing.";
  }
  if (step == "stop_new")
    return is_over ? "New jobs pass where there is money." : "New jobs stopped.";
  if (step == "credit") return is_over ? "Jobs are off credit." : "Jobs go on on credit.";
  if (is_over) return "Step " + step + " of " + job + " is over.";
  std::string what = "Cancel " + job;
  if (step == "requeue") what = "Requeue " + job + " to partition " + how;
  if (step == "signal") what = "Send " + how + " to " + job;
  if (state == "begun") return what + ".";
  return what + (state == "failed" ? ": failed." : ": done.");
}

std::string account_sentence(const ledger::Entry& entry) {
  switch (entry.type) {
    case EntryType::account_create:
      return "Account created.";
    case EntryType::account_update:
      return "Account changed.";
    case EntryType::account_close:
      return "Account closed.";
    case EntryType::budget_create:
      return "Budget of " + money(entry) + " added.";
    case EntryType::budget_update:
      return "Budget changed to " + money(entry) + ".";
    case EntryType::limit_set:
      return "Limit of " + money(entry) + " set for partition " + entry.partition + ".";
    case EntryType::deposit:
      return money(entry) + " put into the budget.";
    case EntryType::withdrawal:
      return money(entry) + " taken out of the budget.";
    case EntryType::transfer_out:
      return money(entry) + " moved to account " + detail(entry, "other_account") + ".";
    case EntryType::transfer_in:
      return money(entry) + " moved here from account " + detail(entry, "other_account") + ".";
    case EntryType::carry_out:
      return money(entry) + " carried over into the next budget.";
    case EntryType::carry_in:
      return money(entry) + " carried over from the budget before.";
    case EntryType::convert_out:
      return money(entry) + " converted to " + detail(entry, "other_unit") + ".";
    case EntryType::convert_in:
      return money(entry) + " came from " + detail(entry, "other_unit") + ".";
    case EntryType::conversion_rate:
      return "One " + detail(entry, "from_unit") + " comes to " +
             to_decimal(Micros(parse_whole(detail(entry, "rate_micros")).value_or(0))) + " " +
             detail(entry, "to_unit") + ".";
    case EntryType::adjustment:
      return "Used corrected by " + money(entry) + ".";
    case EntryType::enforcement:
      return enforcement_sentence(entry);
    default:
      return "Prices imported as version " + std::to_string(entry.price_version) + ".";
  }
}

std::string describe(const ledger::Entry& entry) {
  const std::string job = job_text(entry.job);
  const std::string of_job = job.empty() ? "" : " for job " + job;
  switch (entry.type) {
    case EntryType::hold:
      return money(entry) + " held" + of_job + " on partition " + entry.partition + ".";
    case EntryType::bind:
      return "Hold tied to job " + job + ".";
    case EntryType::charge:
      return money(entry) + " charged" + of_job + ".";
    case EntryType::release:
      return money(entry) + " given back" + of_job + ".";
    case EntryType::overrun:
      return money(entry) + " charged beyond the hold" + of_job + ".";
    case EntryType::write_off_out:
      return money(entry) + " written off" + of_job + ": account " +
             detail(entry, "other_account") + " bears it.";
    case EntryType::write_off_in:
      return money(entry) + " borne" + of_job + " of account " + detail(entry, "other_account") +
             ".";
    case EntryType::refund:
      return money(entry) + " given back after the charge" + of_job + ".";
    default:
      return account_sentence(entry);
  }
}

}  // namespace

bool is_pending(const ledger::Book& book, const ledger::Entry& entry) {
  if (entry.type != EntryType::hold) return false;
  const ledger::Hold* hold = book.hold(entry.hold);
  return hold != nullptr && hold->status == ledger::HoldStatus::open;
}

api::Transaction transaction_view(const ledger::Entry& entry, bool pending) {
  api::Transaction view;
  view.id = entry.sequence;
  view.account_id = entry.account.value;
  view.account = entry.account_name;
  view.job_id = job_text(entry.job);
  view.transaction_id =
      entry.request_id.empty() ? "entry-" + std::to_string(entry.sequence) : entry.request_id;
  view.type = ledger::to_string(entry.type);
  view.unit = entry.unit;
  view.amount = entry.amount;
  view.description = describe(entry);
  view.metadata = entry.type == EntryType::prices ? "" : entry.details;
  view.status = pending ? "pending" : "completed";
  view.user = entry.user;
  view.cluster = entry.job.cluster;
  view.partition = entry.partition;
  view.actor = entry.actor;
  view.reason = entry.reason;
  view.request_id = entry.request_id;
  view.price_version = entry.price_version;
  view.created_at = entry.at;
  if (!pending) view.completed_at = entry.at;
  return view;
}

namespace {

// Entries of one account (or of all) in the order of the page, until there are enough that fit.
class Reader {
 public:
  Reader(const Committer& committer, const api::TransactionQuery& query, store::EntryQuery base)
      : committer_(committer), query_(query), base_(std::move(base)) {}

  Result<std::vector<api::Transaction>> read(const std::string& account, std::int64_t wanted) {
    std::vector<api::Transaction> found;
    store::EntryQuery page = base_;
    page.account = account;
    page.count_max = std::min(wanted, page_max);
    for (;;) {
      const auto entries = committer_.store().entries(page);
      if (!entries) return tl::unexpected(entries.error());
      add(*entries, found);
      const bool is_last = static_cast<std::int64_t>(entries->size()) < page.count_max;
      if (is_last || static_cast<std::int64_t>(found.size()) >= wanted) return found;
      const std::int64_t cursor = entries->back().entry.sequence;
      (page.newest_first ? page.before_sequence : page.after_sequence) = cursor;
    }
  }

 private:
  void add(const std::vector<store::ChainedEntry>& entries, std::vector<api::Transaction>& found) {
    committer_.read([&](const ledger::Book& book) {
      for (const store::ChainedEntry& chained : entries) {
        const bool pending = is_pending(book, chained.entry);
        if (!query_.status.empty() && (query_.status == "pending") != pending) continue;
        found.push_back(transaction_view(chained.entry, pending));
      }
    });
  }

  const Committer& committer_;
  const api::TransactionQuery& query_;
  const store::EntryQuery base_;
};

// Types, window and cursor; nothing can fit when `types` comes out empty though some were asked.
Result<store::EntryQuery> entry_query(const api::TransactionQuery& query, const std::string& zone) {
  store::EntryQuery base;
  base.job_id = query.job_id;
  base.newest_first = !query.after;
  base.before_sequence = query.before.value_or(0);
  base.after_sequence = query.after.value_or(0);
  for (const std::string& word : query.types) {
    if (const auto type = ledger::parse_entry_type(word)) base.types.push_back(*type);
  }
  // Only an open hold is ever pending: the database need not hand out the rest.
  base.of_open_holds = query.status == "pending";
  if (base.of_open_holds && base.types.empty()) base.types.push_back(EntryType::hold);
  if (query.start_date) {
    const auto from = api::period_start(*query.start_date, zone);
    if (!from) return tl::unexpected(from.error());
    base.from = *from;
  }
  if (query.end_date) {
    const auto until = api::period_end(*query.end_date, zone);
    if (!until) return tl::unexpected(until.error());
    base.until = *until;
  }
  return base;
}

}  // namespace

Reply<std::vector<api::Transaction>> Operations::transactions(
    const Caller& caller, const api::TransactionQuery& query) const {
  if (caller.is_anonymous) return not_allowed(caller);
  std::vector<std::string> accounts{query.account};
  if (!query.account.empty()) {
    // Entries have the account's name, not its aliases.
    accounts.front() = with_.committer.read([&](const ledger::Book& book) {
      const ledger::Account* account = book.account(query.account);
      return account == nullptr ? std::string() : account->name;
    });
    if (accounts.front().empty() || !may_see(caller, query.account)) {
      return no_such_account(query.account);
    }
  } else if (!caller.may_read) {
    accounts = visible_accounts(caller);
  }
  auto base = entry_query(query, options_.zone);
  if (!base) return problem(base.error());
  if (!query.transaction_id.empty()) {
    const auto holds = with_.committer.find_holds({{}, query.transaction_id, {}, 0});
    if (!holds) return problem(holds.error());
    if (holds->empty()) return std::vector<api::Transaction>();
    base->hold = holds->back().hold.id.value;
  }
  const std::int64_t newest =
      with_.committer.read([](const ledger::Book& book) { return book.counters().entry; });
  if (auto bound = bound_by_sequence(with_.committer.store(), newest, *base); !bound) {
    return problem(bound.error());
  }
  const bool newest_first = base->newest_first;
  Reader reader(with_.committer, query, std::move(*base));
  std::vector<api::Transaction> all;
  for (const std::string& account : accounts) {
    auto found = reader.read(account, query.offset + query.limit);
    if (!found) return problem(found.error());
    std::move(found->begin(), found->end(), std::back_inserter(all));
  }
  if (accounts.size() > 1) {
    std::sort(all.begin(), all.end(), [&](const auto& a, const auto& b) {
      return newest_first ? a.id > b.id : a.id < b.id;
    });
  }
  const auto count = static_cast<std::int64_t>(all.size());
  const std::int64_t first = std::min(query.offset, count);
  const std::int64_t last = std::min(first + query.limit, count);
  return std::vector<api::Transaction>(std::make_move_iterator(all.begin() + first),
                                       std::make_move_iterator(all.begin() + last));
}

}  // namespace asbb::service
