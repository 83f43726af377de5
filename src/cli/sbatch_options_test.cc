#include "cli/sbatch_options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/json.h"

namespace asbb::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const std::map<std::string, std::string> no_variables;

Result<api::Submission> made(const std::vector<std::string>& arguments,
                             const std::string& script = "#!/bin/sh\ntrue\n",
                             const std::map<std::string, std::string>& variables = no_variables) {
  const auto lookup = [&](const std::string& name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    if (found == variables.end()) return std::nullopt;
    return found->second;
  };
  const auto read = [&](const std::string& path) -> Result<std::string> {
    if (path != "job.sh") return fail(ErrorKind::not_found, path + " cannot be read");
    return script;
  };
  const auto options = read_sbatch_options(arguments, lookup, read);
  if (!options) return tl::unexpected(options.error());
  return sbatch_submission(*options);
}

std::string problem(const std::vector<std::string>& arguments) {
  const auto result = made(arguments);
  EXPECT_FALSE(result.has_value());
  return result ? "" : result.error().message;
}

struct Case {
  std::vector<std::string> arguments;
  std::string request;  // the fields that are not those of an empty line
};

// What Slurm's own sbatch was seen to send, or its source says so.
const Case cases[] = {
    {{"-N", "2"}, R"("min_nodes":2,"max_nodes":2,"min_cpus":2)"},
    {{"-N2-8", "-n", "4"}, R"("min_nodes":2,"max_nodes":4,"min_cpus":4,"num_tasks":4)"},
    {{"--nodes=4", "--ntasks=2"}, R"("min_nodes":2,"max_nodes":2,"min_cpus":2,"num_tasks":2)"},
    {{"-N", "3", "--ntasks-per-node=2"},
     R"("min_nodes":3,"max_nodes":3,"min_cpus":6,"num_tasks":6,"ntasks_per_node":2)"},
    {{"-n5", "-c", "3"}, R"("min_cpus":15,"min_cpus_per_node":3,"num_tasks":5,"cpus_per_task":3)"},
    {{"-w", "n[1-3]"}, R"("req_nodes":"n[1-3]","min_nodes":3,"min_cpus":3)"},
    {{"-w", "n[1-3]", "-n2"},
     R"("req_nodes":"n1,n2","min_nodes":2,"max_nodes":2,"min_cpus":2,"num_tasks":2)"},
    {{"-B", "2:*:1"}, R"("min_cpus":2,"num_tasks":2,"sockets_per_node":2,"threads_per_core":1)"},
    {{"--hint=nomultithread"}, R"("min_cpus":1,"threads_per_core":1)"},
    {{"--mem", "1G", "--exclusive"}, R"("min_cpus":1,"memory_per_node_mb":1024,"shared":0)"},
    {{"--mem-per-cpu=512K", "-s"}, R"("min_cpus":1,"memory_per_cpu_mb":1,"shared":1)"},
    {{"--exclusive=user"}, R"("min_cpus":1,"shared":2)"},
    {{"-G", "a100:2,v100:1"}, R"("tres_per_job":"gres:gpu:a100:2,gres:gpu:v100:1","min_cpus":1)"},
    {{"--gpus-per-node=2", "--gres=license:1"},
     R"("tres_per_node":"gres:gpu:2,gres:license:1","min_cpus":1)"},
    {{"--gpus-per-task=1", "-n", "2", "--mem-per-gpu=4G", "--cpus-per-gpu=2"},
     R"("tres_per_task":"gres:gpu:1","mem_per_tres":"gres:gpu:4096",)"
     R"("cpus_per_tres":"gres:gpu:2","min_cpus":2,"num_tasks":2,"cpus_per_task":2)"},
    {{"--gpus=4", "--ntasks-per-gpu=2"},
     R"("tres_per_job":"gres:gpu:4","min_cpus":1,"num_tasks":8,"ntasks_per_tres":2)"},
    {{"-M", "cloud", "--gpus=4", "--ntasks-per-gpu=2"},
     R"("cluster":"cloud","clusters":"cloud","tres_per_job":"gres:gpu:4","min_cpus":1,)"
     R"("ntasks_per_tres":2)"},
    {{"-t", "90:30", "--time-min=5"}, R"("min_cpus":1,"time_limit":91,"time_min":5)"},
    {{"--time=0"}, R"("min_cpus":1,"time_limit":"UNLIMITED")"},
    {{"-t1-0", "-a", "0-9%2"}, R"("array":"0-9%2","min_cpus":1,"time_limit":1440)"},
    {{"-O", "-N", "2"}, R"("min_nodes":2,"max_nodes":2,"min_cpus":2,"overcommit":true)"},
    {{"--gres-flags=enforce-binding", "--spread-job"},
     R"("min_cpus":1,"spread_job":true,"enforce_binding":true)"},
    {{"--part", "cpu", "--acco=proj001", "-J", "name", "-o/dev/null", "--parsable", "-H"},
     R"("account":"proj001","partition":"cpu","min_cpus":1)"},
    {{"--cloud", "--budget=nih-r01"},
     R"("account":"nih-r01","cluster_features":"cloud","min_cpus":1,"spank":{"cloud":true})"},
};

