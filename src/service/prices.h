// The price versions in force, for every thread: an immutable history behind a short lock. It
// follows the book: the service fills it after the committer has started, and again after each
// accepted import.
#pragma once

#include <memory>
#include <mutex>

#include "base/result.h"
#include "ledger/book.h"
#include "pricing/price_book.h"

namespace asbb::service {

class Prices {
 public:
  // Reads every version the book has. broken: a stored text that does not read back.
  [[nodiscard]] Result<void> follow(const ledger::Book& book);

  // Never null.
  [[nodiscard]] std::shared_ptr<const pricing::PriceHistory> history() const;

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const pricing::PriceHistory> history_ =
      std::make_shared<const pricing::PriceHistory>();
};

}  // namespace asbb::service
