#include <string_view>

#include "alerts/alert_book.h"
#include "api/json_value.h"
#include "api/json_writer.h"
#include "base/text.h"

namespace asbb::alerts {
namespace {

using api::Json;
using api::JsonWriter;

constexpr std::int64_t format_version = 1;

void write(JsonWriter& out, const Delivery& delivery) {
  out.begin_object();
  out.key("channel"), out.text(delivery.channel);
  out.key("done"), out.flag(delivery.is_done);
  out.key("attempts"), out.number(delivery.attempts);
  out.key("next_at_us"), out.number(delivery.next_at.microseconds);
  out.key("error"), out.text(delivery.error);
  out.end_object();
}

void write(JsonWriter& out, const Alert& alert) {
  const auto time = [&](const char* key, const std::optional<Instant>& at) {
    if (at) out.key(key), out.number(at->microseconds);
  };
  out.begin_object();
  out.key("id"), out.number(alert.id);
  out.key("key"), out.text(alert.finding.key);
  out.key("severity"), out.text(config::to_string(alert.finding.severity));
  out.key("account"), out.text(alert.finding.account);
  out.key("unit"), out.text(alert.finding.unit);
  out.key("title"), out.text(alert.finding.title);
  out.key("message"), out.text(alert.finding.message);
  out.key("owners"), out.begin_array();
  for (const std::string& owner : alert.finding.owners) out.text(owner);
  out.end_array();
  time("raised_at_us", alert.raised_at);
  time("seen_at_us", alert.seen_at);
  time("ended_at_us", alert.ended_at);
  time("acknowledged_at_us", alert.acknowledged_at);
  out.key("acknowledged_by"), out.text(alert.acknowledged_by);
  out.key("note"), out.text(alert.note);
  out.key("deliveries"), out.begin_array();
  for (const Delivery& delivery : alert.deliveries) write(out, delivery);
  out.end_array();
  out.end_object();
}

// Takes members of an object; remembers whether each was there and of its kind.
class Reader {
 public:
  bool is_good = true;

  const Json* member(const Json& object, const char* key, Json::Kind kind) {
    const Json* found = object.find(key);
    if (found != nullptr && found->kind == kind) return found;
    is_good = false;
    return nullptr;
  }
  void text(const Json& object, const char* key, std::string& into) {
    if (const Json* found = member(object, key, Json::Kind::string)) into = found->text;
  }
  void flag(const Json& object, const char* key, bool& into) {
    if (const Json* found = member(object, key, Json::Kind::boolean)) into = found->flag;
  }
  void number(const Json& object, const char* key, std::int64_t& into) {
    const Json* found = member(object, key, Json::Kind::number);
    const auto value = found != nullptr ? parse_whole(found->text) : std::nullopt;
    if (value) into = *value;
    is_good = is_good && value.has_value();
  }
  void time(const Json& object, const char* key, std::optional<Instant>& into) {
    if (object.find(key) == nullptr) return;
    number(object, key, into.emplace().microseconds);
  }
  template <typename Visit>
  void each(const Json& object, const char* key, Json::Kind kind, const Visit& visit) {
    const Json* list = member(object, key, Json::Kind::array);
    if (list == nullptr) return;
    for (const Json& item : list->items) {
      is_good = is_good && item.kind == kind;
      if (is_good) visit(item);
    }
  }
};

Delivery read_delivery(Reader& read, const Json& json) {
  Delivery delivery;
  read.text(json, "channel", delivery.channel);
  read.flag(json, "done", delivery.is_done);
  read.number(json, "attempts", delivery.attempts);
  read.number(json, "next_at_us", delivery.next_at.microseconds);
  read.text(json, "error", delivery.error);
  return delivery;
}

Severity read_severity(Reader& read, const Json& json) {
  std::string text;
  read.text(json, "severity", text);
  for (const Severity severity : {Severity::info, Severity::warning, Severity::critical}) {
    if (text == config::to_string(severity)) return severity;
  }
  read.is_good = false;
  return Severity::info;
}

Alert read_alert(Reader& read, const Json& json) {
  Alert alert;
  read.number(json, "id", alert.id);
  read.text(json, "key", alert.finding.key);
  alert.finding.severity = read_severity(read, json);
  read.text(json, "account", alert.finding.account);
  read.text(json, "unit", alert.finding.unit);
  read.text(json, "title", alert.finding.title);
  read.text(json, "message", alert.finding.message);
  read.each(json, "owners", Json::Kind::string,
            [&](const Json& item) { alert.finding.owners.push_back(item.text); });
  read.number(json, "raised_at_us", alert.raised_at.microseconds);
  read.number(json, "seen_at_us", alert.seen_at.microseconds);
  read.time(json, "ended_at_us", alert.ended_at);
  read.time(json, "acknowledged_at_us", alert.acknowledged_at);
  read.text(json, "acknowledged_by", alert.acknowledged_by);
  read.text(json, "note", alert.note);
  read.each(json, "deliveries", Json::Kind::object,
            [&](const Json& item) { alert.deliveries.push_back(read_delivery(read, item)); });
  return alert;
}

}  // namespace

std::string to_text(const AlertState& state) {
  JsonWriter out;
  out.begin_object();
  out.key("version"), out.number(format_version);
  out.key("last_id"), out.number(state.last_id);
  out.key("alerts"), out.begin_array();
  for (const Alert& alert : state.alerts) write(out, alert);
  out.end_array();
  out.end_object();
  return out.take() + "\n";
}

Result<AlertState> read_state(const std::string& text) {
  const auto json = api::parse_json(text);
  if (!json) return tl::unexpected(json.error());
  Reader read;
  AlertState state;
  std::int64_t version = 0;
  read.number(*json, "version", version);
  read.number(*json, "last_id", state.last_id);
  read.each(*json, "alerts", Json::Kind::object,
            [&](const Json& item) { state.alerts.push_back(read_alert(read, item)); });
  if (!read.is_good || version != format_version) {
    return fail(ErrorKind::invalid, "this is not a list of alerts that this program wrote");
  }
  return state;
}

}  // namespace asbb::alerts
