// Which account of the ledger pays for a Slurm account: itself, or else the nearest one above it in
// Slurm's tree that the ledger knows. Functions, any thread.
#pragma once

#include <string>

#include "ledger/book.h"
#include "slurm/associations.h"

namespace asbb::service {

// Null when neither the account nor one above it has money here. `associations` may be null: then
// the name alone counts.
[[nodiscard]] const ledger::Account* paying_account(const ledger::Book& book,
                                                    const slurm::Associations* associations,
                                                    const std::string& cluster,
                                                    const std::string& slurm_account);

// Whether that account is the Slurm account itself or above it. True as well when no account here
// pays for the Slurm account.
[[nodiscard]] bool may_pay_for(const ledger::Book& book, ledger::AccountId payer,
                               const slurm::Associations* associations, const std::string& cluster,
                               const std::string& slurm_account);

}  // namespace asbb::service
