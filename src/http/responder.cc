#include "http/responder.h"

#include <atomic>
#include <utility>

namespace asbb::http {

struct Responder::State {
  explicit State(Sink given) : sink(std::move(given)) {}
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() {
    if (used.test_and_set()) return;
    sink([] {
      return Answer{500, "text/plain; charset=utf-8", "The service lost this request.\n", {}};
    });
  }

  Sink sink;
  std::atomic_flag used;
};

Responder::Responder(Sink sink) : state_(std::make_shared<State>(std::move(sink))) {}

void Responder::send(Answer answer) const {
  send_made([answer = std::move(answer)]() mutable { return std::move(answer); });
}

void Responder::send_made(Make make) const {
  if (!state_->used.test_and_set()) state_->sink(std::move(make));
}

}  // namespace asbb::http
