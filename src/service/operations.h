// What each route of the REST API does, free of HTTP: who may do it (authority.h), which commands
// go to the committer, what is read from the book or the store. Owned by the program; must outlive
// the listener. Three kinds of functions: those with a Promise never block and answer on the
// committer's thread; those marked "blocking" read the store and belong on a worker thread; the
// others read committed state under a short lock.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "api/types.h"
#include "service/advice_seam.h"
#include "service/alarms.h"
#include "service/alert_watch.h"
#include "service/allowances.h"
#include "service/authority.h"
#include "service/budget_bounds.h"
#include "service/change_planner.h"
#include "service/committer.h"
#include "service/job_figure.h"
#include "service/prices.h"
#include "service/reconciler.h"
#include "service/reply.h"
#include "service/submission_gate.h"
#include "service/work_queue.h"

namespace asbb::service {

struct OperationsOptions {
  std::string default_unit = "USD";
  std::string write_off_account;  // empty: nothing can be written off
  std::string zone = "UTC";       // where calendar days begin
  GateOptions gate;
  std::vector<std::string> clusters;               // as configured
  std::map<std::string, std::string> slurm_confs;  // of those clusters that have one of their own
  std::int64_t unbound_holds_max = 10'000;         // per user and account
  bool say_held = true;                            // tell the user what was set aside for his job
  std::string head_file;                           // heads of the chain written down; empty: none
  BudgetBounds bounds;
};

// What the reconciler and the refresher are asked for; each may be empty, and must not block.
struct Hooks {
  std::function<void()> notify;
  std::function<void(PassAnswer)> ask_for_pass;
  std::function<void(const PassQuestion&, PassAnswer)> ask_about;
  std::function<PassReport()> last_pass;
  std::function<void()> prices_changed;  // after `prices` has followed; may be on any thread
  std::function<void()> view_wanted;     // somebody met what the view does not know (yet)
  KnownJobs* known = nullptr;            // shared with the reconciler
  const AdviceSeam* advice = nullptr;    // null: the price book alone prices jobs
  AlertWatch* alerts = nullptr;          // null: nobody is told of anything
  Allowances* allowances = nullptr;      // the reconciler's; null: there are none
  // Why this money is not set aside, because an account ran dry; takes away the parts of a hold
  // that can do without them.
  std::function<std::optional<Denial>(ledger::PlaceHold&, Instant)> stop;
};

struct Collaborators {
  Committer& committer;
  Prices& prices;
  const slurm::ClusterCache& view;
  const slurm::UserNames& names;
  const Authority& authority;
  const Alarms& alarms;
  WorkQueue& work;
};

// Of /accounts.
struct AccountsQuery {
  std::string status;  // empty: all
  std::int64_t limit = 1000;
  std::int64_t offset = 0;
};

class Operations {
 public:
  Operations(Collaborators with, Hooks hooks, store::ChainKey audit_key, OperationsOptions options);
  Operations(const Operations&) = delete;
  Operations& operator=(const Operations&) = delete;
  ~Operations();

  // Slurm's side. A refusal of a job is an answer with decision "deny", not a Problem; `body` is
  // the JSON as it came, and what cannot be read in it is a deny as well (plugin-protocol.md 3).
  void submit_job(const Caller& caller, const std::string& token, const std::string& body,
                  const Promise<api::SubmissionAnswer>& promise);
  // What a job would cost and whether it would be let in, without submitting it. Holds nothing.
  [[nodiscard]] Reply<api::Quote> quote(const Caller& caller, const api::QuoteRequest& request);
  // A change of a job, in the same way; Slurm may still refuse it afterwards.
  void change_job(const Caller& caller, const std::string& body,
                  const Promise<api::SubmissionAnswer>& promise);
  [[nodiscard]] Reply<api::NotifyAnswer> notify(const Caller& caller, const api::Notify& request);
  // Runs a pass of the reconciler and tells what became of the job, or 503 when that is not done in
  // time (ReconcilerOptions::answer_within). `job` is "123" or "123_4". With an actual cost, an
  // administrator's, it then sets what the job is charged.
  void reconcile_job(const Caller& caller, const std::string& job, const api::JobReconcile& request,
                     const Promise<api::JobReconcileAnswer>& promise);

  // Holds that no job explains: what is open, why, and what is done about it by a pass of the
  // reconciler, or would be. 503 as above.
  void recover(const Caller& caller, const api::RecoveryRequest& request,
               const Promise<api::RecoveryAnswer>& promise);

