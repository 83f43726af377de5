#include "config/alerts.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <array>
#include <optional>
#include <set>

#include "base/text.h"
#include "config/names.h"
#include "config/settings.h"
#include "config/yaml_text.h"

namespace asbb::config {
namespace {

using Kind = AlertChannel::Kind;

struct KindWords {
  Kind kind;
  const char* word;
  const char* needs;  // of the keys below, with blanks between them
  const char* may_have;
};
constexpr std::array<KindWords, 5> kinds{
    {{Kind::webhook, "webhook", "url", "secret_file"},
     {Kind::slack, "slack", "url", ""},
     {Kind::smtp, "smtp", "url from", "to owners_at user secret_file"},
     {Kind::sendmail, "sendmail", "from", "program to owners_at"},
     {Kind::command, "command", "program", ""}}};

constexpr std::array<std::pair<AlertSeverity, const char*>, 3> severities{
    {{AlertSeverity::info, "info"},
     {AlertSeverity::warning, "warning"},
     {AlertSeverity::critical, "critical"}}};

constexpr std::size_t channels_max = 32;
constexpr std::size_t addresses_max = 100;
constexpr std::size_t text_length_max = 2000;

const KindWords& words_of(Kind kind) {
  return *std::find_if(kinds.begin(), kinds.end(),
                       [&](const KindWords& one) { return one.kind == kind; });
}

bool has_word(std::string_view words, std::string_view word) {
  const auto all = split(words, ' ');
  return std::find(all.begin(), all.end(), word) != all.end();
}

bool is_printable(std::string_view text) {
  return !text.empty() && text.size() <= text_length_max &&
         std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c != '\x7F'; });
}

bool is_host(std::string_view text) {
  return is_printable(text) && text.find_first_of("@<>,;\"") == std::string_view::npos;
}

bool is_address(std::string_view text) {
  const auto at = text.find('@');
  return at != std::string_view::npos && at > 0 && text.front() != '-' &&
         is_host(text.substr(0, at)) && is_host(text.substr(at + 1));
}

bool is_url(std::string_view text, Kind kind) {
  const auto scheme = text.find("://");
  if (!is_printable(text) || scheme == std::string_view::npos || text.size() == scheme + 3) {
    return false;
  }
  const std::string_view name = text.substr(0, scheme);
  return kind == Kind::smtp ? name == "smtp" || name == "smtps" : name == "http" || name == "https";
}

// Whoever knows the path of a chat's hook may write there.
std::string without_path(const std::string& url) {
  const auto scheme = url.find("://");
  const auto path = url.find('/', scheme == std::string::npos ? 0 : scheme + 3);
  return without_secrets(path == std::string::npos ? url : url.substr(0, path) + "/***");
}

// One channel of the list, key by key.
class ChannelReader {
 public:
  ChannelReader(std::string where, const SayProblem& problem)
      : where_(std::move(where)), problem_(problem) {}

  std::optional<AlertChannel> read(const YAML::Node& value);

 private:
  void say(int line, const std::string& key, const std::string& what) {
    problem_(line, where_ + "." + key + ": " + what);
    is_good_ = false;
  }
  void refuse(int line, const std::string& key, const std::string& text,
              const std::string& allowed) {
    say(line, key,
        in_quotes(key == "url" ? without_path(text) : without_secrets(text)) +
            " is not allowed; expected is " + allowed);
  }
  void read_kind(const YAML::Node& value, int line);
  void read_key(const std::string& key, const YAML::Node& value, int line);
  void read_text(const std::string& key, const std::string& text, int line);
  void read_addresses(const YAML::Node& value, int line);

  const std::string where_;
  const SayProblem& problem_;
  AlertChannel channel_;
  bool is_good_ = true;
};

void ChannelReader::read_kind(const YAML::Node& value, int line) {
  const YAML::Node type = value["type"];
  if (!type || !type.IsScalar()) return say(line, "type", "this setting is missing");
  for (const KindWords& one : kinds) {
    if (type.Scalar() == one.word) {
      channel_.kind = one.kind;
      return;
    }
  }
  refuse(line_of(type), "type", type.Scalar(), "webhook, slack, smtp, sendmail or command");
}

