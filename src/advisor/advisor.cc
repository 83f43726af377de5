#include "advisor/advisor.h"

#include <curl/curl.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <iterator>
#include <map>
#include <mutex>
#include <set>
#include <thread>
#include <utility>
#include <vector>

#include "advisor/advice_cache.h"
#include "advisor/breaker.h"
#include "advisor/exchange.h"
#include "base/assert.h"

namespace asbb::advisor {
namespace {

using Steady = std::chrono::steady_clock;

constexpr std::size_t cached_max = 4'096;
constexpr int late_in_a_row_max = 3;
constexpr int longest_nap_ms = 1'000;
constexpr std::array<const char*, 2> paths{"/analyze", "/api/v1/analyze"};

bool is_no_such_path(long status) {
  return status == 404 || status == 405;
}

Result<Advice> none(const char* why) {
  return fail(ErrorKind::unavailable, why);
}

Instant wall_clock() {
  return Instant{std::chrono::duration_cast<std::chrono::microseconds>(
                     std::chrono::system_clock::now().time_since_epoch())
                     .count()};
}

AdvisorSettings without_last_slash(AdvisorSettings settings) {
  while (settings.url.ends_with('/')) settings.url.pop_back();
  return settings;
}

}  // namespace

class Advisor::Implementation {
 public:
  explicit Implementation(AdvisorSettings settings)
      : settings_(without_last_slash(std::move(settings))),
        cache_(std::chrono::microseconds(settings_.cache_ttl.microseconds), cached_max) {
    static std::once_flag once;
    std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
    multi_ = curl_multi_init();
    ASBB_ASSERT(multi_ != nullptr);
    if (settings_.url.ends_with("/analyze")) path_ = paths.size();
  }
  ~Implementation() {
    stop();
    curl_multi_cleanup(multi_);
  }

  void start() {
    const std::lock_guard lock(mutex_);
    ASBB_ASSERT(!is_running_);
    is_running_ = true;
    thread_ = std::thread([this] { loop(); });
  }

  void stop() {
    {
      const std::lock_guard lock(mutex_);
      is_running_ = false;
    }
    curl_multi_wakeup(multi_);
    if (thread_.joinable()) thread_.join();
  }

  void ask(const Question& question, Span wait, Answer done);

  [[nodiscard]] Figures figures() const {
    const std::lock_guard lock(mutex_);
    Figures now = figures_;
    now.under_way = static_cast<std::int64_t>(under_way_.size());
    now.is_left_alone = breaker_.is_open();
    return now;
  }

 private:
  struct Waiter {
    Steady::time_point until;
    Answer done;
  };
  struct Asked {
    std::string key;
    Question question;
    std::optional<Waiter> waiter;
  };
  struct Flight {
    Question question;
    std::unique_ptr<Exchange> exchange;
    std::vector<Waiter> waiters;
    Steady::time_point began;
    bool is_second = false;  // try, at the other path
  };

  void loop();
  void take_off(Asked asked);
  void launch(const std::string& key, Flight& flight);
  void land_all();
  void land(std::map<std::string, Flight>::iterator flight, CURLcode code);
  void answer_late();
  void answer_all_with(const Result<Advice>& result);
  [[nodiscard]] int nap_ms() const;
  [[nodiscard]] std::string path() const { return path_ < paths.size() ? paths.at(path_) : ""; }

  const AdvisorSettings settings_;
  CURLM* multi_ = nullptr;

  mutable std::mutex mutex_;
  bool is_running_ = false;
  std::vector<Asked> asked_;         // not seen by the thread yet
  std::set<std::string> under_way_;  // keys of those and of flights
  AdviceCache cache_;
  Breaker breaker_;
  int late_in_a_row_ = 0;
  std::chrono::microseconds last_wait_{};  // that somebody could spare
  Figures figures_;

