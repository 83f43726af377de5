#include "service/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

namespace asbb::service {
namespace {

// Seconds; the plugin waits 50 ms.
const prometheus::Histogram::BucketBoundaries latency_buckets{
    0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1, 5, 30};

void line(std::string& text, const std::string& name, const char* type, const char* help,
          const std::string& value) {
  text += "# HELP " + name + " " + help + "\n# TYPE " + name + " " + type + "\n" + name + " " +
          value + "\n";
}

struct Sums {
  std::int64_t accounts = 0;
  std::int64_t budgets = 0;
  std::int64_t open_holds = 0;
  std::int64_t unbound_holds = 0;
  std::int64_t entries = 0;
  std::map<std::string, std::optional<Micros>> used;  // by unit; nothing when it cannot be counted
  std::map<std::string, std::optional<Micros>> held;
};

void add(std::map<std::string, std::optional<Micros>>& sums, const std::string& unit,
         Micros amount) {
  auto& sum = sums.try_emplace(unit, Micros()).first->second;
  if (sum) sum = sum->plus(amount);
}

// Counters of accounts without a parent: what lies below them is in theirs, where they have a
// budget at all, so the deepest figures are not added a second time.
Sums sum_up(const ledger::Book& book) {
  Sums sums;
  for (const ledger::Account* account : book.accounts()) {
    ++sums.accounts;
    for (const ledger::Budget* budget : book.budgets_of(account->id)) {
      ++sums.budgets;
      if (account->parent.is_set()) continue;
      add(sums.used, budget->unit, budget->used);
      add(sums.held, budget->unit, budget->held);
    }
  }
  for (const ledger::Hold* hold : book.open_holds()) {
    ++sums.open_holds;
    if (hold->kind == ledger::HoldKind::slurm && !hold->job) ++sums.unbound_holds;
  }
  sums.entries = book.counters().entry;
  return sums;
}

void money_lines(std::string& text, const std::string& name, const char* help,
                 const std::map<std::string, std::optional<Micros>>& sums) {
  text += "# HELP " + name + " " + help + "\n# TYPE " + name + " gauge\n";
  for (const auto& [unit, sum] : sums) {
    if (sum) text += name + "{unit=\"" + unit + "\"} " + to_decimal(*sum) + "\n";
  }
}

}  // namespace

struct Metrics::State {
  explicit State(const std::string& name) : prefix(name + "_") {}

  const std::string prefix;
  prometheus::Registry registry;
  prometheus::Family<prometheus::Counter>& requests =
      prometheus::BuildCounter()
          .Name(prefix + "http_requests_total")
          .Help("Requests answered, by route and status.")
          .Register(registry);
  prometheus::Family<prometheus::Histogram>& latency =
      prometheus::BuildHistogram()
          .Name(prefix + "http_request_duration_seconds")
          .Help("From the last byte of a request to its answer.")
          .Register(registry);

  // The family's Add() looks a metric up by all its labels, which takes longer than a request's
  // own parsing. There are as many as routes and statuses.
  std::mutex mutex;
  std::map<int, std::unordered_map<std::string, prometheus::Counter*>> counters;
  std::unordered_map<std::string, prometheus::Histogram*> histograms;
};

Metrics::Metrics(const std::string& prefix) : state_(std::make_unique<State>(prefix)) {}

Metrics::~Metrics() = default;

const std::string& Metrics::prefix() const {
  return state_->prefix;
}

void Metrics::observe_request(const std::string& route, int status,
                              std::chrono::steady_clock::duration took) {
  prometheus::Counter* counter = nullptr;
  prometheus::Histogram* histogram = nullptr;
  {
    const std::lock_guard lock(state_->mutex);
    auto& known_counter = state_->counters[status][route];
    if (known_counter == nullptr) {
      known_counter = &state_->requests.Add({{"route", route}, {"status", std::to_string(status)}});
    }
    auto& known_histogram = state_->histograms[route];
    if (known_histogram == nullptr) {
      known_histogram = &state_->latency.Add({{"route", route}}, latency_buckets);
    }
    counter = known_counter;
    histogram = known_histogram;
  }
  counter->Increment();
  histogram->Observe(std::chrono::duration<double>(took).count());
}

std::string Metrics::render(const Committer& committer, const Connections& connections,
                            std::size_t alarms, bool with_money) const {
  std::string text = prometheus::TextSerializer().Serialize(state_->registry.Collect());
  const auto number = [&](const char* name, const char* type, const char* help,
                          std::int64_t value) {
    line(text, state_->prefix + name, type, help, std::to_string(value));
  };
  const CommitterFigures figures = committer.figures();
  number("ledger_commits_total", "counter", "Batches committed.", figures.commits);
  number("ledger_commands_total", "counter", "Commands decided.", figures.commands);
  number("ledger_failures_total", "counter", "Batches that failed.", figures.failures);
  number("ledger_archived_total", "counter", "Entries moved into the archive.", figures.archived);
  number("ledger_queue_length", "gauge", "Commands that wait.", figures.queue_length);
  number("ledger_healthy", "gauge", "1 when commits work.", committer.is_healthy() ? 1 : 0);
  number("http_connections", "gauge", "Open connections.", connections.open);
  number("http_connections_accepted_total", "counter", "Connections let in.", connections.accepted);
  number("http_connections_refused_total", "counter", "Connections beyond the limits.",
         connections.refused);
  number("alarms", "gauge", "Things a person has to look at.", static_cast<std::int64_t>(alarms));
  const Sums sums = committer.read(sum_up);
  number("budget_accounts_total", "gauge", "Accounts, closed ones included.", sums.accounts);
  number("budgets", "gauge", "Budgets of all accounts and periods.", sums.budgets);
  number("holds_open", "gauge", "Holds that are not settled.", sums.open_holds);
  number("holds_unbound", "gauge", "Of them, those whose job is not known yet.",
         sums.unbound_holds);
  number("transactions_total", "counter", "Entries of the ledger.", sums.entries);
  if (with_money) {
    money_lines(text, state_->prefix + "budget_used_total", "Used, of top accounts' budgets.",
                sums.used);
    money_lines(text, state_->prefix + "budget_held_total", "Held, of top accounts' budgets.",
                sums.held);
  }
  return text;
}

}  // namespace asbb::service
