#include "simulation/witness.h"

#include <algorithm>
#include <limits>

#include "base/token.h"
#include "ledger/record.h"
#include "ledger/testing/test_ledger.h"

namespace asbb::simulation {
namespace {

constexpr Instant always{std::numeric_limits<std::int64_t>::min()};

template <typename Row, typename Find>
void require_rows(const std::vector<Row>& rows, std::size_t count, Find find, const char* what) {
  require(rows.size() == count, std::string("the database has other ") + what + " than the book");
  for (const Row& row : rows) {
    const auto* known = find(row);
    require(known != nullptr && *known == row,
            std::string("one of the ") + what + " differs between database and book");
  }
}

ledger::Outcome without_replay(ledger::Outcome outcome) {
  outcome.replayed = false;
  return outcome;
}

bool is_id_conflict(const ledger::Outcome& outcome) {
  return outcome.refusal == ledger::Refusal::request_id_conflict && outcome.field.empty();
}

}  // namespace

void Witness::look(store::Store& reader) {
  for (;;) {
    store::EntryQuery query;
    query.after_sequence = seen();
    const auto page = reader.entries(query);
    require(page.has_value(), "the entries cannot be read");
    for (const store::ChainedEntry& entry : *page) add(entry);
    if (static_cast<std::int64_t>(page->size()) < query.count_max) break;
  }
  const ledger::AuditReport report = auditor_.finish();
  if (!report.ok()) throw Broken{"the auditor: " + report.problems.front().text};
}

void Witness::look_again(store::Store& reader) {
  const std::vector<std::string> before = std::move(records_);
  records_.clear();
  actors_.clear();
  written_.clear();
  head_ = {};
  auditor_ = ledger::Auditor();
  look(reader);
  require(seen() >= durable_, "acknowledged entries are lost: " + std::to_string(seen()) + " of " +
                                  std::to_string(durable_) + " are left");
  for (std::int64_t i = 0; i < durable_; ++i) {
    const auto at = static_cast<std::size_t>(i);
    require(records_[at] == before[at], "an acknowledged entry has changed");
  }
}

void Witness::mark_durable() {
  durable_ = seen();
}

void Witness::add(const store::ChainedEntry& entry) {
  const std::int64_t sequence = seen() + 1;
  require(entry.entry.sequence == sequence, "the sequence of entries has a gap");
  require(entry.record == ledger::canonical_record(entry.entry), "a record is not its entry's");
  head_ = store::chain_next(key_, head_, entry.record);
  require(entry.chain == head_, "the chain is broken at " + std::to_string(sequence));
  records_.push_back(entry.record);
  actors_.push_back(entry.entry.actor);
  auditor_.add(entry.record);
  require(!refused_.contains(entry.entry.actor), entry.entry.actor + " was refused, and is kept");
  Written& written = written_[entry.entry.actor];
  if (written.count == 0) {
    written = {sequence, sequence, 1, entry.entry.at};
    return;
  }
  require(written.last + 1 == sequence && written.at == entry.entry.at,
          entry.entry.actor + " is counted twice");
  written.last = sequence;
  ++written.count;
}

void Witness::note_time(Instant now) {
  latest_ = std::max(latest_, now);
}

void Witness::note_sent(const ledger::Command& command, Instant at) {
  note_time(at);
  if (!command.context.request_id.empty()) {
    first_sent_.try_emplace(command.context.request_id, at);
  }
}

bool Witness::is_old(const std::string& request_id) const {
  const auto found = first_sent_.find(request_id);
  return found != first_sent_.end() && found->second + hours(24) < latest_;
}

void Witness::forget(const std::string& request_id) {
  promises_.erase(request_id);
  first_sent_.erase(request_id);
  lapsed_.insert(request_id);
}

void Witness::check_promise(const ledger::Context& context, const ledger::Outcome& outcome,
                            Coverage& coverage) {
  const auto promise = promises_.find(context.request_id);
  if (promise == promises_.end()) {
    // When it is answered again, nobody knows when it was answered first.
    const bool may_lapse_soon = outcome.replayed && lapsed_.contains(context.request_id);
    if (!is_id_conflict(outcome) && !may_lapse_soon) {
      promises_[context.request_id] = {context.body_digest, without_replay(outcome)};
    }
    return;
  }
  if (promise->second.digest != context.body_digest) {
    require(is_id_conflict(outcome), context.request_id + ": another body is not a conflict");
    ++coverage.happened["a conflict"];
    return;
  }
  require(without_replay(outcome) == promise->second.outcome,
          context.request_id + " is answered in two ways: " + encode(promise->second.outcome) +
              "and " + encode(outcome));
  ++coverage.happened[outcome.accepted() ? "the same answer" : "the same refusal"];
}

void Witness::check_answer(const ledger::Command& command, const Answer& answer,
                           std::int64_t before, bool sent_twice, Coverage& coverage) {
  const ledger::Context& context = command.context;
  const auto found = written_.find(context.actor);
  const Written written = found == written_.end() ? Written{} : found->second;
  if (!answer) {
    ++coverage.happened["error " + std::to_string(static_cast<int>(answer.error().kind))];
    require(
        answer.error().kind == ErrorKind::unknown_outcome || sent_twice || written.last <= before,
        context.actor + " has failed, and is kept: " + answer.error().message);
    return;
  }
  if (!context.request_id.empty()) check_promise(context, *answer, coverage);
  ++coverage.happened[answer->accepted() ? "accepted" : "refused"];
  if (answer->sequence > 0) {
    require(answer->sequence <= seen(),
            context.actor + " is acknowledged, and not in the database");
    if (!answer->replayed && !sent_twice) {
      require(written.first == answer->sequence && written.first > before,
              context.actor + " is acknowledged with another's entry");
    }
  }
  if (!answer->accepted() && !answer->replayed && !is_id_conflict(*answer)) {
    const bool was_judged_before = written.count > 0 && lapsed_.contains(context.request_id);
    require(written.count == 0 || was_judged_before, context.actor + " is refused, and is kept");
    if (!was_judged_before) refused_.insert(context.actor);
  }
  if (answer->accepted() && !answer->replayed && is_token(context.request_id)) {
    require(context.at <= token_time(context.request_id) + ledger::token_age_max,
            "an old token is accepted");
  }
}

void Witness::check_book(const ledger::Book& book, store::Store& reader) const {
  const auto stored = reader.load(always);
  require(stored.has_value(), "the database cannot be read");
  require_rows(
      stored->accounts, book.accounts().size(),
      [&](const auto& row) { return book.account(row.id); }, "accounts");
  std::size_t budgets = 0;
  std::size_t limits = 0;
  std::size_t shares = 0;
  for (const auto* account : book.accounts()) {
    for (const auto* budget : book.budgets_of(account->id)) {
      ++budgets;
      limits += book.limits_of(budget->id).size();
    }
  }
  for (const auto* hold : book.open_holds()) shares += book.shares_of(hold->id).size();
  require_rows(
      stored->budgets, budgets, [&](const auto& row) { return book.budget(row.id); }, "budgets");
  require_rows(
      stored->limits, limits, [&](const auto& row) { return book.limit(row.id); }, "limits");
  require_rows(
      stored->holds, book.open_holds().size(), [&](const auto& row) { return book.hold(row.id); },
      "open holds");
  require_rows(
      stored->shares, shares, [&](const auto& row) { return book.share(row.id); }, "shares");
  require(stored->counters == book.counters(), "the database counts otherwise than the book");
  require(stored->counters.entry == seen(), "entries come and go");
  std::map<std::string, const ledger::RememberedAnswer*> answers;
  for (const auto& row : stored->answers) {
    answers[row.request_id] = &row;
    const auto* known = book.answer(row.request_id);
    require(known == nullptr || *known == row, row.request_id + ": the book has another answer");
  }
  for (const auto& [id, promise] : promises_) {
    if (is_old(id)) continue;
    require(book.answer(id) != nullptr && answers.contains(id), id + ": an answer is forgotten");
  }
  const std::string broken = ledger::testing::broken_rule(book);
  require(broken.empty(), broken);
  const auto audited = auditor_.compare(ledger::testing::tables_of(book));
  if (!audited.empty()) throw Broken{"the auditor: " + audited.front().text};
}

}  // namespace asbb::simulation
