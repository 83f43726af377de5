// The worked examples of docs/concepts/pricing.md, with the prices of examples/prices.yaml.
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "base/slurm_units.h"
#include "base/text.h"
#include "pricing/charge.h"
#include "pricing/estimate.h"

namespace asbb::pricing {
namespace {

using Row = std::vector<std::string>;

std::string read_source(const std::string& path) {
  std::ifstream file(std::string(ASBB_SOURCE_DIR) + "/" + path);
  std::stringstream content;
  content << file.rdbuf();
  return content.str();
}

std::string trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" `");
  if (first == std::string_view::npos) return "";
  return std::string(text.substr(first, text.find_last_not_of(" `") - first + 1));
}

// Rows of the first table under a heading, without its head.
std::vector<Row> table_under(const std::string& heading) {
  std::istringstream page(read_source("docs/concepts/pricing.md"));
  std::vector<Row> rows;
  bool inside = false;
  for (std::string line; std::getline(page, line);) {
    if (line == heading) inside = true;
    if (!inside) continue;
    if (line.empty() || line.front() != '|') {
      if (!rows.empty()) break;
      continue;
    }
    Row row;
    const auto cells = split(line, '|');
    for (std::size_t i = 1; i + 1 < cells.size(); ++i) row.push_back(trimmed(cells[i]));
    rows.push_back(row);
  }
  EXPECT_GT(rows.size(), 2U) << heading;
  if (rows.size() > 2) rows.erase(rows.begin(), rows.begin() + 2);
  return rows;
}

PriceBook example_book() {
  auto book = parse_price_book(read_source("examples/prices.yaml"), "examples/prices.yaml", {});
  EXPECT_TRUE(book.has_value()) << (book ? "" : book.error().message);
  return book ? *book : PriceBook{};
}

std::map<std::string, PartitionShape> example_partitions() {
  std::map<std::string, PartitionShape> partitions;
  for (const Row& row : table_under("### The partitions")) {
    PartitionShape& partition = partitions[row.at(1)];
    partition.cluster = row.at(0);
    partition.name = row.at(1);
    NodeShape node;
    node.count = std::stoll(row.at(2));
    node.cpus = std::stoll(row.at(3));
    node.sockets = std::stoll(row.at(4));
    node.cores_per_socket = std::stoll(row.at(5));
    node.threads_per_core = std::stoll(row.at(6));
    node.memory_mb = parse_memory_mb(row.at(7)).value();
    if (!row.at(8).empty()) {
      const auto parts = split(row.at(8), ':');
      node.gpus_by_type[std::string(parts.at(0))] = std::stoll(std::string(parts.at(1)));
      partition.recorded_gpu_types.emplace_back(parts.at(0));
    }
    partition.default_time = parse_time_limit(row.at(9)).value();
    partition.exclusive = row.at(10) == "yes";
    if (!row.at(11).empty()) node.features = {row.at(11)};
    partition.nodes.push_back(node);
  }
  return partitions;
}

void read_option(const std::string& name, const std::string& value, JobRequest& request) {
  const auto count = [&] { return std::stoll(value); };
  const auto gres = [&] { return "gres:" + (value.rfind("gpu", 0) == 0 ? value : "gpu:" + value); };
  if (name == "--ntasks") {
    request.num_tasks = count();
  } else if (name == "--cpus-per-task") {
    request.cpus_per_task = count();
  } else if (name == "--nodes") {
    const auto range = split(value, '-');
    request.min_nodes = std::stoll(std::string(range.front()));
    request.max_nodes = std::stoll(std::string(range.back()));
  } else if (name == "--mem") {
    request.memory_per_node_mb = parse_memory_mb(value).value();
  } else if (name == "--mem-per-cpu") {
    request.memory_per_cpu_mb = parse_memory_mb(value).value();
  } else if (name == "--gres" || name == "--gpus-per-node") {
    request.tres_per_node = gres();
  } else if (name == "--constraint") {
    request.features = value;
  } else if (name == "--array") {
    request.array = value;
  } else if (name == "--exclusive") {
    request.exclusive = true;
  } else if (name == "--time") {
    request.time_limit = parse_time_limit(value).value();
  } else {
    ADD_FAILURE() << "the example has the option " << name << ", which this test does not read";
  }
}

