// The two expressions that stand for many: array tasks and host lists (slurm_text.h). Both are
// bounded before anything is allocated.
#include <algorithm>
#include <unordered_set>

#include "base/text.h"
#include "slurm/slurm_text.h"

namespace asbb::slurm {
namespace {

constexpr std::int64_t max_array_task_id = 4'000'001;

tl::unexpected<Error> not_an_array(std::string_view text, const std::string& why) {
  return fail(ErrorKind::invalid, in_quotes(text) + " is not a list of array tasks: " + why);
}

struct Range {
  std::int64_t first = 0;
  std::int64_t last = 0;
  std::int64_t step = 1;
};

std::optional<Range> parse_task_range(std::string_view piece) {
  Range range;
  if (const std::size_t colon = piece.find(':'); colon != std::string_view::npos) {
    const auto step = parse_count(piece.substr(colon + 1));
    if (!step || *step < 1 || *step > max_array_task_id ||
        piece.find('-') == std::string_view::npos) {
      return std::nullopt;
    }
    range.step = *step;
    piece = piece.substr(0, colon);
  }
  const std::size_t dash = piece.find('-');
  const auto first = parse_count(piece.substr(0, dash));
  const auto last = dash == std::string_view::npos ? first : parse_count(piece.substr(dash + 1));
  if (!first || !last || *last < *first || *last > max_array_task_id) {
    return std::nullopt;
  }
  range.first = *first;
  range.last = *last;
  return range;
}

std::string_view without_throttle(std::string_view text) {
  return text.substr(0, text.find('%'));
}

std::string_view without_brackets(std::string_view text) {
  if (text.size() >= 2 && text.front() == '[' && text.back() == ']') {
    return text.substr(1, text.size() - 2);
  }
  return text;
}

tl::unexpected<Error> not_a_hostlist(std::string_view text, const std::string& why) {
  return fail(ErrorKind::invalid, in_quotes(text) + " is not a list of nodes: " + why);
}

// Comma-separated words, commas inside brackets not counted; nothing when brackets do not match.
std::optional<std::vector<std::string_view>> split_hosts(std::string_view text) {
  std::vector<std::string_view> words;
  bool inside = false;
  std::size_t begin = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if ((text[i] == '[' && inside) || (text[i] == ']' && !inside)) {
      return std::nullopt;
    }
    inside = (inside || text[i] == '[') && text[i] != ']';
    if (text[i] == ',' && !inside) {
      words.push_back(text.substr(begin, i - begin));
      begin = i + 1;
    }
  }
  words.push_back(text.substr(begin));
  return inside ? std::nullopt : std::optional(words);
}

std::string padded(std::int64_t number, std::size_t width) {
  std::string digits = std::to_string(number);
  return digits.size() < width ? std::string(width - digits.size(), '0') + digits : digits;
}

// "1-3,07" -> 1 2 3 07, at most max_count of them.
std::optional<std::vector<std::string>> expand_numbers(std::string_view text,
                                                       std::size_t max_count) {
  std::vector<std::string> numbers;
  for (const std::string_view piece : split(text, ',')) {
    const std::size_t dash = piece.find('-');
    const std::string_view low = piece.substr(0, dash);
    const auto first = parse_count(low);
    const auto last = dash == std::string_view::npos ? first : parse_count(piece.substr(dash + 1));
    if (!first || !last || *last < *first || low.size() > 18 ||
        static_cast<std::uint64_t>(*last - *first) >= max_count - numbers.size()) {
      return std::nullopt;
    }
    for (std::int64_t number = *first; number <= *last; ++number) {
      numbers.push_back(padded(number, low.size()));
    }
  }
  return numbers;
}

// One word, "rack[1-2]n[01-03]-ib", into names: each bracket multiplies what stands before it.
std::optional<std::vector<std::string>> expand_word(std::string_view word, std::size_t max_count) {
  std::vector<std::string> names{""};
  while (!word.empty()) {
    const std::size_t open = word.find('[');
    for (std::string& name : names) {
      name += word.substr(0, open);
    }
    if (open == std::string_view::npos) {
      break;
    }
    const std::size_t close = word.find(']', open);
    const auto numbers = expand_numbers(word.substr(open + 1, close - open - 1), max_count);
    if (!numbers || numbers->size() > max_count / names.size()) {
      return std::nullopt;
    }
    std::vector<std::string> longer;
    longer.reserve(names.size() * numbers->size());
    for (const std::string& name : names) {
      for (const std::string& number : *numbers) {
        longer.push_back(name + number);
      }
    }
    names = std::move(longer);
    word = word.substr(close + 1);
  }
  return names;
}

}  // namespace

std::optional<std::int64_t> array_throttle(std::string_view text) {
  text = without_brackets(text);
  const std::size_t percent = text.find('%');
  return percent == std::string_view::npos ? std::nullopt : parse_count(text.substr(percent + 1));
}

Result<std::vector<std::int64_t>> expand_array_tasks(std::string_view text, std::size_t max_count) {
  const std::string_view inner = without_brackets(text);
  if (inner.find('%') != std::string_view::npos && !array_throttle(text)) {
    return not_an_array(text, "what follows '%' is not a number.");
  }
  if (inner.find("...") != std::string_view::npos) {
    return not_an_array(text, "it was cut short where it was written.");
  }
  std::vector<std::int64_t> tasks;
  for (const std::string_view piece : split(without_throttle(inner), ',')) {
    const auto range = parse_task_range(piece);
    if (!range) {
      return not_an_array(text, in_quotes(piece) + " is not N, N-M or N-M:STEP with ids up to " +
                                    std::to_string(max_array_task_id) + ".");
    }
    const std::int64_t count = (range->last - range->first) / range->step + 1;
    if (static_cast<std::size_t>(count) > max_count - std::min(max_count, tasks.size())) {
      return not_an_array(text, "it names more than " + std::to_string(max_count) + " tasks.");
    }
    for (std::int64_t id = range->first; id <= range->last; id += range->step) {
      tasks.push_back(id);
    }
  }
  std::sort(tasks.begin(), tasks.end());
  tasks.erase(std::unique(tasks.begin(), tasks.end()), tasks.end());
  return tasks;
}

Result<std::vector<std::string>> expand_hostlist(std::string_view text, std::size_t max_count) {
  std::vector<std::string> names;
  if (text.empty() || text == "(null)" || text == "None assigned") {
    return names;
  }
  const auto words = split_hosts(text);
  if (!words) {
    return not_a_hostlist(text, "its brackets do not match.");
  }
  std::unordered_set<std::string> seen;
  std::size_t room = max_count;
  for (const std::string_view word : *words) {
    auto expanded = word.empty() || room == 0 ? std::nullopt : expand_word(word, room);
    if (!expanded) {
      return not_a_hostlist(text, in_quotes(word) + " is empty, badly formed, or more than " +
                                      std::to_string(max_count) + " names.");
    }
    room -= expanded->size();
    for (std::string& name : *expanded) {
      if (seen.insert(name).second) {
        names.push_back(std::move(name));
      }
    }
  }
  return names;
}

}  // namespace asbb::slurm
