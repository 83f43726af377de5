#include "plugins/token.h"

#include <sys/random.h>

#include <cstdint>
#include <cstdlib>

#include "plugins/clock.h"
#include "plugins/slurm_abi.h"
#include "plugins/words.h"

namespace asbb::plugins {
namespace {

constexpr std::size_t kRandomBytes = 16;
constexpr char kHex[] = "0123456789abcdef";

constexpr std::size_t kAllowedBytes = wire::kAllowanceMark.size() + 64;

void append_allowed(const Allowed& allowed, BoundedText* comment) {
  if (allowed.generation == 0) return;
  comment->append(' ');
  comment->append(wire::kAllowanceMark);
  comment->append_decimal(allowed.generation);
  comment->append(':');
  comment->append_decimal(static_cast<std::uint64_t>(allowed.micros));
  comment->append(':');
  comment->append_decimal(static_cast<std::uint64_t>(allowed.tasks));
}

// Copies the words of `existing` that are not marked as ours.
void append_foreign_words(std::string_view existing, BoundedText* comment) {
  while (!existing.empty()) {
    const std::string_view word = take_until(" ", &existing);
    if (word.starts_with(wire::kTokenMark) || word.starts_with(wire::kAllowanceMark)) continue;
    comment->append(word);
    comment->append(' ');
  }
}

}  // namespace

bool mint_token(Token* token) {
  unsigned char random[kRandomBytes];
  if (getrandom(random, sizeof random, GRND_NONBLOCK) != static_cast<ssize_t>(sizeof random)) {
    return false;
  }
  char digits[wire::kTokenCharacters];
  auto millis = static_cast<std::uint64_t>(unix_millis());
  for (std::size_t at = wire::kTokenTimeCharacters; at > 0; --at) {
    digits[at - 1] = kHex[millis & 0xF];
    millis >>= 4;
  }
  for (std::size_t at = 0; at < kRandomBytes; ++at) {
    digits[wire::kTokenTimeCharacters + 2 * at] = kHex[random[at] >> 4];
    digits[wire::kTokenTimeCharacters + 2 * at + 1] = kHex[random[at] & 0xF];
  }
  return token->assign(std::string_view(digits, sizeof digits));
}

char* admin_comment_with(const char* existing, const Token& token, const Allowed& allowed) {
  const std::string_view before = existing == nullptr ? std::string_view() : existing;
  const std::size_t capacity =
      before.size() + 1 + wire::kTokenMark.size() + wire::kTokenCharacters + 1 + kAllowedBytes;
  auto* storage = static_cast<char*>(std::malloc(capacity));
  if (storage == nullptr) return nullptr;
  BoundedText comment(storage, capacity);
  append_foreign_words(before, &comment);
  comment.append(wire::kTokenMark);
  comment.append(token.view());
  append_allowed(allowed, &comment);
  char* in_slurm = slurm_xstrdup(comment.c_str());
  std::free(storage);
  return in_slurm;
}

}  // namespace asbb::plugins
