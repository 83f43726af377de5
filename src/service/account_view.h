// Accounts, budgets and holds of the book as the REST API shows them. Reads the book only: call it
// under the committer's shared lock, or on a book of one's own.
#pragma once

#include <string>
#include <vector>

#include "api/account.h"
#include "ledger/book.h"
#include "pricing/price_book.h"

namespace asbb::service {

// The flat figures are those of the budget in force at `at`, else of the next or last one, in
// `default_unit` where the account has it. The days of the periods are left for add_days().
[[nodiscard]] api::Account account_view(const ledger::Book& book, const ledger::Account& account,
                                        const std::string& default_unit, Instant at);

// first_day and last_day of every budget, as calendar days of the zone (an IANA name that is
// valid). Apart, since it reads the zone's tables and needs no lock.
void add_days(api::Account& account, const std::string& zone);

// Warns of units that no version of the prices is counted in; silent while there are no prices.
void add_unit_warnings(api::Account& account, const pricing::PriceHistory& history);

// One line for each unit of the hold.
void add_hold_view(const ledger::Book& book, const ledger::Hold& hold,
                   std::vector<api::OpenHold>& views);

// What the account's budgets are counted in, each once, in order: those that have not ended, or
// all where all have.
[[nodiscard]] std::vector<std::string> units_of(const ledger::Book& book,
                                                const ledger::Account& account, Instant at);

// Whether the user is an owner of that account, or of one above it.
[[nodiscard]] bool owns(const ledger::Book& book, const std::string& user,
                        const std::string& account);

// Of the account, or of the nearest one above it that has any.
[[nodiscard]] std::vector<std::string> owners_of(const ledger::Book& book,
                                                 const ledger::Account& account);

// The accounts at or below that one, by name; empty when there is none of that name.
[[nodiscard]] std::vector<std::string> subtree(const ledger::Book& book,
                                               const std::string& account);

}  // namespace asbb::service
