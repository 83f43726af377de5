#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "api/json.h"
#include "cli/testing/run.h"

namespace asbb::cli {
namespace {

using testing::CannedService;
using ::testing::HasSubstr;
using testing::run;

api::Quote refused() {
  api::Quote quote;
  quote.decision = "deny";
  quote.code = "insufficient_budget";
  quote.message = "account proj001: this job may cost $10.00\n";
  quote.user = "alice";
  quote.account = "proj001";
  quote.cluster = "onprem";
  api::QuotePart& part = quote.parts.emplace_back();
  part.unit = "USD";
  part.cluster = "onprem";
  part.partition = "gpu-aws";
  part.estimated_cost = Micros(10'000'000);
  part.hold_amount = Micros(12'000'000);
  part.lines = {"an hour: 1 node x 10.00 USD"};
  part.legs = {{"proj001", "", Micros(9'000'000), Micros(), Micros(), Micros(9'000'000), false},
               {"lab", "", {}, {}, {}, {}, true}};
  quote.fits = {{"time", "--time=00:45:00", "USD", Micros(7'500'000), Micros(9'000'000)},
                {"partition", "--partition=debug", "", {}, {}}};
  return quote;
}

TEST(QuoteCommand, ShowsHowItWasReachedWhatIsThereAndWhatWouldFit) {
  CannedService service;
  service.answer("POST /api/v1/quote", 200, api::to_json(refused())).start();
  const auto ran = run({"quote", "--socket=" + service.socket(), "--cluster=onprem", "--", "-p",
                        "gpu-aws", "-n", "2"});
  EXPECT_EQ(ran.code, exit_refused) << ran.err;
  EXPECT_EQ(service.last_body(),
            R"({"cluster":"onprem","partition":"gpu-aws","min_cpus":2,"num_tasks":2})");
  EXPECT_EQ(ran.out,
            "account proj001: this job may cost $10.00\n"
            "\nHow the estimate in USD was reached:\n"
            "  an hour: 1 node x 10.00 USD\n"
            "\nACCOUNT  PARTITION  UNIT  LIMIT  HELD  USED  AVAILABLE  FITS\n"
            "proj001  -          USD    9.00  0.00  0.00       9.00  no\n"
            "lab      -          USD    -     -     -          -     yes\n"
            "\nWhat would fit:\n"
            "  --time=00:45:00 holds $9.00\n"
            "  --partition=debug, which costs nothing\n");
}

TEST(QuoteCommand, AsCsvAmountsAreExactAndWhatIsMissingIsEmpty) {
  CannedService service;
  service.answer("POST /api/v1/quote", 200, api::to_json(refused())).start();
  const auto ran = run({"quote", "--output=csv", "--socket=" + service.socket(), "--cluster=onprem",
                        "--", "-p", "gpu-aws"});
  EXPECT_EQ(ran.out,
            "account,partition,unit,estimate,hold,limit,held,used,available,fits\r\n"
            "proj001,,USD,10,12,9,0,0,9,no\r\n"
            "lab,,USD,10,12,,,,,yes\r\n");
}

TEST(QuoteCommand, KnowsItsClusterFromSlurmConf) {
  CannedService service;
  api::Quote quote = refused();
  quote.decision = "allow";
  service.answer("POST /api/v1/quote", 200, api::to_json(quote)).start();
  const std::string conf = service.folder() + "/slurm.conf";
  std::ofstream(conf) << "# a cluster\nClusterName=Cloud # ours\n";
  const auto ran = run({"quote", "--socket=" + service.socket(), "--user=bob", "--", "-t5"},
                       {{"SLURM_CONF", conf}, {"SBATCH_ACCOUNT", "proj001"}});
  EXPECT_EQ(ran.code, exit_done) << ran.err;
  EXPECT_EQ(service.last_body(),
            R"({"cluster":"cloud","user":"bob","account":"proj001","min_cpus":1,"time_limit":5})");
}

TEST(QuoteCommand, TellsAWrongLineBeforeItAsks) {
  const auto ran = run({"quote", "--", "--nods=2"});
  EXPECT_EQ(ran.code, exit_usage);
  EXPECT_THAT(ran.err, HasSubstr("--nods is not an option of sbatch"));
  EXPECT_EQ(run({"quote", "-p", "cpu"}).code, exit_usage);
  EXPECT_THAT(run({"quote"}).err, HasSubstr("behind '--'"));
  const auto help = run({"quote", "--help"});
  EXPECT_EQ(help.code, exit_done);
  EXPECT_THAT(help.out, HasSubstr("asbb quote [FLAGS] -- SBATCH_ARGUMENTS"));
}

}  // namespace
}  // namespace asbb::cli
