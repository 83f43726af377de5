#include "report/testing/sample.h"

namespace asbb::report::testing {

Line line_of(const std::string& name, std::optional<Micros> usd, std::optional<Micros> hours,
             std::int64_t jobs, const std::string& cluster) {
  Line line;
  line.name = name;
  line.cluster = cluster;
  line.charged = {usd, hours};
  line.jobs = jobs;
  line.total = usd.value_or(Micros());
  if (hours) line.total = *line.total + Micros(hours->count() / 25);
  return line;
}

Dual sample() {
  Dual report;
  report.account = "proj001";
  report.display_name = "Ocean <mixing> & \"waves\"";
  report.accounts = {"proj001", "proj001-gpu"};
  report.first_day = {2025, 6, 1};
  report.last_day = {2025, 6, 30};
  report.start = Instant::from_unix_seconds(1'748'736'000);
  report.end = report.start + hours(24 * 30);
  report.made_at = report.end + hours(5);
  report.units = {"USD", "core-hours"};
  report.adjusted = {std::nullopt, Micros(-2'000'000)};
  report.total_unit = "USD";
  report.rates = {{"core-hours", "USD", Micros(40'000), report.start, report.first_day}};
  report.all = line_of("", Micros(30'000'417), Micros(1'250'000'000), 12);
  report.all.effort = {12, 12, 1200, 600, 43'200, 86'400, 43'200};
  report.by_cluster = {line_of("cloud", Micros(30'000'417), std::nullopt, 5),
                       line_of("onprem", std::nullopt, Micros(1'250'000'000), 7)};
  report.by_partition = {line_of("gpu-aws", Micros(30'000'417), std::nullopt, 5, "cloud"),
                         line_of("cpu", std::nullopt, Micros(1'250'000'000), 7, "onprem")};
  report.by_user = {line_of("alice", Micros(30'000'000), Micros(1'000'000'000), 9),
                    line_of("=cmd|<script>", Micros(417), Micros(250'000'000), 3)};
  report.by_account = {line_of("proj001", Micros(30'000'417), Micros(1'250'000'000), 12)};
  report.by_day = {line_of("2025-06-03", Micros(30'000'417), std::nullopt, 5),
                   line_of("2025-06-30", std::nullopt, Micros(1'250'000'000), 7)};
  report.uncharged = {{"onprem", "debug", 3, 7200, Price::missing}};
  report.clusters = {{"onprem", ""}, {"cloud", "slurmdbd is away"}};
  report.standing = {
      {"USD", Micros(100'000'000), Micros(60'000'000), Micros(10'000'000), Micros(30'000'000)}};
  BudgetLine budget{"proj001",
                    "USD",
                    {2025, 1, 1},
                    {2025, 12, 31},
                    true,
                    Micros(100'000'000),
                    Micros(60'000'000),
                    Micros(10'000'000),
                    Micros(30'000'000)};
  report.budgets = {budget};
  BurnDown burn_down;
  burn_down.budget = budget;
  burn_down.today = {2025, 7, 1};
  burn_down.days = {{{2025, 2, 1}, Micros(20'000'000)}, {{2025, 6, 3}, Micros(40'000'000)}};
  burn_down.per_day = Micros(1'000'000);
  burn_down.runs_out = "2025-08-10";
  report.burn_downs = {burn_down};
  return report;
}

}  // namespace asbb::report::testing
