#include "base/text.h"
#include "http/exchange.h"
#include "http/routes.h"

namespace asbb::http {
namespace {

constexpr std::size_t price_bytes_max = 1024 * 1024;

// "current" is 0; nothing for what is no version.
std::optional<std::int64_t> parse_version(const std::string& text) {
  if (text == "current") return 0;
  return parse_whole(text, 1);
}

}  // namespace

void add_price_routes(Router& router, service::Operations& operations) {
  const auto list = [&router, &operations](const SharedCall& call) {
    respond(router, call, operations.price_books(call->caller));
  };
  router.add({"GET", "/api/v1/prices", list});

  const auto show = [&router, &operations](const SharedCall& call) {
    const auto version = parse_version(call->captures[0]);
    if (!version) {
      return respond<api::PriceBook>(
          router, call,
          service::problem(400, "VALIDATION_ERROR", "a version number, or 'current', is expected",
                           "version"));
    }
    respond(router, call, operations.price_book(call->caller, *version));
  };
  router.add({"GET", "/api/v1/prices/{version}", show});

  const auto import = [&router, &operations](const SharedCall& call) {
    with_body<api::PriceImport>(router, call, [&](const api::PriceImport& request) {
      operations.import_prices(call->caller, request,
                               promise_of<api::PriceBook>(router, call, 201));
    });
  };
  router.add({"POST", "/api/v1/prices", import, price_bytes_max, true});

  const auto rates = [&router, &operations](const SharedCall& call) {
    respond(router, call, operations.conversion_rates(call->caller));
  };
  router.add({"GET", "/api/v1/conversion-rates", rates});

  const auto record = [&router, &operations](const SharedCall& call) {
    with_body<api::NewConversionRate>(router, call, [&](const api::NewConversionRate& request) {
      operations.record_conversion_rate(call->caller, request,
                                        promise_of<api::ConversionRate>(router, call, 201));
    });
  };
  router.add({"POST", "/api/v1/conversion-rates", record});
}

}  // namespace asbb::http
