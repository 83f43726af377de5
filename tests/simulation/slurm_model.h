// The simulated Slurm: the controllers of one federation, or of two clusters that know nothing of
// each other, over one slurmdbd. It follows what was seen of 22.05: ids of array tasks, runs under
// one id, revoked siblings, records that come late, tasks that are cancelled without one, ids that
// a controller gives out twice. It decides by chance how long jobs wait and how they end. One
// thread.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "simulation/accounting_model.h"
#include "simulation/database.h"
#include "simulation/slurm_jobs.h"
#include "simulation/verdict.h"
#include "slurm/job_source.h"

namespace asbb::simulation {

inline constexpr std::int64_t node_cpus = 64;
inline constexpr std::int64_t node_gpus = 8;

class Slurm final : public slurm::JobSource {
 public:
  // What keeps the service from a controller, or the controller from its work.
  struct Controller {
    bool is_up = true;
    bool is_reachable = true;
    bool shows_all = true;    // to the service, which is an operator
    bool is_garbled = false;  // a row cannot be read
    std::int64_t first_id = 1;
    std::int64_t next_id = 1;  // after the last one they begin anew
    std::int64_t ids = 60;     // MaxJobId really is 67 million
  };
  using Note = std::function<void(const std::string&)>;

  Slurm(Chance& chance, Coverage& coverage, bool is_federation, Note note);

  // The service's clock, which read_at comes from.
  std::function<Instant()> service_now;

  // Everything that is due until then happens.
  void advance(Instant to);
  [[nodiscard]] Instant now() const { return now_; }

  // Accepts jobs, the components of a het job together; het_id joins them. The comment begins with
  // the token.
  Job& submit(const std::string& cluster, const Request& request, const std::string& token,
              const std::string& comment, std::int64_t het_id, std::int64_t het_offset);
  // Everything of it that waits or runs.
  void cancel(Job& job);
  // All tasks of an array that have no row of their own yet, in one record.
  void cancel_rest(Job& job);
  // That task by its number.
  void cancel_task(Job& job, Task& task);
  // scontrol requeue, also of what has just ended.
  void requeue(Job& job, Task& task);
  // The same in held state, and what follows; of one that runs, and of one that waits.
  void requeue_held(Job& job, Task& task);
  static void release(Task& task, Instant now);
  void move(Job& job, Task& task, const std::string& partition);
  // It reacts to a signal: it ends soon.
  void end_soon(Task& task);
  void suspend(Job& job, Task& task);
  void resume(Job& job, Task& task);
  // scontrol update; of tasks that wait, or of one that runs.
  void set_limit(Job& job, std::int64_t minutes);
  void set_account(Job& job, const std::string& account);
  void resize(Job& job, Task& task, std::int64_t cpus);
  // Everything that waits is free to start soon.
  void hurry();
  // The controller loses its last minutes, and gives the same ids out again.
  bool forget_last(const std::string& cluster);
  // A person makes a run that has ended longer, in slurmdbd.
  bool correct(Job& job, Run& run);

  [[nodiscard]] const std::vector<std::unique_ptr<Job>>& jobs() const { return jobs_; }
  [[nodiscard]] Controller& controller(const std::string& cluster) {
    return controllers_.at(cluster);
  }
  [[nodiscard]] const Controller& controller(const std::string& cluster) const {
    return controllers_.at(cluster);
  }
  [[nodiscard]] Accounting& accounting() { return accounting_; }
  [[nodiscard]] const Accounting& accounting() const { return accounting_; }
  [[nodiscard]] bool is_federation() const { return is_federation_; }
  bool is_accounting_reachable = true;
  bool tells_in_pieces = false;

  [[nodiscard]] std::vector<std::string> clusters() const override { return {"onprem", "cloud"}; }
  [[nodiscard]] Result<slurm::QueueList> list_queue(const std::string& cluster) override;
  [[nodiscard]] Result<slurm::AccountingList> list_accounting(
      const std::string& cluster, const slurm::AccountingQuery& query) override;
  [[nodiscard]] Result<std::int64_t> accounting_queue_length(const std::string& cluster) override;

 private:
  struct Due {
    Job* job = nullptr;
    Task* task = nullptr;
  };
  [[nodiscard]] Due next_due(Instant to);
  void happen(Job& job, Task& task);
  void start(Job& job, Task& task);
  void end(Job& job, Task& task, const Fate& fate);
  void end_waiting(Job& job, Task& task, const std::string& state);
  [[nodiscard]] Fate fate_of(const Task& task);
  void wait_for_start(Task& task);
  void wait_again(Job& job, Task& task);
  [[nodiscard]] std::int64_t take_id(const std::string& cluster);
  [[nodiscard]] bool is_id_in_use(const std::string& cluster, std::int64_t id) const;
  void split_off(Job& job, Task& task);
  void tell(Job& job, Task& task, Accounting::Part part);
  void tell_rest(Job& job, Accounting::Part part, const std::string& state);
  void tell_loser(Job& job, Task& task);
  void send(Task* task, const slurm::AccountingRecord& row, Accounting::Part part);
  [[nodiscard]] bool may_act(const std::string& cluster) const;
  void count(const std::string& what) { ++coverage_.happened[what]; }

  Chance& chance_;
  Coverage& coverage_;
  const bool is_federation_;
  const Note note_;
  Instant now_;
  std::map<std::string, Controller> controllers_;
  Accounting accounting_;
  std::vector<std::unique_ptr<Job>> jobs_;
};

// slurm_rows.cc: what squeue shows of a job on that cluster, and the record slurmctld keeps of a
// task.
[[nodiscard]] std::vector<slurm::QueueJob> queue_rows(const Job& job, const std::string& cluster,
                                                      Instant now);
[[nodiscard]] slurm::AccountingRecord record_of(const Job& job, const Task& task);
// Of the tasks that wait together in the array's own row.
[[nodiscard]] slurm::AccountingRecord rest_record_of(const Job& job);
[[nodiscard]] std::string task_list(const Job& job);

}  // namespace asbb::simulation
