#include "cli/slurm_dual.h"

#include <fstream>
#include <iterator>
#include <ostream>

#include "api/json_writer.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/slurm_accounts.h"
#include "cli/slurm_dual_plan.h"
#include "slurm/account_tree.h"

namespace asbb::cli {
namespace {

constexpr std::size_t federation_clusters_max = 63;  // of a federation (sacctmgr(1))

Result<std::vector<slurm::SlurmCluster>> dual_clusters(const config::Config& settings,
                                                       const DualFlags& flags) {
  std::vector<std::string> names;
  for (const std::string& list : flags.clusters) {
    for (const std::string_view name : split(list, ',')) names.emplace_back(name);
  }
  if (names.empty()) {
    for (const config::Cluster& cluster : settings.slurm.clusters) names.push_back(cluster.name);
  }
  std::vector<slurm::SlurmCluster> clusters;
  for (const std::string& name : names) {
    auto cluster = settings_cluster(settings, "--clusters", name);
    if (!cluster) return tl::unexpected(cluster.error());
    if (cluster->slurm_conf.empty()) {
      return fail(ErrorKind::invalid, "--clusters: the settings name no slurm.conf of cluster " +
                                          in_quotes(name) + " (slurm.clusters, conf)");
    }
    for (const slurm::SlurmCluster& other : clusters) {
      if (other.name == name) {
        return fail(ErrorKind::invalid, "--clusters: " + in_quotes(name) + " is named twice");
      }
    }
    clusters.push_back(std::move(*cluster));
  }
  if (clusters.empty() || clusters.size() > federation_clusters_max) {
    return fail(ErrorKind::invalid, "--clusters: 1 to 63 clusters are expected");
  }
  return clusters;
}

Result<void> check_flags(const DualFlags& flags) {
  if (!flags.federation.empty() && !slurm::is_plain_name(flags.federation)) {
    return fail(ErrorKind::invalid, "--federation: " + in_quotes(flags.federation) +
                                        " is not a name: letters, digits and ._+@- are expected");
  }
  if (!flags.jwt_key.empty() && (flags.jwt_key.front() != '/' ||
                                 flags.jwt_key.find_first_of(" ,\"\n#") != std::string::npos)) {
    return fail(ErrorKind::invalid, "--jwt: " + in_quotes(flags.jwt_key) +
                                        " is not allowed; an absolute path without blanks and "
                                        "commas is expected");
  }
  return {};
}

Result<pricing::PriceBook> parse_book(const std::string& text, const std::string& source,
                                      const config::Config& settings) {
  pricing::PriceBookDefaults defaults;
  defaults.time_zone = settings.service.timezone;
  return pricing::parse_price_book(text, source, defaults);
}

// The file's, or the one in force; nothing, with a warning, when the service cannot be asked.
Result<std::optional<pricing::PriceBook>> find_book(Context& context,
                                                    const config::Config& settings,
                                                    const DualFlags& flags) {
  std::string text;
  if (!flags.prices.empty()) {
    std::ifstream file(flags.prices, std::ios::binary);
    if (!file) {
      return fail(ErrorKind::invalid, "--prices: " + in_quotes(flags.prices) + " cannot be read");
    }
    text.assign(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  } else {
    const auto book = context.call<api::PriceBook>("GET", "/api/v1/prices/current");
    if (!book) {
      context.warn("no TRESBillingWeights are made, since there is no price book: " +
                   book.error().message + " --prices=FILE takes one from a file");
      return std::optional<pricing::PriceBook>{};
    }
    text = book->text;
  }
  auto book = parse_book(text, flags.prices.empty() ? "price book" : flags.prices, settings);
  if (!book) return tl::unexpected(book.error());
  return std::optional<pricing::PriceBook>(std::move(*book));
}

std::string joined_words(const std::vector<std::string>& words) {
  std::string line;
  for (const std::string& word : words) line += (line.empty() ? "" : " ") + word;
  return line;
}

std::string dual_json(const DualPlan& plan, bool is_written) {
  api::JsonWriter json;
  json.begin_object();
  json.key("written"), json.flag(is_written);
  json.key("changes"), json.begin_array();
  for (const Change& change : plan.changes) {
    json.begin_object();
    json.key("file"), json.text(change.path);
    json.key("lines"), json.begin_array();
    for (const std::string& line : change.lines) json.text(line);
    json.end_array();
    json.end_object();
  }
  json.end_array();
  json.key("commands"), json.begin_array();
  for (const auto& words : plan.commands) json.text(joined_words(words));
  json.end_array();
  json.key("weights"), json.begin_array();
  for (const PartitionWeights& one : plan.weights) {
    if (one.rate == nullptr) continue;
    json.begin_object();
    json.key("cluster"), json.text(one.cluster);
    json.key("partition"), json.text(one.partition);
    json.key("unit"), json.text(one.rate->unit);
    json.key("weights"), json.text(one.weights.text());
    json.key("scale"), json.number(one.weights.scale);
    json.end_object();
  }
  json.end_array();
  json.end_object();
  return json.take();
}

void show_dual_plan(const Context& context, const DualPlan& plan, const std::string& conf) {
  std::ostream& out = context.out();
  if (plan.changes.empty() && plan.commands.empty()) out << "Nothing to add.\n";
  for (const Change& change : plan.changes) {
    out << "In " << change.path << ":\n";
    for (const std::string& line : change.lines) out << "    " << harmless(line) << "\n";
    out << "\n";
  }
  if (!plan.commands.empty()) out << "Once, with SLURM_CONF=" << conf << ":\n";
  for (const auto& words : plan.commands) out << "    " << joined_words(words) << "\n";
}

void show_weights(const Context& context, const DualPlan& plan) {
  const Table table = difference_table(plan.weights, plan.snapshots);
  if (!table.is_empty()) {
    context.out() << "\nWhat Slurm bills with these weights, against the price:\n" << table.text();
  }
  for (const std::string& note : weight_notes(plan.weights, plan.snapshots)) {
    context.out() << harmless(note) << "\n";
  }
}

// Output for a program has no room for sentences.
std::ostream& prose(const Context& context) {
  return context.wants_table() ? context.out() : context.err();
}

int make_federation(const Context& context, slurm::SlurmClient& client,
                    const slurm::SlurmCluster& first, const DualPlan& plan, const DualFlags& flags,
                    const std::vector<slurm::SlurmCluster>& clusters) {
  std::string said;
  for (const auto& command : plan.commands) {
    if (const auto ran = client.run(first, command); !ran) said = ran.error().message;
  }
  if (plan.commands.empty()) return exit_done;
  const auto there = read_federations(client, first);
  if (!there) return context.failed(there.error());
  for (const slurm::SlurmCluster& cluster : clusters) {
    const auto known = there->find(cluster.name);
    if (known != there->end() && known->second == flags.federation) continue;
    return context.failed(Error{ErrorKind::broken,
                                "cluster " + cluster.name + " is not in federation " +
                                    flags.federation + " afterwards" +
                                    (said.empty() ? "" : ": " + said),
                                {}});
  }
  prose(context) << "Federation " << flags.federation << " has its clusters.\n";
  return exit_done;
}

int write_dual_plan(const Context& context, const DualPlan& plan, const std::string& stamp) {
  for (const Change& change : plan.changes) {
    const auto kept = write_change(change, stamp);
    if (!kept) return context.failed(kept.error());
    prose(context) << "Wrote " << change.path << "; what was there is " << *kept << ".\n";
  }
  return exit_done;
}

}  // namespace

int configure_dual(Context& context, const DualFlags& flags, bool write, const std::string& stamp) {
  const auto settings = context.settings();
  if (!settings) return exit_failed;
  if (const auto fine = check_flags(flags); !fine) return context.misused(fine.error().message);
  const auto clusters = dual_clusters(*settings, flags);
  if (!clusters) return context.misused(clusters.error().message);
  const auto book = find_book(context, *settings, flags);
  if (!book) return context.failed(book.error());
  slurm::SlurmCommands client(sacctmgr_deadline_ms);
  const DualPlan plan = plan_dual(client, *clusters, flags, *book ? &**book : nullptr);
  for (const std::string& why : plan.refusals) context.err() << harmless(why) << "\n";
  if (!plan.refusals.empty()) {
    return context.failed(Error{ErrorKind::conflict, "nothing is changed", {}});
  }
  if (write) {
    if (const int code = write_dual_plan(context, plan, stamp); code != exit_done) return code;
    const int code = make_federation(context, client, clusters->front(), plan, flags, *clusters);
    if (code != exit_done) return code;
  }
  if (!context.wants_table()) {
    return context.show(difference_table(plan.weights, plan.snapshots), dual_json(plan, write));
  }
  if (!write) {
    show_dual_plan(context, plan, clusters->front().slurm_conf);
  } else if (plan.changes.empty() && plan.commands.empty()) {
    context.out() << "Nothing to add.\n";
  }
  show_weights(context, plan);
  for (const std::string& note : plan.notes) context.out() << "\n" << harmless_lines(note) << "\n";
  if (!plan.changes.empty()) {
    context.out() << "\nThe slurm.conf of a cluster must be the same on all its nodes. Then stop "
                     "the controllers of\nall clusters, and start them all: one after the other, "
                     "a federation may stop scheduling.\n";
  }
  return exit_done;
}

}  // namespace asbb::cli