void ChannelReader::read_addresses(const YAML::Node& value, int line) {
  if (!value.IsSequence() || value.size() > addresses_max) {
    return say(line, "to", "a list of e-mail addresses is expected");
  }
  for (const YAML::Node& item : value) {
    if (!item.IsScalar() || !is_address(item.Scalar())) {
      return refuse(line_of(item), "to", item.IsScalar() ? item.Scalar() : "a list",
                    "an e-mail address such as budget@example.org");
    }
    channel_.to.push_back(item.Scalar());
  }
}

void ChannelReader::read_text(const std::string& key, const std::string& text, int line) {
  const auto take = [&](std::string& into, bool is_allowed, const char* allowed) {
    if (!is_allowed) return refuse(line, key, text, allowed);
    into = text;
  };
  if (key == "url") {
    return take(channel_.url, is_url(text, channel_.kind),
                channel_.kind == Kind::smtp ? "smtp://HOST:PORT or smtps://HOST:PORT"
                                            : "a URL that begins with https:// or http://");
  }
  if (key == "from") {
    return take(channel_.from, is_address(text), "an e-mail address such as asbb@example.org");
  }
  if (key == "owners_at") {
    return take(channel_.owners_at, is_host(text), "a mail domain such as example.org");
  }
  if (key == "user") return take(channel_.user, is_printable(text), "a name without blanks");
  if (key == "program") {
    return take(channel_.program, is_absolute_path(text), "an absolute path");
  }
  take(channel_.secret_file, is_absolute_path(text), "an absolute path");
}

void ChannelReader::read_key(const std::string& key, const YAML::Node& value, int line) {
  const KindWords& words = words_of(channel_.kind);
  const bool is_common = has_word("name type severity digest", key);
  if (!is_common && !has_word(words.needs, key) && !has_word(words.may_have, key)) {
    return say(line, key,
               std::string("there is no such setting; a channel of type ") + words.word +
                   " has name, type, severity, digest, " + listed([&] {
                     std::vector<std::string> names;
                     for (const char* list : {words.needs, words.may_have}) {
                       for (const auto word : split(list, ' ')) {
                         if (!word.empty()) names.emplace_back(word);
                       }
                     }
                     return names;
                   }()));
  }
  if (key == "to") return read_addresses(value, line);
  if (!value.IsScalar()) return say(line, key, "one value is expected");
  const std::string& text = value.Scalar();
  if (key == "type") return;
  if (key == "name") {
    if (!is_user_name(text)) return refuse(line, key, text, "letters, digits and ._-");
    channel_.name = text;
  } else if (key == "digest") {
    if (text != "true" && text != "false") return refuse(line, key, text, "true or false");
    channel_.has_digest = text == "true";
  } else if (key == "severity") {
    const auto found = std::find_if(severities.begin(), severities.end(),
                                    [&](const auto& one) { return text == one.second; });
    if (found == severities.end()) return refuse(line, key, text, "info, warning or critical");
    channel_.least = found->first;
  } else {
    read_text(key, text, line);
  }
}

std::optional<AlertChannel> ChannelReader::read(const YAML::Node& value) {
  const int line = line_of(value);
  if (!value.IsMap()) {
    problem_(line, where_ + ": {name, type, ...} is expected; " + allowed_channels());
    return std::nullopt;
  }
  read_kind(value, line);
  if (!is_good_) return std::nullopt;
  std::set<std::string> seen;
  const auto refuse_key = [&](int at, const std::string& message) {
    problem_(at, message);
    is_good_ = false;
  };
  each_key(value, where_, refuse_key, [&](const std::string& key, const YAML::Node& item, int at) {
    seen.insert(key);
    read_key(key, item, at);
  });
  const KindWords& words = words_of(channel_.kind);
  const std::string needed = std::string("name ") + words.needs;
  for (const auto key : split(needed, ' ')) {
    if (!seen.contains(std::string(key))) say(line, std::string(key), "this setting is missing");
  }
  const bool is_mail = channel_.kind == Kind::smtp || channel_.kind == Kind::sendmail;
  if (is_good_ && is_mail && channel_.to.empty() && channel_.owners_at.empty()) {
    say(line, "to", "nobody would get these e-mails: give to, or owners_at, or both");
  }
  if (is_good_ && !channel_.user.empty() && channel_.secret_file.empty()) {
    say(line, "secret_file", "a user needs a password: give the file that has it");
  }
  if (channel_.kind == Kind::sendmail && channel_.program.empty()) {
    channel_.program = "/usr/sbin/sendmail";
  }
  return is_good_ ? std::optional(std::move(channel_)) : std::nullopt;
}

}  // namespace