  // The simple routes of other programs.
  void check(const Caller& caller, const api::BudgetCheck& request,
             const Promise<api::BudgetCheckAnswer>& promise);
  // Blocking until the promise: it may look for the hold in the store.
  void reconcile(const Caller& caller, const api::BudgetReconcile& request,
                 const Promise<api::BudgetReconcileAnswer>& promise);

  [[nodiscard]] Reply<std::vector<api::Account>> accounts(const Caller& caller,
                                                          const AccountsQuery& query) const;
  [[nodiscard]] Reply<api::Account> account(const Caller& caller, const std::string& name) const;
  void create_account(const Caller& caller, const api::AccountCreate& request,
                      const Promise<api::Account>& promise);
  void import_accounts(const Caller& caller, const api::AccountImport& request,
                       const Promise<api::AccountImportAnswer>& promise);
  void update_account(const Caller& caller, const std::string& name,
                      const api::AccountUpdate& request, const Promise<api::Account>& promise);
  void close_account(const Caller& caller, const std::string& name,
                     const Promise<Nothing>& promise);
  void set_partition_limit(const Caller& caller, const std::string& name,
                           const std::string& partition, const api::PartitionLimitSet& request,
                           const Promise<api::Account>& promise);
  void adjust(const Caller& caller, const std::string& name, const api::Adjustment& request,
              const Promise<api::Account>& promise);
  void deposit(const Caller& caller, const std::string& name, const api::MoneyMove& request,
               const Promise<api::Account>& promise);
  void withdraw(const Caller& caller, const std::string& name, const api::MoneyMove& request,
                const Promise<api::Account>& promise);
  // `name` gives; the answer shows it.
  void transfer(const Caller& caller, const std::string& name, const api::MoneyTransfer& request,
                const Promise<api::Account>& promise);
  // Blocking until the promise: it may look for the hold in the store.
  void refund(const Caller& caller, const std::string& name, const api::MoneyRefund& request,
              const Promise<api::Account>& promise);

  // As refund(); the service's write-off account bears the cost from then on.
  void write_off(const Caller& caller, const std::string& name, const api::MoneyWriteOff& request,
                 const Promise<api::Account>& promise);
  // From the account's budget in one unit into its budget in another.
  void convert(const Caller& caller, const std::string& name, const api::MoneyConversion& request,
               const Promise<api::Account>& promise);
  [[nodiscard]] Reply<std::vector<api::ConversionRate>> conversion_rates(
      const Caller& caller) const;
  void record_conversion_rate(const Caller& caller, const api::NewConversionRate& request,
                              const Promise<api::ConversionRate>& promise);

  [[nodiscard]] Reply<std::vector<api::Alert>> alerts(const Caller& caller,
                                                      const api::AlertQuery& query) const;
  // Blocking: it is written down before the answer.
  [[nodiscard]] Reply<api::Alert> acknowledge_alert(const Caller& caller, std::int64_t id,
                                                    const api::AlertAcknowledgement& request);
  [[nodiscard]] Reply<api::AlertRules> alert_rules(const Caller& caller) const;

  [[nodiscard]] Reply<std::vector<api::OpenHold>> open_holds(const Caller& caller,
                                                             const std::string& account) const;
  // Blocking.
  [[nodiscard]] Reply<std::vector<api::Transaction>> transactions(
      const Caller& caller, const api::TransactionQuery& query) const;
  // Blocking.
  [[nodiscard]] Reply<api::Usage> usage(const Caller& caller, const std::string& account,
                                        const api::UsageQuery& query) const;
  // Blocking. Of all accounts that the caller may see.
  [[nodiscard]] Reply<api::UsageSummary> usage_summary(const Caller& caller,
                                                       const api::UsageQuery& query) const;
  // Blocking. What spent money or gave it back, a page in the order of the ledger.
  [[nodiscard]] Reply<api::ChargePage> charges(const Caller& caller,
                                               const api::ChargeQuery& query) const;
  // Blocking. How long the account's budgets in force last.
  [[nodiscard]] Reply<api::Forecast> forecast(const Caller& caller, const std::string& name) const;
  // Blocking. `id` is what held the money ("transaction_id"), or the number of one of its entries.
  [[nodiscard]] Reply<api::TransactionDetails> transaction(const Caller& caller,
                                                           const std::string& id) const;
  // Blocking. What a launcher of nodes has to know; `job` is "123" or "123_4", `cluster` may be
  // empty: any.
  [[nodiscard]] Reply<api::JobContext> job_context(const Caller& caller, const std::string& job,
                                                   const std::string& cluster) const;

