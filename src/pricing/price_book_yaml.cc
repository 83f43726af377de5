// The strict reader of price books. yaml-cpp stays inside this file, and so do its exceptions.
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <functional>
#include <set>
#include <sstream>
#include <tuple>

#include "base/text.h"
#include "base/zone.h"
#include "pricing/price_book.h"
#include "pricing/slurm_values.h"
#include "pricing/tres.h"

namespace asbb::pricing {
namespace {

constexpr std::size_t text_max = 1'048'576;
constexpr std::size_t name_max = 64;
constexpr const char* name_allowed =
    "a name of letters, digits and _-.+ is expected, or \"*\" for all";

bool is_name(std::string_view text) {
  if (text.empty() || text.size() > name_max) return false;
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.' || c == '+';
  });
}

// Sees a document and keeps nothing of it.
class DocumentCounter : public YAML::EventHandler {
 public:
  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark&, YAML::anchor_t) override {}
  void OnAlias(const YAML::Mark&, YAML::anchor_t) override {}
  void OnScalar(const YAML::Mark&, const std::string&, YAML::anchor_t,
                const std::string&) override {}
  void OnSequenceStart(const YAML::Mark&, const std::string&, YAML::anchor_t,
                       YAML::EmitterStyle::value) override {}
  void OnSequenceEnd() override {}
  void OnMapStart(const YAML::Mark&, const std::string&, YAML::anchor_t,
                  YAML::EmitterStyle::value) override {}
  void OnMapEnd() override {}
};

// Whether the text is one document. YAML::Load would read the first of several in silence, and
// YAML::LoadAll of yaml-cpp 0.7 never returns for some texts, such as ",".
bool is_one_document(const std::string& text) {
  std::istringstream stream(text);
  YAML::Parser parser(stream);
  DocumentCounter counter;
  return parser.HandleNextDocument(counter) && !parser.HandleNextDocument(counter);
}

class Reader {
 public:
  Reader(std::string_view source, const PriceBookDefaults& defaults)
      : source_(source), defaults_(defaults) {}

  Result<PriceBook> read(const std::string& text) {
    try {
      if (is_one_document(text)) {
        read_book(YAML::Load(text));
      } else {
        problem(1, "one YAML document is expected, with the keys prices and effective_from");
      }
    } catch (const YAML::Exception& error) {
      problem(error.mark.is_null() ? 1 : error.mark.line + 1, "not YAML: " + error.msg);
    }
    if (problems_.empty()) return std::move(book_);
    std::string message;
    for (const std::string& each : problems_) message += (message.empty() ? "" : "\n") + each;
    return fail(ErrorKind::invalid, message, "prices");
  }

 private:
  using Handler = std::function<void(const YAML::Node&)>;
  using Handlers = std::map<std::string, Handler>;

  void problem(int line, const std::string& what) {
    problems_.push_back(source_ + ":" + std::to_string(line) + ": " + what);
  }
  void problem(const YAML::Node& at, const std::string& what) { problem(at.Mark().line + 1, what); }

  // Gives each value of a map to its handler; unknown and repeated keys are problems. Returns the
  // keys that were there; nothing when it is no map.
  std::set<std::string> read_map(const YAML::Node& node, const std::string& what,
                                 const Handlers& handlers) {
    std::set<std::string> keys;
    if (!node.IsMap()) {
      problem(node, what + " must be a map of keys and values");
      return keys;
    }
    for (const auto& entry : node) {
      const std::string key = entry.first.IsScalar() ? entry.first.Scalar() : "";
      const auto handler = handlers.find(key);
      if (handler == handlers.end()) {
        problem(entry.first, what + " has an unknown key " + in_quotes(key) + ": " +
                                 known(handlers) + " are known");
      } else if (!keys.insert(key).second) {
        problem(entry.first, what + " has the key " + in_quotes(key) + " twice");
      } else {
        handler->second(entry.second);
      }
    }
    return keys;
  }

  static std::string known(const Handlers& handlers) {
    std::string out;
    for (const auto& [key, handler] : handlers) out += (out.empty() ? "" : ", ") + key;
    return out;
  }

  // Text of a scalar; a problem and nothing for anything else.
  std::optional<std::string> scalar(const YAML::Node& node, const std::string& key,
                                    const std::string& allowed) {
    if (node.IsScalar()) return node.Scalar();
    problem(node, key + ": " + allowed);
    return std::nullopt;
  }

  void read_book(const YAML::Node& root) {
    const auto keys =
        read_map(root, "the price book",
                 {{"effective_from", [this](const YAML::Node& node) { read_effective_from(node); }},
                  {"prices", [this](const YAML::Node& node) { read_prices(node); }}});
    if (keys.count("effective_from") == 0) book_.effective_from = defaults_.effective_from;
    if (root.IsMap() && keys.count("prices") == 0) problem(root, "the key prices is missing");
    std::sort(book_.rates.begin(), book_.rates.end(), [](const Rate& a, const Rate& b) {
      return std::tie(a.cluster, a.partition) < std::tie(b.cluster, b.partition);
    });
  }

