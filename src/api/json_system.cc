#include "api/json_io.h"
#include "api/problem.h"
#include "api/system.h"
#include "api/transaction.h"

namespace asbb::api {
namespace {

constexpr Range signed_numbers{std::numeric_limits<std::int64_t>::min(),
                               std::numeric_limits<std::int64_t>::max()};

}  // namespace

template <typename F>
void fields(F& f, As<F, Transaction>& v) {
  f.number("id", v.id, Need::must);
  f.number("account_id", v.account_id, Need::must);
  f.text("account", v.account, Need::may);
  f.id_text("job_id", v.job_id, Need::left_out);
  f.text("transaction_id", v.transaction_id, Need::must);
  f.text("type", v.type, Need::must);
  f.text("unit", v.unit, Need::may);
  f.money("amount", v.amount, Need::must);
  f.text("description", v.description, Need::may);
  f.text("metadata", v.metadata, Need::left_out);
  f.text("status", v.status, Need::must);
  f.text("parent_transaction_id", v.parent_transaction_id, Need::left_out);
  f.text("user", v.user, Need::left_out);
  f.text("cluster", v.cluster, Need::left_out);
  f.text("partition", v.partition, Need::left_out);
  f.text("actor", v.actor, Need::may);
  f.text("reason", v.reason, Need::left_out);
  f.text("request_id", v.request_id, Need::left_out);
  f.number("price_version", v.price_version, Need::left_out);
  f.time("created_at", v.created_at, Need::must);
  f.time("completed_at", v.completed_at, Need::left_out);
}

template <typename F>
void fields(F& f, As<F, TransactionPart>& v) {
  f.text("unit", v.unit, Need::must);
  f.text("paying_account", v.paying_account, Need::must);
  f.money("estimate", v.estimate, Need::must);
  f.money("granted", v.granted, Need::must);
  f.money("held", v.held, Need::must);
  f.money("charged", v.charged, Need::must);
  f.money("overrun", v.overrun, Need::must);
  f.money("released", v.released, Need::must);
  f.money("refunded", v.refunded, Need::must);
  f.number("price_version", v.price_version, Need::must);
}

template <typename F>
void fields(F& f, As<F, TransactionDetails>& v) {
  f.text("transaction_id", v.transaction_id, Need::must);
  f.text("kind", v.kind, Need::left_out);
  f.text("status", v.status, Need::left_out);
  f.text("account", v.account, Need::must);
  f.text("user", v.user, Need::left_out);
  f.text("cluster", v.cluster, Need::left_out);
  f.text("partition", v.partition, Need::left_out);
  f.text("job_id", v.job_id, Need::left_out);
  f.time("submitted_at", v.submitted_at, Need::left_out);
  f.number("task_count", v.task_count, Need::must);
  f.time("placed_at", v.placed_at, Need::left_out);
  f.time("closed_at", v.closed_at, Need::left_out);
  f.list("parts", v.parts, Need::must);
  f.list("entries", v.entries, Need::must);
  f.flag("has_more", v.has_more, Need::must);
}

template <typename F>
void fields(F& f, As<F, AuditEntry>& v) {
  fields(f, v.transaction);
  f.number("budget_id", v.budget_id, Need::left_out);
  f.text("record", v.record, Need::must, TextRule{16'777'216, false});
  f.text("chain", v.chain, Need::must);
}

template <typename F>
void fields(F& f, As<F, PriceImport>& v) {
  f.text("text", v.text, Need::must, TextRule{1'048'576, false});
  f.time("effective_from", v.effective_from, Need::left_out);
}

template <typename F>
void fields(F& f, As<F, PriceBook>& v) {
  f.number("version", v.version, Need::must);
  f.time("effective_from", v.effective_from, Need::must);
  f.time("imported_at", v.imported_at, Need::must);
  f.flag("in_force", v.in_force, Need::must);
  f.text("text", v.text, Need::left_out, TextRule{1'048'576, false});
}

template <typename F>
void fields(F& f, As<F, AuditReport>& v) {
  f.flag("ok", v.ok, Need::must);
  f.number("entries", v.entries, Need::must);
  f.texts("problems", v.problems, Need::must);
  f.text("head", v.head, Need::must);
}

template <typename F>
void fields(F& f, As<F, JobOutcome>& v) {
  f.id_text("job_id", v.job_id, Need::must);
  f.text("cluster", v.cluster, Need::may);
  f.text("state", v.state, Need::may);
  f.text("action", v.action, Need::must);
  f.text("transaction_id", v.transaction_id, Need::left_out);
  f.text("unit", v.unit, Need::left_out);
  f.money("charged", v.charged, Need::may);
  f.money("released", v.released, Need::may);
  f.money("overrun", v.overrun, Need::may);
  f.text("message", v.message, Need::may);
}

template <typename F>
void fields(F& f, As<F, JobReconcileAnswer>& v) {
  f.flag("success", v.success, Need::must);
  f.text("message", v.message, Need::may);
  f.list("jobs", v.jobs, Need::must);
}

template <typename F>
void fields(F& f, As<F, ClusterStatus>& v) {
  f.text("name", v.name, Need::must);
  f.flag("reachable", v.reachable, Need::must);
  f.time("view_read_at", v.view_read_at, Need::left_out);
  f.number("view_age_seconds", v.view_age_s, Need::left_out, signed_numbers);
  f.time("reconciled_at", v.reconciled_at, Need::left_out);
  f.text("problem", v.problem, Need::left_out);
}

template <typename F>
void fields(F& f, As<F, ClusterInfo>& v) {
  f.text("name", v.name, Need::must);
  f.flag("usable", v.is_usable, Need::must);
  f.number("view_age_seconds", v.view_age_s, Need::left_out, signed_numbers);
  f.text("problem", v.problem, Need::left_out);
  f.flag("cloud", v.is_cloud, Need::must);
  f.texts("units", v.units, Need::must);
  f.text("federation", v.federation, Need::left_out);
  f.texts("reaches", v.reaches, Need::must);
  f.text("slurm_conf", v.slurm_conf, Need::left_out);
  f.text("slurm_version", v.slurm_version, Need::left_out);
}

template <typename F>
void fields(F& f, As<F, ReconcilerStatus>& v) {
  f.time("last_pass_at", v.last_pass_at, Need::left_out);
  f.number("passes", v.passes, Need::must);
  f.number("open_holds", v.open_holds, Need::must);
  f.number("unbound_holds", v.unbound_holds, Need::must);
  f.text("problem", v.problem, Need::left_out);
}

template <typename F>
void fields(F& f, As<F, LedgerStatus>& v) {
  f.flag("healthy", v.healthy, Need::must);
  f.number("entries", v.entries, Need::must);
  f.number("commits", v.commits, Need::must);
  f.number("commands", v.commands, Need::must);
  f.number("failures", v.failures, Need::must);
  f.number("queue_length", v.queue_length, Need::must);
}

template <typename F>
void fields(F& f, As<F, Alarm>& v) {
  f.text("code", v.code, Need::must);
  f.text("message", v.message, Need::must);
  f.text("cluster", v.cluster, Need::left_out);
  f.id_text("job_id", v.job_id, Need::left_out);
  f.text("transaction_id", v.transaction_id, Need::left_out);
  f.time("since", v.since, Need::must);
}

template <typename F>
void fields(F& f, As<F, AllowanceStatus>& v) {
  f.text("cluster", v.cluster, Need::must);
  f.text("account", v.account, Need::must);
  f.text("unit", v.unit, Need::must);
  f.money("amount", v.amount, Need::must);
  f.money("left", v.left, Need::must);
}

template <typename F>
void fields(F& f, As<F, Status>& v) {
  f.text("version", v.version, Need::must);
  f.time("started_at", v.started_at, Need::must);
  f.time("timestamp", v.timestamp, Need::must);
  f.list("clusters", v.clusters, Need::must);
  f.object("reconciler", v.reconciler, Need::must);
  f.object("ledger", v.ledger, Need::must);
  f.list("allowances", v.allowances, Need::must);
  f.list("alarms", v.alarms, Need::must);
}

template <typename F>
void fields(F& f, As<F, HealthServices>& v) {
  f.text("database", v.database, Need::must);
  f.text("advisor", v.advisor, Need::may);
}

template <typename F>
void fields(F& f, As<F, Health>& v) {
  f.word("status", v.status, Need::must, {"healthy", "unhealthy"});
  f.text("version", v.version, Need::must);
  f.time("timestamp", v.timestamp, Need::must);
  f.object("services", v.services, Need::must);
  f.text("uptime", v.uptime, Need::must);
}

template <typename F>
void fields(F& f, As<F, Version>& v) {
  f.text("version", v.version, Need::must);
  f.text("git_commit", v.git_commit, Need::may);
  f.text("build_time", v.build_time, Need::may);
  f.text("compiler", v.compiler, Need::may);
  f.text("os", v.os, Need::may);
  f.text("arch", v.arch, Need::may);
}

template <typename F>
void fields(F& f, As<F, Problem>& v) {
  f.text("code", v.code, Need::must);
  f.text("message", v.message, Need::must);
  f.text("details", v.details, Need::left_out);
  f.text("field", v.field, Need::left_out);
}

template <typename F>
void fields(F& f, As<F, ErrorBody>& v) {
  f.object("error", v.error, Need::must);
  f.text("request_id", v.request_id, Need::may);
  f.time("timestamp", v.timestamp, Need::may);
}

}  // namespace asbb::api

ASBB_JSON_TYPE(asbb::api::Transaction)
ASBB_JSON_TYPE(std::vector<asbb::api::Transaction>)
ASBB_JSON_TYPE(asbb::api::TransactionDetails)
ASBB_JSON_TYPE(asbb::api::AuditEntry)
ASBB_JSON_TYPE(std::vector<asbb::api::AuditEntry>)
ASBB_JSON_TYPE(asbb::api::PriceImport)
ASBB_JSON_TYPE(asbb::api::PriceBook)
ASBB_JSON_TYPE(std::vector<asbb::api::PriceBook>)
ASBB_JSON_TYPE(asbb::api::AuditReport)
ASBB_JSON_TYPE(asbb::api::JobReconcileAnswer)
ASBB_JSON_TYPE(asbb::api::ClusterInfo)
ASBB_JSON_TYPE(std::vector<asbb::api::ClusterInfo>)
ASBB_JSON_TYPE(asbb::api::Status)
ASBB_JSON_TYPE(asbb::api::Health)
ASBB_JSON_TYPE(asbb::api::Version)
ASBB_JSON_TYPE(asbb::api::ErrorBody)
