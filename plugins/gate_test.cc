#include "plugins/gate.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "plugins/testing/fake_service.h"
#include "plugins/testing/fake_slurm.h"

namespace asbb::plugins {
namespace {

using testing::Connection;
using testing::FakeService;
using testing::Request;

constexpr std::int64_t kTimeoutMs = 30;
// For a busy machine.
constexpr std::int64_t kToleranceMs = 100;
constexpr char kPolicy[] =
    "version 1\ndefault_partition cpu\ndefault allow\npartition gpu-aws deny\n";

std::int64_t pause_micros = 0;
std::int64_t pause_clock() {
  return pause_micros;
}

// Whether the comment is what was there before, then a token.
bool is_marked(const std::string& comment, const std::string& before) {
  const std::string mark = before + "asbb=";
  if (!comment.starts_with(mark) || comment.size() != mark.size() + 44) return false;
  return comment.find_first_not_of("0123456789abcdef", mark.size()) == std::string::npos;
}

struct Result {
  int code = 0;
  std::string message;
  std::string admin_comment;
  std::int64_t took_ms = 0;
};

class GateTest : public ::testing::Test {
 protected:
  GateTest() {
    pause_micros = 1'000'000'000;
    folder_.write("policy.onprem", kPolicy);
    gate_.configure("timeout_ms=" + std::to_string(kTimeoutMs) + " socket=" + path_, "onprem");
    testing::take_log();
  }
  ~GateTest() override {
    service_.reset();
    EXPECT_EQ(testing::live_allocations(), 0);
  }

  void serve(FakeService::Handler handler) {
    service_.reset();
    service_ = std::make_unique<FakeService>(path_, std::move(handler));
  }
  // Answers, and keeps the requests that are not probes.
  void serve_and_keep(const std::string& text) {
    serve([this, text](Connection& connection) {
      const std::string request = connection.read_request();
      if (request.starts_with("GET /health ")) return connection.send(testing::answer(200, "", ""));
      {
        const std::lock_guard<std::mutex> guard(mutex_);
        requests_.push_back(request);
      }
      connection.send(text);
    });
  }

  Result submit(Request* request, std::uint32_t submit_uid = 1'000) {
    Result result;
    const std::int64_t start = monotonic_micros();
    result.code = gate_.submit(request->get(), submit_uid, request->err_msg());
    result.took_ms = (monotonic_micros() - start) / 1'000;
    result.message = request->take_err_msg();
    const char* comment = (*request)->admin_comment;
    result.admin_comment = comment == nullptr ? "" : comment;
    EXPECT_LT(result.took_ms, kTimeoutMs + kToleranceMs);
    return result;
  }
  Result submit_to(const std::string& partition) {
    Request request;
    if (!partition.empty()) request.set(&job_desc_msg_t::partition, partition);
    return submit(&request);
  }

  void expect_accepted(const Result& result) {
    EXPECT_EQ(result.code, SLURM_SUCCESS);
    EXPECT_TRUE(is_marked(result.admin_comment, "")) << result.admin_comment;
  }
  void expect_refused(const Result& result) {
    EXPECT_EQ(result.code, ESLURM_ACCOUNTING_POLICY);
    EXPECT_EQ(result.admin_comment, "");
    EXPECT_TRUE(result.message.starts_with("asbb: ")) << result.message;
  }
  // The policy is what decides about both of these.
  void expect_silence() {
    const Result passed = submit_to("cpu");
    expect_accepted(passed);
    EXPECT_EQ(passed.message, "");
    const Result held_back = submit_to("gpu-aws");
    expect_refused(held_back);
    EXPECT_NE(held_back.message.find("The budget service does not answer"), std::string::npos);
  }

