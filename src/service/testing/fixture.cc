#include "service/testing/fixture.h"

#include <utility>

namespace asbb::service::testing {

Instant at(const char* text) {
  return parse_rfc3339(text).value();
}

Micros money(const char* text) {
  return parse_micros(text).value();
}

Fixture::Fixture() {
  EXPECT_TRUE(committer_->start().has_value());
  account("lab", "", "1000");
  account("proj001", "lab", "50");
  set_prices(R"(
prices:
- cluster: "*"
  partition: gpu-aws
  unit: USD
  basis: tres
  per_core_hour: 3.6
effective_from: 2025-01-01
)");
}

Fixture::~Fixture() {
  committer_->stop();
}

ledger::Outcome Fixture::run(ledger::Action action, const std::string& request_id) {
  ledger::Command command;
  command.context.request_id = request_id;
  command.context.actor = "tester";
  command.context.reason = "as a test wants it";
  command.action = std::move(action);
  auto outcome = committer_->run(std::move(command));
  EXPECT_TRUE(outcome.has_value()) << outcome.error().message;
  return outcome.value_or(ledger::Outcome{});
}

void Fixture::account(const std::string& name, const std::string& parent, const char* limit) {
  ledger::CreateAccount create;
  create.name = name;
  create.parent = parent;
  create.budgets.push_back(
      {"USD", at("2025-01-01T00:00:00Z"), at("2026-01-01T00:00:00Z"), money(limit), Micros()});
  EXPECT_TRUE(run(create).accepted());
}

void Fixture::set_prices(const std::string& yaml) {
  auto book = pricing::parse_price_book(yaml, "prices", {at("2025-01-01T00:00:00Z"), "UTC"});
  ASSERT_TRUE(book.has_value()) << book.error().message;
  EXPECT_TRUE(run(ledger::RecordPrices{book->effective_from, pricing::to_canonical_text(*book)})
                  .accepted());
  committer_->read(
      [&](const ledger::Book& committed) { EXPECT_TRUE(prices_.follow(committed).has_value()); });
}

std::string Fixture::token() {
  const auto number = ++tokens_;
  return make_token(now(),
                    {static_cast<std::uint8_t>(number >> 8), static_cast<std::uint8_t>(number)});
}

ledger::PlaceHold Fixture::submission(const char* amount) const {
  ledger::PlaceHold place;
  place.account = "proj001";
  place.user = "alice";
  place.cluster = "onprem";
  place.partition = "gpu-aws";
  place.parts.push_back({"USD", money(amount), money(amount), price_version_});
  return place;
}

std::string Fixture::hold(const char* amount, std::int64_t tasks, const std::string& user) {
  ledger::PlaceHold place = submission(amount);
  place.user = user;
  place.task_count = tasks;
  const std::string id = token();
  EXPECT_TRUE(run(place, id).accepted());
  return id;
}

void Fixture::end_period(Instant when) {
  for (const char* name : {"proj001", "lab"}) {
    ledger::UpdateAccount ends;
    ends.name = name;
    ends.end = when;
    EXPECT_TRUE(run(ends).accepted());
  }
}

void Fixture::add_period(Instant start, const char* limit) {
  for (const auto& [name, amount] : {std::pair("lab", "100"), std::pair("proj001", limit)}) {
    ledger::NewBudget next;
    next.start = start;
    next.end = start + hours(24);
    next.limit = money(amount);
    EXPECT_TRUE(run(ledger::AddBudget{name, next}).accepted());
  }
}

std::vector<ledger::Budget> Fixture::periods() const {
  return committer_->read([](const ledger::Book& book) {
    std::vector<ledger::Budget> out;
    for (const auto* budget : book.budgets_of(book.account("proj001")->id)) out.push_back(*budget);
    return out;
  });
}

ledger::Budget Fixture::budget(const std::string& account) const {
  return committer_->read([&](const ledger::Book& book) {
    return *book.budgets_of(book.account(account)->id).front();
  });
}

ledger::Hold Fixture::find(const std::string& request_id) const {
  store::HoldQuery query;
  query.request_id = request_id;
  const auto found = committer_->find_holds(query);
  EXPECT_TRUE(found.has_value() && found->size() == 1) << request_id;
  return found.has_value() && !found->empty() ? found->front().hold : ledger::Hold{};
}

void Fixture::expect_balance(const char* held, const char* used) {
  for (const char* account : {"proj001", "lab"}) {
    EXPECT_EQ(to_decimal(budget(account).held), held) << account;
    EXPECT_EQ(to_decimal(budget(account).used), used) << account;
  }
}

}  // namespace asbb::service::testing
