// The keyed chain over the ledger's entries: value(n) = HMAC-SHA-256(key, value(n-1) || canonical
// record of n). The key lies in a file outside the database, mode 0400, so who can write the
// database alone cannot forge the chain. Pure but for the key file functions.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "base/result.h"
#include "store/store.h"

namespace asbb::store {

using ChainKey = std::array<std::uint8_t, 32>;

[[nodiscard]] ChainValue chain_next(const ChainKey& key, const ChainValue& previous,
                                    std::string_view record);

// Creates the key file with 32 random bytes in hex, mode 0400; refuses when it exists.
[[nodiscard]] Result<void> create_chain_key(const std::string& path);

// Reads it; refuses a file that others may read or that is not 64 hex digits.
[[nodiscard]] Result<ChainKey> read_chain_key(const std::string& path);

[[nodiscard]] std::string to_hex(const ChainValue& value);

}  // namespace asbb::store
