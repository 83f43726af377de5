// The slurmdbd of the simulated centre with the messages that are on their way to it: it learns of
// a job in pieces, late, and of what is dropped never. It answers as `sacct -D` does
// (slurm/job_source.h): its rows have gaps wherever the messages had. One thread.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/time.h"
#include "slurm/job_source.h"

namespace asbb::simulation {

class Accounting {
 public:
  // What a message tells of a row: that there is one, what was allocated, how it ended.
  enum class Part { first, start, end };

  // The row as the controller has it; it is known by cluster, job id and time of submission. In
  // order, unless it is overtaken by what is sent later. False: the controller's queue is full, and
  // nobody will ever know.
  bool send(const slurm::AccountingRecord& row, Part part, Instant arrives_at, bool is_overtaken);

  // What was sent by then arrives, as long as slurmdbd runs.
  void advance(Instant now);

  // Messages that are still with that controller.
  [[nodiscard]] std::int64_t waiting(const std::string& cluster) const;

  // As the job source promises; times that go on are counted up to `now`.
  [[nodiscard]] std::vector<slurm::AccountingRecord> rows(const std::string& cluster,
                                                          const slurm::AccountingQuery& query,
                                                          Instant now) const;

  // A person corrects the end of a row. False: there is no such row, or it has not ended.
  bool correct(const std::string& cluster, std::int64_t job_id, Instant submit, Span longer);

  bool is_up = true;
  bool is_full = false;  // what is sent now is dropped

 private:
  struct Message {
    slurm::AccountingRecord row;
    Part part = Part::first;
    Instant arrives_at;
  };
  void apply(const Message& message);
  [[nodiscard]] slurm::AccountingRecord* find(const slurm::AccountingRecord& row);

  std::vector<Message> waiting_;
  std::map<std::string, Instant> last_arrival_;  // by cluster
  std::vector<slurm::AccountingRecord> rows_;    // by db_index
};

}  // namespace asbb::simulation
