// /prices: versions of the price book.
#include <utility>

#include "service/operations.h"

namespace asbb::service {
namespace {

api::PriceBook view_of(const ledger::PriceVersion& version, std::int64_t in_force) {
  api::PriceBook view;
  view.version = version.version;
  view.effective_from = version.effective_from;
  view.imported_at = version.imported_at;
  view.in_force = version.version == in_force;
  return view;
}

std::int64_t version_in_force(const Prices& prices, Instant at) {
  const auto history = prices.history();
  const pricing::PriceBook* book = history->in_force(at);
  return book == nullptr ? 0 : book->version;
}

}  // namespace

Reply<std::vector<api::PriceBook>> Operations::price_books(const Caller& caller) const {
  if (caller.is_anonymous) return not_allowed(caller);
  const std::int64_t in_force = version_in_force(with_.prices, now());
  return with_.committer.read([&](const ledger::Book& book) {
    std::vector<api::PriceBook> views;
    for (const auto& [number, version] : book.prices()) views.push_back(view_of(version, in_force));
    return views;
  });
}

Reply<api::PriceBook> Operations::price_book(const Caller& caller, std::int64_t version) const {
  if (caller.is_anonymous) return not_allowed(caller);
  const std::int64_t in_force = version_in_force(with_.prices, now());
  const std::int64_t wanted = version == 0 ? in_force : version;
  return with_.committer.read([&](const ledger::Book& book) -> Reply<api::PriceBook> {
    const auto found = book.prices().find(wanted);
    if (found == book.prices().end()) {
      return problem(404, "NOT_FOUND",
                     version == 0 ? "No prices are in force."
                                  : "There is no price version " + std::to_string(version) + ".",
                     "version");
    }
    api::PriceBook view = view_of(found->second, in_force);
    view.text = found->second.text;
    return view;
  });
}

void Operations::import_prices(const Caller& caller, const api::PriceImport& request,
                               const Promise<api::PriceBook>& promise) {
  using Answer = api::PriceBook;
  if (!caller.may_admin) {
    return promise([caller]() -> Reply<Answer> { return not_allowed(caller); });
  }
  auto book = pricing::parse_price_book(request.text, "prices", {now(), options_.zone});
  if (!book) {
    return promise([error = book.error()]() -> Reply<Answer> { return problem(error); });
  }
  if (book->rates.empty()) {
    return promise([]() -> Reply<Answer> {
      return problem(400, "VALIDATION_ERROR",
                     "prices: the list is empty, so every partition would be free of charge; a "
                     "partition that has no price is listed with 'free: true'",
                     "prices");
    });
  }
  if (request.effective_from) book->effective_from = *request.effective_from;
  ledger::RecordPrices record;
  record.effective_from = book->effective_from;
  record.text = pricing::to_canonical_text(*book);
  const auto done = [this, promise, caller](Result<ledger::Outcome> outcome) {
    const auto finish = [this, promise, caller, outcome = std::move(outcome)] {
      Reply<Answer> reply = problem(500, "INTERNAL_ERROR", "The prices were not recorded.");
      if (!outcome) {
        reply = problem(outcome.error());
      } else if (!outcome->accepted()) {
        reply = tl::unexpected(problem_of(*outcome, ""));
      } else {
        reply = follow_prices(caller, outcome->price_version);
      }
      promise([reply] { return reply; });
    };
    // Reading prices takes its time: not on the committer's thread, unless there is no other.
    if (!with_.work.push(finish)) finish();
  };
  if (!with_.committer.submit(command(caller, std::move(record), "import of prices"), done)) {
    promise([]() -> Reply<Answer> { return too_busy(); });
  }
}

Reply<api::PriceBook> Operations::follow_prices(const Caller& caller, std::int64_t version) const {
  const auto followed =
      with_.committer.read([&](const ledger::Book& book) { return with_.prices.follow(book); });
  if (!followed) return problem(followed.error());
  if (hooks_.prices_changed) hooks_.prices_changed();
  return price_book(caller, version);
}

}  // namespace asbb::service
