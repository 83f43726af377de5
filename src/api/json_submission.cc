#include "api/json_io.h"
#include "api/quote.h"
#include "api/submission.h"
#include "base/text.h"

namespace asbb::api {
namespace {

constexpr TextRule slurm_text{262'144, false};
constexpr Range bits{0, std::numeric_limits<std::int64_t>::max()};
constexpr Range user_ids{0, 4'294'967'295};

template <typename F>
void on_silence(F& f, As<F, OnSilence>& policy) {
  std::string word = to_string(policy);
  f.word("on_silence", word, Need::must, {"allow", "deny"});
  if constexpr (F::is_reading) policy = word == "allow" ? OnSilence::allow : OnSilence::deny;
}

template <typename F>
void texts_of(F& f, As<F, Submission>& v) {
  const auto text = [&](std::string_view key, auto& value) {
    f.text(key, value, Need::left_out, slurm_text);
  };
  text("name", v.name);
  text("account", v.account);
  text("partition", v.partition);
  text("qos", v.qos);
  text("reservation", v.reservation);
  text("licenses", v.licenses);
  text("wckey", v.wckey);
  text("clusters", v.clusters);
  text("cluster_features", v.cluster_features);
  text("features", v.features);
  text("prefer", v.prefer);
  text("req_nodes", v.req_nodes);
  text("exc_nodes", v.exc_nodes);
  text("array", v.array);
  text("dependency", v.dependency);
  text("tres_per_job", v.tres_per_job);
  text("tres_per_node", v.tres_per_node);
  text("tres_per_socket", v.tres_per_socket);
  text("tres_per_task", v.tres_per_task);
  text("mem_per_tres", v.mem_per_tres);
  text("cpus_per_tres", v.cpus_per_tres);
}

template <typename F>
void sizes_of(F& f, As<F, Submission>& v) {
  const auto number = [&](std::string_view key, auto& value) {
    f.number(key, value, Need::left_out, bits);
  };
  number("min_nodes", v.min_nodes);
  number("max_nodes", v.max_nodes);
  number("min_cpus", v.min_cpus);
  number("max_cpus", v.max_cpus);
  number("min_cpus_per_node", v.min_cpus_per_node);
  number("num_tasks", v.num_tasks);
  number("cpus_per_task", v.cpus_per_task);
  number("ntasks_per_node", v.ntasks_per_node);
  number("ntasks_per_socket", v.ntasks_per_socket);
  number("ntasks_per_core", v.ntasks_per_core);
  number("ntasks_per_board", v.ntasks_per_board);
  number("ntasks_per_tres", v.ntasks_per_tres);
  number("boards_per_node", v.boards_per_node);
  number("sockets_per_board", v.sockets_per_board);
  number("sockets_per_node", v.sockets_per_node);
  number("cores_per_socket", v.cores_per_socket);
  number("threads_per_core", v.threads_per_core);
  number("core_spec", v.core_spec);
  number("thread_spec", v.thread_spec);
  number("memory_per_node_mb", v.memory_per_node_mb);
  number("memory_per_cpu_mb", v.memory_per_cpu_mb);
  number("shared", v.shared);
  number("begin_time", v.begin_time);
}

template <typename F>
void choices_of(F& f, As<F, Submission>& v) {
  f.minutes("time_limit", v.time_limit_minutes, Need::left_out);
  f.minutes("time_min", v.time_min_minutes, Need::left_out);
  f.flag("contiguous", v.contiguous, Need::left_out);
  f.flag("requeue", v.requeue, Need::left_out);
  f.flag("overcommit", v.overcommit, Need::left_out);
  f.flag("spread_job", v.spread_job, Need::left_out);
  f.flag("enforce_binding", v.enforce_binding, Need::left_out);
}

}  // namespace

template <typename F>
void fields(F& f, As<F, SpankOptions>& v) {
  f.flag("cloud", v.cloud, Need::left_out);
  f.text("budget", v.budget, Need::left_out, slurm_text);
}

template <typename F>
void fields(F& f, As<F, Submission>& v) {
  f.text("cluster", v.cluster, Need::must, name_text);
  f.text("slurm_version", v.slurm_version, Need::must, line_text);
  f.number("time_budget_ms", v.time_budget_ms, Need::must, Range{1, 3'600'000});
  on_silence(f, v.on_silence);
  f.number("submit_uid", v.submit_uid, Need::must, user_ids);
  f.number("user_id", v.user_id, Need::must, user_ids);
  f.number("group_id", v.group_id, Need::left_out, user_ids);
  texts_of(f, v);
  sizes_of(f, v);
  choices_of(f, v);
  f.flag("cron", v.cron, Need::left_out);
  f.number("het_job_offset", v.het_job_offset, Need::left_out, user_ids);
  f.text("het_group", v.het_group, Need::left_out, slurm_text);
  f.number("job_id", v.job_id, Need::left_out, user_ids);
  f.number("fed_siblings_viable", v.fed_siblings_viable, Need::left_out, bits);
  f.object("spank", v.spank, Need::left_out);
  f.text("allowances_spent", v.allowances_spent, Need::left_out, slurm_text);
}

template <typename F>
void fields(F& f, As<F, QuoteRequest>& v) {
  f.text("cluster", v.job.cluster, Need::left_out, name_text);
  f.text("user", v.user, Need::left_out, name_text);
  texts_of(f, v.job);
  sizes_of(f, v.job);
  choices_of(f, v.job);
  f.object("spank", v.job.spank, Need::left_out);
}

template <typename F>
void fields(F& f, As<F, QuoteLeg>& v) {
  f.text("account", v.account, Need::must);
  f.text("partition", v.partition, Need::left_out);
  f.money("limit", v.limit, Need::left_out);
  f.money("held", v.held, Need::left_out);
  f.money("used", v.used, Need::left_out);
  f.money("available", v.available, Need::left_out);
  f.flag("fits", v.fits, Need::must);
}

template <typename F>
void fields(F& f, As<F, QuotePart>& v) {
  f.text("unit", v.unit, Need::must);
  f.text("cluster", v.cluster, Need::must);
  f.text("partition", v.partition, Need::must);
  f.number("price_version", v.price_version, Need::must);
  f.money("estimated_cost", v.estimated_cost, Need::must);
  f.money("hold_amount", v.hold_amount, Need::must);
  f.word("priced_by", v.priced_by, Need::left_out, {"price_book", "advisor"});
  f.texts("lines", v.lines, Need::must);
  f.list("legs", v.legs, Need::must);
}

template <typename F>
void fields(F& f, As<F, QuoteFit>& v) {
  f.word("change", v.change, Need::must, {"time", "nodes", "partition"});
  f.text("arguments", v.arguments, Need::must);
  f.text("unit", v.unit, Need::left_out);
  f.money("estimated_cost", v.estimated_cost, Need::must);
  f.money("hold_amount", v.hold_amount, Need::must);
}

template <typename F>
void fields(F& f, As<F, Quote>& v) {
  f.word("decision", v.decision, Need::must, {"allow", "deny"});
  f.text("code", v.code, Need::left_out);
  f.text("message", v.message, Need::must);
  f.text("user", v.user, Need::must);
  f.text("account", v.account, Need::left_out);
  f.text("cluster", v.cluster, Need::must);
  f.number("task_count", v.task_count, Need::must);
  f.list("parts", v.parts, Need::must);
  f.list("fits", v.fits, Need::must);
}

template <typename F>
void fields(F& f, As<F, JobChange>& v) {
  f.text("cluster", v.cluster, Need::must, name_text);
  f.text("slurm_version", v.slurm_version, Need::must, line_text);
  f.number("time_budget_ms", v.time_budget_ms, Need::must, Range{1, 3'600'000});
  on_silence(f, v.on_silence);
  f.number("submit_uid", v.submit_uid, Need::must, user_ids);
  f.text("job", v.job, Need::left_out, slurm_text);
  f.text("token", v.token, Need::left_out, line_text);
  f.text("cleared", v.cleared, Need::left_out, line_text);
  f.number("end_time", v.end_time, Need::left_out, bits);
  texts_of(f, v.asked);
  sizes_of(f, v.asked);
  f.minutes("time_limit", v.asked.time_limit_minutes, Need::left_out);
  f.minutes("time_min", v.asked.time_min_minutes, Need::left_out);
  f.flag("contiguous", v.asked.contiguous, Need::left_out);
  f.flag("overcommit", v.asked.overcommit, Need::left_out);
}

template <typename F>
void fields(F& f, As<F, SubmissionAnswer>& v) {
  f.word("decision", v.decision, Need::must, {"allow", "deny"});
  f.text("code", v.code, Need::left_out);
  f.text("message", v.message, Need::may);
  f.text("account", v.account, Need::left_out);
  f.text("partition", v.partition, Need::left_out);
  f.text("unit", v.unit, Need::left_out);
  f.money("estimated_cost", v.estimated_cost, Need::may);
  f.money("hold_amount", v.hold_amount, Need::may);
  f.text("transaction_id", v.transaction_id, Need::left_out);
  f.text("cluster_features", v.cluster_features, Need::left_out);
}

template <typename F>
void fields(F& f, As<F, Notify>& v) {
  f.text("cluster", v.cluster, Need::must, name_text);
  std::string job_id = std::to_string(v.job_id);
  if constexpr (F::is_reading) {
    f.id_text("job_id", job_id, Need::must);
    Result<Micros> number = parse_micros(job_id);
    const std::int64_t id = number ? number->count() / 1'000'000 : 0;
    if (id < 1 || id > user_ids.max || std::to_string(id) != job_id) {
      f.refuse("job_id", in_quotes(job_id) + " is not a Slurm job id");
      return;
    }
    v.job_id = id;
  } else {
    f.number("job_id", v.job_id, Need::must);
  }
}

template <typename F>
void fields(F& f, As<F, NotifyAnswer>& v) {
  f.flag("accepted", v.accepted, Need::must);
}

template <typename F>
void fields(F& f, As<F, JobReconcile>& v) {
  f.text("cluster", v.cluster, Need::left_out, name_text);
  f.money("actual_cost", v.actual_cost, Need::left_out, not_negative);
  f.text("unit", v.unit, Need::left_out, name_text);
  f.text("reason", v.reason, Need::left_out, line_text);
  if constexpr (F::is_reading) {
    if (v.actual_cost && v.reason.empty()) {
      f.refuse("reason", "a reason is expected: it stays in the ledger");
    }
    if (!v.actual_cost && !(v.reason + v.unit).empty()) {
      f.refuse("actual_cost", "an amount is expected with a reason or a unit");
    }
  }
}

const char* to_string(OnSilence policy) {
  return policy == OnSilence::allow ? "allow" : "deny";
}

}  // namespace asbb::api

ASBB_JSON_TYPE(asbb::api::Submission)
ASBB_JSON_TYPE(asbb::api::JobChange)
ASBB_JSON_TYPE(asbb::api::SubmissionAnswer)
ASBB_JSON_TYPE(asbb::api::QuoteRequest)
ASBB_JSON_TYPE(asbb::api::Quote)
ASBB_JSON_TYPE(asbb::api::Notify)
ASBB_JSON_TYPE(asbb::api::NotifyAnswer)
ASBB_JSON_TYPE(asbb::api::JobReconcile)
