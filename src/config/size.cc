#include "config/size.h"

#include <algorithm>
#include <array>
#include <limits>

#include "base/text.h"

namespace asbb::config {
namespace {

struct SizeUnit {
  std::string_view name;
  std::int64_t bytes;
};
constexpr std::int64_t kibi = 1024;
// Those in which a size is written come first, from the largest on.
constexpr std::array<SizeUnit, 16> size_units = {{{"TiB", kibi* kibi* kibi* kibi},
                                                  {"TB", 1'000'000'000'000},
                                                  {"GiB", kibi* kibi* kibi},
                                                  {"GB", 1'000'000'000},
                                                  {"MiB", kibi* kibi},
                                                  {"MB", 1'000'000},
                                                  {"KiB", kibi},
                                                  {"kB", 1'000},
                                                  {"", 1},
                                                  {"B", 1},
                                                  {"KB", 1'000},
                                                  {"T", kibi* kibi* kibi* kibi},
                                                  {"G", kibi* kibi* kibi},
                                                  {"M", kibi* kibi},
                                                  {"K", kibi},
                                                  {"k", kibi}}};

}  // namespace

std::optional<std::int64_t> parse_size(std::string_view text) {
  const auto digits = std::min(text.find_first_not_of("0123456789"), text.size());
  const auto number = parse_count(text.substr(0, digits));
  if (!number || *number == 0) return std::nullopt;
  const std::string_view unit = text.substr(digits);
  const auto* const found = std::find_if(size_units.begin(), size_units.end(),
                                         [&](const SizeUnit& one) { return one.name == unit; });
  if (found == size_units.end()) return std::nullopt;
  if (*number > std::numeric_limits<std::int64_t>::max() / found->bytes) return std::nullopt;
  return *number * found->bytes;
}

std::string size_text(std::int64_t bytes) {
  const auto* const found =
      std::find_if(size_units.begin(), size_units.end(),
                   [&](const SizeUnit& one) { return bytes % one.bytes == 0; });
  return std::to_string(bytes / found->bytes) + std::string(found->name);
}

}  // namespace asbb::config
