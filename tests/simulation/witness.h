// Remembers what the service said and what the database showed, and breaks the run when the two
// cannot both be true: something acknowledged is lost, something refused is kept, something counts
// twice, the same request is answered in two ways. The independent auditor and the chain are asked
// as well. It knows requests by their actor, which the clients make unique. One thread.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "ledger/auditor.h"
#include "service/committer_batch.h"
#include "simulation/verdict.h"
#include "store/store.h"

namespace asbb::simulation {

using Answer = service::BatchCommitter::Answer;

class Witness {
 public:
  explicit Witness(store::ChainKey key) : key_(key) {}

  // Reads what was written since the last look.
  void look(store::Store& reader);
  // Reads all of it anew, after a crash: entries up to durable() must be what they were.
  void look_again(store::Store& reader);
  // Everything seen so far is there for good.
  void mark_durable();
  [[nodiscard]] std::int64_t seen() const { return static_cast<std::int64_t>(records_.size()); }

  void note_time(Instant now);
  // A command leaves a client.
  void note_sent(const ledger::Command& command, Instant at);
  // Whether the service may have forgotten the id by now; then it is a new one.
  [[nodiscard]] bool is_old(const std::string& request_id) const;
  void forget(const std::string& request_id);
  // Whether it was forgotten once: one service may still know what another one has dropped.
  [[nodiscard]] bool has_lapsed(const std::string& request_id) const {
    return lapsed_.contains(request_id);
  }

  // An answer leaves the service. `before`: seen() when the batch was sent.
  void check_answer(const ledger::Command& command, const Answer& answer, std::int64_t before,
                    bool sent_twice, Coverage& coverage);

  // The committed book is what the database shows, and both are what the auditor counted.
  void check_book(const ledger::Book& book, store::Store& reader) const;

 private:
  struct Promise {
    std::string digest;
    ledger::Outcome outcome;
  };
  struct Written {
    std::int64_t first = 0;
    std::int64_t last = 0;
    std::int64_t count = 0;
    Instant at;
  };
  void add(const store::ChainedEntry& entry);
  void check_promise(const ledger::Context& context, const ledger::Outcome& outcome,
                     Coverage& coverage);

  const store::ChainKey key_;
  std::vector<std::string> records_;
  std::vector<std::string> actors_;  // of each record
  std::int64_t durable_ = 0;
  store::ChainValue head_{};
  ledger::Auditor auditor_;
  std::map<std::string, Written> written_;  // by actor
  std::set<std::string> refused_;           // actors
  std::map<std::string, Promise> promises_;
  std::map<std::string, Instant> first_sent_;  // by request id
  std::set<std::string> lapsed_;               // ids that were forgotten once
  Instant latest_;
};

}  // namespace asbb::simulation
