#include "advisor/exchange.h"

#include <utility>

#include "base/text.h"

namespace asbb::advisor {
namespace {

constexpr std::size_t answer_bytes_max = 64 * 1024;
constexpr long status_ok = 200;

}  // namespace

Exchange::Exchange(const AdvisorSettings& settings, const std::string& path, std::string body)
    : curl_(curl_easy_init()), body_(std::move(body)) {
  add_header("Content-Type: application/json");
  add_header("Accept: application/json");
  add_header("Expect:");
  if (!settings.api_key.empty()) add_header("Authorization: Bearer " + settings.api_key);
  set(CURLOPT_URL, (settings.url + path).c_str());
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_NOPROXY, "*");
  set(CURLOPT_TIMEOUT_MS, static_cast<long>(settings.timeout.microseconds / 1'000));
  set(CURLOPT_HTTPHEADER, headers_);
  set(CURLOPT_POSTFIELDS, body_.c_str());
  set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body_.size()));
  set(CURLOPT_WRITEFUNCTION, &Exchange::keep);
  set(CURLOPT_WRITEDATA, this);
  set(CURLOPT_ERRORBUFFER, error_.data());
}

Exchange::~Exchange() {
  curl_.reset();
  curl_slist_free_all(headers_);
}

void Exchange::add_header(const std::string& line) {
  if (curl_slist* longer = curl_slist_append(headers_, line.c_str()); longer != nullptr) {
    headers_ = longer;
  }
}

std::size_t Exchange::keep(char* data, std::size_t size, std::size_t count, void* target) {
  auto& exchange = *static_cast<Exchange*>(target);
  exchange.is_too_long_ = exchange.answer_.size() + size * count > answer_bytes_max;
  if (exchange.is_too_long_) return 0;  // libcurl gives up
  exchange.answer_.append(data, size * count);
  return size * count;
}

long Exchange::status() const {
  long status = 0;
  curl_easy_getinfo(curl_.get(), CURLINFO_RESPONSE_CODE, &status);
  return status;
}

Result<Advice> Exchange::result(CURLcode code, const std::string& unit) const {
  if (is_too_long_) return fail(ErrorKind::invalid, "its answer is too long");
  if (code == CURLE_OPERATION_TIMEDOUT) {
    return fail(ErrorKind::unavailable, "it did not answer in time");
  }
  if (code != CURLE_OK) {
    return fail(ErrorKind::unavailable,
                std::string("it cannot be asked: ") +
                    (error_[0] == '\0' ? curl_easy_strerror(code) : error_.data()));
  }
  if (status() != status_ok) {
    return fail(ErrorKind::unavailable,
                "it answered with status " + std::to_string(status()) + " " + in_quotes(answer_));
  }
  return read_advice(answer_, unit);
}

}  // namespace asbb::advisor
