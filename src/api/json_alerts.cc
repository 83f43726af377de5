#include "api/alerts.h"
#include "api/json_io.h"

namespace asbb::api {

template <typename F>
void fields(F& f, As<F, AlertDelivery>& v) {
  f.text("channel", v.channel, Need::must);
  f.word("status", v.status, Need::must, {"sent", "waiting", "given_up", "not_sent"});
  f.number("attempts", v.attempts, Need::must);
  f.text("error", v.error, Need::left_out);
}

template <typename F>
void fields(F& f, As<F, Alert>& v) {
  f.number("id", v.id, Need::must);
  f.word("status", v.status, Need::must, {"open", "acknowledged", "ended"});
  f.word("severity", v.severity, Need::must, {"info", "warning", "critical"});
  f.text("account", v.account, Need::may);
  f.text("unit", v.unit, Need::may);
  f.text("title", v.title, Need::must);
  f.text("message", v.message, Need::must);
  f.time("raised_at", v.raised_at, Need::must);
  f.time("ended_at", v.ended_at, Need::left_out);
  f.time("acknowledged_at", v.acknowledged_at, Need::left_out);
  f.text("acknowledged_by", v.acknowledged_by, Need::left_out);
  f.text("note", v.note, Need::left_out);
  f.list("deliveries", v.deliveries, Need::must);
}

template <typename F>
void fields(F& f, As<F, AlertAcknowledgement>& v) {
  f.text("note", v.note, Need::may, line_text);
}

template <typename F>
void fields(F& f, As<F, AlertChannel>& v) {
  f.text("name", v.name, Need::must);
  f.text("type", v.type, Need::must);
  f.text("severity", v.severity, Need::must);
  f.flag("digest", v.digest, Need::must);
}

template <typename F>
void fields(F& f, As<F, AlertRules>& v) {
  f.flag("enabled", v.enabled, Need::must);
  f.texts("thresholds", v.thresholds, Need::must);
  f.money("burn_rate", v.burn_rate, Need::must);
  f.flag("exhaustion", v.exhaustion, Need::must);
  f.text("digest_at", v.digest_at, Need::may);
  f.list("channels", v.channels, Need::must);
}

}  // namespace asbb::api

ASBB_JSON_TYPE(asbb::api::Alert)
ASBB_JSON_TYPE(std::vector<asbb::api::Alert>)
ASBB_JSON_TYPE(asbb::api::AlertAcknowledgement)
ASBB_JSON_TYPE(asbb::api::AlertRules)
