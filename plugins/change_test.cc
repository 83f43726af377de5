#include "plugins/change.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "plugins/gate.h"
#include "plugins/testing/fake_service.h"
#include "plugins/testing/fake_slurm.h"

namespace asbb::plugins {
namespace {

using testing::Request;

constexpr char kToken[] = "0197a1b2c3d4e5f60718293a4b5c6d7e8f9001122334";
constexpr std::uint32_t kUser = 4'000'000'000;  // nobody's administrator

std::int64_t pause_micros = 0;
std::int64_t pause_clock() {
  return pause_micros;
}

// slurmctld's record of a job, as far as it is known here.
template <typename Head>
class RecordOf {
 public:
  explicit RecordOf(std::string admin_comment, std::uint32_t magic = kJobMagic)
      : admin_comment_(std::move(admin_comment)) {
    head_.magic = magic;
    head_.admin_comment = admin_comment_.empty() ? nullptr : admin_comment_.data();
  }
  [[nodiscard]] const job_record* get() const {
    return reinterpret_cast<const job_record*>(&head_);
  }

 private:
  std::string admin_comment_;
  Head head_{};
};
using Record = RecordOf<JobRecordHead>;

std::string body_of(const Change& change) {
  char storage[4'096];
  BoundedText text(storage, sizeof storage);
  write_change(change, 7, &text);
  return std::string(text.view());
}

TEST(Change, UntouchedFieldsAreNotValues) {
  Request asked;
  EXPECT_FALSE(moves_price(*asked));
  asked.set(&job_desc_msg_t::name, "other");
  asked->priority = 0;
  asked.set(&job_desc_msg_t::array_inx, "5");
  EXPECT_FALSE(moves_price(*asked)) << "a throttle does not cost anything";
  // As slurm_init_job_desc_msg leaves them: every change looked like one of the size.
  asked->ntasks_per_board = asked->boards_per_node = asked->sockets_per_board = 0;
  EXPECT_FALSE(moves_price(*asked));
  asked->time_limit = 60;
  EXPECT_TRUE(moves_price(*asked));
  const std::string body = body_of({asked.get(), "onprem", kUser, "12", {}, Stance::deny});
  EXPECT_EQ(body.find("array"), std::string::npos) << body;
  EXPECT_EQ(body.find("nodes"), std::string::npos) << body;
  EXPECT_EQ(body.find("board"), std::string::npos) << body;
  EXPECT_EQ(body.find("user_id"), std::string::npos) << "anybody could write another's number";
}

TEST(Change, EverythingThatMovesThePriceCounts) {
  const auto touches = [](auto touch) {
    Request asked;
    touch(asked);
    return moves_price(*asked);
  };
  for (const auto text :
       {&job_desc_msg_t::account, &job_desc_msg_t::partition, &job_desc_msg_t::qos,
        &job_desc_msg_t::features, &job_desc_msg_t::req_nodes, &job_desc_msg_t::tres_per_node,
        &job_desc_msg_t::tres_per_job, &job_desc_msg_t::cluster_features,
        &job_desc_msg_t::clusters}) {
    EXPECT_TRUE(touches([&](Request& asked) { asked.set(text, "x"); }));
    EXPECT_TRUE(touches([&](Request& asked) { asked.set(text, ""); })) << "taken away";
  }
  for (const auto number :
       {&job_desc_msg_t::min_nodes, &job_desc_msg_t::max_nodes, &job_desc_msg_t::min_cpus,
        &job_desc_msg_t::num_tasks, &job_desc_msg_t::time_limit, &job_desc_msg_t::time_min}) {
    EXPECT_TRUE(touches([&](Request& asked) { asked.get()->*number = 2; }));
  }
  EXPECT_TRUE(touches([](Request& asked) { asked->time_limit = INFINITE; }));
  EXPECT_TRUE(touches([](Request& asked) { asked->pn_min_memory = 100; }));
  EXPECT_TRUE(touches([](Request& asked) { asked->cpus_per_task = 2; }));
  EXPECT_TRUE(touches([](Request& asked) { asked->shared = 0; }));
  EXPECT_TRUE(touches([](Request& asked) { asked->end_time = 1'800'000'000; }));
}

TEST(Change, SaysWhichJobWhoAsksAndWhat) {
  Request asked;
  asked->time_limit = INFINITE;
  asked->end_time = 1'800'000'000;
  asked->pn_min_memory = 100 | MEM_PER_CPU;
  asked.set(&job_desc_msg_t::partition, "gpu-aws");
  asked.set(&job_desc_msg_t::features, "");
  asked.set(&job_desc_msg_t::req_nodes, "");
  EXPECT_EQ(body_of({asked.get(), "onprem", 1'000, "12_[1-5]", kToken, Stance::deny}),
            std::string("{\"cluster\":\"onprem\",\"slurm_version\":\"") +
                std::to_string(kSlurmMajor) + (kSlurmMinor < 10 ? ".0" : ".") +
                std::to_string(kSlurmMinor) + "." + std::to_string(kSlurmMicro) +
                "\",\"time_budget_ms\":7,\"on_silence\":\"deny\",\"submit_uid\":1000,"
                "\"job\":\"12_[1-5]\",\"token\":\"" +
                kToken +
                "\",\"partition\":\"gpu-aws\",\"time_limit\":\"UNLIMITED\","
                "\"memory_per_cpu_mb\":100,\"end_time\":1800000000,"
                "\"cleared\":\"features,req_nodes\"}");
}

TEST(Change, SaysWhichClustersAJobMayRunOn) {
  Request asked;
  asked.set(&job_desc_msg_t::clusters, "onprem,cloud");
  std::string body = body_of({asked.get(), "onprem", 1'000, "12", {}, Stance::deny});
  EXPECT_NE(body.find("\"clusters\":\"onprem,cloud\""), std::string::npos) << body;
  EXPECT_EQ(body.find("cleared"), std::string::npos) << body;
  asked.set(&job_desc_msg_t::clusters, "");
  body = body_of({asked.get(), "onprem", 1'000, "12", {}, Stance::deny});
  EXPECT_NE(body.find("\"cleared\":\"clusters\""), std::string::npos) << body;
}

TEST(Change, TheTokenIsReadFromARecordThatIsOne) {
  const std::string mark = std::string("asbb=") + kToken;
  EXPECT_EQ(token_of(Record(mark).get()), kToken);
  EXPECT_EQ(token_of(Record("a note " + mark + " x").get()), kToken);
  EXPECT_EQ(token_of(Record("note").get()), "");
  EXPECT_EQ(token_of(Record("").get()), "");
  EXPECT_EQ(token_of(Record(mark + "0").get()), "");
  EXPECT_EQ(token_of(Record("asbb=" + std::string(44, 'G')).get()), "");
  EXPECT_EQ(token_of(Record(mark, 0).get()), "") << "not a record";
  EXPECT_EQ(token_of(nullptr), "");
}

template <typename Head>
class RecordHead : public ::testing::Test {};
using RecordHeads = ::testing::Types<JobRecordHeadSince2011, JobRecordHeadSince2511>;
TYPED_TEST_SUITE(RecordHead, RecordHeads);

// The token was not read from 25.11 on: a change of a job that was
// not listed yet passed without a price.
TYPED_TEST(RecordHead, HasTheTokenInEachVersionsLayout) {
  const std::string mark = std::string("asbb=") + kToken;
  EXPECT_EQ(token_in<TypeParam>(RecordOf<TypeParam>("a note " + mark).get()), kToken);
  EXPECT_EQ(token_in<TypeParam>(RecordOf<TypeParam>("a note").get()), "");
  EXPECT_EQ(token_in<TypeParam>(RecordOf<TypeParam>(mark, 1).get()), "") << "not a record";
  EXPECT_EQ(token_in<TypeParam>(nullptr), "");
}

// Where the compiler of slurmctld puts them (job_record.h of 25.05.3, 25.11.0 and 26.05.3, x86-64).
TEST(RecordHeads, LieWhereSlurmctldHasIt) {
  EXPECT_EQ(offsetof(JobRecordHeadSince2011, admin_comment), 16U);
  EXPECT_EQ(offsetof(JobRecordHeadSince2511, magic), 24U);
  EXPECT_EQ(offsetof(JobRecordHeadSince2511, admin_comment), 40U);
}

class Modify : public ::testing::Test {
 protected:
  Modify() {
    pause_micros = 1'000'000'000;
    folder_.write("policy.onprem",
                  "version 1\ndefault_partition cpu\ndefault allow\npartition gpu-aws deny\n");
    gate_.configure("timeout_ms=500 socket=" + path_, "onprem");
    testing::take_log();
  }
  ~Modify() override {
    service_.reset();
    EXPECT_EQ(testing::live_allocations(), 0);
  }

  void serve(const std::string& text) {
    service_.reset();
    service_ = std::make_unique<testing::FakeService>(
        path_, [this, text](testing::Connection& connection) {
          const std::string request = connection.read_request();
          {
            const std::lock_guard<std::mutex> guard(mutex_);
            requests_.push_back(request);
          }
          connection.send(text);
        });
  }
  std::size_t asked() {
    const std::lock_guard<std::mutex> guard(mutex_);
    return requests_.size();
  }
  int modify(std::uint32_t minutes, const std::string& job, std::uint32_t user = kUser,
             const char* partition = nullptr) {
    Request asked;
    asked->time_limit = minutes;
    asked.set(&job_desc_msg_t::job_id_str, job);
    if (partition != nullptr) asked.set(&job_desc_msg_t::partition, partition);
    const Record record(std::string("asbb=") + kToken);
    const int code = gate_.modify(asked.get(), record.get(), user, asked.err_msg());
    message_ = asked.take_err_msg();
    EXPECT_EQ(asked->admin_comment, nullptr);
    return code;
  }

  testing::Folder folder_;
  std::string path_ = folder_.path("asbb.sock");
  Gate gate_{pause_clock};
  std::mutex mutex_;
  std::vector<std::string> requests_;
  std::string message_;
  std::unique_ptr<testing::FakeService> service_;
};

TEST_F(Modify, IsAskedAndObeyed) {
  serve(testing::answer(200, "deny", "Not enough."));
  EXPECT_EQ(modify(60, "12"), ESLURM_ACCOUNTING_POLICY);
  EXPECT_EQ(message_, "asbb: Not enough.");
  ASSERT_EQ(asked(), 1U);
  EXPECT_TRUE(requests_[0].starts_with("POST /api/v1/slurm/changes HTTP/1.1\r\n")) << requests_[0];
  EXPECT_NE(requests_[0].find("\"job\":\"12\""), std::string::npos);
  EXPECT_NE(requests_[0].find(kToken), std::string::npos);
  serve(testing::answer(200, "allow", "held $1"));
  EXPECT_EQ(modify(61, "12"), SLURM_SUCCESS);
  EXPECT_EQ(message_, "asbb: held $1");
  serve(testing::answer(400, "", "no"));
  EXPECT_EQ(modify(62, "12"), ESLURM_ACCOUNTING_POLICY);
}

TEST_F(Modify, WhereSlurmCannotTellTheUserItIsOnlyRefused) {
  serve(testing::answer(200, "deny", "Not enough."));
  Request asked;
  asked->time_limit = 60;
  EXPECT_EQ(gate_.modify(asked.get(), nullptr, kUser, nullptr), ESLURM_ACCOUNTING_POLICY);
}

TEST_F(Modify, WhatCostsNothingIsNotAsked) {
  serve(testing::answer(200, "deny", "no"));
  Request asked;
  asked.set(&job_desc_msg_t::name, "other");
  EXPECT_EQ(gate_.modify(asked.get(), nullptr, kUser, nullptr), SLURM_SUCCESS);
  EXPECT_EQ(asked.take_err_msg(), "");
  EXPECT_EQ(this->asked(), 0U);
}

TEST_F(Modify, AThousandTasksOfOneCommandAreOneQuestion) {
  serve(testing::answer(200, "allow", ""));
  for (int task = 0; task < 1'000; ++task) ASSERT_EQ(modify(60, "12_[1-1000]"), SLURM_SUCCESS);
  EXPECT_EQ(asked(), 1U);
  EXPECT_EQ(modify(61, "12_[1-1000]"), SLURM_SUCCESS);
  EXPECT_EQ(asked(), 2U) << "another command";
  EXPECT_EQ(modify(61, "13_[1-1000]"), SLURM_SUCCESS);
  EXPECT_EQ(asked(), 3U) << "another job";
  EXPECT_EQ(modify(61, "13_[1-1000]", 1), SLURM_SUCCESS);
  EXPECT_EQ(asked(), 4U) << "somebody else";
}

TEST_F(Modify, ACommandIsOverAfterASecondOfSilence) {
  serve(testing::answer(200, "allow", ""));
  EXPECT_EQ(modify(60, "12"), SLURM_SUCCESS);
  pause_micros += (kSameCommandMs + 1) * 1'000;
  EXPECT_EQ(modify(60, "12"), SLURM_SUCCESS);
  EXPECT_EQ(asked(), 2U);
  for (int step = 0; step < 10; ++step) {
    pause_micros += 900'000;
    EXPECT_EQ(modify(60, "12"), SLURM_SUCCESS);
  }
  EXPECT_EQ(asked(), 3U) << "no answer is older than five seconds";
}

TEST_F(Modify, ARefusalHoldsForAllTasksToo) {
  serve(testing::answer(200, "deny", "Not enough."));
  for (int task = 0; task < 3; ++task) {
    EXPECT_EQ(modify(60, "12_[1-3]"), ESLURM_ACCOUNTING_POLICY);
    EXPECT_EQ(message_, "asbb: Not enough.");
  }
  EXPECT_EQ(asked(), 1U);
}

TEST_F(Modify, InSilenceTheStrictestPartitionDecidesUnlessOneIsNamed) {
  EXPECT_EQ(modify(60, "12"), ESLURM_ACCOUNTING_POLICY);
  EXPECT_NE(message_.find("does not answer"), std::string::npos) << message_;
  EXPECT_EQ(modify(60, "12", kUser, "cpu"), SLURM_SUCCESS);
  EXPECT_EQ(modify(60, "12", kUser, "gpu-aws"), ESLURM_ACCOUNTING_POLICY);
  EXPECT_EQ(modify(60, "12", 0), SLURM_SUCCESS) << "an administrator is not locked out";
  EXPECT_EQ(modify(60, "12", geteuid()), SLURM_SUCCESS);
  folder_.write("policy.onprem", "version 1\ndefault allow\n");
  pause_micros += 2'000'000;
  EXPECT_EQ(modify(60, "12"), SLURM_SUCCESS);
}

TEST_F(Modify, TheBreakerSparesTheController) {
  for (std::uint32_t minutes = 1; minutes < 5; ++minutes) {
    EXPECT_EQ(modify(minutes, "12"), ESLURM_ACCOUNTING_POLICY);
  }
  serve(testing::answer(200, "allow", ""));
  EXPECT_EQ(modify(60, "12"), ESLURM_ACCOUNTING_POLICY);
  EXPECT_EQ(asked(), 0U);
}

}  // namespace
}  // namespace asbb::plugins
