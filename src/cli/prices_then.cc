#include "cli/prices_then.h"

#include <algorithm>

namespace asbb::cli {

void PricesThen::list_books() {
  is_listed_ = true;
  const auto books = context_.call<std::vector<api::PriceBook>>("GET", "/api/v1/prices");
  if (!books) return;
  is_known_ = true;
  for (const api::PriceBook& one : *books) listed_.push_back({one.effective_from, one.version});
  std::sort(listed_.begin(), listed_.end());
}

const std::optional<pricing::PriceBook>& PricesThen::book(std::int64_t version) {
  const auto [place, is_new] = books_.try_emplace(version);
  if (!is_new) return place->second;
  const auto answer =
      context_.call<api::PriceBook>("GET", "/api/v1/prices/" + std::to_string(version));
  if (!answer) return place->second;
  auto read = pricing::parse_price_book(answer->text, "prices", {});
  if (read) place->second = std::move(*read);
  return place->second;
}

report::Price PricesThen::of(const std::string& cluster, const std::string& partition, Instant at) {
  if (!is_listed_) list_books();
  if (!is_known_) return report::Price::unknown;
  const auto after = std::partition_point(listed_.begin(), listed_.end(), [&](const Listed& one) {
    return !(at < one.effective_from);
  });
  if (after == listed_.begin()) return report::Price::missing;
  const auto& then = book(std::prev(after)->version);
  if (!then) return report::Price::unknown;
  const pricing::Rate* rate = then->find(cluster, partition);
  if (rate == nullptr) return report::Price::missing;
  return rate->free ? report::Price::free : report::Price::priced;
}

}  // namespace asbb::cli
