// Who takes how much of the memory of request ids (docs/concepts/ledger.md, "Request ids"), so that
// one user's flood is no other's outage. Counts only; the answers themselves are in the Book. Owned
// by the BatchCommitter, on its thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <string>

#include "base/time.h"
#include "ledger/command.h"

namespace asbb::service {

class AnswerShares {
 public:
  explicit AnswerShares(std::size_t answers_max);

  void add(const ledger::RememberedAnswer& answer);
  // Takes the newest out again, as when they could not be made durable.
  void keep_first(std::size_t count);
  void forget(Instant before);
  void clear() { keep_first(0); }

  // What there is room for in one more answer. What was accepted must be remembered, so that it is
  // not carried out twice; a refusal need not be, since judging it anew does no harm.
  struct Room {
    bool for_accepted = false;
    bool for_refused = false;
  };
  [[nodiscard]] Room room_for(const ledger::Command& command) const;
  [[nodiscard]] std::size_t size() const { return kept_.size(); }

 private:
  struct Count {
    std::size_t accepted = 0;
    std::size_t refused = 0;
  };
  using Counts = std::map<std::string, Count>;  // by asker, as it is written in an answer
  struct Kept {
    Instant at;
    Counts::iterator asker;
    bool refused = false;
  };

  void take_out(const Kept& kept);

  const std::size_t answers_max_;
  std::deque<Kept> kept_;
  Counts counts_;
  std::size_t refused_ = 0;
};

}  // namespace asbb::service
