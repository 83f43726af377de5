#include "store/chain.h"

#include <fcntl.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/assert.h"
#include "store/durable_file.h"

namespace asbb::store {
namespace {

constexpr std::size_t key_digits = 2 * std::tuple_size_v<ChainKey>;

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::string hex_of(const std::uint8_t* bytes, std::size_t count) {
  constexpr char digits[] = "0123456789abcdef";
  std::string out;
  out.reserve(2 * count);
  for (std::size_t i = 0; i < count; ++i) {
    out += digits[bytes[i] / 16];
    out += digits[bytes[i] % 16];
  }
  return out;
}

Result<void> check_key_file(int descriptor, const std::string& path) {
  struct stat about{};
  if (::fstat(descriptor, &about) != 0 || !S_ISREG(about.st_mode)) {
    return fail(ErrorKind::broken, "the key file " + path + " is not a regular file");
  }
  if ((about.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    return fail(ErrorKind::broken, "the key file " + path +
                                       " may be used by others than its owner: chmod 0400 it, and "
                                       "consider the key known if they could read it");
  }
  if (about.st_uid != ::geteuid() && about.st_uid != 0) {
    return fail(ErrorKind::broken, "the key file " + path +
                                       " belongs to another user; it must belong to the user of "
                                       "the service or to root");
  }
  return {};
}

// Up to one character more than a key with its newline, so that longer files are told apart.
std::string read_some(int descriptor) {
  char text[key_digits + 2] = {};
  std::size_t count = 0;
  while (count < sizeof text) {
    const ssize_t got = ::read(descriptor, text + count, sizeof text - count);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    count += static_cast<std::size_t>(got);
  }
  std::string out(text, count);
  OPENSSL_cleanse(text, sizeof text);
  return out;
}

bool decode_key(const std::string& text, ChainKey& key) {
  if (text.size() != key_digits && (text.size() != key_digits + 1 || text.back() != '\n')) {
    return false;
  }
  for (std::size_t i = 0; i < key.size(); ++i) {
    const int high = hex_digit(text[2 * i]);
    const int low = hex_digit(text[2 * i + 1]);
    if (high < 0 || low < 0) return false;
    key[i] = static_cast<std::uint8_t>(high * 16 + low);
  }
  return true;
}

// HMAC-SHA-256 that stays ready for the key it had last.
class KeyedHmac {
 public:
  KeyedHmac() {
    EVP_MAC* const hmac = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
    context_ = EVP_MAC_CTX_new(hmac);
    EVP_MAC_free(hmac);  // the context keeps it
    ASBB_ASSERT(context_ != nullptr);
  }
  KeyedHmac(const KeyedHmac&) = delete;
  KeyedHmac& operator=(const KeyedHmac&) = delete;
  ~KeyedHmac() {
    EVP_MAC_CTX_free(context_);
    OPENSSL_cleanse(key_.data(), key_.size());
  }

  ChainValue next(const ChainKey& key, const ChainValue& previous, std::string_view record) {
    ASBB_ASSERT(begin(key) == 1 &&
                EVP_MAC_update(context_, previous.data(), previous.size()) == 1 &&
                EVP_MAC_update(context_, reinterpret_cast<const unsigned char*>(record.data()),
                               record.size()) == 1);
    ChainValue value{};
    std::size_t length = 0;
    ASBB_ASSERT(EVP_MAC_final(context_, value.data(), &length, value.size()) == 1 &&
                length == value.size());
    return value;
  }

 private:
  int begin(const ChainKey& key) {
    if (has_key_ && key == key_) return EVP_MAC_init(context_, nullptr, 0, nullptr);
    char digest[] = "SHA256";
    const OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end()};
    key_ = key;
    has_key_ = true;
    return EVP_MAC_init(context_, key_.data(), key_.size(), parameters);
  }

  EVP_MAC_CTX* context_ = nullptr;
  ChainKey key_{};
  bool has_key_ = false;
};

}  // namespace

ChainValue chain_next(const ChainKey& key, const ChainValue& previous, std::string_view record) {
  // Setting a key up takes longer than an entry; nearly always it is the key of the entry before.
  thread_local KeyedHmac hmac;
  return hmac.next(key, previous, record);
}

Result<void> create_chain_key(const std::string& path) {
  ChainKey key{};
  if (RAND_bytes(key.data(), static_cast<int>(key.size())) != 1) {
    return fail(ErrorKind::broken, "the system's random number generator gives nothing");
  }
  std::string text = hex_of(key.data(), key.size()) + "\n";
  auto created = create_durable_file(path, 0400, text);
  OPENSSL_cleanse(text.data(), text.size());
  OPENSSL_cleanse(key.data(), key.size());
  return created;
}

Result<ChainKey> read_chain_key(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) {
    return fail(errno == ENOENT ? ErrorKind::not_found : ErrorKind::broken,
                "cannot open the key file " + path + ": " + std::strerror(errno));
  }
  auto checked = check_key_file(descriptor, path);
  std::string text = checked ? read_some(descriptor) : std::string();
  ::close(descriptor);
  if (!checked) return tl::unexpected(checked.error());
  ChainKey key{};
  const bool decoded = decode_key(text, key);
  OPENSSL_cleanse(text.data(), text.size());
  if (!decoded) {
    return fail(ErrorKind::broken, "the key file " + path + " must hold 64 hex digits and no more");
  }
  return key;
}

std::string to_hex(const ChainValue& value) {
  return hex_of(value.data(), value.size());
}

}  // namespace asbb::store
