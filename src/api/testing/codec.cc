// For tests/api/contract.py: without an argument it writes a sample of every type, everything set,
// as "Schema<TAB>JSON"; with "read" it reads such lines and writes each value again, or the error.
#include <functional>
#include <iostream>
#include <map>
#include <string>

#include "api/json.h"

namespace asbb::api {
namespace {

const Instant at{1'749'988'800'000'001};

Budget sample_budget() {
  Budget out;
  out.id = 1;
  out.unit = "USD";
  out.start_date = out.end_date = at;
  out.limit = Micros(1);
  out.available = Micros(-1);
  out.partition_limits = {{"gpu-aws", "USD", Micros(1), Micros(2), Micros(3), Micros(-4)}};
  return out;
}

Account sample_account() {
  Account out;
  out.id = 1;
  out.slurm_account = "proj001";
  out.status = "active";
  out.start_date = out.end_date = at;
  out.hold_percentage = Micros(1'200'000);
  out.may_convert = true;
  out.budgets = {sample_budget()};
  out.slurm_accounts = {{"onprem", "proj001-sub"}};
  return out;
}

Transaction sample_transaction() {
  Transaction out;
  out.id = 1;
  out.job_id = out.transaction_id = out.metadata = out.parent_transaction_id = out.user = "x";
  out.cluster = out.partition = out.actor = out.reason = out.request_id = "x";
  out.type = "overrun";
  out.status = "completed";
  out.price_version = 1;
  out.completed_at = at;
  return out;
}

BudgetCheckAnswer sample_check() {
  BudgetCheckAnswer out;
  out.transaction_id = out.code = out.recommendation = "x";
  out.details.partition_used = out.details.partition_limit = Micros(-1);
  out.details.advisor_confidence = Micros(600'000);
  return out;
}

SubmissionAnswer sample_submission() {
  SubmissionAnswer out;
  out.decision = "deny";
  out.code = out.account = out.partition = out.unit = out.transaction_id = "x";
  return out;
}

Quote sample_quote() {
  Quote out;
  out.decision = "deny";
  out.code = out.account = "x";
  QuotePart& part = out.parts.emplace_back();
  part.priced_by = "advisor";
  part.lines = {"x"};
  part.legs = {{"a", "p", Micros(1), Micros(2), Micros(3), Micros(-4), true}};
  out.fits = {{"time", "--time=1", "USD", Micros(1), Micros(2)}};
  return out;
}

JobReconcileAnswer sample_reconcile() {
  JobReconcileAnswer out;
  out.jobs = {{"1_2", "onprem", "COMPLETED", "set", "t", "USD", Micros(1), {}, {}, "m"}};
  return out;
}

RecoveryAnswer sample_recovery() {
  RecoveryAnswer out;
  out.holds = {{"t", "slurm", "a", "u", "onprem", "7", "p", at, {{"USD", Micros(1)}}, "none", "w"}};
  out.problems = {"x"};
  return out;
}

Usage sample_usage() {
  Usage out;
  UnitUsage& unit = out.units.emplace_back();
  unit.unit = "core-hours";
  unit.by_partition = unit.by_user = unit.by_cluster = {{"x", Micros(-1), 1}};
  unit.by_period = unit.by_account = unit.by_user;
  unit.largest_jobs = {{"1", "onprem", "a", "u", "p", Micros(1)}};
  unit.idle_holds = {{"t", "a", "u", "onprem", "p", 1, "slurm", "USD", {}, {}, {}, 1, at}};
  return out;
}

UsageSummary sample_summary() {
  UsageSummary out;
  out.time_zone = "UTC";
  out.units = sample_usage().units;
  out.accounts = {
      {"a", "p", "USD", true, Micros(1), Micros(2), Micros(3), Micros(-4), Micros(5), 6}};
  return out;
}

ChargePage sample_charges() {
  ChargePage out;
  out.charges = {{1, at, "charge", "a", "USD", Micros(1), "u", "onprem", "p", "1_2"}};
  out.next = 1;
  return out;
}

Forecast sample_forecast() {
  Forecast out;
  out.account = out.draws_on = "a";
  UnitForecast& unit = out.budgets.emplace_back();
  unit.unit = "USD";
  unit.outlook = "on_track";
  unit.rates = {{7, Micros(-1), Micros(1)}};
  unit.runs_out_earliest = unit.runs_out = unit.runs_out_latest = "2025-08-18";
  unit.summary = {"x"};
  unit.history = {{Day{}, Micros(1), Micros(-1)}};
  return out;
}

JobContext sample_context() {
  JobContext out;
  out.job_id = "1";
  out.cluster = out.account = out.user = out.partition = out.transaction_id = out.unit = "x";
  out.paying_account = out.reason = "x";
  out.code = "ok";
  out.budget_end = at;
  return out;
}

TransactionDetails sample_details() {
  TransactionDetails out;
  out.transaction_id = out.account = out.user = out.cluster = out.partition = out.job_id = "x";
  out.kind = "slurm";
  out.status = "open";
  out.submitted_at = out.placed_at = out.closed_at = at;
  out.parts.emplace_back().unit = "USD";
  out.entries = {sample_transaction()};
  return out;
}

Status sample_status() {
  Status out;
  out.clusters = {{"onprem", true, at, 5, at, "slow"}};
  out.reconciler = {at, 1, 2, 3, "slow"};
  out.alarms = {{"unheld", "m", "onprem", "1", "t", at}};
  return out;
}

ClusterInfo sample_cluster() {
  ClusterInfo out;
  out.name = "onprem";
  out.is_usable = out.is_cloud = true;
  out.view_age_s = 5;
  out.problem = out.federation = "x";
  out.units = {"core-hours"};
  out.reaches = {"cloud"};
  out.slurm_conf = "/etc/slurm/slurm.conf";
  out.slurm_version = "22.05.8";
  return out;
}

template <typename T>
void write(const char* schema, const T& value) {
  std::cout << schema << "\t" << to_json(value) << "\n";
}

void write_alerts() {
  Alert alert{1,
              "acknowledged",
              "warning",
              "proj001",
              "USD",
              "t",
              "m",
              at,
              at,
              at,
              "alice",
              "n",
              {{"mail", "given_up", 3, "e"}}};
  write("Alert", alert);
  write("AlertAcknowledgement", AlertAcknowledgement{"n"});
  write("AlertRules",
        AlertRules{
            true, {"50 %"}, Micros(2'000'000), true, "08:00", {{"mail", "smtp", "info", true}}});
}

void write_readings() {
  write("Usage", sample_usage());
  write("ChargePage", sample_charges());
  write("UsageSummary", sample_summary());
  write("ClusterInfo", sample_cluster());
  write("Forecast", sample_forecast());
  write("JobContext", sample_context());
  write("TransactionDetails", sample_details());
}

void write_samples() {
  write("Account", sample_account());
  write("Transaction", sample_transaction());
  write("BudgetCheckAnswer", sample_check());
  write("BudgetCheck", BudgetCheck{"a", "p", 1, 1, 1, 2, 60, "u", "c", "r"});
  write("BudgetReconcile", BudgetReconcile{"1", Micros(1), "t", "USD", "c", "r"});
  write("BudgetReconcileAnswer", BudgetReconcileAnswer{});
  write("SubmissionAnswer", sample_submission());
  Submission submission;
  submission.cluster = "c";
  submission.time_budget_ms = 1;
  submission.time_limit_minutes = unlimited;
  submission.spank.cloud = true;
  write("Submission", submission);
  write("QuoteRequest", QuoteRequest{submission, "u"});
  write("Quote", sample_quote());
  write("Notify", Notify{"c", 1});
  write("NotifyAnswer", NotifyAnswer{true});
  write("JobReconcile", JobReconcile{"c", Micros(1), "USD", "x"});
  write("JobReconcileAnswer", sample_reconcile());
  write("DoctorAnswer", DoctorAnswer{{{"prices", "warning", "x", "y"}}});
  write("RecoveryRequest", RecoveryRequest{true, "a", "7"});
  write("RecoveryAnswer", sample_recovery());
  write("AccountCreate", AccountCreate{"a",
                                       "n",
                                       "d",
                                       "p",
                                       Micros(1'000'000),
                                       {{"USD", Micros(1), Day{}, at, Micros(2), "50%"}},
                                       {"a2"},
                                       {"o"}});
  AccountImport import;
  import.accounts.emplace_back().slurm_account = "a";
  import.budgets.push_back({"b", {"USD", Micros(1), Day{}, at, Micros(2), "50%"}});
  write("AccountImport", import);
  write("AccountImportAnswer", AccountImportAnswer{1, 1});
  AccountUpdate update;
  update.name = update.parent = "n";
  update.status = "active";
  update.start_date = at;
  update.carry_over = "all";
  update.owners = std::vector<std::string>{"o"};
  update.may_convert = true;
  update.reason = "r";
  write("AccountUpdate", update);
  write("PartitionLimitSet", PartitionLimitSet{Micros(1), "USD", "r"});
  write("Adjustment", Adjustment{Micros(-1), "USD", "r", "i"});
  write("MoneyMove", MoneyMove{Micros(1), "USD", "r", "i"});
  write("MoneyTransfer", MoneyTransfer{"b", Micros(1), "USD", "r", "i"});
  write("MoneyRefund", MoneyRefund{"t", "1", "c", Micros(1), std::nullopt, "USD", "r", "i"});
  write("MoneyWriteOff", MoneyWriteOff{"t", "1", "c", Micros(1), "USD", "r", "i"});
  write("MoneyConversion", MoneyConversion{Micros(1), "USD", "core-hours", "r", "i"});
  write("NewConversionRate", NewConversionRate{"USD", "core-hours", Micros(1), at, "r"});
  write("ConversionRate", ConversionRate{1, "USD", "core-hours", Micros(1), at, at, true});
  write_readings();
  write_alerts();
  write("PriceImport", PriceImport{"prices: []", at});
  write("PriceBook", PriceBook{1, at, at, true, "text"});
  AuditEntry audited;
  audited.transaction = sample_transaction();
  audited.budget_id = 1;
  audited.record = "asbb1\nsequence=1\n";
  audited.chain = std::string(64, 'a');
  write("AuditEntry", audited);
  write("AuditReport", AuditReport{true, 1, {"p"}, std::string(64, 'a')});
  write("Status", sample_status());
  write("Health", Health{"healthy", "1", at, {"healthy", "disabled"}, "1s"});
  write("Version", Version{});
  write("Error", ErrorBody{{400, "X", "m", "d", "f"}, "r", at});
}

using Again = std::function<std::string(const std::string&)>;

template <typename T>
std::string again(const std::string& text) {
  const auto value = from_json<T>(text);
  return value ? to_json(*value) : value.error().message;
}

const std::map<std::string, Again>& readers() {
  static const std::map<std::string, Again> table = {
      {"Account", again<Account>},
      {"BudgetCheckAnswer", again<BudgetCheckAnswer>},
      {"BudgetCheck", again<BudgetCheck>},
      {"BudgetReconcile", again<BudgetReconcile>},
      {"BudgetReconcileAnswer", again<BudgetReconcileAnswer>},
      {"SubmissionAnswer", again<SubmissionAnswer>},
      {"Submission", again<Submission>},
      {"QuoteRequest", again<QuoteRequest>},
      {"Quote", again<Quote>},
      {"Notify", again<Notify>},
      {"NotifyAnswer", again<NotifyAnswer>},
      {"JobReconcile", again<JobReconcile>},
      {"JobReconcileAnswer", again<JobReconcileAnswer>},
      {"DoctorAnswer", again<DoctorAnswer>},
      {"RecoveryRequest", again<RecoveryRequest>},
      {"RecoveryAnswer", again<RecoveryAnswer>},
      {"AccountCreate", again<AccountCreate>},
      {"AccountImport", again<AccountImport>},
      {"AccountImportAnswer", again<AccountImportAnswer>},
      {"AccountUpdate", again<AccountUpdate>},
      {"PartitionLimitSet", again<PartitionLimitSet>},
      {"Adjustment", again<Adjustment>},
      {"MoneyMove", again<MoneyMove>},
      {"MoneyTransfer", again<MoneyTransfer>},
      {"MoneyRefund", again<MoneyRefund>},
      {"MoneyWriteOff", again<MoneyWriteOff>},
      {"MoneyConversion", again<MoneyConversion>},
      {"NewConversionRate", again<NewConversionRate>},
      {"ConversionRate", again<ConversionRate>},
      {"Usage", again<Usage>},
      {"ChargePage", again<ChargePage>},
      {"UsageSummary", again<UsageSummary>},
      {"ClusterInfo", again<ClusterInfo>},
      {"Forecast", again<Forecast>},
      {"JobContext", again<JobContext>},
      {"TransactionDetails", again<TransactionDetails>},
      {"Alert", again<Alert>},
      {"AlertAcknowledgement", again<AlertAcknowledgement>},
      {"AlertRules", again<AlertRules>},
      {"PriceImport", again<PriceImport>},
      {"PriceBook", again<PriceBook>},
      {"AuditEntry", again<AuditEntry>},
      {"AuditReport", again<AuditReport>},
      {"Status", again<Status>},
      {"Health", again<Health>},
      {"Version", again<Version>},
      {"Error", again<ErrorBody>},
  };
  return table;
}

void read_lines() {
  for (std::string line; std::getline(std::cin, line);) {
    const auto tab = line.find('\t');
    const auto reader = readers().find(line.substr(0, tab));
    std::cout << (reader == readers().end() ? "no such type" : reader->second(line.substr(tab + 1)))
              << "\n";
  }
}

}  // namespace
}  // namespace asbb::api

int main(int argument_count, char**) {
  if (argument_count > 1) {
    asbb::api::read_lines();
  } else {
    asbb::api::write_samples();
  }
  return 0;
}
