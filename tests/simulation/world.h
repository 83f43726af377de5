// A small centre in one thread: clients who remember what they were told and ask again with the
// same request id after silence, the real committer's logic on the real ledger, and a database that
// fails. Everything that happens follows from one number.
#pragma once

#include <deque>
#include <memory>
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

  void step();
  void start_service();
  [[nodiscard]] Service new_service();
  void stop_all(bool power_cut, bool in_commit);
  void take_over();
  void pass_time();

  [[nodiscard]] Commands next_batch();
  [[nodiscard]] ledger::Command new_request();
  [[nodiscard]] ledger::Command sent_again(Request& request);
  [[nodiscard]] std::string new_id();
  [[nodiscard]] Fault arm();
  [[nodiscard]] std::string arm_store(store::FaultStore& at);

  void send(const Commands& batch);
  void send_to_ousted(const Commands& batch);
  void check_answers(const Commands& batch, const std::vector<Answer>& answers, std::int64_t before,
                     bool may_fail);
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
  std::vector<std::string> log_;
};

}  // namespace asbb::simulation
