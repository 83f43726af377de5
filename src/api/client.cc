#include "api/client.h"

#include <curl/curl.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <mutex>

namespace asbb::api {
namespace {

constexpr std::size_t answer_size_max = 64U * 1024 * 1024;

void initialise_once() {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
}

std::size_t take_bytes(char* data, std::size_t size, std::size_t count, void* target) {
  auto& body = *static_cast<std::string*>(target);
  const std::size_t bytes = size * count;
  if (body.size() + bytes > answer_size_max) return 0;
  body.append(data, bytes);
  return bytes;
}

struct FreeList {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using Headers = std::unique_ptr<curl_slist, FreeList>;

void add_header(Headers& headers, const std::string& line) {
  curl_slist* longer = curl_slist_append(headers.get(), line.c_str());
  if (longer == nullptr) return;
  [[maybe_unused]] curl_slist* const same = headers.release();
  headers.reset(longer);
}

bool is_loopback_or_tls(const std::string& url) {
  if (url.starts_with("https://")) return true;
  for (const std::string_view host : {"localhost", "127.0.0.1", "[::1]"}) {
    const std::string start = "http://" + std::string(host);
    if (!url.starts_with(start)) continue;
    const std::string_view rest = std::string_view(url).substr(start.size());
    if (rest.empty() || rest[0] == ':' || rest[0] == '/') {
      return rest.find('@') == std::string_view::npos;
    }
  }
  return false;
}

Problem unreachable(const std::string& message, const char* field = "") {
  return Problem{0, unreachable_code, message, {}, field};
}

std::string base_url(const Endpoint& endpoint) {
  std::string url = endpoint.url.empty() ? "http://localhost" : endpoint.url;
  while (url.ends_with('/')) url.pop_back();
  return url;
}

// What goes with every request; the token only where nobody else can read it.
Reply<Headers> make_headers(const Endpoint& endpoint) {
  Headers headers;
  add_header(headers, "Content-Type: application/json");
  add_header(headers, "Accept: application/json");
  add_header(headers, "Expect:");
  if (endpoint.token_file.empty()) return headers;
  if (!endpoint.url.empty() && !is_loopback_or_tls(endpoint.url)) {
    return tl::unexpected(unreachable(
        "the token is not sent to " + endpoint.url + ": it would be readable on the way; use https",
        token_field));
  }
  const auto token = read_token_file(endpoint.token_file);
  if (!token) return tl::unexpected(unreachable(token.error().message, token_field));
  add_header(headers, "Authorization: Bearer " + *token);
  return headers;
}

void set_connection(CURL* curl, const Endpoint& endpoint) {
  if (endpoint.url.empty()) {
    curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, endpoint.socket.c_str());
    curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
  } else if (is_loopback_or_tls(endpoint.url) && !endpoint.url.starts_with("https")) {
    curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
  }
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, long{endpoint.connect_timeout_ms});
  curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, long{endpoint.timeout_ms});
}

// In the system's words where there are some: libcurl's speak of localhost for a unix socket.
std::string reason_of(CURL* curl, CURLcode code, const char* said) {
  long system_error = 0;
  curl_easy_getinfo(curl, CURLINFO_OS_ERRNO, &system_error);
  if (code == CURLE_COULDNT_CONNECT && system_error != 0) {
    return std::strerror(static_cast<int>(system_error));
  }
  return *said != '\0' ? said : curl_easy_strerror(code);
}

}  // namespace

Result<std::string> read_token_file(const std::string& path) {
  const auto refuse = [&](const std::string& why) {
    return fail(ErrorKind::invalid, "the token file '" + path + "' " + why);
  };
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY);
  if (file < 0) return refuse(std::string("cannot be read: ") + std::strerror(errno));
  std::array<char, 4096> buffer{};
  struct stat facts{};
  const bool known = fstat(file, &facts) == 0;
  const ssize_t size = read(file, buffer.data(), buffer.size());
  close(file);
  if (!known || !S_ISREG(facts.st_mode) || size < 0) return refuse("is not a regular file");
  if ((facts.st_mode & 077U) != 0) {
    return refuse("can be read by others: 'chmod 0600' it, and replace the token");
  }
  std::string token(buffer.data(), static_cast<std::size_t>(size));
  token.erase(token.find_last_not_of(" \t\r\n") + 1);
  token.erase(0, token.find_first_not_of(" \t\r\n"));
  const bool is_plain = token.find_first_of(" \t\r\n\"\\") == std::string::npos &&
                        token.find('\0') == std::string::npos;
  if (token.empty() || token.size() > 1024 || !is_plain) {
    return refuse("does not hold one token of at most 1024 characters without blanks");
  }
  return token;
}

Client::Client(Endpoint endpoint) : endpoint_(std::move(endpoint)) {
  initialise_once();
  curl_ = curl_easy_init();
}

Client::~Client() {
  curl_easy_cleanup(static_cast<CURL*>(curl_));
}

const std::string& Client::where() const {
  return endpoint_.url.empty() ? endpoint_.socket : endpoint_.url;
}

Problem Client::bad_answer(const std::string& why) const {
  return Problem{0,
                 bad_answer_code,
                 "what answers at " + where() + " is not a budget service of this version: " + why,
                 {},
                 {}};
}

Reply<RawAnswer> Client::raw(const std::string& method, const std::string& path,
                             const std::string& body) {
  auto* const curl = static_cast<CURL*>(curl_);
  if (curl == nullptr) return tl::unexpected(unreachable("libcurl cannot be used"));
  const auto headers = make_headers(endpoint_);
  if (!headers) return tl::unexpected(headers.error());
  RawAnswer answer;
  std::array<char, CURL_ERROR_SIZE> why{};
  const std::string url = base_url(endpoint_) + path;
  curl_easy_reset(curl);
  set_connection(curl, endpoint_);
  curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
  curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method.c_str());
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers->get());
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, why.data());
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_bytes);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &answer.body);
  if (!body.empty()) {
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body.data());
  }
  const CURLcode code = curl_easy_perform(curl);
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, nullptr);
  if (code != CURLE_OK) {
    return tl::unexpected(unreachable("the budget service does not answer at " + where() + ": " +
                                          reason_of(curl, code, why.data()),
                                      code == CURLE_OPERATION_TIMEDOUT ? late_field : ""));
  }
  long status = 0;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  answer.status = static_cast<int>(status);
  return answer;
}

Reply<RawAnswer> Client::expect_success(const std::string& method, const std::string& path,
                                        const std::string& body) {
  auto answer = raw(method, path, body);
  if (!answer) return answer;
  if (answer->status >= 200 && answer->status < 300) return answer;
  auto error = from_json<ErrorBody>(answer->body);
  if (!error) {
    return tl::unexpected(bad_answer("HTTP status " + std::to_string(answer->status) +
                                     " without an error of this API"));
  }
  error->error.status = answer->status;
  return tl::unexpected(std::move(error->error));
}

}  // namespace asbb::api