TEST(SbatchOptions, MakeTheRequestThatSbatchSends) {
  for (const Case& each : cases) {
    const auto job = made(each.arguments);
    ASSERT_TRUE(job.has_value()) << each.arguments.front() << ": " << job.error().message;
    EXPECT_EQ(api::to_json(api::QuoteRequest{*job, ""}), "{" + each.request + "}");
  }
}

TEST(SbatchOptions, ComeFromTheLineThenTheVariablesThenTheScript) {
  const std::string script =
      "#!/bin/sh\n#SBATCH --partition=a -n 2 # of two\n\n# a remark\n#SBATCH -A 'my acc' -t 5\n"
      "cd /tmp\n#SBATCH -N 7\n";
  EXPECT_THAT(script_arguments(script),
              ElementsAre("--partition=a", "-n", "2", "-A", "my acc", "-t", "5"));
  const auto plain = made({"job.sh", "-N", "9"}, script);
  ASSERT_TRUE(plain.has_value()) << plain.error().message;
  EXPECT_EQ(plain->partition, "a");
  EXPECT_EQ(plain->account, "my acc");
  EXPECT_EQ(plain->min_nodes, std::nullopt);  // the script's own argument
  const auto over =
      made({"-p", "c", "job.sh"}, script, {{"SBATCH_PARTITION", "b"}, {"SBATCH_TIMELIMIT", "9"}});
  ASSERT_TRUE(over.has_value());
  EXPECT_EQ(over->partition, "c");
  EXPECT_EQ(over->time_limit_minutes, 9);
  const auto memory = made({"--mem=1G", "job.sh"}, "#SBATCH --mem-per-cpu=2G\n");
  ASSERT_TRUE(memory.has_value());
  EXPECT_EQ(memory->memory_per_cpu_mb, std::nullopt);
  EXPECT_EQ(memory->memory_per_node_mb, 1024);
}

TEST(SbatchOptions, NamesWhatItDoesNotUnderstand) {
  EXPECT_THAT(problem({"--nods=2"}), HasSubstr("--nods is not an option of sbatch"));
  EXPECT_THAT(problem({"--ntasks-per"}), HasSubstr("may be several options"));
  EXPECT_THAT(problem({"-Y"}), HasSubstr("-Y is not an option"));
  EXPECT_THAT(problem({"-n"}), HasSubstr("--ntasks needs a value"));
  EXPECT_THAT(problem({"--contiguous=yes"}), HasSubstr("takes no value"));
  EXPECT_THAT(problem({"-n", "two"}), HasSubstr("--ntasks=two is not a whole number"));
  EXPECT_THAT(problem({"-N", "4-2"}), HasSubstr("--nodes=4-2"));
  EXPECT_THAT(problem({"-N", "1-2-3"}), HasSubstr("--nodes=1-2-3"));
  EXPECT_THAT(problem({"-t", "nan:00"}), HasSubstr("--time=nan:00 is not a time"));
  EXPECT_THAT(problem({"--mem=much"}), HasSubstr("--mem=much is not a size"));
  EXPECT_THAT(problem({"-B", "1:1:1:1"}), HasSubstr("more than three"));
  EXPECT_THAT(problem({"-w", "n[1"}), HasSubstr("n[1"));
  EXPECT_THAT(problem({"other.sh"}), HasSubstr("other.sh cannot be read"));
  const auto in_script = made({"job.sh"}, "#SBATCH --nods=2\n");
  ASSERT_FALSE(in_script.has_value());
  EXPECT_THAT(in_script.error().message, HasSubstr("job.sh: --nods"));
}

}  // namespace
}  // namespace asbb::cli
