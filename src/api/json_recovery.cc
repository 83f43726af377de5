#include "api/json_io.h"
#include "api/recovery.h"

namespace asbb::api {

template <typename F>
void fields(F& f, As<F, RecoveryRequest>& v) {
  f.flag("dry_run", v.dry_run, Need::may);
  f.text("account", v.account, Need::left_out, name_text);
  f.id_text("job_id", v.job_id, Need::left_out);
}

template <typename F>
void fields(F& f, As<F, RecoveryAmount>& v) {
  f.text("unit", v.unit, Need::must);
  f.money("amount", v.amount, Need::must);
}

template <typename F>
void fields(F& f, As<F, RecoveryHold>& v) {
  f.text("transaction_id", v.transaction_id, Need::must);
  f.word("kind", v.kind, Need::must, {"slurm", "external"});
  f.text("account", v.account, Need::must);
  f.text("user", v.user, Need::may);
  f.text("cluster", v.cluster, Need::may);
  f.text("job_id", v.job_id, Need::left_out);
  f.text("partition", v.partition, Need::may);
  f.time("since", v.since, Need::must);
  f.list("held", v.held, Need::must);
  f.word("action", v.action, Need::must, {"bind", "settle", "release", "none"});
  f.text("why", v.why, Need::must);
}

template <typename F>
void fields(F& f, As<F, RecoveryAnswer>& v) {
  f.flag("dry_run", v.dry_run, Need::must);
  f.list("holds", v.holds, Need::must);
  f.texts("problems", v.problems, Need::must);
}

}  // namespace asbb::api

ASBB_JSON_TYPE(asbb::api::RecoveryRequest)
ASBB_JSON_TYPE(asbb::api::RecoveryAnswer)
