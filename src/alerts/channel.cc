#include "alerts/channel.h"

#include <curl/curl.h>

#include <algorithm>
#include <cstring>
#include <mutex>
#include <utility>

#include "base/secret_file.h"
#include "base/text.h"
#include "slurm/process.h"

namespace asbb::alerts {
namespace {

constexpr int connect_timeout_ms = 5'000;
constexpr std::size_t answer_kept = 200;

struct CloseCurl {
  void operator()(CURL* curl) const { curl_easy_cleanup(curl); }
};
struct FreeList {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using Curl = std::unique_ptr<CURL, CloseCurl>;
using List = std::unique_ptr<curl_slist, FreeList>;

void append(List& list, const std::string& line) {
  if (curl_slist* longer = curl_slist_append(list.get(), line.c_str()); longer != nullptr) {
    [[maybe_unused]] curl_slist* const same = list.release();
    list.reset(longer);
  }
}

std::size_t keep_answer(char* data, std::size_t size, std::size_t count, void* target) {
  auto& answer = *static_cast<std::string*>(target);
  answer.append(data, std::min(size * count, answer_kept - std::min(answer.size(), answer_kept)));
  return size * count;
}

struct Upload {
  const std::string& text;
  std::size_t sent = 0;
};

std::size_t give_bytes(char* to, std::size_t size, std::size_t count, void* source) {
  auto& upload = *static_cast<Upload*>(source);
  const std::size_t bytes = std::min(size * count, upload.text.size() - upload.sent);
  std::memcpy(to, upload.text.data() + upload.sent, bytes);
  upload.sent += bytes;
  return bytes;
}

int stop_when_asked(void* stopping, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return static_cast<const std::atomic<bool>*>(stopping)->load() ? 1 : 0;
}

// What both kinds of call have in common.
class Call {
 public:
  Call(const std::string& url, const char* protocols, const std::atomic<bool>& stopping) {
    static std::once_flag once;
    std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
    curl_.reset(curl_easy_init());
    set(CURLOPT_URL, url.c_str());
    set(CURLOPT_PROTOCOLS_STR, protocols);
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(connect_timeout_ms));
    set(CURLOPT_TIMEOUT_MS, static_cast<long>(channel_timeout_ms));
    set(CURLOPT_ERRORBUFFER, error_.data());
    set(CURLOPT_WRITEFUNCTION, keep_answer);
    set(CURLOPT_WRITEDATA, &answer_);
    set(CURLOPT_NOPROGRESS, 0L);
    set(CURLOPT_XFERINFOFUNCTION, stop_when_asked);
    set(CURLOPT_XFERINFODATA, &stopping);
  }

  template <typename Value>
  void set(CURLoption option, Value value) {
    curl_easy_setopt(curl_.get(), option, value);
  }

  // "" when it went well.
  std::string perform() {
    const CURLcode code = curl_easy_perform(curl_.get());
    if (code == CURLE_OK) return {};
    return error_[0] == '\0' ? curl_easy_strerror(code) : error_.data();
  }
  [[nodiscard]] long status() const {
    long status = 0;
    curl_easy_getinfo(curl_.get(), CURLINFO_RESPONSE_CODE, &status);
    return status;
  }
  [[nodiscard]] const std::string& answer() const { return answer_; }

 private:
  Curl curl_;
  std::array<char, CURL_ERROR_SIZE> error_{};
  std::string answer_;
};

// Without path and query: with many services they are the secret that lets one write.
std::string place_of(const std::string& url) {
  const std::size_t scheme = url.find("://");
  const std::size_t host = scheme == std::string::npos ? 0 : scheme + 3;
  const std::size_t end = std::min(url.find_first_of("/?#", host), url.size());
  const std::size_t user = url.substr(host, end - host).rfind('@');
  const std::size_t from = user == std::string::npos ? host : host + user + 1;
  return url.substr(0, host) + url.substr(from, end - from);
}

class Webhook final : public Channel {
 public:
  Webhook(config::AlertChannel settings, std::string secret, const std::atomic<bool>& stopping)
      : settings_(std::move(settings)), secret_(std::move(secret)), stopping_(stopping) {}

  Result<void> send(const Message& message) override {
    const std::string body =
        settings_.kind == config::AlertChannel::Kind::slack ? to_slack(message) : to_json(message);
    List headers;
    append(headers, "Content-Type: application/json");
    append(headers, "Asbb-Message-Id: " + message.id);
    append(headers, "Expect:");
    if (!secret_.empty()) append(headers, "Asbb-Signature: " + signature(secret_, body));
    Call call(settings_.url, "http,https", stopping_);
    call.set(CURLOPT_HTTPHEADER, headers.get());
    call.set(CURLOPT_POSTFIELDS, body.c_str());
    call.set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
    if (const std::string error = call.perform(); !error.empty()) {
      return fail(ErrorKind::unavailable, place_of(settings_.url) + ": " + error);
    }
    if (call.status() >= 200 && call.status() < 300) return {};
    return fail(ErrorKind::unavailable, place_of(settings_.url) + " answered " +
                                            std::to_string(call.status()) + " " +
                                            in_quotes(call.answer()));
  }

