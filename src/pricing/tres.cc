#include "pricing/tres.h"

#include <set>

#include "base/slurm_units.h"
#include "base/text.h"

namespace asbb::pricing {
namespace {

constexpr std::size_t text_max = 100'000;

tl::unexpected<Error> bad_item(std::string_view item, const std::string& why) {
  return fail(ErrorKind::invalid, "TRES " + in_quotes(item) + ": " + why);
}

std::string allowed_count() {
  return "a whole number from 0 to " + std::to_string(max_count) + " is expected";
}

// As Slurm prints it: a suffix is one letter.
std::optional<std::int64_t> read_allocated_mb(std::string_view text) {
  if (text.find_first_of("bBiI") != std::string_view::npos) return std::nullopt;
  return parse_slurm_memory_mb(text, max_memory_mb);
}

// One "name=value" of AllocTRES. GPUs of a type go to `out`, their total to `gpu_total`.
Result<void> read_allocated_item(std::string_view item, Tres& out, std::int64_t& gpu_total) {
  const std::size_t equals = item.find('=');
  if (equals == std::string_view::npos || equals == 0) {
    return bad_item(item, "a name, '=' and a value are expected");
  }
  const std::string name = to_lower(item.substr(0, equals));
  const std::string_view value = item.substr(equals + 1);
  if (name.front() >= '0' && name.front() <= '9') {
    return bad_item(item, "names such as cpu= are expected, not Slurm's internal numbers");
  }
  if (name == "mem") {
    const auto size = read_allocated_mb(value);
    if (!size) return bad_item(item, "a size such as 4000M or 62.50G is expected");
    out.memory_mb = *size;
    return {};
  }
  const bool typed = name.rfind("gres/gpu:", 0) == 0;
  if (name != "cpu" && name != "node" && name != "gres/gpu" && !typed) return {};
  const auto count = parse_count(value, max_count);
  if (!count) return bad_item(item, allowed_count());
  if (name == "cpu") {
    out.cores = *count;
  } else if (name == "node") {
    out.nodes = *count;
  } else if (name == "gres/gpu") {
    gpu_total = *count;
  } else {
    const std::string type = name.substr(std::string_view("gres/gpu:").size());
    if (type.empty()) return bad_item(item, "the GPU type is missing");
    if (*count > 0) out.gpus_by_type[type] = *count;
  }
  return {};
}

// The words of one item of a request, without a leading "gres": "gpu", "a100", "2".
std::vector<std::string> request_words(std::string_view item) {
  std::vector<std::string> words;
  std::string word;
  for (const char c : item) {
    if (c == ':' || c == '/' || c == '=') {
      words.push_back(std::move(word));
      word.clear();
    } else {
      word += c;
    }
  }
  words.push_back(std::move(word));
  for (std::string& each : words) each = to_lower(each);
  if (words.size() > 1 && words.front() == "gres") words.erase(words.begin());
  return words;
}

struct RequestItem {
  std::string name;  // "gpu", "cpu", another one
  std::string type;
  std::int64_t count = 1;
};

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// "2k", "4G": digits and a suffix, which Slurm multiplies. Nobody has that many GPUs.
bool is_scaled_number(const std::string& word) {
  std::size_t at = 0;
  while (at < word.size() && is_digit(word[at])) ++at;
  if (at == 0 || at == word.size()) return false;
  const std::string suffix = word.substr(at);
  for (const char* letter : {"k", "m", "g", "t", "p"}) {
    if (suffix == letter || suffix == std::string(letter) + "b" ||
        suffix == std::string(letter) + "ib") {
      return true;
    }
  }
  return false;
}

// A type may start with a digit ("1g.5gb").
bool is_type(const std::string& word) {
  if (word.empty() || is_scaled_number(word)) return false;
  const auto alphanumeric = [](char c) { return (c >= 'a' && c <= 'z') || is_digit(c); };
  if (!alphanumeric(word.front())) return false;
  for (const char c : word) {
    const bool mark = c == '_' || c == '-' || c == '.' || c == '+';
    if (!alphanumeric(c) && !mark) return false;
  }
  return true;
}

bool is_all_digits(const std::string& word) {
  return !word.empty() && word.find_first_not_of("0123456789") == std::string::npos;
}

Result<RequestItem> read_request_item(std::string_view item) {
  std::vector<std::string> words = request_words(item);
  RequestItem out;
  out.name = words.front();
  if (out.name.empty()) return bad_item(item, "a name such as gpu is expected");
  if (out.name != "gpu" && out.name != "cpu") return out;
  if (words.size() == 1) return out;
  if (words.size() == 3 || is_all_digits(words.back())) {
    const auto count = parse_count(words.back(), max_count);
    if (!count) return bad_item(item, allowed_count());
    out.count = *count;
    words.pop_back();
  }
  if (words.size() == 1) return out;
  if (words.size() > 2 || out.name == "cpu" || !is_type(words.back())) {
    return bad_item(item, "gpu, gpu:COUNT, gpu:TYPE or gpu:TYPE:COUNT is expected");
  }
  out.type = words.back();
  return out;
}

Result<std::vector<RequestItem>> read_request(std::string_view text) {
  std::vector<RequestItem> items;
  if (text.empty()) return items;
  if (text.size() > text_max) return bad_item(text, "the text is too long");
  for (const std::string_view part : split(text, ',')) {
    auto item = read_request_item(part);
    if (!item) return tl::unexpected(item.error());
    items.push_back(std::move(*item));
  }
  return items;
}

std::string instances(const Tres& tres) {
  std::string out;
  for (const auto& [type, count] : tres.nodes_by_type) {
    out += (out.empty() ? "" : ", ") + std::to_string(count) + " " + type;
  }
  const std::int64_t others = other_nodes(tres);
  return others > 0 ? out + ", " + std::to_string(others) + " other" : out;
}

}  // namespace

std::int64_t Tres::gpus() const {
  std::int64_t sum = 0;
  for (const auto& [type, count] : gpus_by_type) sum += count;
  return sum;
}

Result<Tres> parse_allocated_tres(std::string_view text) {
  Tres out;
  if (text.empty()) return out;
  if (text.size() > text_max) return bad_item(text, "the text is too long");
  std::set<std::string> seen;
  std::int64_t gpu_total = 0;
  for (const std::string_view item : split(text, ',')) {
    const std::string name = to_lower(item.substr(0, item.find('=')));
    if (!seen.insert(name).second) return bad_item(item, "the name comes twice");
    const auto read = read_allocated_item(item, out, gpu_total);
    if (!read) return tl::unexpected(read.error());
  }
  const std::int64_t typed = out.gpus();
  if (gpu_total > typed) out.gpus_by_type[""] = gpu_total - typed;
  return out;
}

Result<Tres> parse_requested_tres(std::string_view text) {
  const auto items = read_request(text);
  if (!items) return tl::unexpected(items.error());
  Tres out;
  for (const RequestItem& item : *items) {
    if (item.name == "cpu") {
      out.cores += item.count;
    } else if (item.name == "gpu" && item.count > 0) {
      out.gpus_by_type[item.type] += item.count;
    }
    if (out.cores > max_count || out.gpus() > max_count) {
      return fail(ErrorKind::invalid, "TRES " + in_quotes(text) + ": more than " +
                                          std::to_string(max_count) + " in all");
    }
  }
  return out;
}

Result<std::int64_t> parse_per_gpu_value(std::string_view text) {
  const auto items = read_request(text);
  if (!items) return tl::unexpected(items.error());
  std::int64_t largest = 0;
  for (const RequestItem& item : *items) {
    if (item.name == "gpu" && item.count > largest) largest = item.count;
  }
  return largest;
}

std::int64_t other_nodes(const Tres& tres) {
  std::int64_t others = tres.nodes;
  for (const auto& [type, count] : tres.nodes_by_type) others -= count;
  return std::max<std::int64_t>(0, others);
}

std::string to_string(const Tres& tres) {
  std::string out;
  const auto add = [&](std::int64_t count, const std::string& singular, const std::string& plural) {
    if (count == 0) return;
    if (!out.empty()) out += ", ";
    out += std::to_string(count) + " " + (count == 1 ? singular : plural);
  };
  add(tres.nodes, "node", "nodes");
  if (!tres.nodes_by_type.empty()) out += " (" + instances(tres) + ")";
  add(tres.cores, "CPU", "CPUs");
  add(tres.memory_mb, "MB", "MB");
  for (const auto& [type, count] : tres.gpus_by_type) {
    const std::string name = type.empty() ? "" : " " + type;
    add(count, "GPU" + name, "GPUs" + name);
  }
  return out.empty() ? "nothing" : out;
}

}  // namespace asbb::pricing
