// A small centre in one thread: clients who remember what they were told and ask again with the
// same request id after silence, the real committer's logic on the real ledger, and a database that
// fails, or that answers late: while a call waits, hours may pass, deadlines end, and another
// service takes over. Everything that happens follows from one number.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "service/committer_batch.h"
#include "simulation/database.h"
#include "simulation/witness.h"
#include "store/fault_store.h"

namespace asbb::simulation {

class World {
 public:
  World(std::uint64_t seed, std::unique_ptr<Database> database, Coverage& coverage);
  ~World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  // Throws Broken when something happens that must not.
  void run(int steps);

  // What happened so far, a line each.
  [[nodiscard]] const std::vector<std::string>& log() const { return log_; }

 private:
  using Commands = std::vector<ledger::Command>;
  struct Service {
    std::unique_ptr<store::FaultStore> store;
    std::unique_ptr<service::BatchCommitter> committer;
  };
  struct Request {
    ledger::Command command;
    bool told = false;
  };
  enum class Fault { none, store, disk, crash };
  // A service that may be pushed aside while it works.
  struct Asked {
    store::FaultStore* store = nullptr;
    service::BatchCommitter* committer = nullptr;
  };
  // A batch on its way through the service that was asked.
  struct Call {
    const Commands* batch = nullptr;
    bool is_taken_over = false;
    bool is_retried = false;  // by clients who did not wait, on the service that took over
  };

  void step();
  void start_service();
  [[nodiscard]] Service new_service();
  void stop_all(bool power_cut, bool in_commit);
  void take_over();
  void pass_time();
  void wait_for_store();
  void retry_elsewhere();

  [[nodiscard]] Commands next_batch();
  [[nodiscard]] ledger::Command undo_of(ledger::HoldId hold);
  [[nodiscard]] ledger::Command new_request();
  [[nodiscard]] ledger::PlaceHold new_submission();
  [[nodiscard]] ledger::Command sent_again(Request& request);
  [[nodiscard]] std::string new_id();
  [[nodiscard]] Fault arm();
  [[nodiscard]] std::string arm_store(store::FaultStore& at);

  void send(const Commands& batch);
  void send_to_ousted(const Commands& batch);
  void keep_house(const Asked& asked);
  void check_answers(const Commands& batch, const std::vector<Answer>& answers, std::int64_t before,
                     bool may_fail, const service::BatchCommitter& asked);
  void check_error(const ledger::Context& context, const Error& error,
                   const service::BatchCommitter& asked) const;
  void note_late(const ledger::Command& command, const Answer& answer, Instant answered_at);
  void note_given_back(const ledger::Command& command, const Answer& answer);
  void give_back_all();
  void deliver(const Commands& batch, const std::vector<Answer>& answers);
  void check_state();
  void note(const std::string& what);

  Chance chance_;
  Coverage& coverage_;
  const std::unique_ptr<Database> database_;
  Instant now_;
  Service service_;
  std::vector<Service> ousted_;  // another service has taken over, and they do not know
  Witness witness_;
  std::deque<Request> requests_;
  std::int64_t actors_ = 0;
  bool is_disk_sick_ = false;
  std::optional<Call> call_;
  std::set<ledger::HoldId> late_;  // answered after the deadline, and not given back yet
  std::vector<std::string> log_;
};

}  // namespace asbb::simulation
