#include "service/paying_account.h"

namespace asbb::service {
namespace {

constexpr int depth_max = 64;  // of Slurm's account tree; a loop in it must not hang the service

}  // namespace

const ledger::Account* paying_account(const ledger::Book& book,
                                      const slurm::Associations* associations,
                                      const std::string& cluster,
                                      const std::string& slurm_account) {
  std::string name = slurm_account;
  for (int depth = 0; depth < depth_max && !name.empty(); ++depth) {
    if (const ledger::Account* account = book.account(name)) return account;
    if (associations == nullptr) return nullptr;
    name = associations->parent(cluster, name);
  }
  return nullptr;
}

}  // namespace asbb::service
