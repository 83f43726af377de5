// A simulated centre in one thread: people who submit, change and cancel jobs, the plugin's
// messages, which get lost, late and doubled, the real service (service_model.h) before a Slurm
// that is made up (slurm_model.h), its clock and its disk. Whatever happens follows from one
// number. What must be true of it is in truth.h.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "plugins/testing/fake_service.h"
#include "simulation/database.h"
#include "simulation/plugin_model.h"
#include "simulation/service_model.h"
#include "simulation/slurm_control.h"
#include "simulation/slurm_model.h"
#include "simulation/tariff.h"
#include "simulation/truth.h"

namespace asbb::simulation {

class Centre {
 public:
  Centre(std::uint64_t seed, std::unique_ptr<Database> database, Coverage& coverage);
  ~Centre();
  Centre(const Centre&) = delete;
  Centre& operator=(const Centre&) = delete;

  // Throws Broken when something is that must not be.
  void run(int steps);

  // What happened so far, a line each.
  [[nodiscard]] const std::vector<std::string>& log() const { return log_; }
  [[nodiscard]] Span simulated() const;
  [[nodiscard]] std::int64_t jobs() const;

 private:
  enum class Answer { allow, deny, silence };
  // On its way to the service, long after its plugin has given up.
  struct Message {
    Instant arrives_at;
    std::string token;
    std::string body;
  };

  // centre.cc: the service and time
  void make_rules();
  void make_accounts();
  void import_prices();
  void start_service();
  void kill_service(bool power_cut);
  void wait_for_store();
  // Runs what calls upon the service, which may be killed in it; true when it was not.
  bool with_service(const std::function<void()>& call);
  void arm_store();
  void step();
  void pass_time();
  void advance_to(Instant at);
  void refresh();
  void pass();
  void check();
  void settle_down();
  void calm_pass();
  void end_untold_by_hand();
  void end_by_hand(const ledger::Hold& hold);
  [[nodiscard]] bool is_well() const;  // everything can be read and written
  void note(const std::string& what);
  void count(const std::string& what) { ++coverage_.happened[what]; }
  [[nodiscard]] Instant service_now() const { return now_ + skew_; }

  // centre_people.cc: what people and plugins do
  void submit_something();
  [[nodiscard]] Request new_request();
  void submit(const std::string& cluster, const std::vector<Request>& components);
  [[nodiscard]] Answer ask_gate(Asked& asked);
  [[nodiscard]] Answer send(Asked& asked, const std::string& body);
  [[nodiscard]] std::string new_token();
  void deliver_late();
  void do_something_to_a_job();
  void change_job(Job& job);
  [[nodiscard]] bool may_change(Job& job, api::JobChange change);
  void do_to_task(Job& job);
  [[nodiscard]] Answer ask_plugin_alone(Asked& asked);

  // centre_money.cc: what administrators do
  void do_something_with_money();
  void refund_something();

  // centre_faults.cc: what breaks and is mended
  void break_something();
  [[nodiscard]] std::string break_controller(const std::string& cluster);
  [[nodiscard]] std::string correct_something();
  [[nodiscard]] std::string crash_machine(const std::string& cluster);
  void mend_something();
  void mend_all();

  Chance chance_;
  Coverage& coverage_;
  const std::unique_ptr<Database> database_;
  const Instant begin_;
  Instant now_;
  Span skew_{};  // of the service's clock
  CentreRules rules_;
  Tariff tariff_;
  const plugins::testing::Folder folder_;  // of policy files and counters
  Slurm slurm_;
  Truth truth_;
  SlurmControl control_;
  std::map<std::string, Plugin> plugins_;
  std::map<std::string, std::string> saved_counters_;  // by cluster, as its disk has them
  std::unique_ptr<Service> service_;                   // null: it is away
  bool dies_while_waiting_ = false;
  bool is_power_cut_ = false;
  bool is_armed_ = false;
  std::vector<Message> late_;
  std::vector<std::string> log_;
};

}  // namespace asbb::simulation
