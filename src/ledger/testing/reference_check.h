// Holds the ledger against the reference: gives it the same commands and says what differs, in the
// answer or in any budget, limit, hold or account afterwards. For tests only; one thread.
#pragma once

#include <string>

#include "ledger/ledger.h"
#include "ledger/testing/reference.h"

namespace asbb::ledger::testing {

class ReferenceCheck {
 public:
  // After the book has adopted the command, every one of them in order. Empty: nothing differs.
  [[nodiscard]] std::string compare(const Command& command, const Outcome& outcome,
                                    const Book& book);

 private:
  reference::Reference reference_;
};

}  // namespace asbb::ledger::testing
