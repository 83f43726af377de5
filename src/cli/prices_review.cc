#include "cli/prices_review.h"

#include <ostream>

#include "api/json_writer.h"
#include "api/transaction.h"
#include "api/usage.h"
#include "base/text.h"
#include "base/zone.h"
#include "slurm/cluster_view_commands.h"

namespace asbb::cli {
namespace {

constexpr std::int64_t charges_a_page = 5'000;
constexpr int review_deadline_ms = 300'000;
constexpr int days_by_default = 30;
const Span window = hours(24);

struct ReviewFlags {
  std::optional<std::string> start;
  std::optional<std::string> end;
};

struct Review {
  Instant start;
  Instant end;
  Day first_day;
  Day last_day;
  Reviewed what;
  std::vector<std::string> problems;
};

Result<Day> day_flag(const std::string& flag, const std::optional<std::string>& text, Day missing) {
  if (!text) return missing;
  const auto day = parse_day(*text);
  if (day) return *day;
  return fail(ErrorKind::invalid, flag + ": " + day.error().message, flag);
}

Result<void> set_period(Review& review, const ReviewFlags& flags, const std::string& zone,
                        Instant now) {
  const auto today = day_of(now, zone);
  if (!today) return tl::unexpected(today.error());
  const auto last = day_flag("--end", flags.end, *today);
  if (!last) return tl::unexpected(last.error());
  const auto last_start = start_of_day(*last, zone);
  if (!last_start) return tl::unexpected(last_start.error());
  // noon: days are not all of 24 hours
  const auto before = day_of(*last_start + hours(12) - hours(24 * (days_by_default - 1)), zone);
  if (!before) return tl::unexpected(before.error());
  const auto first = day_flag("--start", flags.start, *before);
  if (!first) return tl::unexpected(first.error());
  if (*last < *first) {
    return fail(ErrorKind::invalid,
                "--end: " + to_string(*last) + " is before --start " + to_string(*first));
  }
  const auto start = start_of_day(*first, zone);
  const auto end = start_of_day(next_day(*last), zone);
  if (!start || !end) return tl::unexpected((start ? end : start).error());
  review.first_day = *first;
  review.last_day = *last;
  review.start = *start;
  review.end = *end;
  return {};
}

api::Reply<void> read_charges(Context& context, Review& review) {
  api::ChargeQuery query;
  query.start_date = review.start;
  query.end_date = review.end;
  query.limit = charges_a_page;
  do {
    const auto page =
        context.call<api::ChargePage>("GET", "/api/v1/usage/charges" + api::to_query_string(query));
    if (!page) return tl::unexpected(page.error());
    for (const api::Charge& charge : page->charges) {
      if (charge.partition.empty()) continue;  // an adjustment
      const bool came_back = charge.type == "refund" || charge.type == "write_off_out";
      Micros& sum = review.what.uses[{charge.cluster, charge.partition}].charged[charge.unit];
      sum = came_back ? sum - charge.amount : sum + charge.amount;
    }
    query.after = page->next;
  } while (query.after != 0);
  return {};
}

std::string sacct_moment(Instant at) {
  return to_rfc3339(at).substr(0, 19);
}

// Day by day, so that memory does not grow with the period.
void read_cluster_runs(slurm::SlurmClient& client, const slurm::SlurmCluster& cluster,
                       Instant until, Review& review) {
  slurm::ClusterViewCommands view(client, {cluster}, [] { return Instant(); });
  auto snapshot = view.read_cluster(cluster.name);
  if (snapshot) {
    review.what.clusters[cluster.name] = std::move(*snapshot);
  } else {
    review.problems.push_back(snapshot.error().message);
  }
  const Snapshots& known = review.what.clusters;
  const auto found = known.find(cluster.name);
  const slurm::ClusterSnapshot* shape = found == known.end() ? nullptr : &found->second;
  for (Instant from = review.start; from < until; from = from + window) {
    const Instant to = std::min(from + window, until);
    const auto rows = client.run(
        cluster,
        {"sacct", "--noheader", "--allusers", "--duplicates", "--allocations", "--parsable2",
         "--noconvert", "--clusters=" + cluster.name, "--starttime=" + sacct_moment(from),
         "--endtime=" + sacct_moment(to + seconds(1)), "--state=BF,CA,CD,DL,F,NF,OOM,PR,RQ,RS,TO",
         "--format=Partition,End,ElapsedRaw,NNodes,AllocTRES"});
    if (!rows) {
      review.problems.push_back(rows.error().message);
      return;
    }
    add_runs(review.what.uses, cluster.name, *rows, from, to, review.what.book, shape,
             review.problems);
  }
  review.what.counted.insert(cluster.name);
}

Micros hours_of(std::int64_t seconds) {
  return Micros(mul_div(seconds, 1'000'000, 3600, Rounding::half_even).value_or(0));
}

using AmountText = std::string (*)(const std::optional<Micros>&);  // shown, or exact

// What other programs charged for has no runs on a cluster.
void add_of_programs(Table& table, const std::string& partition, const PartitionUse& use,
                     AmountText text) {
  const std::string none = text({});
  for (const auto& [unit, amount] : use.charged) {
    table.add({none, partition, none, none, text(amount), none, none, unit});
  }
}

Table figures(const Review& review, AmountText text) {
  const std::string none = text({});
  const std::string no_price = none.empty() ? none : "no price";
  Table table({{"CLUSTER", "cluster"},
               {"PARTITION", "partition", Align::left, true},
               {"RUNS", "runs", Align::right},
               {"CORE-HOURS", "core_hours", Align::right},
               {"CHARGED", "charged", Align::right},
               {"AT TODAY'S", "today", Align::right},
               {"SLURM", "slurm", Align::right},
               {"UNIT", "unit"}});
  for (const PartitionWeights& one : review_weights(review.what)) {
    const auto found = review.what.uses.find({one.cluster, one.partition});
    if (found == review.what.uses.end()) continue;
    const PartitionUse& use = found->second;
    if (one.cluster.empty()) {
      add_of_programs(table, one.partition, use, text);
      continue;
    }
    const std::string unit = one.rate == nullptr ? "" : one.rate->unit;
    const bool is_counted = review.what.counted.contains(one.cluster);
    const bool is_priced = one.rate != nullptr;
    const auto charged = use.charged.find(unit);
    const Micros billed = Micros(
        mul_div(hours_of(use.billing_seconds).count(), 1, one.weights.scale, Rounding::half_even)
            .value_or(0));
    const auto known = [&](bool is_known, Micros amount) {
      return text(is_known ? std::optional(amount) : std::nullopt);
    };
    table.add({one.cluster, one.partition, is_counted ? std::to_string(use.runs) : none,
               known(is_counted, hours_of(use.core_seconds)),
               charged == use.charged.end() ? none : text(charged->second),
               is_priced ? known(is_counted, use.today) : no_price,
               known(is_counted && is_priced, billed), is_priced ? unit : none});
  }
  return table;
}

std::string review_json(const Review& review, const std::vector<std::string>& proposed) {
  api::JsonWriter json;
  json.begin_object();
  json.key("partitions"), json.begin_array();
  for (const auto& [name, use] : review.what.uses) {
    const pricing::Rate* rate = review.what.book.find_priced(name.first, name.second);
    const bool is_counted = review.what.counted.contains(name.first);
    const auto count = [&](const char* key, std::int64_t number) {
      json.key(key);
      is_counted ? json.number(number) : json.null();
    };
    json.begin_object();
    json.key("cluster"), json.text(name.first);
    json.key("partition"), json.text(name.second);
    json.key("unit"), json.text(rate == nullptr ? "" : rate->unit);
    count("runs", use.runs);
    count("core_seconds", use.core_seconds);
    count("billing_seconds", use.billing_seconds);
    json.key("today");
    rate == nullptr || !is_counted ? json.null() : json.decimal(use.today);
    json.key("charged"), json.begin_object();
    for (const auto& [unit, amount] : use.charged) json.key(unit), json.decimal(amount);
    json.end_object();
    json.end_object();
  }
  json.end_array();
  const auto list = [&](const char* key, const std::vector<std::string>& sentences) {
    json.key(key), json.begin_array();
    for (const std::string& sentence : sentences) json.text(sentence);
    json.end_array();
  };
  list("proposals", proposed);
  list("not_read", review.problems);
  json.end_object();
  return json.take();
}

std::vector<std::string> not_counted(const Reviewed& reviewed) {
  std::vector<std::string> out;
  for (const std::string& name : reviewed.names) {
    if (!reviewed.counted.contains(name)) out.push_back(name);
  }
  return out;
}

int show(const Context& context, const Review& review) {
  const auto proposed = proposals(review.what);
  for (const std::string& problem : review.problems) context.warn(problem);
  const int failed = review.problems.empty() ? exit_done : exit_failed;
  const Table table = figures(review, context.flags.output == "csv" ? exact : shown);
  if (!context.wants_table()) {
    static_cast<void>(context.show(table, review_json(review, proposed)));
    return failed;
  }
  std::ostream& out = context.out();
  out << "From " << to_string(review.first_day) << " to " << to_string(review.last_day)
      << ", by price book version " << review.what.book.version << ":\n";
  const std::string missing = joined(not_counted(review.what), ", ");
  if (!table.is_empty()) out << table.text();
  if (table.is_empty()) {
    out << (missing.empty() ? "No job ran, and nothing was charged.\n"
                            : "Nothing was charged, and no job ran where that is known.\n");
  }
  if (!missing.empty()) out << "\nThe runs are not known of: " << missing << ".\n";
  if (proposed.empty()) {
    out << (missing.empty() ? "\nNothing to change.\n" : "\nNothing to change of what is known.\n");
  }
  for (const std::string& sentence : proposed) out << "\n* " << harmless(sentence) << "\n";
  return failed;
}

int review_prices(Context& context, const ReviewFlags& flags) {
  const auto settings = context.settings();
  if (!settings) return exit_failed;
  Review review;
  const auto period = set_period(review, flags, settings->service.timezone, context.now());
  if (!period) return context.misused(period.error().message);
  const auto current = context.call<api::PriceBook>("GET", "/api/v1/prices/current");
  if (!current) return context.failed(current.error());
  pricing::PriceBookDefaults defaults;
  defaults.time_zone = settings->service.timezone;
  auto book = pricing::parse_price_book(current->text, "price book", defaults);
  if (!book) return context.failed(book.error());
  review.what.book = std::move(*book);
  review.what.book.version = current->version;
  if (const auto read = read_charges(context, review); !read) return context.failed(read.error());
  slurm::SlurmCommands client(review_deadline_ms);
  const Instant until = std::min(review.end, context.now() + seconds(1));
  for (const config::Cluster& cluster : settings->slurm.clusters) {
    review.what.names.push_back(cluster.name);
    read_cluster_runs(client, {cluster.name, cluster.conf, cluster.bin_dir}, until, review);
  }
  if (settings->slurm.clusters.empty()) {
    review.problems.emplace_back("slurm.clusters in the settings names no cluster");
  }
  return show(context, review);
}

}  // namespace

void add_prices_review(Command& prices, Context& context) {
  auto flags = std::make_shared<ReviewFlags>();
  prices.add("review", "Compares prices, Slurm's weights and what jobs used, and proposes changes.")
      .take({"--start", "YYYY-MM-DD", "The first day; 30 days up to --end when left out."},
            flags->start)
      .take({"--end", "YYYY-MM-DD", "The last day, included; today when left out."}, flags->end)
      .note(
          "For each partition: runs that ended and their core-hours as sacct has them, what the "
          "ledger charged, what the same runs cost by the prices of today, and what Slurm's "
          "billing comes to. Partitions without a price are named, and never counted as nothing.")
      .note(
          "It changes nothing. The exit code is 1 when a cluster could not be read; what was read "
          "is shown all the same.")
      .example("asbb prices review --start=2025-06-01 --end=2025-06-30")
      .action([&context, flags] { return review_prices(context, *flags); });
}

}  // namespace asbb::cli
