// What slurmdbd's rows that change afterwards lead to, and what becomes of jobs that an allowance
// let in.
#include <algorithm>

#include "simulation/truth.h"

namespace asbb::simulation {

void Truth::note_correction(const Run& run) {
  corrected_.emplace(run.cluster, run.job_id, run.submit.microseconds);
}

// Somebody who was charged by the row as it was is to hear of what it says now.
void Truth::check_correction(const Job& job, const Task& task, const Run& run,
                             const Charge& charge) const {
  if (!corrected_.contains({run.cluster, run.job_id, run.submit.microseconds})) return;
  Run after = run;
  after.elapsed_seconds += run.corrected_seconds;
  for (const std::int64_t version : versions_of(job, run, charge.at)) {
    if (charge.micros == tariff_.charge(version, after).micros) return;
  }
  std::string name = run.cluster + " job " + std::to_string(job.id);
  if (task.index >= 0) name += "_" + std::to_string(task.index);
  const bool is_told = std::any_of(alarmed_.begin(), alarmed_.end(), [&](const auto& alarm) {
    return alarm.first.starts_with("changed " + name + ",") &&
           alarm.second.find(name) != std::string::npos;
  });
  require(is_told, name + " was charged " + std::to_string(charge.micros) +
                       ", its record was corrected, and nobody was told");
  ++coverage_.happened["an alarm names the job whose record was corrected"];
}

// Each that ran has a hold as large as what was taken for it, or somebody was told.
void Truth::check_covered(store::Store& reader) const {
  for (const Asked& asked : asked_) {
    if (asked.offline_micros == 0 || asked.job == nullptr || asked.job->is_lost()) continue;
    const bool has_run = std::any_of(asked.job->tasks.begin(), asked.job->tasks.end(),
                                     [](const Task& task) { return !task.runs.empty(); });
    store::HoldQuery query;
    query.request_id = asked.token;
    const auto found = reader.find_holds(query);
    require(found.has_value(), "the holds cannot be read");
    const std::string name = asked.job->cluster + " job " + std::to_string(asked.job->id);
    const bool was_told = alarmed_.contains("let-through " + name);
    require(!has_run || was_told || !found->empty(),
            name + " was let in on an allowance, ran, and never had a hold");
    if (found->empty()) continue;
    const auto cover = covers_.find(found->front().hold.id);
    if (cover == covers_.end()) continue;
    require(was_told || cover->second == asked.offline_micros,
            name + " took " + std::to_string(asked.offline_micros) + " of an allowance, and gets " +
                std::to_string(cover->second));
    ++coverage_.happened["a job let in on an allowance gets its hold"];
  }
}

}  // namespace asbb::simulation
