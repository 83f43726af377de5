#include "service/digest.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include "base/assert.h"
#include "base/token.h"

namespace asbb::service {

namespace {

// Fetched once: EVP_sha256() is looked up anew with each digest (crypto(7), implicit fetching).
const EVP_MD* sha256() {
  static const EVP_MD* const fetched = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  return fetched == nullptr ? EVP_sha256() : fetched;
}

}  // namespace

std::string sha256_hex(std::string_view text) {
  std::array<unsigned char, 32> digest{};
  unsigned size = 0;
  ASBB_ASSERT(EVP_Digest(text.data(), text.size(), digest.data(), &size, sha256(), nullptr) == 1 &&
              size == digest.size());
  static constexpr char digits[] = "0123456789abcdef";
  std::string hex;
  hex.reserve(2 * digest.size());
  for (const unsigned char byte : digest) {
    hex.push_back(digits[byte >> 4]);
    hex.push_back(digits[byte & 15]);
  }
  return hex;
}

bool equal_in_constant_time(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::string fresh_token(Instant at) {
  std::array<std::uint8_t, 16> random{};
  ASBB_ASSERT(RAND_bytes(random.data(), static_cast<int>(random.size())) == 1);
  return make_token(at, random);
}

}  // namespace asbb::service
