#include "plugins/arguments.h"

#include <pwd.h>
#include <unistd.h>

#include <cstdio>

#include "plugins/log.h"
#include "plugins/wire.h"
#include "plugins/words.h"

namespace asbb::plugins {
namespace {

constexpr std::size_t kPasswdBytes = 4'096;
constexpr unsigned kHighestPort = 65'535;

// What the line said, before it is put together.
struct Line {
  bool is_url_bad = false;
  FixedText<kSocketPathBytes> url_socket;
  FixedText<kSocketPathBytes> socket;
  bool is_socket_bad = false;
  bool names_service_user = false;
};

void complain(std::string_view name, std::string_view value, const char* allowed) {
  log_error("plugstack.conf: %.*s=%.*s: %s", static_cast<int>(name.size()), name.data(),
            static_cast<int>(value.size()), value.data(), allowed);
}

bool is_loopback_url(std::string_view url) {
  constexpr std::string_view kHosts[] = {"http://localhost", "http://127.0.0.1", "http://[::1]"};
  for (const std::string_view host : kHosts) {
    if (!url.starts_with(host)) continue;
    std::string_view rest = url;
    rest.remove_prefix(host.size());
    if (rest.ends_with('/')) rest.remove_suffix(1);
    if (rest.empty()) return true;
    if (!rest.starts_with(':')) return false;
    rest.remove_prefix(1);
    unsigned port = 0;
    return parse_whole_number(rest, &port) && port > 0 && port <= kHighestPort;
  }
  return false;
}

void parse_url(std::string_view url, Line* line) {
  std::string_view path = url;
  if (take_until(":", &path) == "unix" && path.starts_with('/')) {
    line->is_url_bad = !line->url_socket.assign(path);
  } else {
    line->is_url_bad = !is_loopback_url(url);
  }
  if (line->is_url_bad) {
    complain("budget_service_url", url,
             "only a loopback URL (http://localhost:8080) or unix:/path; the service is not asked");
  }
}

void parse_socket(std::string_view path, Line* line) {
  line->is_socket_bad = !path.starts_with('/') || !line->socket.assign(path);
  if (line->is_socket_bad) {
    complain("socket", path,
             "must be an absolute path of at most 107 bytes; the service is not asked");
  }
}

void parse_timeout(std::string_view value, Arguments* arguments) {
  unsigned timeout_ms = 0;
  if (parse_whole_number(value, &timeout_ms) && timeout_ms >= 1 &&
      timeout_ms <= kLongestTimeoutMs) {
    arguments->timeout_ms = timeout_ms;
  } else {
    complain("timeout_ms", value, "must be a whole number from 1 to 1000; 50 is used");
  }
}

void parse_on_unavailable(std::string_view value, Arguments* arguments) {
  if (value == wire::kAllow) {
    arguments->on_unavailable = Stance::allow;
  } else if (value != wire::kDeny) {
    complain("on_unavailable", value, "must be allow or deny; deny is used");
  }
}

bool look_up_user(const char* name, uid_t* user) {
  char storage[kPasswdBytes];
  passwd entry{};
  passwd* found = nullptr;
  if (getpwnam_r(name, &entry, storage, sizeof storage, &found) != 0 || found == nullptr) {
    return false;
  }
  *user = found->pw_uid;
  return true;
}

void parse_service_user(std::string_view value, Arguments* arguments) {
  FixedText<64> name;
  unsigned number = 0;
  uid_t user = 0;
  if (parse_whole_number(value, &number)) {
    arguments->trusted.add(number);
  } else if (!value.empty() && name.assign(value) && look_up_user(name.c_str(), &user)) {
    arguments->trusted.add(user);
  } else {
    complain("service_user", value, "no such user; only root and slurmctld's own user are trusted");
  }
}

void parse_argument(std::string_view word, Line* line, Arguments* arguments) {
  std::string_view value = word;
  const std::string_view name = take_until("=", &value);
  if (name == "budget_service_url") {
    parse_url(value, line);
  } else if (name == "socket") {
    parse_socket(value, line);
  } else if (name == "timeout_ms") {
    parse_timeout(value, arguments);
  } else if (name == "on_unavailable") {
    parse_on_unavailable(value, arguments);
  } else if (name == "service_user") {
    line->names_service_user = true;
    parse_service_user(value, arguments);
  } else if (name == "policy_file") {
    if (!value.starts_with('/') || !arguments->policy_path.assign(value)) {
      complain(name, value, "must be an absolute path; the file beside the socket is used");
    }
  } else if (name == "allowance_file") {
    if (!value.starts_with('/') || !arguments->allowance_path.assign(value)) {
      complain(name, value, "must be an absolute path; the file in StateSaveLocation is used");
    }
  } else {
    complain(name, value, "is not an argument of this plugin; it is ignored");
  }
}

void choose_socket(const Line& line, Arguments* arguments) {
  if (line.is_socket_bad || (line.socket.empty() && line.is_url_bad)) return;
  std::string_view path = wire::kDefaultSocket;
  if (!line.url_socket.empty()) path = line.url_socket.view();
  if (!line.socket.empty()) path = line.socket.view();
  static_cast<void>(arguments->socket_path.assign(path));
}

void choose_allowance_file(std::string_view state_folder, Arguments* arguments) {
  if (!arguments->allowance_path.empty() || !state_folder.starts_with('/')) return;
  char storage[PATH_MAX];
  BoundedText path(storage, sizeof storage);
  path.append(state_folder);
  path.append('/');
  path.append(kAllowanceFileName);
  static_cast<void>(arguments->allowance_path.assign(path.view()));
}

void choose_policy_file(std::string_view cluster, Arguments* arguments) {
  if (!arguments->policy_path.empty() || cluster.empty()) return;
  std::string_view socket = arguments->socket_path.view();
  if (socket.empty()) socket = wire::kDefaultSocket;
  char storage[PATH_MAX];
  BoundedText path(storage, sizeof storage);
  path.append(std::string_view(socket.data(), socket.rfind('/') + 1));
  path.append(wire::policy::kFilePrefix);
  path.append(cluster);
  static_cast<void>(arguments->policy_path.assign(path.view()));
}

}  // namespace

void parse_arguments(std::string_view line, std::string_view cluster, std::string_view state_folder,
                     Arguments* arguments) {
  Line read;
  for (std::string_view word = take_word(&line); !word.empty(); word = take_word(&line)) {
    parse_argument(word, &read, arguments);
  }
  arguments->trusted.add(0);
  arguments->trusted.add(geteuid());
  uid_t service = 0;
  if (!read.names_service_user && look_up_user(wire::kDefaultServiceUser.data(), &service)) {
    arguments->trusted.add(service);
  }
  choose_socket(read, arguments);
  choose_policy_file(cluster, arguments);
  choose_allowance_file(state_folder, arguments);
}

}  // namespace asbb::plugins
