#include "slurm/accounting_reader.h"

#include <algorithm>
#include <limits>
#include <map>

#include "base/text.h"
#include "base/token.h"
#include "slurm/delimited.h"

namespace asbb::slurm {
namespace {

enum Column : std::size_t {
  db_index,
  cluster,
  raw_id,
  id,
  user,
  user_id,
  account,
  partition,
  qos,
  state,
  submit_time,
  eligible_time,
  start_time,
  end_time,
  elapsed,
  suspended,
  time_limit,
  node_count,
  node_list,
  allocated_tres,
  requested_tres,
  exit_code,
  flags,
  admin_comment,
  column_count
};

// In the order of Column; names as sacct(1) --format has them.
const std::vector<std::string_view> column_names{
    "DBIndex",  "Cluster",   "JobIDRaw",   "JobID",     "User",         "UID",
    "Account",  "Partition", "QOS",        "State",     "Submit",       "Eligible",
    "Start",    "End",       "ElapsedRaw", "Suspended", "TimelimitRaw", "NNodes",
    "NodeList", "AllocTRES", "ReqTRES",    "ExitCode",  "Flags",        "AdminComment"};

std::string sacct_time(Instant at) {
  return to_rfc3339(Instant::from_unix_seconds(at.unix_seconds())).substr(0, 19);
}

// "123", "123_4", "123_[5-90%4]", "123+1".
void read_id(FieldReader& reader, const std::vector<std::string_view>& fields,
             AccountingRecord& record) {
  const std::string_view text = fields[id];
  const std::size_t mark = text.find_first_of("_+");
  const auto leader = parse_count(text.substr(0, mark));
  if (!leader) {
    return reader.reject(id);
  }
  if (mark == std::string_view::npos) {
    return;
  }
  const std::string_view rest = text.substr(mark + 1);
  const auto number = parse_count(rest);
  if (text[mark] == '+') {
    record.het_job_id = *leader;
    record.het_job_offset = number.value_or(0);
    if (!number) {
      reader.reject(id);
    }
    return;
  }
  record.array_job_id = *leader;
  if (number) {
    record.array_task_id = number;
  } else if (rest.size() > 2 && rest.front() == '[' && rest.back() == ']') {
    record.array_tasks = std::string(rest.substr(1, rest.size() - 2));
  } else {
    reader.reject(id);
  }
}

// "CANCELLED by 1000".
void read_state(FieldReader& reader, const std::vector<std::string_view>& fields,
                AccountingRecord& record) {
  const std::string_view text = fields[state];
  record.status = parse_job_status(text);
  constexpr std::string_view by = " by ";
  if (const std::size_t at = text.find(by); at != std::string_view::npos) {
    const auto who = parse_count(text.substr(at + by.size()));
    if (!who || *who > std::numeric_limits<std::uint32_t>::max()) {
      return reader.reject(state);
    }
    record.cancelled_by = static_cast<std::uint32_t>(*who);
  }
}

void read_exit_code(FieldReader& reader, const std::vector<std::string_view>& fields,
                    AccountingRecord& record) {
  const auto parts = split(fields[exit_code], ':');
  const auto code = parse_count(parts.front());
  const auto signal = parts.size() == 2 ? parse_count(parts.back()) : std::nullopt;
  if (!code || !signal || *code > 65'535 || *signal > 65'535) {
    return reader.reject(exit_code);
  }
  record.exit_code = static_cast<int>(*code);
  record.exit_signal = static_cast<int>(*signal);
}

AccountingRecord read_record(FieldReader& reader, const std::vector<std::string_view>& fields) {
  AccountingRecord record;
  record.db_index = reader.count(db_index);
  record.cluster = reader.text(cluster);
  record.job_id = reader.count(raw_id);
  read_id(reader, fields, record);
  record.user = reader.text(user);
  record.user_id = reader.user_id(user_id);
  record.account = reader.text(account);
  record.partition = reader.text(partition);
  record.qos = reader.text(qos);
  read_state(reader, fields, record);
  record.submit = reader.time(submit_time);
  record.eligible = reader.optional_time(eligible_time);
  record.start = reader.optional_time(start_time);
  record.end = reader.optional_time(end_time);
  record.elapsed_seconds = reader.count(elapsed);
  record.suspended_seconds = reader.duration_seconds(suspended);
  record.time_limit_minutes = reader.limit_minutes(time_limit);
  record.node_count = reader.optional_count(node_count);
  record.nodes = reader.text(node_list);
  record.allocated_tres = reader.text(allocated_tres);
  record.requested_tres = reader.text(requested_tres);
  read_exit_code(reader, fields, record);
  record.flags = reader.text(flags);
  record.admin_comment = reader.text(admin_comment);
  return record;
}

// Whether `later` is a further run of the job of `earlier`, not another job that got the same id
// after the ids wrapped or the controller lost its state. A requeue is submitted anew at the moment
// of its requeue: while slurmctld still knows the job, which is far less than a day after its end.
// What another cluster of the federation took (REVOKED) may come back as long as it lives there.
bool continues(const AccountingRecord& earlier, const AccountingRecord& later) {
  const std::string_view old_token = find_token(earlier.admin_comment);
  const std::string_view new_token = find_token(later.admin_comment);
  if (!old_token.empty() && !new_token.empty()) {
    return old_token == new_token;
  }
  constexpr Span rounding = seconds(2);
  const bool is_asked_for_since =
      !new_token.empty() && earlier.submit + rounding < token_time(new_token);
  if (is_asked_for_since) return false;
  return earlier.user_id == later.user_id && earlier.array_job_id == later.array_job_id &&
         earlier.het_job_id == later.het_job_id &&
         (!earlier.end || earlier.status.revoked || later.submit <= *earlier.end + hours(24));
}

// The row after a resize is submitted at the moment of the resize but starts with the job, so that
// its elapsed time counts again what the row before it has (its suspended time does not).
void cut_overlap(const AccountingRecord& earlier, AccountingRecord& later) {
  if (!earlier.status.resizing || !later.start || *later.start >= later.submit) {
    return;
  }
  const std::int64_t overlap = later.submit.unix_seconds() - later.start->unix_seconds();
  later.start = later.submit;
  later.elapsed_seconds = std::max<std::int64_t>(0, later.elapsed_seconds - overlap);
}

}  // namespace

std::vector<std::string> accounting_arguments(const std::string& cluster_name,
                                              const AccountingSelection& selection,
                                              const std::string& separator) {
  static_assert(column_count == 24);
  std::string format;
  for (const std::string_view name : column_names) {
    format += (format.empty() ? "" : ",") + std::string(name);
  }
  std::vector<std::string> arguments{"sacct",
                                     "--noheader",
                                     "--allusers",
                                     "--duplicates",
                                     "--allocations",
                                     "--parsable",
                                     "--noconvert",
                                     "--clusters=" + cluster_name,
                                     "--delimiter=" + separator,
                                     "--format=" + format};
  if (selection.job_ids.empty()) {
    arguments.push_back("--starttime=" + sacct_time(selection.since));
    arguments.push_back("--endtime=" + sacct_time(selection.until));
    if (selection.only_ended) {
      arguments.emplace_back("--state=BF,CA,CD,DL,F,NF,OOM,PR,RQ,RS,RV,TO");
    }
    return arguments;
  }
  std::string ids;
  for (const std::int64_t job_id : selection.job_ids) {
    ids += (ids.empty() ? "" : ",") + std::to_string(job_id);
  }
  arguments.push_back("--jobs=" + ids);
  return arguments;
}

void read_accounting(std::string_view text, std::string_view separator, AccountingList& list) {
  auto cut = cut_records(text, separator, column_count);
  list.problems.insert(list.problems.end(), cut.problems.begin(), cut.problems.end());
  for (const auto& fields : cut.records) {
    FieldReader reader(fields, column_names);
    AccountingRecord record = read_record(reader, fields);
    std::string problem = reader.problem();
    if (problem.empty() && record.cluster != list.cluster) {
      problem = "its cluster is " + in_quotes(record.cluster);
    }
    if (problem.empty()) {
      list.records.push_back(std::move(record));
    } else {
      list.problems.push_back("sacct on " + list.cluster + ", job " + in_quotes(fields[id]) + ": " +
                              problem + ".");
    }
  }
}

void arrange_runs(std::vector<AccountingRecord>& records) {
  std::sort(records.begin(), records.end(),
            [](const auto& a, const auto& b) { return a.db_index < b.db_index; });
  const auto same_row = [](const auto& a, const auto& b) { return a.db_index == b.db_index; };
  records.erase(std::unique(records.begin(), records.end(), same_row), records.end());
  std::map<std::int64_t, const AccountingRecord*> last_of_job;
  for (AccountingRecord& record : records) {
    const AccountingRecord*& last = last_of_job[record.job_id];
    const bool is_next = last != nullptr && continues(*last, record);
    record.run = is_next ? last->run + 1 : 1;
    record.resizes = is_next ? last->resizes + (last->status.resizing ? 1 : 0) : 0;
    if (is_next) cut_overlap(*last, record);
    last = &record;
  }
}

}  // namespace asbb::slurm
