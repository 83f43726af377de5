// An entry of the ledger in the words of the REST API. Pure functions, for operations_*.cc.
#pragma once

#include "api/transaction.h"
#include "ledger/book.h"

namespace asbb::service {

// Whether it is a hold that is still open.
[[nodiscard]] bool is_pending(const ledger::Book& book, const ledger::Entry& entry);

[[nodiscard]] api::Transaction transaction_view(const ledger::Entry& entry, bool pending);

}  // namespace asbb::service
