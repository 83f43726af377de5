// A fixture with Operations on top: one cluster "onprem" with partitions cpu (free, the default)
// and gpu-aws (priced), users alice (proj001) and bob (other001), and callers of every kind.
#pragma once

#include <future>
#include <memory>
#include <string>
#include <vector>

#include "api/json.h"
#include "service/operations.h"
#include "service/testing/fixture.h"
#include "slurm/fake.h"

namespace asbb::service::testing {

slurm::PartitionInfo partition_info(const std::string& name, bool is_default,
                                    std::vector<std::string> nodes);
slurm::NodeInfo node_info(const std::string& name, const std::string& partition);

class OperationsFixture : public Fixture {
 public:
  OperationsFixture();
  ~OperationsFixture() override;

  // Views and associations as of now.
  void refresh_view();

  [[nodiscard]] slurm::ClusterSnapshot cluster(const std::string& name) const;
  [[nodiscard]] slurm::Associations associations() const;

  // Operations on whatever committer there is now.
  void rebuild();
  // The same on a committer that has just loaded the book.
  void restart(store::Store& store);

  [[nodiscard]] Caller admin() const { return authority_->local(0); }
  [[nodiscard]] Caller slurm_user() const { return authority_->local(64030); }
  [[nodiscard]] Caller alice() const { return authority_->local(1000); }
  [[nodiscard]] Caller bob() const { return authority_->local(1001); }
  [[nodiscard]] Caller anonymous() const { return authority_->remote("").value(); }

  // Waits for what an operation promises.
  template <typename T, typename Ask>
  static Reply<T> wait(Ask ask) {
    auto kept = std::make_shared<std::promise<Reply<T>>>();
    auto reply = kept->get_future();
    ask(Promise<T>([kept](const std::function<Reply<T>()>& make) { kept->set_value(make()); }));
    return reply.get();
  }

  // A job of one core for an hour: 3.60 USD, 4.32 held.
  static api::Submission submission();

  Reply<api::SubmissionAnswer> submit(const std::string& id, const std::string& body,
                                      const Caller& caller);
  api::SubmissionAnswer submit(const api::Submission& asked, const std::string& id);
  api::SubmissionAnswer submit(const api::Submission& asked) { return submit(asked, token()); }

  Reply<api::BudgetCheckAnswer> check(const api::BudgetCheck& request);
  Reply<api::BudgetReconcileAnswer> reconcile(const api::BudgetReconcile& request,
                                              const Caller& caller);

  // 2 CPUs for an hour on gpu-aws: 7.20 USD, 8.64 held.
  static api::BudgetCheck two_cpus();
  static api::BudgetReconcile settlement(const std::string& id, const char* cost,
                                         const std::string& job = "cloud/node-1");
  template <typename T>
  static int status_of(const Reply<T>& reply) {
    return reply ? 200 : reply.error().status;
  }
  Reply<api::Account> update(const std::string& name, const api::AccountUpdate& request);
  std::vector<api::Transaction> transactions(const std::string& account);

 protected:
  slurm::FakeUserNames names_;
  slurm::ClusterCache view_;
  Alarms alarms_;
  WorkQueue work_{1, 16};
  Hooks hooks_;
  bool refuses_scrontab_ = false;  // from the next rebuild() on, as the next one
  BudgetBounds bounds_;
  std::unique_ptr<Authority> authority_;
  std::unique_ptr<Operations> operations_;
};

}  // namespace asbb::service::testing
