// asbb top: the figures of all accounts the caller may see, again and again.
#include <algorithm>
#include <ostream>

#include "cli/account_tree.h"
#include "cli/commands.h"
#include "cli/terminal.h"
#include "cli/top_screen.h"

namespace asbb::cli {
namespace {

constexpr Span last_day_span = hours(24);
constexpr Span last_day_for = seconds(30);      // reading what was spent costs the service most
constexpr std::size_t asked_accounts_max = 12;  // for their holds: those that have most

struct TopFlags {
  std::int64_t interval = 2;
  bool once = false;
};

class TopReader {
 public:
  explicit TopReader(Context& context) : context_(context) {}

  // Asks for all of it; where that fails, the figures stay as they were and say why.
  void read() {
    const auto done = read_all();
    if (done) {
      figures_.problem.clear();
      return;
    }
    last_day_at_ = {};
    const bool is_away = done.error().code == api::unreachable_code;
    figures_.problem =
        (is_away ? "The service does not answer; it is asked again. " : "The service answers: ") +
        done.error().message;
    if (!has_figures_) figures_.at = context_.now();
    problem_ = done.error();
  }

  [[nodiscard]] const TopFigures& figures() const { return figures_; }
  [[nodiscard]] bool has_figures() const { return has_figures_; }
  [[nodiscard]] const api::Problem& problem() const { return problem_; }

 private:
  api::Reply<void> read_all() {
    auto accounts = all_accounts(context_);
    if (!accounts) return tl::unexpected(accounts.error());
    if (auto read = read_last_day(); !read) return read;
    auto holds = holds_of(*accounts);
    if (!holds) return tl::unexpected(holds.error());
    // An ordinary user hears nothing of the service, and a service may watch nothing.
    auto alerts = context_.call<std::vector<api::Alert>>("GET", "/api/v1/alerts");
    auto service = context_.call<api::Status>("GET", "/api/v1/status");
    figures_.alerts = alerts ? std::move(*alerts) : std::vector<api::Alert>();
    figures_.knows_service = service.has_value();
    figures_.service = service ? std::move(*service) : api::Status();
    figures_.accounts = std::move(*accounts);
    figures_.holds = std::move(*holds);
    figures_.at = context_.now();
    has_figures_ = true;
    return {};
  }

  api::Reply<void> read_last_day() {
    const Instant now = context_.now();
    if (last_day_at_ != Instant{} && now < last_day_at_ + last_day_for) return {};
    const std::string since = to_rfc3339(now - last_day_span);
    auto summary = context_.call<api::UsageSummary>(
        "GET", "/api/v1/usage?start_date=" + api::percent_encode(since));
    if (!summary) return tl::unexpected(summary.error());
    figures_.last_day = std::move(summary->accounts);
    last_day_at_ = now;
    return {};
  }

  api::Reply<std::vector<api::OpenHold>> holds_of(const std::vector<api::Account>& accounts) {
    std::vector<const api::Account*> with_holds;
    for (const api::Account& account : accounts) {
      if (account.open_holds > 0) with_holds.push_back(&account);
    }
    std::stable_sort(with_holds.begin(), with_holds.end(),
                     [](const auto* a, const auto* b) { return a->open_holds > b->open_holds; });
    if (with_holds.size() > asked_accounts_max) with_holds.resize(asked_accounts_max);
    std::vector<api::OpenHold> out;
    for (const api::Account* account : with_holds) {
      auto holds = context_.call<std::vector<api::OpenHold>>(
          "GET", account_path(account->slurm_account) + "/holds");
      if (!holds) return holds;
      std::move(holds->begin(), holds->end(), std::back_inserter(out));
    }
    return out;
  }

  Context& context_;
  TopFigures figures_;
  Instant last_day_at_;
  bool has_figures_ = false;
  api::Problem problem_;
};

// For programs: one row for each account and unit.
Table figures_table(const TopFigures& figures) {
  Table table({{"ACCOUNT", "account"},
               {"UNIT", "unit"},
               {"LIMIT", "limit", Align::decimal},
               {"USED", "used", Align::decimal},
               {"HELD", "held", Align::decimal},
               {"LEFT", "available", Align::decimal},
               {"24 H", "charged_24h", Align::decimal}});
  for (const api::AccountUsage& line : figures.last_day) {
    if (!line.has_budget) continue;
    table.add({line.account, line.unit, to_decimal(line.limit), to_decimal(line.used),
               to_decimal(line.held), to_decimal(line.available), to_decimal(line.charged)});
  }
  return table;
}

int show_once(Context& context, TopReader& reader) {
  reader.read();
  if (!reader.has_figures()) return context.failed(reader.problem());
  const TopFigures& figures = reader.figures();
  if (!context.wants_table()) {
    return context.show(figures_table(figures), "{\"accounts\":" + api::to_json(figures.accounts) +
                                                    ",\"holds\":" + api::to_json(figures.holds) +
                                                    ",\"alerts\":" + api::to_json(figures.alerts) +
                                                    "}");
  }
  for (const std::string& line : top_lines(figures, {}, {})) context.out() << line << "\n";
  return exit_done;
}

int top(Context& context, const TopFlags& flags) {
  context.set_timeouts(1'000, 10'000);
  TopReader reader(context);
  const bool is_live = !flags.once && context.wants_table();
  const auto terminal = is_live ? Terminal::open() : std::nullopt;
  if (!terminal) return show_once(context, reader);
  const std::string keys =
      "q quits, any other key looks again; every " + std::to_string(flags.interval) + " s";
  const int interval_ms = static_cast<int>(flags.interval) * 1'000;
  auto event = Terminal::Event::time;
  while (event != Terminal::Event::quit) {
    if (event != Terminal::Event::resized) reader.read();
    if (!terminal->draw(top_lines(reader.figures(), terminal->size(), keys))) break;
    event = terminal->wait(interval_ms);
  }
  return exit_done;
}

}  // namespace

void add_top(Command& root, Context& context) {
  auto flags = std::make_shared<TopFlags>();
  root.add("top", "Shows accounts, holds and alerts, again and again.")
      .take({"--interval", "SECONDS", "How often it looks; 2 when left out."}, flags->interval, 1,
            3600)
      .take({"--once", "", "Prints one screen and ends, as it does without a terminal."},
            flags->once)
      .note(
          "Accounts that spent most of their budget in the last 24 hours stand first, with what is "
          "left of each unit. q quits, any other key looks again. It needs no colour, and goes on "
          "when the service is started anew.")
      .example("asbb top --once")
      .action([&context, flags] { return top(context, *flags); });
}

}  // namespace asbb::cli
