#include "config/file_checks.h"

#include <sys/stat.h>

#include "config/alerts.h"
#include "config/names.h"

namespace asbb::config {
namespace {

constexpr mode_t of_others = S_IRWXG | S_IRWXO;
constexpr mode_t written_by_others = S_IWGRP | S_IWOTH;

// Of the modes of others than the owner, `forbidden` must not be set.
void check_file(const std::string& name, const std::string& path, mode_t forbidden,
                std::vector<FileProblem>& out) {
  struct stat facts{};
  if (path.empty() || ::stat(path.c_str(), &facts) != 0) return;
  if (!S_ISREG(facts.st_mode)) {
    out.push_back({name, "'" + path + "' is not a file"});
  } else if ((facts.st_mode & forbidden) != 0) {
    const bool is_secret = forbidden == of_others;
    out.push_back({name, std::string("others than its owner may ") +
                             (is_secret ? "use '" : "change '") + path + "': '" +
                             (is_secret ? "chmod go= " : "chmod go-w ") + path + "'"});
  }
}

}  // namespace

std::vector<FileProblem> secrets_in(const Config& config, const std::string& file) {
  std::vector<FileProblem> out;
  const auto check = [&](const char* name, const std::string& text, const std::string& shown) {
    if (text == shown) return;
    out.push_back({name, "'" + shown + "' has a secret, and everybody may read '" + file +
                             "': 'chmod o= " + file + "'"});
  };
  check("database.dsn", config.database.dsn, without_secrets(config.database.dsn));
  check("advisor.url", config.advisor.url, without_secrets(config.advisor.url));
  for (const AlertChannel& channel : config.alerts.channels) {
    check("alerts.channels", channel.url, shown_url(channel));
  }
  return out;
}

std::vector<FileProblem> check_files(const Config& config) {
  std::vector<FileProblem> out;
  check_file("database.chain_key_file", config.database.chain_key_file, of_others, out);
  // It has the sums of tokens, not the tokens.
  check_file("service.tokens_file", config.service.tokens_file, written_by_others, out);
  check_file("advisor.api_key_file", config.advisor.api_key_file, of_others, out);
  for (const AlertChannel& channel : config.alerts.channels) {
    check_file("alerts.channels", channel.secret_file, of_others, out);
  }
  return out;
}

}  // namespace asbb::config
