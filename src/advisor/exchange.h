// One question on its way over HTTP: the handle of libcurl with all that it points to. Used by the
// advisor's thread alone.
#pragma once

#include <curl/curl.h>

#include <array>
#include <memory>
#include <string>

#include "advisor/advisor.h"

namespace asbb::advisor {

class Exchange {
 public:
  Exchange(const AdvisorSettings& settings, const std::string& path, std::string body);
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;
  ~Exchange();

  [[nodiscard]] CURL* handle() const { return curl_.get(); }
  [[nodiscard]] long status() const;
  // What came back, of a transfer that ended so.
  [[nodiscard]] Result<Advice> result(CURLcode code, const std::string& unit) const;

 private:
  static std::size_t keep(char* data, std::size_t size, std::size_t count, void* target);
  template <typename Value>
  void set(CURLoption option, Value value) {
    curl_easy_setopt(curl_.get(), option, value);
  }
  void add_header(const std::string& line);

  struct CloseCurl {
    void operator()(CURL* curl) const { curl_easy_cleanup(curl); }
  };
  std::unique_ptr<CURL, CloseCurl> curl_;
  curl_slist* headers_ = nullptr;
  const std::string body_;
  std::array<char, CURL_ERROR_SIZE> error_{};
  std::string answer_;
  bool is_too_long_ = false;
};

}  // namespace asbb::advisor
