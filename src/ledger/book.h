// The committed state of the ledger, and a stage over it. The committer's thread owns both:
// commands are decided on a Stage, which copies what they touch; only after the store has committed
// is the stage adopted into the book. Readers see the Book alone, under the committer's lock.
// Neither does I/O or reads a clock.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <unordered_map>
#include <vector>

#include "ledger/command.h"
#include "ledger/types.h"

namespace asbb::ledger {

// Before every key of the hold's shares on that cluster; on all of them when it is empty.
[[nodiscard]] std::pair<HoldId, ShareKey> first_key(HoldId hold, const std::string& cluster = {});

// Where the numbering stands.
struct Counters {
  std::int64_t account = 0;
  std::int64_t budget = 0;
  std::int64_t limit = 0;
  std::int64_t hold = 0;
  std::int64_t share = 0;
  std::int64_t entry = 0;
  std::int64_t price_version = 0;
  std::int64_t rate_version = 0;
  bool operator==(const Counters&) const = default;
};

class Stage;

// What a stage has changed: rows in order of id, entries in order of sequence, and where the
// numbering stands then.
struct Changes {
  std::vector<Account> accounts;
  std::vector<Budget> budgets;
  std::vector<PartitionLimit> limits;
  std::vector<Hold> holds;
  std::vector<Share> shares;
  std::vector<PriceVersion> prices;
  std::vector<ConversionRate> rates;
  std::vector<RememberedAnswer> answers;
  std::vector<Entry> entries;
  Counters counters;
};

class Book {
 public:
  Book() = default;
  Book(Book&&) = default;
  Book& operator=(Book&&) = default;

  // Loading: inserts or replaces a committed object and its indexes.
  void put(const Account& account);
  void put(const Budget& budget);
  void put(const PartitionLimit& limit);
  void put(Hold hold);
  void put(Share share);
  void put(const PriceVersion& prices);
  void put(const ConversionRate& rate);
  void put(RememberedAnswer answer);
  void set_counters(const Counters& counters) { counters_ = counters; }

  // Takes over everything the stage touched. The stage is empty afterwards.
  void adopt(Stage& stage);

  // Drops a closed hold and its shares from memory; the store still has them.
  void forget(HoldId hold);
  // Drops answers remembered before `before`.
  void forget_answers(Instant before);

  [[nodiscard]] const Account* account(AccountId id) const;
  // By name or alias.
  [[nodiscard]] const Account* account(const std::string& name) const;
  [[nodiscard]] const Budget* budget(BudgetId id) const;
  [[nodiscard]] const PartitionLimit* limit(LimitId id) const;
  [[nodiscard]] const Hold* hold(HoldId id) const;
  [[nodiscard]] const Hold* hold_of_request(const std::string& request_id) const;
  // Holds bound to that job id, newest submission last; ids come back after a wrap.
  [[nodiscard]] std::vector<const Hold*> holds_of_job(const std::string& cluster,
                                                      std::int64_t job_id) const;
  [[nodiscard]] const Share* share(ShareId id) const;
  [[nodiscard]] const Share* share(HoldId hold, const ShareKey& key) const;
  [[nodiscard]] const RememberedAnswer* answer(const std::string& request_id) const;

  // In order of id; budgets and limits of one owner in order of start, or of id.
  [[nodiscard]] std::vector<const Account*> accounts() const;
  [[nodiscard]] std::vector<const Budget*> budgets_of(AccountId account) const;
  [[nodiscard]] std::vector<const PartitionLimit*> limits_of(BudgetId budget) const;
  [[nodiscard]] std::vector<const Hold*> open_holds() const;
  [[nodiscard]] std::vector<const Share*> shares_of(HoldId hold) const;
  [[nodiscard]] const std::map<std::int64_t, PriceVersion>& prices() const { return prices_; }
  // By version.
  [[nodiscard]] const std::map<std::int64_t, ConversionRate>& rates() const { return rates_; }
  [[nodiscard]] std::int64_t unbound_count(const std::string& user, AccountId account) const;
  // Of the budgets that carry over, the first end after that moment; nothing when there is none.
  [[nodiscard]] std::optional<Instant> next_carry_end(Instant after) const;
  [[nodiscard]] const Counters& counters() const { return counters_; }

 private:
  friend class Stage;
  using UnboundKey = std::pair<std::string, AccountId>;

  std::map<AccountId, Account> accounts_;
  std::unordered_map<std::string, AccountId> account_names_;
  std::map<BudgetId, Budget> budgets_;
  std::map<AccountId, std::set<BudgetId>> account_budgets_;
  std::set<std::pair<Instant, BudgetId>> carry_ends_;  // of budgets that carry over
  std::map<LimitId, PartitionLimit> limits_;
  std::map<BudgetId, std::set<LimitId>> budget_limits_;
  std::unordered_map<HoldId, Hold> holds_;
  std::set<HoldId> open_holds_;
  std::unordered_map<std::string, HoldId> hold_requests_;
  std::map<std::pair<std::string, std::int64_t>, std::set<HoldId>> job_holds_;
  std::map<UnboundKey, std::int64_t> unbound_;
  std::unordered_map<ShareId, Share> shares_;
  std::map<std::pair<HoldId, ShareKey>, ShareId> share_keys_;
  std::map<std::int64_t, PriceVersion> prices_;
  std::map<std::int64_t, ConversionRate> rates_;
  std::unordered_map<std::string, RememberedAnswer> answers_;
  std::multimap<Instant, const std::string*> answer_times_;  // the ids in answers_
  Counters counters_;
};

// A set of changes over a book that has not been committed. Finders see the changed object first.
class Stage {
 public:
  explicit Stage(const Book& book) : book_(&book), counters_(book.counters_) {}