  void read_effective_from(const YAML::Node& node) {
    const std::string allowed = "a day (2025-01-31) or a moment (2025-01-31T00:00:00Z) is expected";
    const auto text = scalar(node, "effective_from", allowed);
    if (!text) return;
    const auto day = parse_day(*text);
    const auto moment = day ? start_of_day(*day, defaults_.time_zone) : parse_rfc3339(*text);
    if (moment) {
      book_.effective_from = *moment;
    } else {
      problem(node, "effective_from " + in_quotes(*text) + ": " + allowed);
    }
  }

  void read_prices(const YAML::Node& node) {
    if (!node.IsSequence()) return problem(node, "prices must be a list");
    std::map<std::pair<std::string, std::string>, int> lines;
    for (const auto& entry : node) {
      const Rate rate = read_rate(entry);
      const int line = entry.Mark().line + 1;
      const auto [place, fresh] = lines.try_emplace({rate.cluster, rate.partition}, line);
      if (fresh) {
        book_.rates.push_back(rate);
      } else {
        problem(entry, "cluster " + rate.cluster + ", partition " + rate.partition +
                           " already has a price in line " + std::to_string(place->second));
      }
    }
  }

  Rate read_rate(const YAML::Node& node) {
    Rate rate;
    const auto money = [this](const std::string& key, Micros& to) {
      return std::pair(key, Handler([this, key, &to](const YAML::Node& value) {
                         to = read_rate_amount(value, key);
                       }));
    };
    const Handlers handlers = {
        {"cluster",
         [&](const YAML::Node& value) { rate.cluster = to_lower(read_name(value, "cluster")); }},
        {"partition",
         [&](const YAML::Node& value) { rate.partition = read_name(value, "partition"); }},
        {"unit", [&](const YAML::Node& value) { rate.unit = read_unit(value); }},
        {"basis", [&](const YAML::Node& value) { rate.basis = read_basis(value); }},
        {"per_node_hour", [&](const YAML::Node& value) { read_node_rates(value, rate); }},
        money("per_core_hour", rate.per_core_hour),
        money("per_gb_hour", rate.per_gb_hour),
        {"per_gpu_hour", [&](const YAML::Node& value) { read_gpu_rates(value, rate); }},
        {"node", [&](const YAML::Node& value) { rate.node = read_capacity(value); }},
        {"minimum_seconds",
         [&](const YAML::Node& value) {
           rate.minimum_seconds = read_integer(value, "minimum_seconds", max_minimum_seconds);
         }},
        {"free", [&](const YAML::Node& value) { rate.free = read_free(value); }}};
    const std::size_t problems_before = problems_.size();
    const auto keys = read_map(node, "a price", handlers);
    if (problems_.size() == problems_before) check_rate(node, rate, keys);
    return rate;
  }

  // What belongs together. Only for prices whose values could all be read.
  void check_rate(const YAML::Node& node, const Rate& rate, const std::set<std::string>& keys) {
    const auto has = [&](const char* key) { return keys.count(key) > 0; };
    for (const char* key : {"cluster", "partition"}) {
      if (!has(key)) problem(node, std::string("a price needs the key ") + key);
    }
    if (rate.free) {
      for (const std::string& key : keys) {
        if (key == "cluster" || key == "partition" || key == "free") continue;
        problem(node, "a price with free: true must not have " + key);
      }
      return;
    }
    if (!has("unit")) problem(node, "a price needs a unit, such as USD or core-hours");
    const bool parts = has("per_core_hour") || has("per_gpu_hour") || has("per_gb_hour");
    if (rate.basis == Basis::node && parts) {
      problem(node, "basis node takes per_node_hour alone");
    }
    if (rate.basis == Basis::share && has("per_node_hour") && (parts || !has("node"))) {
      problem(node,
              "basis share takes per_node_hour with node (what a node has), or per_core_hour, "
              "per_gpu_hour and per_gb_hour without it");
    }
    if (rate.basis == Basis::share && rate.tells_instances()) {
      problem(node, "basis share takes one per_node_hour, for all instance types");
    }
    if (has("node") && (rate.basis != Basis::share || !has("per_node_hour"))) {
      problem(node, "node belongs to basis share with per_node_hour");
    }
    if (costs_nothing(rate)) {
      problem(node, "a price needs a rate above 0; a partition without a price has free: true");
    }
  }

  static bool costs_nothing(const Rate& rate) {
    const auto all_zero = [](const std::map<std::string, Micros>& prices) {
      return std::all_of(prices.begin(), prices.end(),
                         [](const auto& each) { return each.second.is_zero(); });
    };
    return all_zero(rate.per_gpu_hour) && all_zero(rate.per_instance_hour) &&
           rate.per_node_hour.is_zero() && rate.per_core_hour.is_zero() &&
           rate.per_gb_hour.is_zero();
  }

