// All accounts that the caller may see, and how they stand below each other.
#pragma once

#include <string>
#include <vector>

#include "cli/command.h"
#include "cli/context.h"

namespace asbb::cli {

// Page by page. `status` empty: all that are not closed.
[[nodiscard]] api::Reply<std::vector<api::Account>> all_accounts(Context& context,
                                                                 const std::string& status = {});

// The closed ones with the others: what they spent belongs to its period for ever.
[[nodiscard]] api::Reply<std::vector<api::Account>> accounts_ever(Context& context);
[[nodiscard]] bool is_closed(const api::Account& account);

// Whether that is the account's name or an alias, in small or capital letters.
[[nodiscard]] bool has_name(const api::Account& account, const std::string& name);

// What to do next where there are none.
[[nodiscard]] std::string no_accounts_sentence();

// asbb account tree
void add_account_tree(Command& account, Context& context);

// asbb account import (account_import.cc)
void add_account_import(Command& account, Context& context);

}  // namespace asbb::cli
