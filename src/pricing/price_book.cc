#include "pricing/price_book.h"

#include <algorithm>
#include <tuple>

#include "base/text.h"

namespace asbb::pricing {
namespace {

constexpr std::string_view any = "*";

// How specific a rate is for this partition; 0 where it does not apply.
int specificity(const Rate& rate, std::string_view cluster, std::string_view partition) {
  const bool cluster_named = rate.cluster == cluster;
  const bool partition_named = rate.partition == partition;
  if (!cluster_named && rate.cluster != any) return 0;
  if (!partition_named && rate.partition != any) return 0;
  return 1 + (cluster_named ? 1 : 0) + (partition_named ? 2 : 0);
}

// Names in this file are checked on the way in: letters, digits and a few marks, so that quotes
// need no escaping.
std::string yaml_string(std::string_view name) {
  return "\"" + std::string(name) + "\"";
}

std::string yaml_map(const std::map<std::string, Micros>& prices) {
  std::string map;
  for (const auto& [type, price] : prices) {
    map += (map.empty() ? "" : ", ") + yaml_string(type) + ": " + yaml_string(to_decimal(price));
  }
  return "{" + map + "}";
}

void append_rates(const Rate& rate, std::string& out) {
  const auto line = [&](const std::string& key, const std::string& value) {
    out += "    " + key + ": " + value + "\n";
  };
  const auto amount = [&](const std::string& key, Micros value) {
    if (!value.is_zero()) line(key, yaml_string(to_decimal(value)));
  };
  line("unit", yaml_string(rate.unit));
  line("basis", std::string(to_string(rate.basis)));
  amount("per_node_hour", rate.per_node_hour);
  if (rate.tells_instances()) line("per_node_hour", yaml_map(rate.per_instance_hour));
  amount("per_core_hour", rate.per_core_hour);
  if (!rate.per_gpu_hour.empty()) line("per_gpu_hour", yaml_map(rate.per_gpu_hour));
  amount("per_gb_hour", rate.per_gb_hour);
  if (rate.node) {
    line("node", "{cores: " + std::to_string(rate.node->cores) + ", memory: \"" +
                     std::to_string(rate.node->memory_mb) +
                     "M\", gpus: " + std::to_string(rate.node->gpus) + "}");
  }
  line("minimum_seconds", std::to_string(rate.minimum_seconds));
}

// What a type costs: as listed, else what "*" says, else as much as the dearest listed one.
Micros listed_price(const std::map<std::string, Micros>& prices, const std::string& type) {
  const auto listed = type.empty() ? prices.end() : prices.find(type);
  if (listed != prices.end()) return listed->second;
  const auto others = prices.find(std::string(any));
  if (others != prices.end()) return others->second;
  Micros dearest;
  for (const auto& [name, price] : prices) dearest = std::max(dearest, price);
  return dearest;
}

}  // namespace

std::string_view to_string(Basis basis) {
  switch (basis) {
    case Basis::tres:
      return "tres";
    case Basis::node:
      return "node";
    case Basis::share:
      return "share";
  }
  return "";
}

Micros Rate::gpu_hour(const std::string& type) const {
  return listed_price(per_gpu_hour, type);
}

Micros Rate::node_hour(const std::string& type) const {
  return tells_instances() ? listed_price(per_instance_hour, type) : per_node_hour;
}

std::string Rate::instance_type(const std::vector<std::string>& features) const {
  std::string dearest;
  for (const std::string& feature : features) {
    if (feature == any || per_instance_hour.count(feature) == 0) continue;
    if (dearest.empty() || node_hour(feature) > node_hour(dearest)) dearest = feature;
  }
  return dearest;
}

bool Rate::prices_other_instances() const {
  return per_instance_hour.count(std::string(any)) > 0;
}

std::string Rate::dearest_instance() const {
  std::string dearest;
  for (const auto& [type, price] : per_instance_hour) {
    if (type != any && price > node_hour(dearest)) dearest = type;
  }
  return dearest;
}

const Rate* PriceBook::find(std::string_view cluster, std::string_view partition) const {
  const Rate* best = nullptr;
  int best_score = 0;
  const std::string cluster_lower = to_lower(cluster);
  for (const Rate& rate : rates) {
    const int score = specificity(rate, cluster_lower, partition);
    if (score <= best_score) continue;
    best = &rate;
    best_score = score;
  }
  return best;
}

const Rate* PriceBook::find_priced(std::string_view cluster, std::string_view partition) const {
  const Rate* rate = find(cluster, partition);
  return rate == nullptr || rate->free ? nullptr : rate;
}

std::string to_canonical_text(const PriceBook& book) {
  std::string out = "effective_from: " + yaml_string(to_rfc3339(book.effective_from)) + "\nprices:";
  if (book.rates.empty()) return out + " []\n";
  out += "\n";
  for (const Rate& rate : book.rates) {
    out += "  - cluster: " + yaml_string(rate.cluster) + "\n";
    out += "    partition: " + yaml_string(rate.partition) + "\n";
    if (rate.free) {
      out += "    free: true\n";
    } else {
      append_rates(rate, out);
    }
  }
  return out;
}

Result<void> PriceHistory::add(PriceBook book) {
  if (book.version <= 0) {
    return fail(ErrorKind::invalid, "a price book has a version of at least 1", "version");
  }
  if (by_version(book.version) != nullptr) {
    return fail(ErrorKind::conflict,
                "there is already a price book with version " + std::to_string(book.version),
                "version");
  }
  const auto order = [](const PriceBook& each) {
    return std::tuple(each.effective_from, each.version);
  };
  const auto place =
      std::upper_bound(books_.begin(), books_.end(), book,
                       [&](const PriceBook& a, const PriceBook& b) { return order(a) < order(b); });
  books_.insert(place, std::move(book));
  return {};
}

const PriceBook* PriceHistory::in_force(Instant at) const {
  const auto after = std::upper_bound(
      books_.begin(), books_.end(), at,
      [](Instant moment, const PriceBook& b) { return moment < b.effective_from; });
  return after == books_.begin() ? nullptr : &*std::prev(after);
}

const PriceBook* PriceHistory::by_version(std::int64_t version) const {
  for (const PriceBook& book : books_) {
    if (book.version == version) return &book;
  }
  return nullptr;
}

}  // namespace asbb::pricing