  [[nodiscard]] Reply<std::vector<api::PriceBook>> price_books(const Caller& caller) const;
  // `version` 0: the one in force.
  [[nodiscard]] Reply<api::PriceBook> price_book(const Caller& caller, std::int64_t version) const;
  void import_prices(const Caller& caller, const api::PriceImport& request,
                     const Promise<api::PriceBook>& promise);

  // Blocking. Of everybody's accounts: for callers who may read all.
  [[nodiscard]] Reply<std::vector<api::AuditEntry>> audit_entries(
      const Caller& caller, const api::AuditQuery& query) const;
  // Blocking, and long: reads every entry.
  [[nodiscard]] Reply<api::AuditReport> verify_audit(const Caller& caller) const;
  [[nodiscard]] Reply<api::Status> status(const Caller& caller) const;
  // What a submitter has to know to choose one: for everybody who is known.
  [[nodiscard]] Reply<std::vector<api::ClusterInfo>> clusters(const Caller& caller) const;
  // What is not as it should be of prices, accounts, holds and alarms.
  [[nodiscard]] Reply<api::DoctorAnswer> doctor(const Caller& caller) const;
  [[nodiscard]] api::Health health() const;

 private:
  struct Submitted;
  struct Changing;
  struct Trial;
  struct Figure;
  class Doctor;  // operations_doctor.cc
  struct Checked;
  struct Charge;

  // The unit of a request that may leave it out, and 400 where the account has several of which
  // `other` is not one.
  [[nodiscard]] Reply<std::string> unit_or_only(const std::string& account,
                                                const std::string& given,
                                                const std::string& other = {}) const;
  // Names the units that the account has, where it lacks one.
  [[nodiscard]] api::Problem explain(const ledger::Outcome& outcome, const std::string& asked,
                                     const Given& given) const;
  [[nodiscard]] Instant now() const { return with_.committer.clock()(); }
  [[nodiscard]] ledger::Command command(const Caller& caller, ledger::Action action,
                                        std::string reason = {}) const;
  // Sends the command; the promise is kept with what `reply` makes of an accepted outcome, or with
  // the problem.
  template <typename T>
  void commit(ledger::Command command, const std::string& account, const Promise<T>& promise,
              std::function<Reply<T>(const ledger::Outcome&)> reply, const Given& given = {});
  [[nodiscard]] Reply<api::Account> show_account(const std::string& name) const;
  void add_slurm_accounts(std::span<api::Account> views) const;
  // Where no job can count against a limit on that partition in that unit, as of now.
  void warn_of_limit(const std::string& partition, const std::string& unit,
                     api::Account& account) const;
  [[nodiscard]] Result<void> check_deposit(const std::string& name, const std::string& unit,
                                           Micros amount) const;
  [[nodiscard]] Result<void> check_limit_with(const std::string& name, const std::string& unit,
                                              Micros amount) const;
  // Nothing where a cluster of that name is watched.
  [[nodiscard]] std::optional<api::Problem> check_cluster(const std::string& name) const;

