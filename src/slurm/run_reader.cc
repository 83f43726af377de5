#include "slurm/run_reader.h"

#include <algorithm>

#include "base/text.h"
#include "slurm/delimited.h"
#include "slurm/job_state.h"
#include "slurm/process.h"
#include "slurm/slurm_text.h"

namespace asbb::slurm {
namespace {

enum RunColumn : std::size_t {
  run_raw_id,
  run_id,
  run_user,
  run_account,
  run_partition,
  run_state,
  run_submit,
  run_eligible,
  run_start,
  run_end,
  run_elapsed,
  run_limit,
  run_cpus,
  run_column_count
};

const std::vector<std::string_view> run_columns{
    "JobIDRaw", "JobID", "User", "Account",    "Partition",    "State",    "Submit",
    "Eligible", "Start", "End",  "ElapsedRaw", "TimelimitRaw", "AllocCPUS"};

constexpr Span first_window = hours(1);  // of a busy cluster a day would fill the memory
constexpr Span least_window = seconds(60);
constexpr Span largest_window = hours(24 * 32);
constexpr std::size_t much_bytes = 2u * 1024u * 1024u;
constexpr std::size_t little_bytes = 512u * 1024u;

std::string time_argument(Instant at) {
  return to_rfc3339(Instant::from_unix_seconds(at.unix_seconds())).substr(0, 19);
}

// The piece after a resize is submitted at the moment of the resize but starts with the job, and
// its elapsed time counts again what the piece before it has.
void cut_piece(EndedRun& run, Instant submit, Instant start) {
  const std::int64_t before = submit.unix_seconds() - start.unix_seconds();
  run.wait_seconds.reset();
  run.elapsed_seconds = std::max<std::int64_t>(0, run.elapsed_seconds - before);
  if (run.limit_seconds) {
    run.limit_seconds = std::max<std::int64_t>(0, *run.limit_seconds - before);
  }
}

std::optional<EndedRun> read_run(FieldReader& reader, const std::vector<std::string_view>& fields) {
  EndedRun run;
  const JobStatus status = parse_job_status(fields[run_state]);
  const bool is_task = fields[run_id].find('_') != std::string_view::npos;
  run.job = reader.raw_text(is_task ? run_id : run_raw_id);
  run.user = reader.text(run_user);
  run.account = reader.text(run_account);
  run.partition = reader.text(run_partition);
  const Instant submit = reader.time(run_submit);
  const auto eligible = reader.optional_time(run_eligible);
  const auto start = reader.optional_time(run_start);
  const auto end = reader.optional_time(run_end);
  run.elapsed_seconds = reader.count(run_elapsed);
  const std::int64_t minutes = reader.limit_minutes(run_limit);
  run.cpus = reader.optional_count(run_cpus);
  if (!end || !start || status.revoked) return std::nullopt;
  run.start = *start;
  run.end = *end;
  if (minutes != unlimited) run.limit_seconds = minutes * 60;
  run.wait_seconds =
      std::max<std::int64_t>(0, start->unix_seconds() - eligible.value_or(submit).unix_seconds());
  if (*start < submit) cut_piece(run, submit, *start);
  // The rest of its time limit is that of the piece which follows.
  if (status.resizing && run.limit_seconds) run.limit_seconds = run.elapsed_seconds;
  return run;
}

}  // namespace

std::vector<std::string> ended_run_arguments(const std::string& cluster, Instant since,
                                             Instant until, const std::string& separator) {
  std::string format;
  for (const std::string_view name : run_columns) {
    format += (format.empty() ? "" : ",") + std::string(name);
  }
  return {"sacct",
          "--noheader",
          "--allusers",
          "--duplicates",
          "--allocations",
          "--parsable",
          "--noconvert",
          "--clusters=" + cluster,
          "--delimiter=" + separator,
          "--format=" + format,
          "--starttime=" + time_argument(since),
          "--endtime=" + time_argument(until),
          "--state=BF,CA,CD,DL,F,NF,OOM,PR,RQ,RS,TO"};
}

void read_ended_runs_text(std::string_view text, std::string_view separator, Instant since,
                          Instant until, EndedRuns& out) {
  static_assert(run_column_count == 13);
  auto cut = cut_records(text, separator, run_column_count);
  out.problems.insert(out.problems.end(), cut.problems.begin(), cut.problems.end());
  for (const auto& fields : cut.records) {
    FieldReader reader(fields, run_columns);
    auto run = read_run(reader, fields);
    if (!reader.problem().empty()) {
      out.problems.push_back("sacct, job " + in_quotes(fields[run_id]) + ": " + reader.problem() +
                             ".");
      continue;
    }
    if (run && since <= run->end && run->end < until) out.runs.push_back(std::move(*run));
  }
}

Result<void> read_ended_runs(SlurmClient& client, const SlurmCluster& cluster, Instant since,
                             Instant until, const UseEndedRuns& use) {
  Span window = first_window;
  for (Instant from = since; from < until;) {
    const Instant to = std::min(from + window, until);
    const std::string separator = make_separator();
    // Both ends of sacct's window are in it, and it knows whole seconds.
    const auto text =
        client.run(cluster, ended_run_arguments(cluster.name, from, to + seconds(1), separator));
    const Span shorter = std::max(Span{(to - from).microseconds / 4}, least_window);
    if (!text && text.error().field == output_limit_field && shorter < to - from) {
      window = shorter;
      continue;
    }
    if (!text) return tl::unexpected(text.error());
    EndedRuns runs;
    read_ended_runs_text(*text, separator, from, to, runs);
    if (auto used = use(runs, to); !used) return used;
    if (text->size() > much_bytes) window = shorter;
    if (text->size() < little_bytes)
      window = std::min(Span{window.microseconds * 4}, largest_window);
    from = to;
  }
  return {};
}

}  // namespace asbb::slurm
