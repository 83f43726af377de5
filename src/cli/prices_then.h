// What the price book that was in force at a moment said of a partition. Books are read from the
// service when they are first needed, each once. Blocking; one thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

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
  struct Listed {
    Instant effective_from;
    std::int64_t version = 0;
    auto operator<=>(const Listed&) const = default;
  };
  void list_books();
  const std::optional<pricing::PriceBook>& book(std::int64_t version);

  Context& context_;
  bool is_listed_ = false;
  bool is_known_ = false;
  std::vector<Listed> listed_;  // in order
  std::map<std::int64_t, std::optional<pricing::PriceBook>> books_;
};

}  // namespace asbb::cli
