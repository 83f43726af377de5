#include "service/testing/operations_fixture.h"

#include <utility>

namespace asbb::service::testing {

slurm::PartitionInfo partition_info(const std::string& name, bool is_default,
                                    std::vector<std::string> nodes) {
  slurm::PartitionInfo partition;
  partition.name = name;
  partition.is_default = is_default;
  partition.state = "UP";
  partition.default_time_minutes = 60;
  partition.max_time_minutes = 24 * 60;
  partition.nodes = std::move(nodes);
  return partition;
}

slurm::NodeInfo node_info(const std::string& name, const std::string& partition) {
  slurm::NodeInfo node;
  node.name = name;
  node.partitions = {partition};
  node.cpus = node.cpus_effective = node.cores_per_socket = 16;
  node.memory_mb = 64'000;
  node.gres.push_back({"gpu", "a100", 4});
  return node;
}

OperationsFixture::OperationsFixture() {
  names_.add(1000, "alice");
  names_.add(1001, "bob");
  names_.add(64030, "slurm");
  names_.learn({"alice", "bob", "slurm"});
  refresh_view();
  AuthorityOptions authority;
  authority.admin_ids = {0};
  authority.submit_ids = {64030};
  authority.clusters = {"onprem", "cloud"};
  authority_ = std::make_unique<Authority>(authority, AccessTokens(), names_, view_);
  rebuild();
}

OperationsFixture::~OperationsFixture() {
  committer_->stop();
}

void OperationsFixture::refresh_view() {
  view_.put(cluster("onprem"));
  view_.put("onprem", associations());
}

slurm::ClusterSnapshot OperationsFixture::cluster(const std::string& name) const {
  slurm::ClusterSnapshot snapshot;
  snapshot.cluster = name;
  snapshot.read_at = now();
  snapshot.select_type = "select/cons_tres";
  snapshot.select_type_parameters = "CR_CORE_MEMORY";
  snapshot.partitions.push_back(partition_info("cpu", true, {"cpu-1", "cpu-2"}));
  snapshot.partitions.push_back(partition_info("gpu-aws", false, {"gpu-1", "gpu-2"}));
  for (const char* node : {"cpu-1", "cpu-2"}) snapshot.nodes.push_back(node_info(node, "cpu"));
  for (const char* node : {"gpu-1", "gpu-2"}) {
    snapshot.nodes.push_back(node_info(node, "gpu-aws"));
  }
  return snapshot;
}

slurm::Associations OperationsFixture::associations() const {
  slurm::Associations made;
  made.read_at = now();
  const auto account = [&](const char* name, const char* parent) {
    made.add(slurm::Association{"onprem", name, "", "", parent, "", false});
  };
  const auto user = [&](const char* name, const char* account_name) {
    made.add(slurm::Association{"onprem", account_name, name, "", "", "", true});
  };
  account("lab", "");
  account("proj001", "lab");
  account("child", "proj001");
  account("other001", "");
  user("alice", "proj001");
  user("bob", "other001");
  made.add(slurm::Association{"onprem", "child", "alice", "", "", "", false});
  made.set_default_account("onprem", "alice", "proj001");
  made.set_default_account("onprem", "bob", "other001");
  return made;
}

void OperationsFixture::rebuild() {
  OperationsOptions options;
  options.write_off_account = "overhead";
  options.clusters = {"onprem", "cloud"};
  options.gate.refuses_scrontab = refuses_scrontab_;
  options.bounds = bounds_;
  operations_ = std::make_unique<Operations>(
      Collaborators{*committer_, prices_, view_, names_, *authority_, alarms_, work_}, hooks_,
      store::ChainKey{1, 2, 3}, options);
}

void OperationsFixture::restart(store::Store& store) {
  committer_->stop();
  committer_ = std::make_unique<Committer>(
      store, store::ChainKey{1, 2, 3}, [this] { return now(); }, CommitterOptions{});
  EXPECT_TRUE(committer_->start().has_value());
  rebuild();
}

api::Submission OperationsFixture::submission() {
  api::Submission made;
  made.cluster = "onprem";
  made.slurm_version = "22.05.8";
  made.time_budget_ms = 50;
  made.on_silence = api::OnSilence::deny;
  made.submit_uid = made.user_id = 1000;
  made.account = "proj001";
  made.partition = "gpu-aws";
  made.num_tasks = 1;
  made.cpus_per_task = 1;
  made.min_cpus = 1;
  made.time_limit_minutes = 60;
  return made;
}

Reply<api::SubmissionAnswer> OperationsFixture::submit(const std::string& id,
                                                       const std::string& body,
                                                       const Caller& caller) {
  return wait<api::SubmissionAnswer>(
      [&](const auto& promise) { operations_->submit_job(caller, id, body, promise); });
}

api::SubmissionAnswer OperationsFixture::submit(const api::Submission& asked,
                                                const std::string& id) {
  const auto reply = submit(id, api::to_json(asked), slurm_user());
  EXPECT_TRUE(reply.has_value()) << reply.error().message;
  return reply.value_or(api::SubmissionAnswer{});
}

Reply<api::BudgetCheckAnswer> OperationsFixture::check(const api::BudgetCheck& request) {
  return wait<api::BudgetCheckAnswer>(
      [&](const auto& promise) { operations_->check(slurm_user(), request, promise); });
}

Reply<api::BudgetReconcileAnswer> OperationsFixture::reconcile(const api::BudgetReconcile& request,
                                                               const Caller& caller) {
  return wait<api::BudgetReconcileAnswer>(
      [&](const auto& promise) { operations_->reconcile(caller, request, promise); });
}

api::BudgetCheck OperationsFixture::two_cpus() {
  api::BudgetCheck request;
  request.account = "proj001";
  request.partition = "gpu-aws";
  request.nodes = 1;
  request.cpus = 2;
  request.wall_time_s = 3600;
  return request;
}

api::BudgetReconcile OperationsFixture::settlement(const std::string& id, const char* cost,
                                                   const std::string& job) {
  api::BudgetReconcile request;
  request.transaction_id = id;
  request.job_id = job;
  request.actual_cost = money(cost);
  return request;
}

Reply<api::Account> OperationsFixture::update(const std::string& name,
                                              const api::AccountUpdate& request) {
  return wait<api::Account>(
      [&](const auto& promise) { operations_->update_account(admin(), name, request, promise); });
}

std::vector<api::Transaction> OperationsFixture::transactions(const std::string& account) {
  api::TransactionQuery query;
  query.account = account;
  return operations_->transactions(admin(), query).value_or(std::vector<api::Transaction>{});
}

}  // namespace asbb::service::testing
