// What the price book that was in force at a moment said of a partition. Books are read from the
// service when they are first needed, each once. Blocking; one thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "api/system.h"
#include "cli/context.h"
#include "pricing/price_book.h"
#include "report/dual.h"

namespace asbb::cli {

class PricesThen {
 public:
  explicit PricesThen(Context& context) : context_(context) {}

  // Missing before the first book, unknown where the service does not show it.
  [[nodiscard]] report::Price of(const std::string& cluster, const std::string& partition,
                                 Instant at);

 private:
  void list_books();
  const std::optional<pricing::PriceBook>& book(std::int64_t version);

  Context& context_;
  bool is_listed_ = false;
  bool is_known_ = false;
  pricing::PriceHistory listed_;  // without their rates
  std::map<std::int64_t, std::optional<pricing::PriceBook>> books_;
};

}  // namespace asbb::cli
