// Newer Slurm calls job_submit from several threads at once: eight of them, and one that meanwhile
// changes the policy and takes the service away. Built by itself with ThreadSanitizer
// (plugin_concurrency_test), since what it watches for cannot be seen otherwise.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "plugins/gate.h"
#include "plugins/testing/fake_service.h"
#include "plugins/testing/fake_slurm.h"

extern "C" int job_submit(job_desc_msg_t* job, std::uint32_t submit_uid, char** err_msg);

namespace asbb::plugins {
namespace {

using testing::FakeService;
using testing::Request;

constexpr int kThreads = 8;
constexpr int kSubmissions = 100;
constexpr int kFirstSubmissions = 10;

std::atomic<std::int64_t> pause_micros{1'000'000'000};
std::int64_t pause_clock() {
  return pause_micros += 100'000;
}

// One submission or change, as a thread of slurmctld makes it.
template <typename Submit>
void submit_one(int number, const Submit& submit) {
  Request request;
  request.set(&job_desc_msg_t::partition, number % 2 == 0 ? "cpu" : "gpu-aws");
  if (number % 3 == 0) {
    request.add_spank_variable("_SLURM_SPANK_OPTION_asbb_budget_budget=proj001");
  }
  const int code = submit(request.get(), request.err_msg());
  EXPECT_TRUE(code == SLURM_SUCCESS || code == ESLURM_ACCOUNTING_POLICY);
  EXPECT_EQ(code == SLURM_SUCCESS, request->admin_comment != nullptr);
}

template <typename Submit>
void submit_from_all_threads(int submissions, const Submit& submit) {
  std::vector<std::thread> threads;
  for (int at = 0; at < kThreads; ++at) {
    threads.emplace_back([&submit, submissions, at] {
      for (int number = at; number < at + submissions; ++number) submit_one(number, submit);
    });
  }
  for (std::thread& thread : threads) thread.join();
}

// Until told to stop: other policies, and a service that comes, refuses, hangs and goes.
void change_everything(const testing::Folder& folder, const std::string& socket,
                       const std::atomic<bool>& is_over) {
  for (int turn = 0; !is_over; ++turn) {
    const std::string stance = turn % 2 == 0 ? "allow" : "deny";
    folder.write("policy.onprem", "version 1\ndefault " + stance + "\npartition cpu allow\n");
    FakeService::Handler handler = testing::answering(testing::answer(200, stance, "text"));
    if (turn % 4 == 1) handler = testing::answering_on(stance, "text");
    if (turn % 4 == 3) {
      handler = [](testing::Connection& connection) { connection.wait_for_end(); };
    }
    const FakeService service(socket, handler);
    std::this_thread::sleep_for(std::chrono::milliseconds(30));
  }
}

TEST(Concurrency, OneGateServesManyThreadsWhileEverythingChanges) {
  testing::take_log();
  const testing::Folder folder;
  const std::string socket = folder.path("asbb.sock");
  Gate gate(pause_clock);
  gate.configure("timeout_ms=20 socket=" + socket, "onprem");
  std::atomic<bool> is_over{false};
  std::thread world([&] { change_everything(folder, socket, is_over); });
  submit_from_all_threads(kSubmissions, [&gate](job_desc_msg_t* job, char** err_msg) {
    return gate.submit(job, 1'000, err_msg);
  });
  submit_from_all_threads(kSubmissions, [&gate](job_desc_msg_t* job, char** err_msg) {
    Request change;
    change.set(&job_desc_msg_t::job_id_str, "67108865");
    change->time_limit = 30;
    char* said = nullptr;
    gate.modify(change.get(), nullptr, 1'000, &said);
    slurm_xfree(reinterpret_cast<void**>(&said));
    return gate.submit(job, 1'000, err_msg);
  });
  is_over = true;
  world.join();
  gate.hang_up();
  EXPECT_EQ(testing::live_allocations(), 0);
}

// The service is silent, and all spend the same allowance: enough for 60 jobs, and not one more.
TEST(Concurrency, AnAllowanceIsSpentOnceWhoeverAsks) {
  testing::take_log();
  const testing::Folder folder;
  folder.write("policy.onprem",
               "version 1\ndefault allow\npartition cpu allow\npartition gpu-aws allow\n"
               "allowance proj001 5 60000000 USD 1000000 0\nspender 1001 proj001 proj001 default\n"
               "rate cpu USD 1000000 0 1 4 60 60 0\nrate gpu-aws USD 1000000 0 1 4 60 60 0\n");
  Gate gate(pause_clock);
  gate.configure("timeout_ms=20 socket=" + folder.path("asbb.sock"), "onprem", folder.path("."));
  std::atomic<int> accepted{0};
  submit_from_all_threads(kFirstSubmissions, [&](job_desc_msg_t* job, char** err_msg) {
    job->user_id = 1'001;
    job->num_tasks = 1;
    const int code = gate.submit(job, 1'001, err_msg);
    if (code == SLURM_SUCCESS) ++accepted;
    return code;
  });
  EXPECT_EQ(accepted, 60);
}

TEST(Concurrency, TheFirstSubmissionsMayComeAllAtOnce) {
  const testing::Folder folder;
  const std::string socket = folder.path("asbb.sock");
  setenv("SLURM_CONF", folder.write("slurm.conf", "ClusterName=OnPrem\n").c_str(), 1);
  folder.write("plugstack.conf", "required job_submit_budget.so timeout_ms=1000 socket=" + socket);
  folder.write("policy.onprem", "version 1\ndefault allow\n");
  const FakeService service(socket, testing::answering(testing::answer(200, "allow", "")));
  testing::take_log();
  submit_from_all_threads(kFirstSubmissions, [](job_desc_msg_t* job, char** err_msg) {
    return job_submit(job, 1'000, err_msg);
  });
  int configured = 0;
  for (const std::string& line : testing::take_log()) {
    if (line.find("asbb: cluster onprem: budget service at") != std::string::npos) ++configured;
  }
  EXPECT_EQ(configured, 1);
}

}  // namespace
}  // namespace asbb::plugins
