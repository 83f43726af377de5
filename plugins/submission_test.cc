#include "plugins/submission.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <string>
#include <vector>

#include "plugins/testing/fake_slurm.h"

namespace asbb::plugins {
namespace {

using testing::Request;

std::string head() {
  return R"({"cluster":"onprem","slurm_version":"22.05.8","time_budget_ms":49,"on_silence":"deny",)"
         R"("submit_uid":1000,"user_id":1000)";
}

std::string written(const Request& request, const Options& options = {}) {
  std::vector<char> storage(65'536);
  BoundedText body(storage.data(), storage.size());
  write_submission({&*request, "onprem", 1'000, options, Stance::deny}, 49, &body);
  return std::string(body.view());
}

// What the request says beyond the fields that are always there.
std::string said(const Request& request) {
  std::string text = written(request);
  const std::string version = R"("slurm_version":")";
  const std::size_t start = text.find(version) + version.size();
  text.replace(start, text.find('"', start) - start, "22.05.8");
  EXPECT_EQ(text.substr(0, head().size()), head());
  return text.substr(head().size());
}

TEST(Submission, LeavesOutWhatIsUnset) {
  const Request request;
  EXPECT_EQ(said(request), "}");
}

TEST(Submission, LeavesOutEmptyTextsAndLimitsThatAreInfinite) {
  Request request;
  request.set(&job_desc_msg_t::account, "");
  request->ntasks_per_core = INFINITE16;
  request->max_nodes = INFINITE;
  request->job_id = 0;
  request->pn_min_memory = INFINITE64;
  EXPECT_EQ(said(request), "}");
}

TEST(Submission, NamesTheVersionAndTheStance) {
  const Request request;
  std::vector<char> storage(4'096);
  BoundedText body(storage.data(), storage.size());
  write_submission({&*request, "cloud", 0, {}, Stance::allow}, 1, &body);
  const std::string text(body.view());
  char version[32];
  std::snprintf(version, sizeof version, "\"%u.%02u.%u\"", kSlurmMajor, kSlurmMinor, kSlurmMicro);
  EXPECT_NE(text.find(version), std::string::npos);
  EXPECT_NE(text.find(R"("time_budget_ms":1,"on_silence":"allow","submit_uid":0,)"),
            std::string::npos);
}

void fill_identity(Request* request) {
  (*request)->group_id = 100;
  request->set(&job_desc_msg_t::name, "train \"big\"\n");
  request->set(&job_desc_msg_t::account, "proj001");
  request->set(&job_desc_msg_t::partition, "gpu-aws,cpu");
  request->set(&job_desc_msg_t::qos, "normal");
  request->set(&job_desc_msg_t::reservation, "maint");
  request->set(&job_desc_msg_t::licenses, "matlab:2");
  request->set(&job_desc_msg_t::wckey, "w");
  request->set(&job_desc_msg_t::clusters, "onprem,cloud");
  request->set(&job_desc_msg_t::cluster_features, "cloud");
}

void fill_shape(Request* request) {
  job_desc_msg_t* job = request->get();
  job->min_nodes = 1;
  job->max_nodes = 0;
  job->min_cpus = 8;
  job->max_cpus = 16;
  job->pn_min_cpus = 2;
  job->num_tasks = 4;
  job->cpus_per_task = 2;
  job->ntasks_per_node = 3;
  job->ntasks_per_socket = 4;
  job->ntasks_per_core = 5;
  job->ntasks_per_board = 6;
  job->ntasks_per_tres = 7;
  job->boards_per_node = 1;
  job->sockets_per_board = 2;
  job->sockets_per_node = 3;
  job->cores_per_socket = 4;
  job->threads_per_core = 1;
  job->shared = 0;
  job->contiguous = 1;
  job->overcommit = 0;
  request->set(&job_desc_msg_t::tres_per_job, "gres:gpu:a100:8");
  request->set(&job_desc_msg_t::tres_per_node, "gres:gpu:2");
  request->set(&job_desc_msg_t::tres_per_socket, "gres:gpu:1");
  request->set(&job_desc_msg_t::tres_per_task, "gres:gpu:1");
  request->set(&job_desc_msg_t::mem_per_tres, "gres:gpu:4096");
  request->set(&job_desc_msg_t::cpus_per_tres, "gres:gpu:4");
}

TEST(Submission, SaysEverythingThatIsSet) {
  Request request;
  fill_identity(&request);
  fill_shape(&request);
  request.set(&job_desc_msg_t::features, "a100&nvme");
  request.set(&job_desc_msg_t::prefer, "nvme");
  request.set(&job_desc_msg_t::req_nodes, "n[1-2]");
  request.set(&job_desc_msg_t::exc_nodes, "n9");
  request->time_limit = 90;
  request->time_min = 30;
  request->begin_time = 1'780'000'000;
  request.set(&job_desc_msg_t::dependency, "afterok:12");
  request.set(&job_desc_msg_t::array_inx, "1-10%2");
  request->requeue = 1;
  request->het_job_offset = 0;
  EXPECT_EQ(
      said(request),
      R"(,"group_id":100,"name":"train \"big\"\u000a","account":"proj001",)"
      R"("partition":"gpu-aws,cpu","qos":"normal","reservation":"maint","licenses":"matlab:2",)"
      R"("wckey":"w","clusters":"onprem,cloud","cluster_features":"cloud",)"
      R"("min_nodes":1,"max_nodes":0,"min_cpus":8,"max_cpus":16,"min_cpus_per_node":2,)"
      R"("num_tasks":4,"cpus_per_task":2,"ntasks_per_node":3,"ntasks_per_socket":4,)"
      R"("ntasks_per_core":5,"ntasks_per_board":6,"ntasks_per_tres":7,"boards_per_node":1,)"
      R"("sockets_per_board":2,"sockets_per_node":3,"cores_per_socket":4,"threads_per_core":1,)"
      R"("tres_per_job":"gres:gpu:a100:8","tres_per_node":"gres:gpu:2",)"
      R"("tres_per_socket":"gres:gpu:1","tres_per_task":"gres:gpu:1",)"
      R"("mem_per_tres":"gres:gpu:4096","cpus_per_tres":"gres:gpu:4","shared":0,)"
      R"("contiguous":true,"overcommit":false,"features":"a100&nvme","prefer":"nvme",)"
      R"("req_nodes":"n[1-2]","exc_nodes":"n9","time_limit":90,"time_min":30,)"
      R"("begin_time":1780000000,"dependency":"afterok:12","array":"1-10%2","requeue":true,)"
      R"("het_job_offset":0})");
}

TEST(Submission, TellsMemoryPerNodeFromMemoryPerCpu) {
  Request request;
  request->pn_min_memory = 8'000;
  EXPECT_EQ(said(request), R"(,"memory_per_node_mb":8000})");
  request->pn_min_memory = 0;
  EXPECT_EQ(said(request), R"(,"memory_per_node_mb":0})");
  request->pn_min_memory = 500 | MEM_PER_CPU;
  EXPECT_EQ(said(request), R"(,"memory_per_cpu_mb":500})");
}

TEST(Submission, TellsCoresFromThreadsSetAside) {
  Request request;
  request->core_spec = 2;
  EXPECT_EQ(said(request), R"(,"core_spec":2})");
  request->core_spec = 2 | CORE_SPEC_THREAD;
  EXPECT_EQ(said(request), R"(,"thread_spec":2})");
}

TEST(Submission, SpellsOutAnInfiniteTime) {
  Request request;
  request->time_limit = INFINITE;
  request->time_min = 0;
  EXPECT_EQ(said(request), R"(,"time_limit":"UNLIMITED","time_min":0})");
}

TEST(Submission, ShowsWhatTheSpankFaceLeft) {
  Request request;
  const std::string text = written(request, {.cloud = true, .budget = "proj001"});
  EXPECT_TRUE(text.ends_with(R"(,"spank":{"cloud":true,"budget":"proj001"}})"));
  EXPECT_TRUE(
      written(request, {.cloud = false, .budget = "p"}).ends_with(R"(,"spank":{"budget":"p"}})"));
}

TEST(Submission, MarksJobsOfScrontabAndForgedFederations) {
  Request request;
  request->bitflags = CRON_JOB;
  request->fed_siblings_viable = 3;
  request->job_id = 12;
  EXPECT_EQ(said(request), R"(,"cron":true,"job_id":12,"fed_siblings_viable":3})");
}

TEST(Sibling, NeedsAllThreeMarks) {
  Request request;
  request->job_id = 67'108'865;
  request->fed_siblings_viable = 3;
  EXPECT_TRUE(is_sibling(*request, 0));
  EXPECT_FALSE(is_sibling(*request, 1'000)) << "a user can forge the other two";

  request->job_id = NO_VAL;
  EXPECT_FALSE(is_sibling(*request, 0)) << "submitted by root, with forged siblings";
  request->job_id = 0;
  EXPECT_FALSE(is_sibling(*request, 0));
  request->job_id = 67'108'865;
  request->fed_siblings_viable = 0;
  EXPECT_FALSE(is_sibling(*request, 0));
  request->fed_siblings_viable = NO_VAL64;
  EXPECT_FALSE(is_sibling(*request, 0));
}

}  // namespace
}  // namespace asbb::plugins
