// What the budget service does to jobs of the simulated Slurm (slurm/job_control.h). As on the real
// one a deed may be refused, be done without an answer, or be the last thing that the service does.
// Each is told to whoever checks it, before it happens. One thread.
#pragma once

#include <functional>
#include <string>

#include "simulation/slurm_model.h"
#include "slurm/job_control.h"

namespace asbb::simulation {

struct Deed {
  std::string verb;  // requeue, move, release, signal, cancel
  std::string cluster;
  const Job* job = nullptr;
  const Task* task = nullptr;  // of a het job: the first component's
  std::string how;             // the partition, or the signal
};

class SlurmControl final : public slurm::JobControl {
 public:
  using Witness = std::function<void(const Deed&)>;

  // `die` ends the service, which is in the middle of a call; it throws.
  SlurmControl(Slurm& slurm, Chance& chance, Coverage& coverage, Witness witness,
               std::function<void()> die)
      : slurm_(slurm),
        chance_(chance),
        coverage_(coverage),
        witness_(std::move(witness)),
        die_(std::move(die)) {}

  bool is_calm = false;  // nothing goes wrong any more

  [[nodiscard]] Result<void> requeue_held(const std::string& cluster,
                                          const std::string& job) override;
  [[nodiscard]] Result<void> move(const std::string& cluster, const std::string& job,
                                  const std::string& partition) override;
  [[nodiscard]] Result<void> release(const std::string& cluster, const std::string& job) override;
  [[nodiscard]] Result<void> signal(const std::string& cluster, const std::string& job,
                                    const std::string& name) override;
  [[nodiscard]] Result<void> cancel(const std::string& cluster, const std::string& job) override;

 private:
  struct Named {
    Job* job = nullptr;
    Task* task = nullptr;
  };
  using Act = std::function<void(Job&, Task&)>;

  [[nodiscard]] Named find(const std::string& cluster, const std::string& name) const;
  [[nodiscard]] Result<void> run(Deed deed, const std::string& name, const Act& act);

  Slurm& slurm_;
  Chance& chance_;
  Coverage& coverage_;
  const Witness witness_;
  const std::function<void()> die_;
};

}  // namespace asbb::simulation
