#include "service/paying_account.h"

namespace asbb::service {
namespace {

constexpr int depth_max = 64;  // of Slurm's account tree; a loop in it must not hang the service

// Of the Slurm account itself and those above it, the first that is there and `wanted`; else null.
template <typename Wanted>
const ledger::Account* nearest_account(const ledger::Book& book,
                                       const slurm::Associations* associations,
                                       const std::string& cluster, std::string name,
                                       Wanted wanted) {
  for (int depth = 0; depth < depth_max && !name.empty(); ++depth) {
    const ledger::Account* account = book.account(name);
    if (account != nullptr && wanted(*account)) return account;
    if (associations == nullptr) return nullptr;
    name = associations->parent(cluster, name);
  }
  return nullptr;
}

}  // namespace

const ledger::Account* paying_account(const ledger::Book& book,
                                      const slurm::Associations* associations,
                                      const std::string& cluster,
                                      const std::string& slurm_account) {
  return nearest_account(book, associations, cluster, slurm_account,
                         [](const ledger::Account&) { return true; });
}

bool may_pay_for(const ledger::Book& book, ledger::AccountId payer,
                 const slurm::Associations* associations, const std::string& cluster,
                 const std::string& slurm_account) {
  if (paying_account(book, associations, cluster, slurm_account) == nullptr) return true;
  const auto is_payer = [&](const ledger::Account& account) { return account.id == payer; };
  return nearest_account(book, associations, cluster, slurm_account, is_payer) != nullptr;
}

}  // namespace asbb::service
