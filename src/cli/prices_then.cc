#include "cli/prices_then.h"

#include <vector>

namespace asbb::cli {

void PricesThen::list_books() {
  is_listed_ = true;
  const auto books = context_.call<std::vector<api::PriceBook>>("GET", "/api/v1/prices");
  if (!books) return;
  is_known_ = true;
  for (const api::PriceBook& one : *books) {
    pricing::PriceBook listed;
    listed.version = one.version;
    listed.effective_from = one.effective_from;
    is_known_ = is_known_ && listed_.add(std::move(listed));
  }
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
  const pricing::PriceBook* listed = listed_.in_force(at);
  if (listed == nullptr) return report::Price::missing;
  const auto& then = book(listed->version);
  if (!then) return report::Price::unknown;
  const pricing::Rate* rate = then->find(cluster, partition);
  if (rate == nullptr) return report::Price::missing;
  return rate->free ? report::Price::free : report::Price::priced;
}

}  // namespace asbb::cli