 private:
  const config::AlertChannel settings_;
  const std::string secret_;
  const std::atomic<bool>& stopping_;
};

// Who gets a message: `to`, and the owners whom it concerns.
std::vector<std::string> receivers(const config::AlertChannel& settings, const Message& message) {
  std::vector<std::string> out = settings.to;
  if (settings.owners_at.empty()) return out;
  for (const std::string& owner : message.owners) {
    const bool is_address = owner.find('@') != std::string::npos;
    const std::string address = is_address ? owner : owner + "@" + settings.owners_at;
    if (std::find(out.begin(), out.end(), address) == out.end()) out.push_back(address);
  }
  return out;
}

class MailServer final : public Channel {
 public:
  MailServer(config::AlertChannel settings, std::string secret, const std::atomic<bool>& stopping)
      : settings_(std::move(settings)), secret_(std::move(secret)), stopping_(stopping) {}

  Result<void> send(const Message& message) override {
    const auto to = receivers(settings_, message);
    if (to.empty()) return {};
    const std::string mail = to_mail(message, settings_.from, to);
    Upload upload{mail};
    List addresses;
    for (const std::string& address : to) append(addresses, "<" + address + ">");
    Call call(settings_.url, "smtp,smtps", stopping_);
    call.set(CURLOPT_MAIL_FROM, ("<" + settings_.from + ">").c_str());
    call.set(CURLOPT_MAIL_RCPT, addresses.get());
    call.set(CURLOPT_UPLOAD, 1L);
    call.set(CURLOPT_READFUNCTION, give_bytes);
    call.set(CURLOPT_READDATA, &upload);
    // Where the server offers TLS; a password is never sent without.
    call.set(CURLOPT_USE_SSL,
             static_cast<long>(settings_.user.empty() ? CURLUSESSL_TRY : CURLUSESSL_ALL));
    if (!settings_.user.empty()) {
      call.set(CURLOPT_USERNAME, settings_.user.c_str());
      call.set(CURLOPT_PASSWORD, secret_.c_str());
    }
    const std::string error = call.perform();
    if (error.empty()) return {};
    // All of it was handed over, and the server has not said what became of it.
    const bool is_unknown = upload.sent == mail.size() && call.status() < 400;
    return fail(is_unknown ? ErrorKind::unknown_outcome : ErrorKind::unavailable,
                place_of(settings_.url) + ": " + error);
  }

 private:
  const config::AlertChannel settings_;
  const std::string secret_;
  const std::atomic<bool>& stopping_;
};

class Program final : public Channel {
 public:
  explicit Program(config::AlertChannel settings) : settings_(std::move(settings)) {}

  Result<void> send(const Message& message) override {
    slurm::ProcessRequest request;
    request.deadline_ms = channel_timeout_ms;
    request.argv = {settings_.program};
    if (settings_.kind == config::AlertChannel::Kind::sendmail) {
      const auto to = receivers(settings_, message);
      if (to.empty()) return {};
      // -i: a line with a dot alone is no end. Addresses begin with no '-' (config).
      request.argv.insert(request.argv.end(), {"-i", "-f", settings_.from, "--"});
      request.argv.insert(request.argv.end(), to.begin(), to.end());
      request.input = to_mail(message, settings_.from, to);
      std::erase(request.input, '\r');  // sendmail takes lines as this system ends them
    } else {
      request.input = to_json(message) + "\n";
    }
    const auto output = slurm::run_process(request);
    if (!output) return tl::unexpected(output.error());
    if (output->exit_code == 0) return {};
    return fail(ErrorKind::unavailable, settings_.program + " ended with " +
                                            std::to_string(output->exit_code) + " " +
                                            in_quotes(output->err));
  }

 private:
  const config::AlertChannel settings_;
};

}  // namespace

Result<std::unique_ptr<Channel>> make_channel(const config::AlertChannel& settings,
                                              const std::atomic<bool>& stopping) {
  using Kind = config::AlertChannel::Kind;
  std::string secret;
  if (!settings.secret_file.empty()) {
    auto read = read_secret_file(settings.secret_file);
    if (!read) return tl::unexpected(std::move(read.error()));
    secret = std::move(*read);
  }
  switch (settings.kind) {
    case Kind::webhook:
    case Kind::slack:
      return std::make_unique<Webhook>(settings, std::move(secret), stopping);
    case Kind::smtp:
      return std::make_unique<MailServer>(settings, std::move(secret), stopping);
    case Kind::sendmail:
    case Kind::command:
      return std::make_unique<Program>(settings);
  }
  return fail(ErrorKind::broken, "a channel of an unknown kind");
}

}  // namespace asbb::alerts
