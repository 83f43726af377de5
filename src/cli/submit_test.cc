// `asbb submit` against a service with canned answers and a sbatch that writes down what it is
// given. The command becomes sbatch, so that each runs in a process of its own.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <iostream>
#include <sstream>

#include "api/json.h"
#include "cli/submit_job.h"
#include "cli/testing/run.h"

namespace asbb::cli {
namespace {

using testing::CannedService;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using testing::Ran;
using ::testing::StartsWith;

constexpr int exit_of_sbatch = 7;

std::string read_whole(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

class SubmitTest : public ::testing::Test {
 protected:
  SubmitTest() {
    conf_ = service_.folder() + "/slurm.conf";
    std::ofstream(conf_) << "ClusterName=onprem\n";
    const std::string sbatch = service_.folder() + "/sbatch";
    std::ofstream(sbatch) << "#!/bin/sh\n"
                             "case $1 in --version) echo slurm-wlm 22.05.8; exit 0 ;;\n"
                             "--test-only)\n"
                             "  case $2 in *cloud) at=12:05:00 ;; *) at=14:00:00 ;; esac\n"
                             "  case $3 in /dev/*) grep -q hostname $3 || exit 1 ;; esac\n"
                             "  echo \"sbatch: Job 7 to start at 2025-06-15T$at using 1\" >&2\n"
                             "  exit 0\n"
                             "esac\n"
                             "printf '[%s]\\n' \"$@\"\n"
                             "echo \"conf $SLURM_CONF\"\n"
                             "test -t 0 || cat\n"
                             "exit 7\n";
    chmod(sbatch.c_str(), 0755);
  }

  static api::ClusterInfo cluster(const std::string& name, bool is_cloud,
                                  const std::string& other) {
    api::ClusterInfo info;
    info.name = name;
    info.is_usable = true;
    info.is_cloud = is_cloud;
    info.federation = "hybrid";
    info.reaches = {other};
    return info;
  }

  static api::Quote quote(const std::string& decision, const std::string& unit,
                          std::int64_t micros) {
    api::Quote made;
    made.decision = decision;
    made.message = "account proj001: this job may cost too much\n";
    made.cluster = "any";
    api::QuotePart& part = made.parts.emplace_back();
    part.unit = unit;
    part.estimated_cost = Micros(micros);
    part.hold_amount = Micros(micros);
    return made;
  }

  void start(const std::string& clusters, const api::Quote& answer) {
    service_.answer("GET /api/v1/clusters", 200, clusters)
        .answer("GET /api/v1/conversion-rates", 200, "[]")
        .answer("POST /api/v1/quote", 200, api::to_json(answer))
        .start();
  }
  void start(const api::Quote& answer) { start(both(), answer); }
  static std::string both() {
    return api::to_json(std::vector<api::ClusterInfo>{cluster("onprem", false, "cloud"),
                                                      cluster("cloud", true, "onprem")});
  }

  // Words behind "asbb submit"; the standard input is `input`.
  Ran submit(std::vector<std::string> words, const std::string& input = {}) {
    const std::string out = service_.folder() + "/out";
    const std::string err = service_.folder() + "/err";
    const std::string in = service_.folder() + "/in";
    std::ofstream(in) << input;
    words.insert(words.begin(), {"--socket=" + service_.socket(), "submit"});
    const pid_t child = fork();
    if (child == 0) {
      const auto stand_in = [](const std::string& path, int flags, int descriptor) {
        const int file = open(path.c_str(), flags, 0600);
        if (file < 0 || dup2(file, descriptor) < 0) _exit(99);
      };
      stand_in(in, O_RDONLY, 0);
      stand_in(out, O_WRONLY | O_CREAT | O_TRUNC, 1);
      stand_in(err, O_WRONLY | O_CREAT | O_TRUNC, 2);
      const std::string path = service_.folder() + ":" + std::getenv("PATH");
      setenv("PATH", has_sbatch_ ? path.c_str() : "/nowhere", 1);
      setenv("SLURM_CONF", conf_.c_str(), 1);
      environment_["SLURM_CONF"] = conf_;
      const int code = run_program(words, std::cout, std::cerr, environment_,
                                   [] { return Instant::from_unix_seconds(1'749'988'800); });
      std::cout.flush();
      std::cerr.flush();
      _exit(code);
    }
    int status = 0;
    waitpid(child, &status, 0);
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, read_whole(out), read_whole(err)};
  }

  CannedService service_;
  std::string conf_;
  config::Environment environment_;
  bool has_sbatch_ = true;
};

TEST_F(SubmitTest, HandsEveryWordOnAsItStandsAndGivesTheExitCode) {
  start(quote("allow", "USD", 85'000));
  const auto ran = submit({"--cloud", "-A", "proj001", "-c", "2", "--output", "a b", "--wrap",
                           "echo \"a  b\" '$HOME' | tr a \\\\b; # --cheapest"});
  EXPECT_EQ(ran.code, exit_of_sbatch) << ran.err;
  EXPECT_EQ(ran.out,
            "[--clusters=cloud]\n[--account=proj001]\n[-c]\n[2]\n[--output]\n[a b]\n[--wrap]\n"
            "[echo \"a  b\" '$HOME' | tr a \\\\b; # --cheapest]\nconf " +
                conf_ + "\n");
  EXPECT_THAT(ran.err, HasSubstr("cloud: $0.085 at most, $0.085 to be held\n"));
  EXPECT_THAT(ran.err, HasSubstr("cloud is chosen"));
}

TEST_F(SubmitTest, SaysNothingToWhoReadsTheAnswerByAProgram) {
  start(quote("allow", "USD", 85'000));
  for (const char* word : {"--parsable", "--quiet", "-Q"}) {
    const auto ran = submit({"--cheapest", word, "--wrap", "true"});
    EXPECT_EQ(ran.code, exit_of_sbatch);
    EXPECT_THAT(ran.err, IsEmpty());
  }
}

TEST_F(SubmitTest, WithoutAFlagTheJobGoesWhereSbatchSendsIt) {
  start(quote("allow", "core-hours", 1'000'000));
  const auto ran = submit({"--", "--wrap", "true"});
  EXPECT_EQ(ran.out, "[--wrap]\n[true]\nconf " + conf_ + "\n");
  EXPECT_THAT(ran.err, HasSubstr("onprem: 1.00 core-hours at most"));
}

TEST_F(SubmitTest, ThePriceIsThatOfTheClusterThatTheWordsName) {
  start(quote("allow", "USD", 85'000));
  EXPECT_THAT(submit({"--", "-M", "cloud", "--wrap", "true"}).err,
              HasSubstr("asbb: cloud: $0.085 at most"));
  environment_["SLURM_CLUSTERS"] = "cloud";
  EXPECT_THAT(submit({"--wrap", "true"}).err, HasSubstr("asbb: cloud: $0.085 at most"));
  EXPECT_THAT(service_.last_body(), HasSubstr("\"clusters\":\"cloud\""));
}

TEST_F(SubmitTest, ItsOwnClusterStandsInSlurmConfAsSlurmReadsIt) {
  start(quote("allow", "USD", 85'000));
  std::ofstream(service_.folder() + "/name.conf") << "  clustername = \"OnPrem\"  # here\n";
  std::ofstream(conf_) << "# ClusterName=other\nInclude name.conf\n";
  EXPECT_THAT(submit({"--wrap", "true"}).err, HasSubstr("asbb: onprem: $0.085 at most"));
}

// bash makes /dev/fd/63 of "<(...)".
TEST_F(SubmitTest, AScriptOnAnotherPipeIsAskedAboutAndReadAgain) {
  start(quote("allow", "USD", 85'000));
  const std::string script = "#!/bin/sh\n#SBATCH --ntasks=4\nhostname\n";
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  ASSERT_EQ(write(ends[1], script.data(), script.size()), static_cast<ssize_t>(script.size()));
  close(ends[1]);
  const std::string path = "/dev/fd/" + std::to_string(ends[0]);
  const auto ran = submit({"--soonest", path});
  close(ends[0]);
  EXPECT_EQ(ran.code, exit_of_sbatch) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("[" + path + "]"));
  EXPECT_THAT(ran.err, HasSubstr("cloud is chosen"));
  EXPECT_THAT(service_.last_body(), HasSubstr("\"num_tasks\":4"));
}

TEST_F(SubmitTest, AScriptOnAPipeIsPricedAndReadAgainBySbatch) {
  start(quote("allow", "USD", 85'000));
  const std::string script = "#!/bin/sh\n#SBATCH --ntasks=4\nhostname\n";
  const auto ran = submit({"--cloud"}, script);
  EXPECT_EQ(ran.out, "[--clusters=cloud]\nconf " + conf_ + "\n" + script);
  EXPECT_THAT(service_.last_body(), HasSubstr("\"num_tasks\":4"));
}

TEST_F(SubmitTest, ChoosesTheClusterOfTheEarlierStart) {
  start(quote("allow", "USD", 85'000));
  const auto ran = submit({"--soonest", "--wrap", "true"});
  EXPECT_EQ(ran.code, exit_of_sbatch);
  EXPECT_THAT(ran.out, HasSubstr("[--clusters=cloud]"));
  EXPECT_THAT(ran.err, HasSubstr("cloud is chosen: it would start in 5 min, on onprem in 2 h"));
  EXPECT_THAT(ran.err, HasSubstr("would start at 2025-06-15 14:00:00"));
}

TEST_F(SubmitTest, OnATieOfPricesOnPremisesWins) {
  start(quote("allow", "USD", 85'000));
  const auto ran = submit({"--cheapest", "--dry-run", "--wrap", "echo hi"});
  EXPECT_EQ(ran.code, exit_done);
  EXPECT_EQ(ran.out, "sbatch --clusters=onprem --wrap 'echo hi'\n");
  EXPECT_THAT(ran.err, HasSubstr("(a tie, which on premises wins)"));
}

TEST_F(SubmitTest, WhatNobodyPaysIsNotSubmitted) {
  start(quote("deny", "USD", 85'000));
  for (const char* flag : {"--cloud", "--cheapest", "--soonest", "--cluster=onprem"}) {
    const auto ran = submit({flag, "--parsable", "--wrap", "true"});
    EXPECT_EQ(ran.code, exit_refused) << flag << ran.err;
    EXPECT_THAT(ran.out, IsEmpty());
    EXPECT_THAT(ran.err, HasSubstr("this job may cost too much"));
  }
  EXPECT_EQ(submit({"--wrap", "true"}).code, exit_refused);
}

TEST_F(SubmitTest, ReachesAnIndependentClusterByItsOwnSlurmConf) {
  auto onprem = cluster("onprem", false, "cloud");
  auto cloud = cluster("cloud", true, "onprem");
  onprem.federation = cloud.federation = "";
  onprem.reaches = cloud.reaches = {};
  cloud.slurm_conf = service_.folder() + "/cloud.conf";
  start(api::to_json(std::vector<api::ClusterInfo>{onprem, cloud}), quote("allow", "USD", 1));
  EXPECT_THAT(submit({"--cloud", "--wrap", "true"}).err, HasSubstr("cannot be reached"));
  std::ofstream(cloud.slurm_conf) << "ClusterName=Cloud\n";
  const auto ran = submit({"--cloud", "--wrap", "true"});
  EXPECT_EQ(ran.out, "[--wrap]\n[true]\nconf " + cloud.slurm_conf + "\n");
  EXPECT_EQ(submit({"--onprem", "--wrap", "true"}).out, "[--wrap]\n[true]\nconf " + conf_ + "\n");
}

TEST_F(SubmitTest, LeavesOutAClusterThatIsDownAndSaysSo) {
  auto cloud = cluster("cloud", true, "onprem");
  cloud.is_usable = false;
  cloud.problem = "slurmctld does not answer";
  start(api::to_json(std::vector<api::ClusterInfo>{cluster("onprem", false, "cloud"), cloud}),
        quote("allow", "USD", 1));
  const auto ran = submit({"--soonest", "--wrap", "true"});
  EXPECT_THAT(ran.out, HasSubstr("[--clusters=onprem]"));
  EXPECT_THAT(ran.err, HasSubstr("cloud: left out: slurmctld does not answer"));
  EXPECT_THAT(submit({"--cluster=cloud", "--wrap", "true"}).err,
              HasSubstr("cloud: slurmctld does not answer"));
  EXPECT_EQ(submit({"--cloud", "--soonest", "--wrap", "true"}).code, exit_failed);
}

TEST_F(SubmitTest, NamesTheReleaseOfAClusterThatSbatchHereIsNotOf) {
  auto cloud = cluster("cloud", true, "onprem");
  cloud.slurm_version = "23.11.4";
  start(api::to_json(std::vector<api::ClusterInfo>{cluster("onprem", false, "cloud"), cloud}),
        quote("allow", "USD", 1));
  const auto ran = submit({"--cloud", "--wrap", "true"});
  EXPECT_EQ(ran.code, exit_of_sbatch);
  EXPECT_THAT(ran.err, HasSubstr("cluster cloud has Slurm 23.11.4, and sbatch here is of 22.05: "));
  EXPECT_THAT(submit({"--cloud", "--quiet", "--wrap", "true"}).err, IsEmpty());
}

TEST_F(SubmitTest, SaysNothingOfAClusterOfTheSameRelease) {
  auto cloud = cluster("cloud", true, "onprem");
  cloud.slurm_version = "22.05.11";
  start(api::to_json(std::vector<api::ClusterInfo>{cluster("onprem", false, "cloud"), cloud}),
        quote("allow", "USD", 1));
  EXPECT_THAT(submit({"--cloud", "--wrap", "true"}).err, Not(HasSubstr("has Slurm")));
}

TEST(SlurmRelease, IsReadOffWhatSlurmSays) {
  EXPECT_EQ(release_of("slurm-wlm 22.05.8\n"), "22.05");
  EXPECT_EQ(release_of("23.11.4"), "23.11");
  EXPECT_EQ(release_of("24.05.0-rc1"), "24.05");
  EXPECT_EQ(release_of("24.05"), "24.05");
  for (const char* text : {"", "22", "22.", ".5", "slurm", "command not found", "a.b.c"}) {
    EXPECT_EQ(release_of(text), "") << text;
  }
}

TEST_F(SubmitTest, WithoutTheServiceANamedClusterGetsTheJobAndAChoiceFails) {
  auto ran = submit({"--cluster=cloud", "--wrap", "true"});
  EXPECT_EQ(ran.code, exit_of_sbatch);
  EXPECT_THAT(ran.out, HasSubstr("[--clusters=cloud]"));
  EXPECT_THAT(ran.err, HasSubstr("does not answer, so there is no quote"));
  EXPECT_EQ(submit({"--wrap", "true"}).code, exit_of_sbatch);
  ran = submit({"--cheapest", "--wrap", "true"});
  EXPECT_EQ(ran.code, exit_failed);
  EXPECT_THAT(ran.out, IsEmpty());
  EXPECT_THAT(ran.err, HasSubstr("cannot be chosen"));
}

TEST_F(SubmitTest, TellsAWrongLineAndChangesNothing) {
  start(quote("allow", "USD", 1));
  EXPECT_EQ(submit({"--cloud", "--onprem", "--wrap", "true"}).code, exit_usage);
  EXPECT_EQ(submit({"--cheapest", "--soonest", "--wrap", "true"}).code, exit_usage);
  EXPECT_THAT(submit({"--cloud", "-M", "onprem", "--wrap", "true"}).err, HasSubstr("-M"));
  EXPECT_EQ(submit({"--cluster=--wrap", "true"}).code, exit_usage);
  const auto unknown = submit({"--cluster=clod", "--wrap", "true"});
  EXPECT_EQ(unknown.code, exit_usage);
  EXPECT_THAT(unknown.err, HasSubstr("did you mean 'cloud'?"));
  has_sbatch_ = false;
  const auto none = submit({"--cloud", "--wrap", "true"});
  EXPECT_EQ(none.code, exit_failed);
  EXPECT_THAT(none.err, HasSubstr("sbatch cannot be run"));
}

TEST_F(SubmitTest, WhatItCannotPriceItHandsOnWhereNothingDependsOnIt) {
  start(quote("allow", "USD", 1));
  for (const auto& [flag, cluster] : std::vector<std::pair<std::string, std::string>>{
           {"--cluster=cloud", "cloud"}, {"--cloud", "cloud"}, {"--onprem", "onprem"}}) {
    const auto ran = submit({flag, "--brand-new=1", "--wrap", "true"});
    EXPECT_EQ(ran.code, exit_of_sbatch) << flag;
    EXPECT_THAT(ran.out, StartsWith("[--clusters=" + cluster + "]\n[--brand-new=1]\n")) << flag;
    EXPECT_THAT(ran.err, HasSubstr("no quote: --brand-new is not an option of sbatch")) << flag;
  }
  for (const char* flag : {"--cheapest", "--soonest"}) {
    const auto chosen = submit({flag, "--brand-new=1", "--wrap", "true"});
    EXPECT_EQ(chosen.code, exit_failed);
    EXPECT_THAT(chosen.err, HasSubstr("the job cannot be priced: --brand-new is not an option"));
    EXPECT_THAT(chosen.err, HasSubstr("name one with --cluster"));
  }
}

}  // namespace
}  // namespace asbb::cli
