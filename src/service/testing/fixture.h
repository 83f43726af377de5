// A service without its doors, for tests of this folder: a committer on a store in memory, prices,
// a clock that is set by hand, and helpers that speak the ledger's commands. One thread of its own:
// the committer's.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>

#include "base/token.h"
#include "service/committer.h"
#include "service/prices.h"
#include "store/memory_store.h"

namespace asbb::service::testing {

inline Instant at(const char* text) {
  return parse_rfc3339(text).value();
}

inline Micros money(const char* text) {
  return parse_micros(text).value();
}

class Fixture : public ::testing::Test {
 public:
  Fixture() {
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
  ~Fixture() override { committer_->stop(); }

  [[nodiscard]] Instant now() const { return Instant{now_us_.load()}; }
  void set_now(Instant to) { now_us_ = to.microseconds; }
  void pass_time(Span span) { set_now(now() + span); }

  ledger::Outcome run(ledger::Action action, const std::string& request_id = {}) {
    ledger::Command command;
    command.context.request_id = request_id;
    command.context.actor = "tester";
    command.context.reason = "as a test wants it";
    command.action = std::move(action);
    auto outcome = committer_->run(std::move(command));
    EXPECT_TRUE(outcome.has_value()) << outcome.error().message;
    return outcome.value_or(ledger::Outcome{});
  }

  void account(const std::string& name, const std::string& parent, const char* limit) {
    ledger::CreateAccount create;
    create.name = name;
    create.parent = parent;
    create.budgets.push_back(
        {"USD", at("2025-01-01T00:00:00Z"), at("2026-01-01T00:00:00Z"), money(limit), Micros()});
    EXPECT_TRUE(run(create).accepted());
  }

  void set_prices(const std::string& yaml) {
    auto book = pricing::parse_price_book(yaml, "prices", {at("2025-01-01T00:00:00Z"), "UTC"});
    ASSERT_TRUE(book.has_value()) << book.error().message;
    EXPECT_TRUE(run(ledger::RecordPrices{book->effective_from, pricing::to_canonical_text(*book)})
                    .accepted());
    committer_->read(
        [&](const ledger::Book& committed) { EXPECT_TRUE(prices_.follow(committed).has_value()); });
  }

  std::string token() {
    const auto number = ++tokens_;
    return make_token(now(),
                      {static_cast<std::uint8_t>(number >> 8), static_cast<std::uint8_t>(number)});
  }

  // Places a hold as a submission does; gives its token.
  std::string hold(const char* amount, std::int64_t tasks = 1, const std::string& user = "alice") {
    ledger::PlaceHold place;
    place.account = "proj001";
    place.user = user;
    place.cluster = "onprem";
    place.partition = "gpu-aws";
    place.task_count = tasks;
    place.parts.push_back({"USD", money(amount), money(amount), 1});
    const std::string id = token();
    EXPECT_TRUE(run(place, id).accepted());
    return id;
  }

  [[nodiscard]] ledger::Budget budget(const std::string& account) const {
    return committer_->read([&](const ledger::Book& book) {
      return *book.budgets_of(book.account(account)->id).front();
    });
  }

  [[nodiscard]] ledger::Hold find(const std::string& request_id) const {
    store::HoldQuery query;
    query.request_id = request_id;
    const auto found = committer_->find_holds(query);
    EXPECT_TRUE(found.has_value() && found->size() == 1) << request_id;
    return found.has_value() && !found->empty() ? found->front().hold : ledger::Hold{};
  }

  // held and used of proj001, and the same of its parent, whose counters follow.
  void expect_balance(const char* held, const char* used) {
    for (const char* account : {"proj001", "lab"}) {
      EXPECT_EQ(to_decimal(budget(account).held), held) << account;
      EXPECT_EQ(to_decimal(budget(account).used), used) << account;
    }
  }

 protected:
  std::atomic<std::int64_t> now_us_{parse_rfc3339("2025-06-01T12:00:00Z")->microseconds};
  store::MemoryStore store_;
  Prices prices_;
  std::unique_ptr<Committer> committer_ = std::make_unique<Committer>(
      store_, store::ChainKey{1, 2, 3}, [this] { return now(); }, CommitterOptions{});
  int tokens_ = 0;
};

}  // namespace asbb::service::testing
