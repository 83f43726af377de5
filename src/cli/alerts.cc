#include "base/text.h"
#include "cli/commands.h"

namespace asbb::cli {
namespace {

struct AlertFlags {
  api::AlertQuery query;
  bool is_long = false;
  std::int64_t id = 0;
  std::string note;
};

std::string deliveries_of(const api::Alert& alert) {
  std::string out;
  for (const api::AlertDelivery& delivery : alert.deliveries) {
    out += (out.empty() ? "" : ", ") + delivery.channel + " " + delivery.status;
  }
  return out.empty() ? "-" : out;
}

int list_alerts(Context& context, const AlertFlags& flags) {
  const auto alerts = context.call<std::vector<api::Alert>>(
      "GET", "/api/v1/alerts" + api::to_query_string(flags.query));
  if (!alerts) return context.failed(alerts.error());
  Table table({{"ID", "id", Align::right},
               {"SEVERITY", "severity"},
               {"STATUS", "status"},
               {"SINCE (UTC)", "raised_at"},
               {"WHAT", "title", Align::left, true}});
  if (flags.is_long) {
    table = Table({{"ID", "id", Align::right},
                   {"WHAT", "title"},
                   {"TOLD", "deliveries"},
                   {"KNOWN TO", "acknowledged_by"},
                   {"NOTE", "note", Align::left, true}});
  }
  for (const api::Alert& alert : *alerts) {
    const std::string id = std::to_string(alert.id);
    if (flags.is_long) {
      table.add({id, alert.title, deliveries_of(alert), alert.acknowledged_by, alert.note});
    } else {
      table.add({id, alert.severity, alert.status, to_second_text(alert.raised_at), alert.title});
    }
  }
  return context.show(table, api::to_json(*alerts),
                      "No alerts. 'asbb alerts rules' shows what would be one.");
}

int acknowledge(Context& context, const AlertFlags& flags) {
  const auto alert = context.call<api::Alert>(
      "POST", "/api/v1/alerts/" + std::to_string(flags.id) + "/acknowledge",
      api::to_json(api::AlertAcknowledgement{flags.note}));
  if (!alert) return context.failed(alert.error());
  return context.done("Alert " + std::to_string(flags.id) + " is acknowledged by " +
                          alert->acknowledged_by + ": nobody else is told of it.",
                      api::to_json(*alert));
}

int show_rules(Context& context) {
  const auto rules = context.call<api::AlertRules>("GET", "/api/v1/alerts/rules");
  if (!rules) return context.failed(rules.error());
  Table table({{"RULE", "rule"}, {"VALUE", "value", Align::left, true}});
  table.add({"watched", rules->enabled ? "yes" : "no"});
  table.add({"spent", rules->thresholds.empty() ? "-" : listed(rules->thresholds, 100)});
  table.add({"too fast", rules->burn_rate.is_zero()
                             ? "-"
                             : to_decimal(rules->burn_rate) + " times the even rate"});
  table.add({"ends early", rules->exhaustion ? "yes" : "no"});
  table.add(
      {"alarms", rules->enabled ? "each: holds that nobody explains, a part that fails" : "-"});
  table.add({"daily digest", rules->digest_at.empty() ? "-" : "at " + rules->digest_at});
  for (const api::AlertChannel& channel : rules->channels) {
    table.add({"channel " + channel.name, channel.type + " from " + channel.severity + " on" +
                                              (channel.digest ? ", with digest" : "")});
  }
  const int code = context.show(table, api::to_json(*rules), "");
  if (code == 0 && rules->channels.empty()) {
    context.warn("nobody is told: give alerts.channels in the settings");
  }
  return code;
}

}  // namespace

void add_alerts(Command& root, Context& context) {
  Command alerts = root.add("alerts", "What people are told of: budgets, haste, alarms.");
  auto flags = std::make_shared<AlertFlags>();
  alerts.add("list", "Lists alerts, the oldest first; those that have not ended.")
      .take({"--status",
             "STATUS",
             "Of this status; open and acknowledged when left out.",
             Presence::optional,
             {"open", "acknowledged", "ended", "all"}},
            flags->query.status)
      .take({"--account", "ACCOUNT", "Of this account."}, flags->query.account)
      .take({"--long", "", "Who was told, and who knows."}, flags->is_long)
      .example("asbb alerts list")
      .example("asbb alerts list --status=all --output=csv")
      .action([&context, flags] { return list_alerts(context, *flags); });
  alerts.add("ack", "Says that somebody knows: nobody else is told of it.")
      .take({"ID", "", "Its number, as in asbb alerts list.", Presence::required}, flags->id, 1,
            1'000'000'000'000)
      .take({"--note", "TEXT", "What is done about it."}, flags->note)
      .example("asbb alerts ack 12 --note=\"more money comes in May\"")
      .action([&context, flags] { return acknowledge(context, *flags); });
  alerts.add("rules", "Shows what becomes an alert, and who is told.").action([&context] {
    return show_rules(context);
  });
}

}  // namespace asbb::cli
