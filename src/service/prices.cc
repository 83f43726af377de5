#include "service/prices.h"

#include <utility>

namespace asbb::service {

Result<void> Prices::follow(const ledger::Book& book) {
  auto fresh = std::make_shared<pricing::PriceHistory>();
  for (const auto& [version, stored] : book.prices()) {
    auto read = pricing::parse_price_book(stored.text, "price version " + std::to_string(version),
                                          {stored.effective_from, "UTC"});
    if (!read) return tl::unexpected(read.error());
    read->version = version;
    if (auto added = fresh->add(std::move(*read)); !added) return added;
  }
  const std::lock_guard lock(mutex_);
  history_ = std::move(fresh);
  return {};
}

std::shared_ptr<const pricing::PriceHistory> Prices::history() const {
  const std::lock_guard lock(mutex_);
  return history_;
}

}  // namespace asbb::service