  testing::Folder folder_;
  std::string path_ = folder_.path("asbb.sock");
  Gate gate_{pause_clock};
  std::mutex mutex_;
  std::vector<std::string> requests_;
  std::unique_ptr<FakeService> service_;
};

TEST_F(GateTest, AcceptsWhatTheServiceAllows) {
  serve_and_keep(testing::answer(200, "allow", ""));
  const Result result = submit_to("gpu-aws");
  expect_accepted(result);
  EXPECT_EQ(result.message, "");
  service_.reset();
  ASSERT_EQ(requests_.size(), 1U);
  const std::string token = result.admin_comment.substr(5);
  EXPECT_TRUE(requests_[0].starts_with("PUT /api/v1/slurm/submissions/" + token +
                                       " HTTP/1.1\r\nHost: localhost\r\n"
                                       "Content-Type: application/json\r\n"
                                       "Accept: text/plain\r\nContent-Length: "));
  EXPECT_NE(requests_[0].find("\r\n\r\n{\"cluster\":\"onprem\","), std::string::npos);
  EXPECT_EQ(requests_[0].find("Connection:"), std::string::npos);
  EXPECT_NE(requests_[0].find(R"("on_silence":"deny","submit_uid":1000,"user_id":1000)"),
            std::string::npos);
}

TEST_F(GateTest, ShowsTheUserWhatTheServiceSays) {
  serve(testing::answering(testing::answer(200, "allow", "hold of 4.20 USD\nsecond line")));
  const Result result = submit_to("gpu-aws");
  expect_accepted(result);
  EXPECT_EQ(result.message, "asbb: hold of 4.20 USD\nasbb: second line");
}

TEST_F(GateTest, RefusesWhatTheServiceDenies) {
  serve(testing::answering(testing::answer(200, "deny", "Account proj001: 13.37 USD are left.\n")));
  const Result result = submit_to("cpu");
  expect_refused(result);
  EXPECT_EQ(result.message, "asbb: Account proj001: 13.37 USD are left.");
}

TEST_F(GateTest, RefusesInItsOwnWordsWhenTheServiceHasNone) {
  serve(testing::answering(testing::answer(200, "deny", "")));
  expect_refused(submit_to("cpu"));
}

TEST_F(GateTest, RefusesABadRequestWhateverThePolicy) {
  for (const int status : {400, 413, 422}) {
    serve(testing::answering(testing::answer(status, "", "raw")));
    for (int at = 0; at < 4; ++at) {
      const Result result = submit_to("cpu");
      expect_refused(result);
      EXPECT_NE(result.message.find("cannot read this request"), std::string::npos);
    }
  }
}

TEST_F(GateTest, TakesEverythingElseForSilence) {
  for (const std::string& text :
       {testing::answer(500, "allow", ""), testing::answer(503, "", ""),
        testing::answer(404, "", ""), testing::answer(201, "allow", ""),
        testing::answer(302, "allow", ""), testing::answer(200, "", "yes"),
        testing::answer(200, "maybe", ""), std::string("garbage\r\n\r\n"), std::string()}) {
    gate_.~Gate();
    new (&gate_) Gate(pause_clock);
    gate_.configure("timeout_ms=30 socket=" + path_, "onprem");
    serve(testing::answering(text));
    expect_silence();
  }
}

TEST_F(GateTest, TakesAMissingServiceForSilence) {
  expect_silence();
  expect_silence();
}

TEST_F(GateTest, TakesAnAnswerAfterTheDeadlineForSilence) {
  serve([](Connection& connection) {
    connection.read_request();
    connection.sleep_ms(60);
    connection.send(testing::answer(200, "allow", ""));
  });
  expect_silence();
}

TEST_F(GateTest, TakesAnAnswerForAnotherTokenForSilence) {
  serve(testing::answering("HTTP/1.1 200 OK\r\nAsbb-Decision: allow\r\nAsbb-Token: " +
                           std::string(44, '0') + "\r\nContent-Length: 0\r\n\r\n"));
  expect_silence();
  serve([](Connection& connection) {
    const std::string request = connection.read_request();
    const std::string path = "PUT /api/v1/slurm/submissions/";
    connection.send("HTTP/1.1 200 OK\r\nAsbb-Decision: allow\r\nAsbb-Token: " +
                    request.substr(path.size(), 44) + "\r\nContent-Length: 0\r\n\r\n");
  });
  expect_accepted(submit_to("gpu-aws"));
}

TEST_F(GateTest, KeepsAConnectionForTheNextSubmissionUntilItHangsUp) {
  const int before = testing::open_descriptors();
  serve(testing::answering_on("allow", "made"));
  for (int at = 0; at < 10; ++at) expect_accepted(submit_to("gpu-aws"));
  EXPECT_EQ(service_->connections(), 1);
  gate_.hang_up();
  service_.reset();
  EXPECT_EQ(testing::open_descriptors(), before);
}

TEST_F(GateTest, ASubmissionAfterARestartOfTheServiceIsNotSilence) {
  for (int at = 0; at < 5; ++at) {
    serve(testing::answering_on("allow", "made"));
    expect_accepted(submit_to("gpu-aws"));
    expect_accepted(submit_to("gpu-aws"));
    EXPECT_EQ(service_->connections(), 1);
  }
  gate_.hang_up();
}

TEST_F(GateTest, UsesNoConnectionAgainThatBroughtNoAnswerInTime) {
  // The second answer of the first connection comes when the plugin has gone.
  serve(testing::answering_on("allow", "", 2, 60));
  expect_accepted(submit_to("gpu-aws"));
  expect_refused(submit_to("gpu-aws"));
  expect_accepted(submit_to("gpu-aws"));
  EXPECT_EQ(service_->connections(), 2);
  gate_.hang_up();
}

TEST_F(GateTest, SaysInTheLogWhatItDidWithoutAnAnswer) {
  for (int at = 0; at < 20; ++at) expect_silence();
  int lines = 0;
  for (const std::string& line : testing::take_log()) {
    EXPECT_TRUE(line.find(": asbb: ") != std::string::npos) << line;
    if (line.find("the budget service is silent") != std::string::npos) ++lines;
  }
  EXPECT_EQ(lines, 1);
}

TEST_F(GateTest, LeavesASilentServiceAloneUntilThePauseIsOver) {
  serve([](Connection& connection) { connection.wait_for_end(); });
  for (int at = 0; at < 3; ++at) submit_to("cpu");
  EXPECT_EQ(service_->connections(), 3);
  for (int at = 0; at < 1'000; ++at) {
    const Result result = submit_to(at % 2 == 0 ? "cpu" : "gpu-aws");
    EXPECT_EQ(result.code, at % 2 == 0 ? SLURM_SUCCESS : ESLURM_ACCOUNTING_POLICY);
  }
  EXPECT_EQ(service_->connections(), 3);

  pause_micros += 5'000'000;
  const Result probed = submit_to("cpu");
  EXPECT_LT(probed.took_ms, 10 + kToleranceMs);
  submit_to("cpu");
  for (int at = 0; at < 100 && service_->connections() < 4; ++at) usleep(5'000);
  EXPECT_EQ(service_->connections(), 4) << "the probe, and nothing after it";

  serve_and_keep(testing::answer(200, "allow", ""));
  pause_micros += 10'000'000;
  for (int at = 0; at < 5; ++at) expect_accepted(submit_to("gpu-aws"));
  service_.reset();
  EXPECT_EQ(requests_.size(), 5U) << "the submission that probed went on";
}

TEST_F(GateTest, DoesNotAskAServiceWhoseHealthIsBad) {
  for (int at = 0; at < 3; ++at) submit_to("cpu");
  std::atomic<int> asked{0};
  serve([&asked](Connection& connection) {
    if (connection.read_request().starts_with("PUT")) ++asked;
    connection.send(testing::answer(503, "allow", ""));
  });
  pause_micros += 5'000'000;
  expect_silence();
  service_.reset();
  EXPECT_EQ(asked, 0);
}

TEST_F(GateTest, FollowsAPolicyThatChanges) {
  for (int at = 0; at < 3; ++at) submit_to("cpu");
  folder_.write("policy.onprem", "version 1\ndefault deny\npartition gpu-aws allow\n");
  pause_micros += 1'000'000;
  expect_refused(submit_to("cpu"));
  expect_refused(submit_to(""));
  expect_accepted(submit_to("gpu-aws"));
  expect_refused(submit_to("gpu-aws,cpu"));
}

TEST_F(GateTest, TellsTheUserWhatToDoWhenTheServiceIsSilent) {
  const Result named = submit_to("gpu-aws");
  EXPECT_EQ(named.message,
            "asbb: The budget service does not answer, and jobs for partition gpu-aws are not "
            "accepted without it.\nasbb: Try again in a few minutes; if it stays so, tell the "
            "administrator of cluster onprem.");
  folder_.write("policy.onprem", "version 1\ndefault deny\n");
  pause_micros += 1'000'000;
  EXPECT_NE(submit_to("").message.find("the default partition"), std::string::npos);
  EXPECT_NE(submit_to(std::string(300, 'p')).message.find("these partitions"), std::string::npos);
}

TEST_F(GateTest, WithoutAServiceItMayCallEverythingIsSilence) {
  gate_.~Gate();
  new (&gate_) Gate(pause_clock);
  gate_.configure(
      "budget_service_url=http://far.example:1 policy_file=" + folder_.path("policy.onprem"),
      "onprem");
  expect_silence();
}

TEST_F(GateTest, PassesATrueSiblingWithoutACall) {
  serve_and_keep(testing::answer(200, "deny", "no"));
  Request request;
  request->job_id = 67'108'865;
  request->fed_siblings_viable = 3;
  request.add_spank_variable("_SLURM_SPANK_OPTION_asbb_budget_budget=proj001");
  request.add_spank_variable("_SLURM_SPANK_OPTION_asbb_budget_cloud=(null)");
  const Result result = submit(&request, 0);
  EXPECT_EQ(result.code, SLURM_SUCCESS);
  EXPECT_EQ(result.admin_comment, "") << "the token is at the origin";
  EXPECT_STREQ(request->account, "proj001") << "what the origin rewrote is rewritten";
  EXPECT_STREQ(request->cluster_features, "cloud");
  EXPECT_EQ(service_->connections(), 0);
}

TEST_F(GateTest, AsksAboutAForgedSibling) {
  serve_and_keep(testing::answer(200, "deny", "no"));
  Request forged;
  forged->job_id = 67'108'865;
  forged->fed_siblings_viable = 3;
  expect_refused(submit(&forged, 1'000));
  Request by_root;
  by_root->fed_siblings_viable = 3;
  expect_refused(submit(&by_root, 0));
  EXPECT_EQ(service_->connections(), 2);
}

// What was taken of an allowance stands in the job, and the next request tells of it.
TEST_F(GateTest, MarksTheJobThatAnAllowanceLetThrough) {
  folder_.write("policy.onprem",
                "version 1\ndefault allow\npartition gpu-aws allow\n"
                "allowance proj001 17 25000000 USD 1200000 0\n"
                "spender 1001 proj001 proj001 default\nrate gpu-aws USD 10000000 0 1 4 60 60 0\n");
  Gate gate(pause_clock);
  gate.configure("timeout_ms=1000 socket=" + path_, "onprem", folder_.path("."));
  const auto submit_one = [&](Request& request) {
    request->user_id = 1'001;
    request->num_tasks = 1;
    request.set(&job_desc_msg_t::partition, "gpu-aws");
    return gate.submit(request.get(), 1'001, request.err_msg());
  };
  for (int job = 0; job < 2; ++job) {
    Request request;
    ASSERT_EQ(submit_one(request), SLURM_SUCCESS);
    const std::string comment = request->admin_comment;
    EXPECT_TRUE(is_marked(comment.substr(0, 49), "")) << comment;
    EXPECT_EQ(comment.substr(49), " asbb-allowance=17:12000000:1");
  }
  Request third;
  EXPECT_EQ(submit_one(third), ESLURM_ACCOUNTING_POLICY);
  EXPECT_NE(third.take_err_msg().find("asbb: This job may need up to 12 USD, and 1 USD of it is "),
            std::string::npos);
  EXPECT_EQ(third->admin_comment, nullptr);
  serve_and_keep(testing::answer(200, "allow", ""));
  pause_micros += 3'600'000'000;
  Request fourth;
  EXPECT_EQ(submit_one(fourth), SLURM_SUCCESS);
  ASSERT_EQ(requests_.size(), 1U);
  EXPECT_NE(requests_[0].find(R"("allowances_spent":"17=24000000")"), std::string::npos);
  gate.hang_up();
}

TEST_F(GateTest, AppliesTheOptionsBeforeItAsks) {
  serve_and_keep(testing::answer(200, "allow", ""));
  Request request;
  request.set(&job_desc_msg_t::account, "proj002");
  request.add_spank_variable("_SLURM_SPANK_OPTION_asbb_budget_budget=proj001");
  request.add_spank_variable("_SLURM_SPANK_OPTION_asbb_budget_cloud=(null)");
  expect_accepted(submit(&request));
  service_.reset();
  EXPECT_NE(requests_[0].find(R"("account":"proj001")"), std::string::npos);
  EXPECT_NE(requests_[0].find(R"("cluster_features":"cloud")"), std::string::npos);
  EXPECT_NE(requests_[0].find(R"("spank":{"cloud":true,"budget":"proj001"})"), std::string::npos);
}

// There is money for the cloud alone: the job must not go anywhere else.
TEST_F(GateTest, KeepsTheJobOnTheClustersThatTheServiceNames) {
  const std::string answer =
      "HTTP/1.1 200 OK\r\nAsbb-Decision: allow\r\nAsbb-Cluster-Features: cloud,aws\r\n"
      "Content-Length: 0\r\n\r\n";
  serve_and_keep(answer);
  Request request;
  expect_accepted(submit(&request));
  EXPECT_STREQ(request->cluster_features, "cloud,aws");
  Request constrained;
  constrained.set(&job_desc_msg_t::cluster_features, "!old");
  expect_accepted(submit(&constrained));
  EXPECT_STREQ(constrained->cluster_features, "cloud,aws");
}

TEST_F(GateTest, RefusesABudgetThatIsNoName) {
  Request request;
  request.add_spank_variable("_SLURM_SPANK_OPTION_asbb_budget_budget=a b\n");
  expect_refused(submit(&request));
  EXPECT_EQ(request->account, nullptr);
}

TEST_F(GateTest, KeepsWhatAnAdministratorWroteIntoTheComment) {
  serve(testing::answering(testing::answer(200, "allow", "")));
  Request request;
  request.set(&job_desc_msg_t::admin_comment, "ticket 12");
  const Result result = submit(&request, 0);
  EXPECT_TRUE(is_marked(result.admin_comment, "ticket 12 ")) << result.admin_comment;
}

TEST_F(GateTest, SendsALongRequestAndRefusesOneThatIsTooLong) {
  serve_and_keep(testing::answer(200, "allow", ""));
  Request longer;
  longer.set(&job_desc_msg_t::array_inx, std::string(200'000, '1'));
  expect_accepted(submit(&longer));
  Request too_long;
  too_long.set(&job_desc_msg_t::dependency, std::string(270'000, 'd'));
  too_long.set(&job_desc_msg_t::partition, "cpu");
  for (int at = 0; at < 4; ++at) {
    const Result result = submit(&too_long);
    expect_refused(result);
    EXPECT_NE(result.message.find("too long"), std::string::npos);
  }
  expect_accepted(submit_to("gpu-aws"));
  service_.reset();
  ASSERT_EQ(requests_.size(), 2U);
  EXPECT_NE(requests_[0].find(std::string(200'000, '1') + "\"}"), std::string::npos);
}

TEST_F(GateTest, AnswersManyThreadsAtOnce) {
  std::atomic<int> turn{0};
  serve([&turn](Connection& connection) {
    connection.read_request();
    const bool is_allowed = turn++ % 2 == 0;
    connection.send(testing::answer(200, is_allowed ? "allow" : "deny", "text"));
  });
  std::atomic<int> accepted{0};
  std::atomic<int> refused{0};
  std::vector<std::thread> submitters;
  for (int at = 0; at < 8; ++at) {
    submitters.emplace_back([&] {
      for (int job = 0; job < 100; ++job) {
        Request request;
        const int code = gate_.submit(request.get(), 1'000, request.err_msg());
        ++(code == SLURM_SUCCESS ? accepted : refused);
        EXPECT_EQ(request->admin_comment != nullptr, code == SLURM_SUCCESS);
      }
    });
  }
  for (std::thread& submitter : submitters) submitter.join();
  EXPECT_EQ(accepted + refused, 800);
  EXPECT_GT(refused, 0);
}

TEST_F(GateTest, SurvivesThousandsOfSubmissionsToAHostileService) {
  const int before = testing::open_descriptors();
  std::atomic<unsigned> turn{0};
  serve([&turn](Connection& connection) {
    const unsigned way = turn++ % 6;
    if (way == 0) return;
    const bool is_probe = connection.read_request().starts_with("GET");
    if (way == 1)
      connection.send("HTTP/1.1 200 OK\r\nAsbb-Decision: allow\r\nContent-Length: 9\r\n");
    if (way == 2) connection.send(std::string(9'000, 'x'));
    if (way == 3) connection.send(testing::answer(200, "perhaps", ""));
    if (way >= 4) connection.send(testing::answer(is_probe ? 200 : 503, "", ""));
  });
  for (int at = 0; at < 3'000; ++at) {
    const Result result = submit_to(at % 2 == 0 ? "cpu" : "gpu-aws");
    EXPECT_EQ(result.code, at % 2 == 0 ? SLURM_SUCCESS : ESLURM_ACCOUNTING_POLICY);
    pause_micros += 2'000'000;
  }
  EXPECT_GT(service_->connections(), 50);
  service_.reset();
  EXPECT_EQ(testing::open_descriptors(), before);
}

}  // namespace
}  // namespace asbb::plugins
