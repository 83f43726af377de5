#include "base/token.h"

#include "base/assert.h"

namespace asbb {
namespace {

constexpr std::string_view hex = "0123456789abcdef";
constexpr std::size_t time_length = 12;
constexpr std::string_view marker = "asbb=";

}  // namespace

bool is_token(std::string_view text) {
  return text.size() == token_length && text.find_first_not_of(hex) == std::string_view::npos;
}

Instant token_time(std::string_view token) {
  ASBB_ASSERT(is_token(token));
  std::int64_t unix_ms = 0;
  for (const char c : token.substr(0, time_length)) {
    unix_ms = unix_ms * 16 + static_cast<std::int64_t>(hex.find(c));
  }
  return Instant{unix_ms * 1'000};
}

std::string make_token(Instant at, const std::array<std::uint8_t, 16>& random) {
  std::string out(time_length, '0');
  auto unix_ms = static_cast<std::uint64_t>(at.microseconds / 1'000);
  for (std::size_t i = time_length; i-- > 0; unix_ms /= 16) out[i] = hex[unix_ms % 16];
  for (const std::uint8_t byte : random) {
    out += hex[byte / 16];
    out += hex[byte % 16];
  }
  return out;
}

std::string_view find_token(std::string_view admin_comment) {
  for (std::size_t at = admin_comment.find(marker); at != std::string_view::npos;
       at = admin_comment.find(marker, at + 1)) {
    if (at != 0 && admin_comment[at - 1] != ' ') continue;
    const auto word = admin_comment.substr(at + marker.size());
    if (word.size() > token_length && word[token_length] != ' ') continue;
    if (is_token(word.substr(0, token_length))) return word.substr(0, token_length);
  }
  return {};
}

}  // namespace asbb
