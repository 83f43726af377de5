// The right to answer one request, once, from any thread and at any later time: the listener hands
// it to the handler, which may pass it on to the committer. Copies share that one right. When the
// last copy goes unused, the request is answered with 500, so that no connection hangs for ever.
// Answering a client that has gone is harmless.
#pragma once

#include <functional>
#include <memory>

#include "http/message.h"

namespace asbb::http {

class Responder {
 public:
  // Makes the answer: called at most once, on the connection's I/O thread, and not at all when the
  // client has gone. Must not block.
  using Make = std::function<Answer()>;
  // Called at most once, on the answering thread; must not block and must not throw.
  using Sink = std::function<void(Make)>;

  explicit Responder(Sink sink);

  // The first call of either answers; later ones do nothing.
  void send(Answer answer) const;
  // For answers that take time to make, so that the calling thread (the committer's) need not.
  void send_made(Make make) const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace asbb::http
