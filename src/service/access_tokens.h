// The bearer tokens of callers over TCP: a file of names, scopes and SHA-256 sums, never the tokens
// themselves. Immutable once read; share it between threads.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace asbb::service {

struct AccessToken {
  std::string name;
  bool may_read = false;
  bool may_submit = false;
  bool may_admin = false;
  std::string sha256;  // 64 lower-case hex digits
};

class AccessTokens {
 public:
  AccessTokens() = default;

  // Lines "NAME SCOPE SHA256", blanks between; SCOPE is read, submit, admin or a list with commas,
  // and admin includes the others. '#' begins a comment. Every problem is listed with its line.
  [[nodiscard]] static Result<AccessTokens> parse(std::string_view text, std::string_view source);

  // Refused as well: a file that others than its owner may write.
  [[nodiscard]] static Result<AccessTokens> read_file(const std::string& path);

  // Null when no line has that token's sum. Looks at every line, whichever fits.
  [[nodiscard]] const AccessToken* find(std::string_view token) const;

  [[nodiscard]] std::size_t size() const { return tokens_.size(); }

 private:
  std::vector<AccessToken> tokens_;
};

}  // namespace asbb::service
