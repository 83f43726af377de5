#include "service/access_tokens.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <sstream>

#include "base/text.h"
#include "service/digest.h"

namespace asbb::service {
namespace {

constexpr std::size_t digest_length = 64;

bool is_digest(std::string_view text) {
  return text.size() == digest_length && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

bool add_scopes(const std::string& list, AccessToken& token) {
  std::istringstream scopes(list);
  std::string scope;
  while (std::getline(scopes, scope, ',')) {
    if (scope != "read" && scope != "submit" && scope != "admin") return false;
    token.may_read = token.may_read || scope == "read" || scope == "admin";
    token.may_submit = token.may_submit || scope == "submit" || scope == "admin";
    token.may_admin = token.may_admin || scope == "admin";
  }
  return token.may_read || token.may_submit;
}

// Empty when the line is fine.
std::string read_line(const std::string& line, AccessToken& token) {
  std::istringstream words(line);
  std::string scopes;
  std::string excess;
  words >> token.name >> scopes >> token.sha256;
  if (token.sha256.empty() || (words >> excess)) return "'NAME SCOPE SHA256' is expected";
  if (!add_scopes(scopes, token)) {
    return "scope " + in_quotes(scopes) + " is not of read, submit, admin";
  }
  if (!is_digest(token.sha256)) return "the sum is not 64 lower-case hexadecimal digits";
  return {};
}

}  // namespace

Result<AccessTokens> AccessTokens::parse(std::string_view text, std::string_view source) {
  AccessTokens tokens;
  std::string problems;
  std::istringstream lines{std::string(text)};
  std::string line;
  for (int number = 1; std::getline(lines, line); ++number) {
    line.resize(std::min(line.find('#'), line.size()));
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    AccessToken token;
    std::string problem = read_line(line, token);
    const auto same = [&](const AccessToken& other) { return other.name == token.name; };
    if (problem.empty() && std::any_of(tokens.tokens_.begin(), tokens.tokens_.end(), same)) {
      problem = "name '" + token.name + "' comes twice";
    }
    if (problem.empty()) {
      tokens.tokens_.push_back(std::move(token));
      continue;
    }
    if (!problems.empty()) problems += "\n";
    problems += std::string(source) + ":" + std::to_string(number) + ": " + problem;
  }
  if (!problems.empty()) return fail(ErrorKind::invalid, problems);
  return tokens;
}

Result<AccessTokens> AccessTokens::read_file(const std::string& path) {
  struct stat found{};
  if (::stat(path.c_str(), &found) != 0) {
    return fail(ErrorKind::not_found, "tokens file " + path + ": " + std::strerror(errno));
  }
  if ((found.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    return fail(ErrorKind::denied,
                "tokens file " + path + " may be written by others than its owner: chmod go-w it");
  }
  std::ifstream file(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  if (!file) return fail(ErrorKind::denied, "tokens file " + path + " cannot be read");
  return parse(text, path);
}

const AccessToken* AccessTokens::find(std::string_view token) const {
  const std::string sum = sha256_hex(token);
  const AccessToken* found = nullptr;
  for (const AccessToken& known : tokens_) {
    if (equal_in_constant_time(known.sha256, sum)) found = &known;
  }
  return found;
}

}  // namespace asbb::service
