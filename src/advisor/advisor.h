// Asks an advisor over HTTP what jobs will cost. It has one thread, which speaks to the advisor for
// all who ask; nobody else ever waits on a socket. Who asks says how long he can wait and is
// answered by then, whatever the advisor does; a question goes on until `timeout`, so that the next
// one who asks the same has the answer at once. After several failures it is left alone for a
// while, and an advisor that is always late is waited for no more. Owned by the program; stopped
// before what its answers go to.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "advisor/advice.h"

namespace asbb::advisor {

struct AdvisorSettings {
  std::string url;      // http or https; "/analyze" is put behind it, or else "/api/v1/analyze"
  std::string api_key;  // empty: none is sent
  std::string unit;     // that answers are counted in
  Span timeout = seconds(5);
  bool caches = true;
  Span cache_ttl = seconds(300);
  std::size_t in_flight_max = 32;
};

struct Figures {
  std::int64_t asked = 0;       // questions that went to the advisor
  std::int64_t answered = 0;    // with an advice
  std::int64_t failed = 0;      // away, too slow, or not to be read
  std::int64_t cached = 0;      // answered without asking
  std::int64_t late = 0;        // whoever asked could not wait for it
  std::int64_t left_alone = 0;  // not asked, after failures or because too much is under way
  std::int64_t under_way = 0;
  bool is_left_alone = false;
};

// An error says in a sentence why there is no advice.
using Answer = std::function<void(const Result<Advice>&)>;

class Advisor {
 public:
  explicit Advisor(AdvisorSettings settings);
  Advisor(const Advisor&) = delete;
  Advisor& operator=(const Advisor&) = delete;
  ~Advisor();

  void start();
  // Answers who still waits, that there is no advice. Idempotent.
  void stop();

  // Never blocks. `done` is called once: at once on the caller's thread, or within `wait` on the
  // advisor's. A wait of nothing or less asks for the next one's sake. Any thread.
  void ask(const Question& question, Span wait, Answer done);

  [[nodiscard]] Figures figures() const;

 private:
  class Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace asbb::advisor