  std::string read_name(const YAML::Node& node, const std::string& key) {
    const auto text = scalar(node, key, name_allowed);
    if (!text) return "*";
    if (*text != "*" && !is_name(*text))
      problem(node, key + " " + in_quotes(*text) + ": " + name_allowed);
    return *text;
  }

  std::string read_unit(const YAML::Node& node) {
    const std::string allowed =
        "a unit starts with a letter and has at most 32 letters, digits, - and _, such as USD";
    const auto text = scalar(node, "unit", allowed);
    if (!text) return "";
    if (!is_valid_unit(*text)) problem(node, "unit " + in_quotes(*text) + ": " + allowed);
    return *text;
  }

  Basis read_basis(const YAML::Node& node) {
    const std::string allowed = "tres, node or share is expected";
    const auto text = scalar(node, "basis", allowed);
    for (const Basis basis : {Basis::tres, Basis::node, Basis::share}) {
      if (text && *text == to_string(basis)) return basis;
    }
    if (text) problem(node, "basis " + in_quotes(*text) + ": " + allowed);
    return Basis::tres;
  }

  Micros read_rate_amount(const YAML::Node& node, const std::string& key) {
    const std::string allowed = "a decimal number from 0 to " + to_decimal(max_rate) +
                                " with at most six decimals is expected";
    const auto text = scalar(node, key, allowed);
    if (!text) return Micros();
    const auto amount = parse_micros(*text);
    if (amount && !amount->is_negative() && *amount <= max_rate) return *amount;
    problem(node, key + " " + in_quotes(*text) + ": " + allowed);
    return Micros();
  }

  void read_gpu_rates(const YAML::Node& node, Rate& rate) {
    if (node.IsMap()) {
      read_types(node, "per_gpu_hour", "GPU", rate.per_gpu_hour);
    } else {
      rate.per_gpu_hour["*"] = read_rate_amount(node, "per_gpu_hour");
    }
  }

  void read_node_rates(const YAML::Node& node, Rate& rate) {
    if (node.IsMap()) {
      read_types(node, "per_node_hour", "instance", rate.per_instance_hour);
    } else {
      rate.per_node_hour = read_rate_amount(node, "per_node_hour");
    }
  }

  // Slurm keeps GPU types in lower case, and features as they are written.
  void read_types(const YAML::Node& node, const std::string& key, const std::string& what,
                  std::map<std::string, Micros>& prices) {
    for (const auto& entry : node) {
      std::string type = entry.first.IsScalar() ? entry.first.Scalar() : "";
      if (what == "GPU") type = to_lower(type);
      if (type != "*" && !is_name(type)) {
        problem(entry.first, key + " type " + in_quotes(type) + ": " + name_allowed);
      } else if (!prices.emplace(type, read_rate_amount(entry.second, key)).second) {
        problem(entry.first, key + " has the type " + in_quotes(type) + " twice");
      }
    }
    if (node.size() == 0) {
      problem(node, key + ": a number, or a map of " + what + " types, is expected");
    }
  }

  NodeCapacity read_capacity(const YAML::Node& node) {
    NodeCapacity capacity;
    const auto memory = [&](const YAML::Node& value) {
      const std::string allowed = "a size such as 192G is expected";
      const auto text = scalar(value, "memory", allowed);
      if (!text) return;
      const auto size = parse_memory_mb(*text);
      if (!size) return problem(value, "memory " + in_quotes(*text) + ": " + allowed);
      capacity.memory_mb = *size;
    };
    read_map(node, "node",
             {{"cores",
               [&](const YAML::Node& v) { capacity.cores = read_integer(v, "cores", max_count); }},
              {"memory", memory},
              {"gpus",
               [&](const YAML::Node& v) { capacity.gpus = read_integer(v, "gpus", max_count); }}});
    if (capacity == NodeCapacity{}) problem(node, "node needs cores, memory or gpus above 0");
    return capacity;
  }

  std::int64_t read_integer(const YAML::Node& node, const std::string& key, std::int64_t largest) {
    const std::string allowed =
        "a whole number from 0 to " + std::to_string(largest) + " is expected";
    const auto text = scalar(node, key, allowed);
    if (!text) return 0;
    const auto count = parse_count(*text, largest);
    if (!count) problem(node, key + " " + in_quotes(*text) + ": " + allowed);
    return count.value_or(0);
  }

  bool read_free(const YAML::Node& node) {
    const std::string allowed = "true or false is expected";
    const auto text = scalar(node, "free", allowed);
    if (text && *text != "true" && *text != "false") {
      problem(node, "free " + in_quotes(*text) + ": " + allowed);
    }
    return text == "true";
  }

  std::string source_;
  PriceBookDefaults defaults_;
  PriceBook book_;
  std::vector<std::string> problems_;
};

}  // namespace

Result<PriceBook> parse_price_book(std::string_view text, std::string_view source,
                                   const PriceBookDefaults& defaults) {
  if (text.size() > text_max) {
    return fail(ErrorKind::invalid,
                std::string(source) + ":1: a price book has at most 1 MB of text", "prices");
  }
  return Reader(source, defaults).read(std::string(text));
}

}  // namespace asbb::pricing
