// How entries of the ledger are shown: a table, CSV, one hold whole, and everything in pages.
// Prints through the context.
#pragma once

#include <vector>

#include "api/transaction.h"
#include "cli/context.h"

namespace asbb::cli {

[[nodiscard]] Table transactions_table(const std::vector<api::Transaction>& oldest_first,
                                       bool says_account);
// Every field.
[[nodiscard]] Table transactions_csv(const std::vector<api::Transaction>& oldest_first);

// Asks for page after page, the oldest first, and prints each before the next is asked for; the
// exit code. Memory is one page.
[[nodiscard]] int stream_transactions(Context& context, api::TransactionQuery query);

[[nodiscard]] int show_transaction(const Context& context, const api::TransactionDetails& found);

}  // namespace asbb::cli