// What sbatch makes of its options.
JobRequest request_of(const std::string& options) {
  JobRequest request;
  for (const std::string_view option : split(options, ' ')) {
    const std::size_t equals = option.find('=');
    const bool has_value = equals != std::string_view::npos;
    read_option(std::string(option.substr(0, equals)),
                has_value ? std::string(option.substr(equals + 1)) : "", request);
  }
  if (!request.num_tasks) request.num_tasks = request.min_nodes.value_or(1);
  request.min_cpus = *request.num_tasks * request.cpus_per_task.value_or(1);
  return request;
}

// "2 c5.2xlarge, 1 gone" by features; a gone one is no longer known.
std::vector<UsedNode> nodes_of(const std::string& cell) {
  std::vector<UsedNode> nodes;
  for (const std::string_view item : split(cell, ',')) {
    const std::string text = trimmed(item);
    const auto words = split(text, ' ');
    if (words.size() != 2) continue;
    const std::string feature(words.at(1));
    const bool is_known = feature != "gone";
    nodes.push_back({feature, is_known, {feature}, std::stoll(std::string(words.at(0)))});
  }
  return nodes;
}

std::string amount_text(Micros amount, const std::string& unit) {
  return to_decimal(amount) + " " + unit;
}

TEST(PricingExamples, EstimatesAndHolds) {
  const PriceBook book = example_book();
  const auto partitions = example_partitions();
  for (const Row& row : table_under("### Estimates and holds")) {
    SCOPED_TRACE(row.at(0) + " " + row.at(1));
    const auto result = estimate(request_of(row.at(1)), {partitions.at(row.at(0))}, book);
    ASSERT_TRUE(result.has_value());
    if (row.at(3) == "no price") {
      EXPECT_FALSE(result->priced);
      continue;
    }
    EXPECT_EQ(to_string(result->bound), row.at(2));
    EXPECT_EQ(amount_text(result->total, result->unit), row.at(3));
    const auto hold = hold_amount(result->total, default_hold_factor);
    ASSERT_TRUE(hold.has_value());
    EXPECT_EQ(amount_text(*hold, result->unit), row.at(4));
  }
}

TEST(PricingExamples, Charges) {
  const PriceBook book = example_book();
  const auto partitions = example_partitions();
  for (const Row& row : table_under("### Charges")) {
    SCOPED_TRACE(row.at(0) + " " + row.at(1) + " " + row.at(3));
    Usage usage;
    usage.allocated = parse_allocated_tres(row.at(1)).value();
    usage.nodes = nodes_of(row.at(2));
    usage.started = row.at(3) != "never started";
    constexpr std::int64_t year_s = 366 * 86'400;
    if (usage.started) usage.elapsed_seconds = parse_slurm_time_s(row.at(3), year_s).value();
    const auto result = charge(book, partitions.at(row.at(0)).cluster, row.at(0), usage);
    ASSERT_TRUE(result.has_value());
    EXPECT_EQ(std::to_string(result->billed_seconds) + " s", row.at(4));
    EXPECT_EQ(result->priced ? amount_text(result->amount, result->unit) : "no price", row.at(5));
    const bool has_gone = row.at(2).find("gone") != std::string::npos;
    EXPECT_EQ(result->unknown_nodes.empty(), !has_gone);
  }
}

TEST(PricingExamples, TheExampleBookReadsBackFromItsCanonicalText) {
  const PriceBook book = example_book();
  const auto read = parse_price_book(to_canonical_text(book), "stored", {});
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(*read, book);
}

}  // namespace
}  // namespace asbb::pricing
