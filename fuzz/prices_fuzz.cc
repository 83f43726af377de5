// A price file as an administrator may hand it over. What is accepted is stored as canonical text,
// which reads back as the same book.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/assert.h"
#include "pricing/price_book.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const asbb::pricing::PriceBookDefaults defaults{asbb::Instant::from_unix_seconds(1), "UTC"};
  const auto book = asbb::pricing::parse_price_book(text, "prices", defaults);
  if (!book) {
    ASBB_ASSERT(!book.error().message.empty());
    return 0;
  }
  const auto again =
      asbb::pricing::parse_price_book(asbb::pricing::to_canonical_text(*book), "again", defaults);
  ASBB_ASSERT(again.has_value() && *again == *book);
  return 0;
}