std::string shown_url(const AlertChannel& channel) {
  return channel.kind == Kind::slack ? without_path(channel.url) : without_secrets(channel.url);
}

const std::string& allowed_channels() {
  static const std::string text =
      "type webhook (url, secret_file) and slack (url) post JSON, type smtp (url, from, to, "
      "owners_at, user, secret_file) and sendmail (program, from, to, owners_at) write e-mails, "
      "type command (program) starts a program; each has a name, a severity from which on it is "
      "used (info, warning, critical), and digest: true or false";
  return text;
}

std::vector<AlertChannel> read_channels(const YAML::Node& value, const std::string& where,
                                        const SayProblem& problem) {
  std::vector<AlertChannel> out;
  if (!value.IsSequence()) {
    problem(line_of(value), where + ": a list of channels is expected; " + allowed_channels());
    return out;
  }
  std::size_t index = 0;
  for (const YAML::Node& item : value) {
    const std::string name = where + "[" + std::to_string(index++) + "]";
    auto channel = ChannelReader(name, problem).read(item);
    if (!channel) continue;
    const bool is_known = std::any_of(out.begin(), out.end(), [&](const AlertChannel& other) {
      return other.name == channel->name;
    });
    if (is_known) {
      problem(line_of(item), name + ".name: the channel '" + channel->name + "' is listed twice");
    } else if (out.size() == channels_max) {
      problem(line_of(item), name + ": there are at most " + std::to_string(channels_max));
    } else {
      out.push_back(std::move(*channel));
    }
  }
  return out;
}

std::vector<std::int64_t> read_thresholds(const YAML::Node& value, const std::string& where,
                                          const SayProblem& problem) {
  std::vector<std::int64_t> out;
  const char* allowed = "a rising list of whole percentages from 1 to 1000, such as [50, 90, 100]";
  if (!value.IsSequence()) {
    problem(line_of(value), where + ": expected is " + allowed);
    return out;
  }
  for (const YAML::Node& item : value) {
    const auto percent =
        item.IsScalar() ? parse_whole(item.Scalar(), 1, 1000) : std::optional<std::int64_t>();
    if (!percent || (!out.empty() && *percent <= out.back())) {
      problem(line_of(item), where + ": " + in_quotes(item.IsScalar() ? item.Scalar() : "a list") +
                                 " is not allowed; expected is " + allowed);
      return {};
    }
    out.push_back(*percent);
  }
  return out;
}

std::string to_text(const std::vector<std::int64_t>& thresholds) {
  std::string out;
  for (const std::int64_t percent : thresholds) {
    out += (out.empty() ? "" : ", ") + std::to_string(percent);
  }
  return "  thresholds: [" + out + "]\n";
}

std::string to_text(const std::vector<AlertChannel>& channels) {
  if (channels.empty()) return "  channels: []\n";
  std::string out = "  channels:\n";
  for (const AlertChannel& channel : channels) {
    out += "    - name: " + yaml_string(channel.name) + "\n";
    const auto line = [&](const char* key, const std::string& text) {
      if (!text.empty()) out += std::string("      ") + key + ": " + text + "\n";
    };
    const auto text = [&](const char* key, const std::string& value) {
      if (!value.empty()) line(key, yaml_string(value));
    };
    line("type", words_of(channel.kind).word);
    line("severity", to_string(channel.least));
    line("digest", channel.has_digest ? "true" : "false");
    text("url", shown_url(channel));
    text("program", channel.program);
    text("from", channel.from);
    std::string addresses;
    for (const std::string& address : channel.to) {
      addresses += (addresses.empty() ? "" : ", ") + yaml_string(address);
    }
    if (!addresses.empty()) line("to", "[" + addresses + "]");
    text("owners_at", channel.owners_at);
    text("user", channel.user);
    text("secret_file", channel.secret_file);
  }
  return out;
}

const char* to_string(AlertSeverity severity) {
  return std::find_if(severities.begin(), severities.end(),
                      [&](const auto& one) { return one.first == severity; })
      ->second;
}

const char* to_string(AlertChannel::Kind kind) {
  return words_of(kind).word;
}

}  // namespace asbb::config
