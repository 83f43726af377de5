// Properties over random prices, partitions and requests.
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <set>

#include "pricing/charge.h"
#include "pricing/cost.h"
#include "pricing/estimate.h"
#include "pricing/model_allocator.h"

namespace asbb::pricing {
namespace {

std::int64_t number(std::int64_t least, std::int64_t most) {
  return *rc::gen::inRange<std::int64_t>(least, most + 1);
}

bool chance(int percent) {
  return number(1, 100) <= percent;
}

Micros random_price(std::int64_t most = 5'000'000) {
  return Micros(chance(20) ? 0 : number(1, most));
}

const std::vector<std::string> gpu_types = {"a100", "h100", "v100"};
const std::vector<std::string> instance_types = {"c5.xlarge", "m5.2xlarge", "p4d.24xlarge"};

// One rate for all nodes, or one for each instance type.
void set_node_rates(Rate& rate) {
  if (chance(60)) {
    rate.per_node_hour = Micros(number(1, 5'000'000));
    return;
  }
  for (const std::string& type : instance_types) {
    if (chance(70)) rate.per_instance_hour[type] = random_price();
  }
  const bool others = rate.node_hour("").is_zero() || chance(50);
  if (others) rate.per_instance_hour["*"] = Micros(number(1, 5'000'000));
}

Rate random_rate() {
  Rate rate;
  rate.cluster = "c";
  rate.partition = "p";
  rate.unit = "USD";
  rate.basis = *rc::gen::element(Basis::tres, Basis::node, Basis::share);
  rate.minimum_seconds = chance(30) ? number(1, 600) : 0;
  if (rate.basis == Basis::node) {
    set_node_rates(rate);
    return rate;
  }
  if (rate.basis == Basis::share && chance(50)) {
    rate.per_node_hour = Micros(number(1, 5'000'000));
    rate.node = NodeCapacity{number(1, 64), number(0, 200'000), number(0, 8)};
    return rate;
  }
  if (rate.basis == Basis::tres && chance(70)) set_node_rates(rate);
  rate.per_core_hour = Micros(number(1, 100'000));
  rate.per_gb_hour = random_price(10'000);
  for (const std::string& type : gpu_types) {
    if (chance(50)) rate.per_gpu_hour[type] = random_price();
  }
  if (chance(50)) rate.per_gpu_hour["*"] = random_price();
  return rate;
}

PriceBook book_with(const Rate& rate) {
  PriceBook book;
  book.version = 1;
  book.effective_from = Instant::from_unix_seconds(number(0, 4'000'000'000));
  book.rates = {rate};
  return book;
}

NodeShape random_node(bool gpus) {
  NodeShape node;
  node.count = number(1, 4);
  node.sockets = number(1, 2);
  node.cores_per_socket = number(1, 8);
  node.threads_per_core = number(1, 2);
  node.cpus = node.sockets * node.cores_per_socket * node.threads_per_core;
  node.memory_mb = number(1'000, 64'000);
  if (gpus) node.gpus_by_type[*rc::gen::elementOf(gpu_types)] = number(1, 4);
  if (chance(80)) node.features.push_back(*rc::gen::elementOf(instance_types));
  if (chance(10)) node.features.push_back(*rc::gen::elementOf(instance_types));
  return node;
}

PartitionShape random_partition() {
  PartitionShape partition;
  partition.cluster = "c";
  partition.name = "p";
  const std::int64_t shapes = number(1, 3);
  for (std::int64_t i = 0; i < shapes; ++i) partition.nodes.push_back(random_node(chance(60)));
  partition.exclusive = chance(25);
  partition.whole_cores = chance(70);
  if (chance(60)) partition.default_memory_per_cpu_mb = number(100, 2'000);
  for (const std::string& type : gpu_types) {
    if (chance(70)) partition.recorded_gpu_types.push_back(type);
  }
  if (chance(20)) partition.over_time_limit = TimeLimit{number(1, 30), false};
  return partition;
}

void add_gpus(JobRequest& request, ModelGpus& gpus) {
  if (chance(50)) return;
  if (chance(40)) gpus.type = *rc::gen::elementOf(gpu_types);
  const auto text = [&](std::int64_t count) {
    return "gres:gpu:" + (gpus.type.empty() ? "" : gpus.type + ":") + std::to_string(count);
  };
  switch (number(0, 2)) {
    case 0:
      gpus.per_job = number(1, 6);
      request.tres_per_job = text(gpus.per_job);
      break;
    case 1:
      gpus.per_node = number(1, 3);
      request.tres_per_node = text(gpus.per_node);
      break;
    default:
      gpus.per_task = number(1, 2);
      request.tres_per_task = text(gpus.per_task);
  }
  const bool memory_said = request.memory_per_node_mb || request.memory_per_cpu_mb;
  if (!memory_said && chance(40)) {
    gpus.memory_per_gpu_mb = number(100, 4'000);
    request.mem_per_tres = "gres:gpu:" + std::to_string(gpus.memory_per_gpu_mb);
  }
}

JobRequest random_request(ModelGpus& gpus) {
  JobRequest request;
  request.time_limit = TimeLimit{number(1, 600), false};
  request.num_tasks = number(1, 12);
  if (chance(60)) request.cpus_per_task = number(1, 4);
  request.exclusive = chance(20);
  if (chance(60)) {
    request.min_nodes = number(1, 4);
    request.max_nodes = number(*request.min_nodes, 5);
    if (chance(30)) {
      request.ntasks_per_node = number(1, 4);
      request.num_tasks = *request.min_nodes * *request.ntasks_per_node;
    }
  }
  switch (number(0, 4)) {
    case 0:
      request.memory_per_node_mb = number(1, 8'000);
      break;
    case 1:
      request.memory_per_cpu_mb = number(1, 1'000);
      break;
    case 2:
      request.memory_per_node_mb = 0;
      break;
    default:
      break;
  }
  add_gpus(request, gpus);
  return request;
}

// Keeps to types that the partition has, as Slurm refuses others.
bool types_exist(const ModelGpus& gpus, const PartitionShape& partition) {
  if (gpus.type.empty()) return true;
  for (const NodeShape& node : partition.nodes) {
    if (node.gpus_by_type.count(gpus.type) == 0) return false;
  }
  return true;
}

std::string describe(const JobRequest& request, const PartitionShape& partition) {
  std::string out;
  const auto add = [&](const char* name, const std::optional<std::int64_t>& value) {
    if (value) out += std::string(name) + "=" + std::to_string(*value) + " ";
  };
  add("tasks", request.num_tasks);
  add("cpus_per_task", request.cpus_per_task);
  add("min_nodes", request.min_nodes);
  add("max_nodes", request.max_nodes);
  add("ntasks_per_node", request.ntasks_per_node);
  add("mem", request.memory_per_node_mb);
  add("mem_per_cpu", request.memory_per_cpu_mb);
  out += request.tres_per_job + "/" + request.tres_per_node + "/" + request.tres_per_task + "/" +
         request.mem_per_tres + (request.exclusive || partition.exclusive ? " whole" : "") + "\n";
  for (const NodeShape& node : partition.nodes) {
    out += std::to_string(node.count) + " x " +
           to_string(Tres{1, node.cpus, node.memory_mb, node.gpus_by_type}) + ", " +
           std::to_string(node.sockets) + " sockets, " + std::to_string(node.threads_per_core) +
           " threads\n";
  }
  return out;
}

RC_GTEST_PROP(EstimateProperty, NoAllocationCostsMore, ()) {
  const PartitionShape partition = random_partition();
  const PriceBook book = book_with(random_rate());
  ModelGpus gpus;
  const JobRequest request = random_request(gpus);
  RC_PRE(types_exist(gpus, partition));
  const auto most = estimate(request, {partition}, book);
  RC_ASSERT(most.has_value());
  const Pick pick = [](std::int64_t below) { return number(0, below - 1); };
  int allocations = 0;
  for (int i = 0; i < 20; ++i) {
    const auto given = allocate(request, gpus, partition, pick);
    if (!given) continue;
    ++allocations;
    const std::int64_t over = partition.over_time_limit ? partition.over_time_limit->minutes : 0;
    const std::int64_t elapsed = (request.time_limit->minutes + over) * 60;
    const auto cost_of_run = charge(book, "c", "p", {given->tres, 0, elapsed, true, given->nodes});
    RC_ASSERT(cost_of_run.has_value());
    if (cost_of_run->amount > most->total) {
      RC_LOG() << "given " << to_string(given->tres) << ", bound " << to_string(most->bound) << "\n"
               << describe(request, partition);
    }
    RC_ASSERT(cost_of_run->amount <= most->total);
  }
  RC_CLASSIFY(allocations > 0, "allocated");
}

// The nodes of a bound, one by one.
std::vector<UsedNode> used_nodes(const Tres& bound) {
  std::vector<UsedNode> nodes;
  for (const auto& [type, count] : bound.nodes_by_type) {
    for (std::int64_t i = 0; i < count; ++i) nodes.push_back({"n", true, {type}, 1});
  }
  nodes.resize(static_cast<std::size_t>(bound.nodes), {"n", true, {}, 1});
  return nodes;
}

RC_GTEST_PROP(EstimateProperty, NoUsageWithinTheBoundCostsMore, ()) {
  const PartitionShape partition = random_partition();
  const PriceBook book = book_with(random_rate());
  ModelGpus gpus;
  const JobRequest request = random_request(gpus);
  const auto most = estimate(request, {partition}, book);
  RC_ASSERT(most.has_value());
  Tres less;
  less.nodes = number(0, most->bound.nodes);
  std::vector<UsedNode> nodes = used_nodes(most->bound);
  nodes.resize(static_cast<std::size_t>(less.nodes));
  less.cores = number(0, most->bound.cores);
  less.memory_mb = number(0, most->bound.memory_mb);
  for (const auto& [type, count] : most->bound.gpus_by_type) {
    less.gpus_by_type[type] = number(0, count);
  }
  const std::int64_t elapsed = number(0, most->billed_seconds);
  const auto actual = charge(book, "c", "p", {less, 0, elapsed, true, nodes});
  RC_ASSERT(actual.has_value());
  RC_ASSERT(actual->amount <= most->per_task);
}

// A request that asks for more in one way, or the same partition with more.
JobRequest ask_for_more(JobRequest request) {
  switch (number(0, 4)) {
    case 0:
      *request.num_tasks += number(1, 9);
      break;
    case 1:
      request.time_limit->minutes += number(1, 600);
      break;
    case 2:
      request.array = "0-" + std::to_string(number(1, 50));
      break;
    case 3:
      if (request.max_nodes) *request.max_nodes += number(1, 3);
      break;
    default:
      if (request.memory_per_cpu_mb) *request.memory_per_cpu_mb += number(1, 1'000);
  }
  return request;
}

RC_GTEST_PROP(EstimateProperty, MoreOfAnythingNeverCostsLess, ()) {
  const PartitionShape partition = random_partition();
  const PriceBook book = book_with(random_rate());
  ModelGpus gpus;
  const JobRequest request = random_request(gpus);
  const auto before = estimate(request, {partition}, book);
  const auto after = estimate(ask_for_more(request), {partition}, book);
  RC_ASSERT(before.has_value() && after.has_value());
  RC_ASSERT(after->total >= before->total);
}

RC_GTEST_PROP(EstimateProperty, ALongerListIsNeverCheaper, ()) {
  const PriceBook book = book_with(random_rate());
  ModelGpus gpus;
  const JobRequest request = random_request(gpus);
  const PartitionShape first = random_partition();
  const PartitionShape second = random_partition();
  const auto one = estimate(request, {first}, book);
  const auto both = estimate(request, {first, second}, book);
  RC_ASSERT(one.has_value() && both.has_value());
  RC_ASSERT(both->total >= one->total);
}

RC_GTEST_PROP(EstimateProperty, TheLongestFittingTimeFitsAndTheNextDoesNot, ()) {
  const PartitionShape partition = random_partition();
  const PriceBook book = book_with(random_rate());
  ModelGpus gpus;
  JobRequest request = random_request(gpus);
  const Micros available(number(0, 50'000'000));
  const Micros factor(number(1'000'000, 2'000'000));
  const auto minutes = longest_fitting_minutes(request, {partition}, book, available, factor);
  const auto hold_of = [&](std::int64_t limit) {
    request.time_limit = TimeLimit{limit, false};
    return *hold_amount(estimate(request, {partition}, book)->total, factor);
  };
  if (minutes) {
    RC_ASSERT(hold_of(*minutes) <= available);
    if (*minutes < max_time_limit_minutes) RC_ASSERT(hold_of(*minutes + 1) > available);
  } else {
    RC_ASSERT(hold_of(1) > available);
  }
}

// The exact product in 128 bits, for nodes alone.
RC_GTEST_PROP(EstimateProperty, AnOverflowIsARefusalAndNeverAWrongNumber, ()) {
  __extension__ using Wide = __int128;
  Rate rate;
  rate.cluster = "c";
  rate.partition = "p";
  rate.unit = "USD";
  rate.basis = Basis::node;
  rate.per_node_hour = Micros(number(1, max_rate.count()));
  PartitionShape partition;
  partition.cluster = "c";
  partition.name = "p";
  partition.nodes.resize(1);
  partition.nodes.front().count = max_count;
  partition.nodes.front().memory_mb = 1;
  JobRequest request;
  request.num_tasks = request.min_nodes = request.max_nodes = number(1, max_count);
  request.time_limit = TimeLimit{number(1, max_time_limit_minutes), false};
  const Wide product = static_cast<Wide>(rate.per_node_hour.count()) * *request.max_nodes *
                       request.time_limit->minutes;
  const Wide exact = (product + 59) / 60;
  const auto result = estimate(request, {partition}, book_with(rate));
  if (exact > max_amount.count()) {
    RC_ASSERT(!result.has_value());
    RC_ASSERT(result.error().code == EstimateRefusal::too_large);
  } else {
    RC_ASSERT(result.has_value());
    RC_ASSERT(static_cast<Wide>(result->total.count()) == exact);
  }
}

RC_GTEST_PROP(CostProperty, SplittingARunNeverLosesMoreThanTheRounding, ()) {
  const Rate rate = random_rate();
  const Tres tres{
      number(0, 100), number(0, 1'000), number(0, 1'000'000), {{"a100", number(0, 100)}}};
  const std::int64_t first = number(0, 100'000);
  const std::int64_t second = number(0, 100'000);
  const auto of = [&](std::int64_t seconds) {
    return cost(rate, tres, seconds, Rounding::half_even)->count();
  };
  RC_ASSERT(std::abs(of(first) + of(second) - of(first + second)) <= 1);
}

std::string random_name() {
  return *rc::gen::element<std::string>("*", "gpu-aws", "cpu", "x_1.2+3", "C", "0");
}

RC_GTEST_PROP(PriceBookProperty, TheCanonicalTextReadsBackIdentically, ()) {
  PriceBook book;
  book.effective_from = Instant{number(0, 4'000'000'000'000'000)};
  std::map<std::pair<std::string, std::string>, Rate> rates;
  const std::int64_t count = number(0, 5);
  for (std::int64_t i = 0; i < count; ++i) {
    Rate rate = random_rate();
    rate.free = chance(20);
    if (rate.free) rate = Rate{};
    rate.free = rate.unit.empty();
    rate.cluster = *rc::gen::element<std::string>("*", "onprem", "cloud");
    rate.partition = random_name();
    rates[{rate.cluster, rate.partition}] = rate;
  }
  for (const auto& [key, rate] : rates) book.rates.push_back(rate);
  const std::string text = to_canonical_text(book);
  const auto read = parse_price_book(text, "stored", {});
  RC_ASSERT(read.has_value());
  RC_ASSERT(*read == book);
  RC_ASSERT(to_canonical_text(*read) == text);
}

RC_GTEST_PROP(ReaderProperty, TimeLimitsReadBack, ()) {
  const TimeLimit limit{number(1, max_time_limit_minutes), false};
  RC_ASSERT(parse_time_limit(to_string(limit)) == limit);
}

RC_GTEST_PROP(ReaderProperty, NoTextBreaksAReader, ()) {
  const auto text = *rc::gen::container<std::string>(
      rc::gen::elementOf(std::string("0123456789:-,.%[]/=gpuresmcnodKMGT *\n\xff")));
  const auto time = parse_time_limit(text);
  if (time && !time->unlimited) RC_ASSERT(time->minutes > 0);
  const auto memory = parse_memory_mb(text);
  if (memory) RC_ASSERT(*memory >= 0 && *memory <= max_memory_mb);
  const auto tasks = count_array_tasks(text);
  if (tasks) RC_ASSERT(*tasks > 0 && *tasks <= 4'000'001);
  const auto asked = parse_requested_tres(text);
  if (asked) RC_ASSERT(asked->gpus() >= 0 && asked->gpus() <= max_count);
  const auto allocated = parse_allocated_tres(text);
  if (allocated) RC_ASSERT(allocated->cores >= 0 && allocated->memory_mb >= 0);
  (void)parse_price_book(text, "p", {});
}

// The number of indices, counted one by one.
RC_GTEST_PROP(ReaderProperty, ArraysCountLikeASetOfIndices, ()) {
  std::set<std::int64_t> indices;
  std::string text;
  const std::int64_t parts = number(1, 4);
  for (std::int64_t i = 0; i < parts; ++i) {
    const std::int64_t first = number(0, 50);
    const std::int64_t last = first + number(0, 50);
    const std::int64_t step = number(1, 9);
    for (std::int64_t at = first; at <= last; at += step) indices.insert(at);
    text += (i == 0 ? "" : ",") + std::to_string(first) + "-" + std::to_string(last) + ":" +
            std::to_string(step);
  }
  RC_ASSERT(*count_array_tasks(text, 1'001) == static_cast<std::int64_t>(indices.size()));
}

}  // namespace
}  // namespace asbb::pricing
