#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

#include "cli/testing/run.h"

namespace asbb::cli {
namespace {

using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using testing::run;
using ::testing::StartsWith;

TEST(CommandLine, VersionAndHelpAreQuickAnswers) {
  for (const std::vector<std::string>& words : std::vector<std::vector<std::string>>{
           {"--version"}, {"version"}, {"-V"}, {"--help"}, {"reconcile", "--help"}}) {
    const auto ran = run(words);
    EXPECT_EQ(ran.code, exit_done) << words[0];
    EXPECT_THAT(ran.out, HasSubstr("asbb"));
    EXPECT_EQ(ran.err, "");
  }
  EXPECT_THAT(run({"--version"}).out, StartsWith("asbb "));
  const std::string version = run({"version", "--output=json"}).out;
  EXPECT_THAT(version, StartsWith("{\"version\":\""));
  // Both are empty outside a clone; the time was always.
  const bool has_commit = version.find(R"("git_commit":"")") == std::string::npos;
  EXPECT_THAT(version, ContainsRegex(has_commit ? R"("build_time":"20[0-9-]+T[0-9:]+Z")"
                                                : R"("build_time":")"));
}

TEST(CommandLine, HelpFitsTheTerminalAndHasExamples) {
  EXPECT_EQ(run({"account", "set-limit", "--help"}).out,
            "Limits what an account may spend on one partition.\n"
            "\n"
            "Usage: asbb account set-limit ACCOUNT --partition=PARTITION --limit=AMOUNT [FLAGS]\n"
            "\n"
            "Arguments:\n"
            "  ACCOUNT                The Slurm account.\n"
            "  --partition=PARTITION  Which partition. Needed.\n"
            "  --limit=AMOUNT         At most this, held and used together. Needed.\n"
            "  --unit=UNIT            Which budget: the one counted in this; needed where\n"
            "                         there are several.\n"
            "  --reason=TEXT          Why; it is kept in the ledger.\n"
            "\n"
            "Examples:\n"
            "  asbb account set-limit proj001 --partition=gpu-aws --limit=20\n"
            "\n"
            "'asbb --help' shows the flags of every command.\n");
}

TEST(CommandLine, WrongLinesNameTheNearest) {
  const auto complaint = [](const std::string& line) {
    const auto ran = run(testing::split(line));
    EXPECT_EQ(ran.code, exit_usage) << line;
    EXPECT_EQ(ran.out, "") << line;
    return ran.err.substr(0, ran.err.find('\n'));
  };
  EXPECT_EQ(complaint("acount list"),
            "asbb: 'acount' is not a command of 'asbb'; did you mean 'account'?");
  EXPECT_EQ(complaint("account lst"),
            "asbb: 'lst' is not a command of 'asbb account'; did you mean 'list'?");
  EXPECT_EQ(complaint("account create --name=a --bugdet=5"),
            "asbb: '--bugdet' is not a flag of 'asbb account create'; did you mean '--budget'?");
  EXPECT_THAT(run({"account"}).err, HasSubstr("needs a command:\n  list, create, show"));
  EXPECT_THAT(run({}).err, HasSubstr("'asbb' needs a command:\n  account, transactions"));
  EXPECT_THAT(complaint("frobnicate"), HasSubstr("there are account, transactions"));
  EXPECT_THAT(complaint("account create"), HasSubstr("--name"));
  EXPECT_THAT(complaint("account show"), HasSubstr("ACCOUNT"));
  EXPECT_THAT(complaint("account list --output=xml"), HasSubstr("--output"));
  EXPECT_THAT(complaint("account show a b"), HasSubstr("'b' is not expected by"));
  EXPECT_THAT(complaint("transactions --limit=0"), HasSubstr("--limit"));
  EXPECT_THAT(complaint("transactions --limit=many"), HasSubstr("--limit"));
  EXPECT_THAT(complaint("prices show zero"), HasSubstr("VERSION"));
}

TEST(CommandLine, NearestKeepsItsDistance) {
  EXPECT_EQ(nearest("lits", {"list", "show"}), "list");
  EXPECT_EQ(nearest("trans", {"transactions", "show"}), "transactions");
  EXPECT_EQ(nearest("xyzzy", {"list", "show"}), "");
}

TEST(CommandLine, EveryLeafDoesSomethingAndHasHelp) {
  const std::string page = run({"reference"}).out;
  EXPECT_THAT(page, HasSubstr("## asbb account create"));
  for (const char* leaf :
       {"account list",    "account create",    "account show",    "account update",
        "account delete",  "account set-limit", "transactions",    "usage show",
        "prices import",   "prices list",       "prices show",     "adjust",
        "deposit",         "withdraw",          "transfer",        "refund",
        "reconcile",       "audit verify",      "audit export",    "service start",
        "service status",  "database migrate",  "database status", "config init",
        "config validate", "config show",       "slurm notify",    "version",
        "completion bash"}) {
    EXPECT_THAT(page, HasSubstr("## asbb " + std::string(leaf) + "\n"));
    const auto ran = run(testing::split(std::string(leaf) + " --help"));
    EXPECT_EQ(ran.code, exit_done) << leaf;
    std::istringstream lines(ran.out);
    for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 90U) << line;
  }
}

TEST(CommandLine, TheReferencePageIsOfThisTree) {
  std::ifstream file(std::string(ASBB_SOURCE_DIR) + "/docs/reference/cli.md");
  const std::string page((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  EXPECT_EQ(page, run({"reference"}).out)
      << "'asbb reference > docs/reference/cli.md' brings it up to date";
}

TEST(CommandLine, ManualsAreWritten) {
  const api::testing::CannedService folder;
  EXPECT_EQ(run({"man", folder.folder()}).code, exit_done);
  std::ifstream file(folder.folder() + "/asbb-account-create.1");
  const std::string page((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  EXPECT_THAT(page, StartsWith(".TH ASBB-ACCOUNT-CREATE 1"));
  EXPECT_THAT(page, HasSubstr("\\-\\-hold\\-percentage=FACTOR"));
  EXPECT_FALSE(std::filesystem::exists(folder.folder() + "/asbb-man.1"));
  EXPECT_EQ(run({"man", folder.folder() + "/missing"}).code, exit_failed);
}

// What bash would offer after that line, which ends in the word being typed.
std::string completed(const std::string& words) {
  const api::testing::CannedService folder;
  const std::string script = folder.folder() + "/complete.bash";
  std::ofstream(script) << run({"completion", "bash"}).out
                        << "compopt() { :; }\nCOMP_WORDS=(" + words +
                               ")\nCOMP_CWORD=$((${#COMP_WORDS[@]} - 1))\n_asbb\n"
                               "printf '%s ' \"${COMPREPLY[@]}\"\n";
  FILE* const pipe = popen(("bash " + script).c_str(), "r");
  std::string out;
  for (int c = fgetc(pipe); c != EOF; c = fgetc(pipe)) out += static_cast<char>(c);
  EXPECT_EQ(pclose(pipe), 0);
  return out;
}

TEST(CommandLine, BashCompletes) {
  EXPECT_EQ(completed("asbb acc"), "account ");
  EXPECT_EQ(completed("asbb account s"), "set-limit show ");
  EXPECT_EQ(completed("asbb account create --bud"), "--budget= ");
  EXPECT_EQ(completed("asbb account create --out"), "--output= ");
  EXPECT_EQ(completed("asbb slurm notify --q"), "--quiet ");
  EXPECT_EQ(completed("asbb ma"), " ");
}

}  // namespace
}  // namespace asbb::cli
