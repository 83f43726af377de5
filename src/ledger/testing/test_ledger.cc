#include "ledger/testing/test_ledger.h"

#include <gtest/gtest.h>

#include "ledger/record.h"

namespace asbb::ledger::testing {

Outcome TestLedger::run(Action action) {
  return run(std::move(action), "", "");
}

Outcome TestLedger::run(Action action, const std::string& request_id, const std::string& digest) {
  Command command;
  command.context = {request_id, digest, "root", "as a test wants it", now};
  command.action = std::move(action);
  return run(command);
}

// What a budget leaves at its end goes on before anything else is decided, as in the service.
void TestLedger::carry_over() {
  const auto end = book.next_carry_end(carried_until_);
  if (!end || now < *end) return;
  Command carry;
  carry.context.actor = "service";
  carry.context.at = carried_until_ = now;
  carry.action = CarryOver{};
  decide_and_audit(carry);
}

Outcome TestLedger::run(const Command& command) {
  if (!std::holds_alternative<CarryOver>(command.action)) carry_over();
  return decide_and_audit(command);
}

Outcome TestLedger::decide_and_audit(const Command& command) {
  Stage stage(book);
  const Outcome outcome = decide(stage, command);
  EXPECT_TRUE(outcome.accepted() || stage.entries().empty());
  last_entries_ = stage.entries();
  book.adopt(stage);
  for (const Entry& entry : last_entries_) {
    auditor.add(canonical_record(entry));
    entries_.push_back(entry);
  }
  EXPECT_EQ(broken_rule(book), "");
  for (const AuditProblem& problem : auditor.finish().problems) {
    ADD_FAILURE() << "entry " << problem.sequence << ": " << problem.text;
  }
  for (const AuditProblem& problem : auditor.compare(tables_of(book))) {
    ADD_FAILURE() << problem.text;
  }
  return outcome;
}

AccountId TestLedger::account(const std::string& name, Micros limit, const std::string& parent) {
  CreateAccount create;
  create.name = name;
  create.parent = parent;
  create.budgets = {budget_of(limit)};
  const Outcome outcome = run(create);
  EXPECT_EQ(outcome.refusal, Refusal::none) << name;
  return outcome.account;
}

HoldId TestLedger::hold(const std::string& name, Micros amount, std::int64_t task_count) {
  const Outcome outcome = run(place(name, amount, task_count));
  EXPECT_EQ(outcome.refusal, Refusal::none) << to_string(outcome.refusal);
  return outcome.hold;
}

const Budget& TestLedger::budget(const std::string& account, std::size_t index) const {
  return *book.budgets_of(book.account(account)->id).at(index);
}

const PartitionLimit& TestLedger::limit(const std::string& account,
                                        const std::string& partition) const {
  const PartitionLimit* found = nullptr;
  for (const Budget* budget : book.budgets_of(book.account(account)->id)) {
    for (const PartitionLimit* limit : book.limits_of(budget->id)) {
      if (limit->partition == partition) found = limit;
    }
  }
  return *found;
}

std::vector<Entry> TestLedger::entries_of(EntryType type) const {
  std::vector<Entry> out;
  for (const Entry& entry : entries_) {
    if (entry.type == type) out.push_back(entry);
  }
  return out;
}

NewBudget budget_of(Micros limit, Instant start, Instant end) {
  NewBudget budget;
  budget.start = start;
  budget.end = end;
  budget.limit = limit;
  return budget;
}

PlaceHold place(const std::string& account, Micros amount, std::int64_t task_count) {
  PlaceHold hold;
  hold.account = account;
  hold.user = "ada";
  hold.cluster = "onprem";
  hold.partition = "cpu";
  hold.task_count = task_count;
  hold.parts = {PlacePart{"USD", amount, amount, 1}};
  return hold;
}

ShareKey job(std::int64_t job_id, std::int64_t task, std::int64_t run) {
  ShareKey key;
  key.cluster = "onprem";
  key.job_id = job_id;
  key.task = task;
  key.run = run;
  return key;
}

ShareKey external(const std::string& id) {
  ShareKey key;
  key.external_id = id;
  return key;
}

SettleShare settle(HoldId hold, const ShareKey& key, Micros actual, bool requeued) {
  return SettleShare{hold, key, "USD", actual, requeued, requeued ? "REQUEUED" : "COMPLETED"};
}

BindHold bind(HoldId hold, std::int64_t job_id) {
  return BindHold{hold, JobRef{"onprem", job_id, epoch}};
}

}  // namespace asbb::ledger::testing
