#include <algorithm>
#include <ostream>

#include "api/json_writer.h"
#include "base/text.h"
#include "cli/commands.h"

namespace asbb::cli {
namespace {

struct JobContextFlags {
  std::string job;
  std::string cluster;
  std::string format;
  std::string instance_types;
  std::string subnets;
  std::string purchasing = "on-demand";
};

// For a shell: in apostrophes.
std::string in_shell_quotes(const std::string& text) {
  std::string out = "'";
  for (const char c : harmless(text)) {
    if (c == '\'') {
      out += "'\\''";
    } else {
      out += c;
    }
  }
  return out + "'";
}

std::string environment_text(const api::JobContext& job) {
  std::string out;
  const auto add = [&](const char* name, const std::string& value) {
    out += std::string("ASBB_") + name + "=" + in_shell_quotes(value) + "\n";
  };
  add("JOB_ID", job.job_id);
  add("CLUSTER", job.cluster);
  add("ACCOUNT", job.account);
  add("USER", job.user);
  add("PARTITION", job.partition);
  add("TRANSACTION_ID", job.transaction_id);
  add("SHOULD_BURST", job.should_burst ? "true" : "false");
  add("REASON", job.reason);
  add("UNIT", job.unit);
  add("ESTIMATE", to_decimal(job.estimate));
  add("MAX_TOTAL_COST", to_decimal(job.max_total_cost));
  add("BUDGET_AVAILABLE", to_decimal(job.budget_available));
  return out;
}

void write_list(api::JsonWriter& out, const char* key, const std::string& words) {
  out.key(key);
  out.begin_array();
  if (!words.empty()) {
    for (const std::string_view word : split(words, ',')) out.text(word);
  }
  out.end_array();
}

// What the launcher reads; costs of other units than money are no costs to it.
std::string execution_plan(const api::JobContext& job, const JobContextFlags& flags) {
  api::JsonWriter out;
  const auto text = [&](const char* key, const std::string& value) {
    out.key(key);
    out.text(value);
  };
  out.begin_object();
  out.key("should_burst");
  out.flag(job.should_burst);
  out.key("instance_specification");
  out.begin_object();
  write_list(out, "instance_types", flags.instance_types);
  text("purchasing_option", flags.purchasing);
  write_list(out, "subnet_ids", flags.subnets);
  out.end_object();
  out.key("mpi_configuration");
  out.begin_object();
  out.key("is_mpi_job");
  out.flag(false);
  out.end_object();
  out.key("cost_constraints");
  out.begin_object();
  out.key("max_total_cost");
  out.decimal(job.max_total_cost);
  out.key("prefer_spot");
  out.flag(flags.purchasing == "spot");
  text("budget_account", job.paying_account);
  out.end_object();
  out.key("execution_metadata");
  out.begin_object();
  text("job_id", job.job_id);
  text("user_id", job.user);
  text("project_id", job.account);
  text("analysis_timestamp", to_rfc3339(job.as_of));
  out.key("decision_factors");
  out.begin_array();
  out.text(job.reason);
  out.end_array();
  out.key("tags");
  out.begin_object();
  text("asbb:account", job.account);
  text("asbb:job_id", job.job_id);
  text("asbb:transaction_id", job.transaction_id);
  out.end_object();
  out.end_object();
  out.end_object();
  return out.take();
}

// Without what is not known of the job.
Table context_table(const api::JobContext& job, bool for_people) {
  Table table({{"WHAT", "field"}, {"VALUE", "value", Align::left, true}});
  const auto add = [&](const char* name, const std::string& value) {
    if (!value.empty() || !for_people) table.add({name, value});
  };
  const auto add_amount = [&](const char* name, Micros value) {
    const std::string shown = for_people ? to_display(value, job.unit) : to_decimal(value);
    add(name, job.unit.empty() ? std::string() : shown);
  };
  add("job", job.job_id);
  add("cluster", job.cluster);
  add("account", job.account);
  add("user", job.user);
  add("partition", job.partition);
  add("transaction", job.transaction_id);
  add("should_burst", job.should_burst ? "true" : "false");
  add("code", job.code);
  add_amount("estimate", job.estimate);
  add_amount("max_total_cost", job.max_total_cost);
  add("paying_account", job.paying_account);
  add_amount("budget_available", job.budget_available);
  return table;
}

int show_job_context(Context& context, const JobContextFlags& flags) {
  std::string path = "/api/v1/integration/budget-context/" + api::percent_encode(flags.job);
  if (!flags.cluster.empty()) path += "?cluster=" + api::percent_encode(flags.cluster);
  const auto job = context.call<api::JobContext>("GET", path);
  if (!job) return context.failed(job.error());
  if (flags.format == "env") {
    context.out() << environment_text(*job);
    return exit_done;
  }
  if (flags.format == "execution-plan") {
    context.out() << execution_plan(*job, flags) << "\n";
    if (job->should_burst && (flags.subnets.empty() || flags.instance_types.empty())) {
      context.warn("the launcher needs --subnets and --instance-types to start nodes");
    }
    if (!job->should_burst) context.warn("no nodes are to be started: " + job->reason);
    return exit_done;
  }
  if (flags.format == "json") {
    context.out() << api::to_json(*job) << "\n";
    return exit_done;
  }
  const int code = context.show(context_table(*job, context.wants_table()), api::to_json(*job));
  if (context.wants_table()) context.out() << "\n" << harmless(job->reason) << "\n";
  return code;
}

}  // namespace

void add_job_context(Command& root, Context& context) {
  auto flags = std::make_shared<JobContextFlags>();
  root.add("job-context", "Tells a launcher of nodes what the budget says of a job.")
      .take({"--job-id",
             "JOB",
             "Slurm's job id, 123, or of an array task, 123_4.",
             Presence::required,
             {},
             "SLURM_JOB_ID"},
            flags->job)
      .take({"--cluster", "CLUSTER", "On which cluster; any of them when left out."},
            flags->cluster)
      .take({"--format",
             "FORMAT",
             "json; env: lines for a shell; or execution-plan: what aws-slurm-burst-resume reads. "
             "As --output says when left out.",
             Presence::optional,
             {"json", "env", "execution-plan"}},
            flags->format)
      .take({"--instance-types",
             "TYPES",
             "Of the plan: what may be started, with commas.",
             Presence::optional,
             {},
             "ASBB_INSTANCE_TYPES"},
            flags->instance_types)
      .take({"--subnets",
             "SUBNETS",
             "Of the plan: where, with commas.",
             Presence::optional,
             {},
             "ASBB_SUBNETS"},
            flags->subnets)
      .take({"--purchasing-option",
             "OPTION",
             "Of the plan; on-demand when left out.",
             Presence::optional,
             {"spot", "on-demand", "mixed"}},
            flags->purchasing)
      .note(
          "should_burst is false where the account cannot pay: no money is set aside for the job, "
          "it is settled, the account is not active, or its budget is overdrawn or over. The "
          "launcher then starts nothing and ends well.")
      .example("asbb job-context --job-id=4711 --format=json")
      .example("asbb job-context --job-id=4711 --format=execution-plan --subnets=subnet-1")
      .action([&context, flags] { return show_job_context(context, *flags); });
}

}  // namespace asbb::cli