  void decline(const Caller& caller, const std::string& token, const api::Submission& submission,
               const Denial& denial, const Promise<api::SubmissionAnswer>& promise);
  void place_hold(const std::shared_ptr<Submitted>& submitted,
                  const Promise<api::SubmissionAnswer>& promise);
  // Of a HoldPlan, `place` is what to ask the ledger for.
  [[nodiscard]] Verdict judge(const api::Submission& submission, Instant at,
                              ledger::PlaceHold& place);
  void price_and_place(const std::shared_ptr<Submitted>& submitted,
                       const Promise<api::SubmissionAnswer>& promise);
  [[nodiscard]] PricedBy advise_trial(HoldPlan& plan, ledger::PlaceHold& place) const;
  enum class Asking { price_book, advisor_too };
  [[nodiscard]] Trial try_job(const Caller& caller, const api::Submission& job,
                              Asking asking = Asking::price_book);
  [[nodiscard]] std::vector<api::QuoteFit> fits_of(const Caller& caller, const api::Submission& job,
                                                   const Trial& refused);
  [[nodiscard]] std::vector<api::QuoteFit> other_partitions(const Caller& caller,
                                                            const api::Submission& job);
  [[nodiscard]] Changer changer_of(const api::JobChange& change) const;
  void place_next(const std::shared_ptr<Changing>& changing,
                  const Promise<api::SubmissionAnswer>& promise);
  void undo_change(const Changing& changing);
  void change_decided(const std::shared_ptr<Changing>& changing,
                      const Result<ledger::Outcome>& outcome,
                      const Promise<api::SubmissionAnswer>& promise);
  // Whether the memory of request ids has an answer: the ledger gives it again, or says that it
  // belongs to another request.
  [[nodiscard]] bool is_answered(const std::string& request_id) const;
  [[nodiscard]] Reply<api::SubmissionAnswer> answer_of(const Submitted& submitted,
                                                       ledger::Outcome outcome);
  [[nodiscard]] api::SubmissionAnswer refusal_of(const Submitted& submitted,
                                                 const ledger::Outcome& outcome);
  // Lines for whoever was refused for want of money; empty where no other unit can pay.
  [[nodiscard]] std::string elsewhere(const Caller& caller, const api::Submission& job);
  [[nodiscard]] Reply<api::JobReconcileAnswer> tell_job(const std::string& job,
                                                        const std::string& cluster,
                                                        const PassReport& report) const;
  // operations_figure.cc
  void set_figure(const Caller& caller, const std::string& job, const api::JobReconcile& request,
                  const Promise<api::JobReconcileAnswer>& promise);
  [[nodiscard]] Reply<Figure> read_figure(const Caller& caller, const std::string& job,
                                          const api::JobReconcile& request,
                                          const JobSight& sight) const;
  [[nodiscard]] std::vector<ToldCost> costs_told(const Figure& figure, const JobSight& sight) const;
  [[nodiscard]] Reply<api::JobReconcileAnswer> enter_figure(Figure figure);
  [[nodiscard]] std::optional<api::Problem> settle_rest(Figure& figure);
  [[nodiscard]] std::optional<api::Problem> give_back(Figure& figure, Micros amount);
  [[nodiscard]] Reply<ledger::Outcome> run(const Figure& figure, ledger::Action action);
  [[nodiscard]] Reply<Checked> price_check(const api::BudgetCheck& request);
  [[nodiscard]] Reply<api::BudgetCheckAnswer> answer_of(const api::BudgetCheck& request,
                                                        const Checked& checked,
                                                        const std::string& fresh_id,
                                                        const ledger::Outcome& outcome) const;
  [[nodiscard]] Micros hold_factor_of(const ledger::Account& account) const;
  [[nodiscard]] Reply<std::string> transaction_of(const ledger::Outcome& outcome) const;
  [[nodiscard]] Reply<Charge> find_charge(const std::string& name, const std::string& unit,
                                          const api::BudgetReconcile& sought) const;
  // All holds of one job, or the one of that transaction; never empty.
  [[nodiscard]] Reply<std::vector<store::HoldRecord>> find_holds(
      const api::BudgetReconcile& request) const;
  [[nodiscard]] Reply<ledger::Action> find_settlement(
      const Caller& caller, const api::BudgetReconcile& request,
      const std::vector<store::HoldRecord>& holds) const;
  void want_view(const std::string& denial);
  void note_held(Submitted& submitted, ledger::HoldId id);
  void note_component(const std::string& token, const api::Submission& asked, bool is_allowed);
  // As the authority says, or because he owns the account, or one above it.
  [[nodiscard]] bool may_see(const Caller& caller, const std::string& account) const;
  [[nodiscard]] std::vector<std::string> visible_accounts(const Caller& caller) const;
  [[nodiscard]] Reply<api::PriceBook> follow_prices(const Caller& caller,
                                                    std::int64_t version) const;

  const Collaborators with_;
  const Hooks hooks_;
  const store::ChainKey audit_key_;
  const OperationsOptions options_;
  const Instant started_at_;
  SubmissionGate gate_;
  KnownJobs own_known_;  // where nobody shares any
  KnownJobs& known_;
  ShapeCache shapes_;
  std::atomic<std::int64_t> view_wanted_us_{0};  // when last
};

// A Problem for callers who may not: 401 for one without a token, 403 for anybody else.
[[nodiscard]] tl::unexpected<api::Problem> not_allowed(const Caller& caller);

// REQUIRES: Operations::commit is used in operations_*.cc only.
template <typename T>
void Operations::commit(ledger::Command command, const std::string& account,
                        const Promise<T>& promise,
                        std::function<Reply<T>(const ledger::Outcome&)> reply, const Given& given) {
  const bool queued = with_.committer.submit(
      std::move(command), [this, promise, account, reply, given](Result<ledger::Outcome> outcome) {
        promise([this, account, reply, given, outcome = std::move(outcome)]() -> Reply<T> {
          if (!outcome) return problem(outcome.error());
          if (!outcome->accepted()) return tl::unexpected(explain(*outcome, account, given));
          return reply(*outcome);
        });
      });
  if (!queued) promise([]() -> Reply<T> { return too_busy(); });
}

}  // namespace asbb::service