  // The thread's own:
  std::map<std::string, Flight> flights_;
  std::size_t path_ = 0;
  std::thread thread_;
};

void Advisor::Implementation::ask(const Question& question, Span wait, Answer done) {
  const std::string key = to_json(question);
  const auto now = Steady::now();
  std::optional<Result<Advice>> at_once;
  {
    const std::lock_guard lock(mutex_);
    std::optional<Advice> known;
    if (settings_.caches) known = cache_.find(key, now);
    const bool is_under_way = under_way_.contains(key);
    if (known) {
      ++figures_.cached;
      at_once = *known;
    } else if (!is_running_) {
      at_once = none("the service stops");
    } else if (!is_under_way && under_way_.size() >= settings_.in_flight_max) {
      ++figures_.left_alone;
      at_once = none("too many questions are under way");
    } else if (!is_under_way && !breaker_.allows(now)) {
      ++figures_.left_alone;
      at_once = none("it failed and is left alone for a while");
    } else {
      if (wait.microseconds > 0) last_wait_ = std::chrono::microseconds(wait.microseconds);
      const bool cannot_wait = wait.microseconds <= 0 || late_in_a_row_ >= late_in_a_row_max;
      Asked asked{key, question, std::nullopt};
      if (cannot_wait) {
        ++figures_.late;
        at_once = none("there was no time to wait for it");
      } else {
        asked.waiter = {now + std::chrono::microseconds(wait.microseconds), done};
      }
      under_way_.insert(key);
      asked_.push_back(std::move(asked));
    }
  }
  if (at_once) return done(*at_once);
  curl_multi_wakeup(multi_);
}

void Advisor::Implementation::loop() {
  for (;;) {
    std::vector<Asked> asked;
    {
      const std::lock_guard lock(mutex_);
      if (!is_running_) break;
      asked.swap(asked_);
    }
    for (Asked& one : asked) take_off(std::move(one));
    int running = 0;
    curl_multi_perform(multi_, &running);
    land_all();
    answer_late();
    curl_multi_poll(multi_, nullptr, 0, nap_ms(), nullptr);
  }
  answer_all_with(none("the service stops"));
}

// Joins the flight of the same question where there is one.
void Advisor::Implementation::take_off(Asked asked) {
  const auto [at, is_new] = flights_.try_emplace(asked.key);
  Flight& flight = at->second;
  if (asked.waiter) flight.waiters.push_back(std::move(*asked.waiter));
  if (!is_new) return;
  flight.question = std::move(asked.question);
  flight.began = Steady::now();
  launch(asked.key, flight);
}

void Advisor::Implementation::launch(const std::string& key, Flight& flight) {
  if (flight.exchange) curl_multi_remove_handle(multi_, flight.exchange->handle());
  flight.exchange =
      std::make_unique<Exchange>(settings_, path(), to_json(flight.question, wall_clock()));
  curl_multi_add_handle(multi_, flight.exchange->handle());
  const std::lock_guard lock(mutex_);
  under_way_.insert(key);  // an earlier flight of it may have landed since it was asked
  ++figures_.asked;
}

void Advisor::Implementation::land_all() {
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    const CURL* handle = message->easy_handle;
    const CURLcode code = message->data.result;
    const auto flight = std::find_if(flights_.begin(), flights_.end(), [&](const auto& one) {
      return one.second.exchange->handle() == handle;
    });
    ASBB_ASSERT(flight != flights_.end());
    land(flight, code);
  }
}

void Advisor::Implementation::land(std::map<std::string, Flight>::iterator at, CURLcode code) {
  Flight& flight = at->second;
  if (code == CURLE_OK && is_no_such_path(flight.exchange->status()) && !flight.is_second &&
      path_ < paths.size()) {
    path_ = (path_ + 1) % paths.size();
    flight.is_second = true;
    return launch(at->first, flight);
  }
  const Result<Advice> result = flight.exchange->result(code, settings_.unit);
  curl_multi_remove_handle(multi_, flight.exchange->handle());
  const std::vector<Waiter> waiters = std::move(flight.waiters);
  const auto took = Steady::now() - flight.began;
  const std::string key = at->first;
  flights_.erase(at);
  {
    const std::lock_guard lock(mutex_);
    under_way_.erase(key);
    if (result) {
      ++figures_.answered;
      breaker_.succeeded();
      if (took <= last_wait_) late_in_a_row_ = 0;
      if (settings_.caches) cache_.put(key, *result, Steady::now());
    } else {
      ++figures_.failed;
      breaker_.failed(Steady::now());
    }
  }
  for (const Waiter& waiter : waiters) waiter.done(result);
}

// Their question goes on.
void Advisor::Implementation::answer_late() {
  const auto now = Steady::now();
  std::vector<Waiter> late;
  for (auto& [key, flight] : flights_) {
    std::erase_if(flight.waiters, [&](Waiter& waiter) {
      if (now < waiter.until) return false;
      late.push_back(std::move(waiter));
      return true;
    });
  }
  if (late.empty()) return;
  {
    const std::lock_guard lock(mutex_);
    figures_.late += static_cast<std::int64_t>(late.size());
    late_in_a_row_ = std::min(late_in_a_row_ + 1, late_in_a_row_max);
  }
  for (const Waiter& waiter : late) waiter.done(none("it did not answer in time"));
}

void Advisor::Implementation::answer_all_with(const Result<Advice>& result) {
  std::vector<Waiter> waiters;
  for (auto& [key, flight] : flights_) {
    curl_multi_remove_handle(multi_, flight.exchange->handle());
    std::move(flight.waiters.begin(), flight.waiters.end(), std::back_inserter(waiters));
  }
  flights_.clear();
  {
    const std::lock_guard lock(mutex_);
    for (Asked& asked : asked_) {
      if (asked.waiter) waiters.push_back(std::move(*asked.waiter));
    }
    asked_.clear();
    under_way_.clear();
  }
  for (const Waiter& waiter : waiters) waiter.done(result);
}

int Advisor::Implementation::nap_ms() const {
  auto next = Steady::now() + std::chrono::milliseconds(longest_nap_ms);
  for (const auto& [key, flight] : flights_) {
    for (const Waiter& waiter : flight.waiters) next = std::min(next, waiter.until);
  }
  const auto rest = std::chrono::ceil<std::chrono::milliseconds>(next - Steady::now()).count();
  return static_cast<int>(std::max<std::int64_t>(rest, 0));
}

Advisor::Advisor(AdvisorSettings settings)
    : implementation_(std::make_unique<Implementation>(std::move(settings))) {}

Advisor::~Advisor() = default;

void Advisor::start() {
  implementation_->start();
}

void Advisor::stop() {
  implementation_->stop();
}

void Advisor::ask(const Question& question, Span wait, Answer done) {
  implementation_->ask(question, wait, std::move(done));
}

Figures Advisor::figures() const {
  return implementation_->figures();
}

}  // namespace asbb::advisor