  [[nodiscard]] const Account* account(AccountId id) const;
  [[nodiscard]] const Account* account(const std::string& name) const;
  [[nodiscard]] const Budget* budget(BudgetId id) const;
  [[nodiscard]] const PartitionLimit* limit(LimitId id) const;
  [[nodiscard]] const Hold* hold(HoldId id) const;
  [[nodiscard]] const Hold* hold_of_request(const std::string& request_id) const;
  [[nodiscard]] const Share* share(HoldId hold, const ShareKey& key) const;
  // The latest run seen of the key's job or array task, whatever cluster it ran on.
  [[nodiscard]] const Share* latest_run(HoldId hold, const ShareKey& key) const;
  // Of each cluster that it ran on; a federation's clusters count runs apart.
  [[nodiscard]] std::vector<const Share*> latest_runs(HoldId hold, const ShareKey& key) const;
  // In order of id.
  [[nodiscard]] std::vector<const Share*> shares_of(HoldId hold) const;
  [[nodiscard]] const RememberedAnswer* answer(const std::string& request_id) const;
  [[nodiscard]] std::vector<BudgetId> budgets_of(AccountId account) const;
  [[nodiscard]] std::vector<LimitId> limits_of(BudgetId budget) const;
  [[nodiscard]] std::int64_t unbound_count(const std::string& user, AccountId account) const;
  // In order of id: accounts that have a budget which ended by then and carries over.
  [[nodiscard]] std::vector<AccountId> accounts_with_ended(Instant at) const;
  // In force at that moment: the one that took effect last; nullptr when there is none.
  [[nodiscard]] const ConversionRate* rate(const std::string& from_unit, const std::string& to_unit,
                                           Instant at) const;

  // Accounts of which a budget that carries over was touched, or that were named here, since this
  // was asked last.
  [[nodiscard]] std::set<AccountId> take_touched();
  void touch(AccountId account) { touched_.insert(account); }

  // The staged copy of an object that exists; made on first use.
  Account& edit(AccountId id);
  // Of an account that exists; none of them names another one.
  void set_aliases(AccountId id, std::vector<std::string> aliases);
  Budget& edit(BudgetId id);
  PartitionLimit& edit(LimitId id);
  Hold& edit(HoldId id);
  Share& edit(ShareId id);

  // New objects; the id is given here.
  Account& add(Account account);
  Budget& add(Budget budget);
  PartitionLimit& add(PartitionLimit limit);
  Hold& add(Hold hold);
  Share& add(Share share);
  PriceVersion& add(PriceVersion prices);
  ConversionRate& add(ConversionRate rate);
  Entry& add(Entry entry);
  void remember(RememberedAnswer answer);
  void count_unbound(const std::string& user, AccountId account, std::int64_t change);

  // What there is to write, in order of id; entries in order of sequence.
  [[nodiscard]] const std::map<AccountId, Account>& accounts() const { return accounts_; }
  [[nodiscard]] const std::map<BudgetId, Budget>& budgets() const { return budgets_; }
  [[nodiscard]] const std::map<LimitId, PartitionLimit>& limits() const { return limits_; }
  [[nodiscard]] const std::map<HoldId, Hold>& holds() const { return holds_; }
  [[nodiscard]] const std::map<ShareId, Share>& shares() const { return shares_; }
  [[nodiscard]] const std::map<std::int64_t, PriceVersion>& prices() const { return prices_; }
  [[nodiscard]] const std::map<std::int64_t, ConversionRate>& rates() const { return rates_; }
  [[nodiscard]] const std::map<std::string, RememberedAnswer>& answers() const { return answers_; }
  [[nodiscard]] const std::vector<Entry>& entries() const { return entries_; }
  [[nodiscard]] const Counters& counters() const { return counters_; }
  [[nodiscard]] bool is_empty() const;
  // All of it, moved out; the stage is of no use afterwards.
  [[nodiscard]] Changes take();

 private:
  friend class Book;
  const Book* book_;
  Counters counters_;
  std::map<AccountId, Account> accounts_;
  std::map<std::string, AccountId> account_names_;  // not set: an alias that was taken away
  std::map<BudgetId, Budget> budgets_;
  std::map<LimitId, PartitionLimit> limits_;
  std::map<HoldId, Hold> holds_;
  std::map<std::string, HoldId> hold_requests_;
  std::map<ShareId, Share> shares_;
  std::map<std::pair<HoldId, ShareKey>, ShareId> share_keys_;
  std::map<std::int64_t, PriceVersion> prices_;
  std::map<std::int64_t, ConversionRate> rates_;
  std::set<AccountId> touched_;
  std::map<std::string, RememberedAnswer> answers_;
  std::map<Book::UnboundKey, std::int64_t> unbound_;
  std::vector<Entry> entries_;
};

}  // namespace asbb::ledger
