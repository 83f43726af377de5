#include "config/ladder.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <array>
#include <set>
#include <string_view>

#include "base/text.h"
#include "config/duration.h"
#include "config/settings.h"

namespace asbb::config {
namespace {

// In the order in which they are taken.
constexpr std::array<std::string_view, 6> steps = {"warn",    "stop_new", "credit",
                                                   "requeue", "signal",   "cancel"};
constexpr std::array<std::string_view, 7> signals = {"HUP",  "INT",  "QUIT", "TERM",
                                                     "USR1", "USR2", "URG"};
constexpr Span grace_min = seconds(1);
constexpr Span grace_max = hours(24 * 7);

std::optional<std::size_t> place_of(const std::string& word) {
  const auto found = std::find(steps.begin(), steps.end(), word);
  if (found == steps.end()) return std::nullopt;
  return static_cast<std::size_t>(found - steps.begin());
}

bool is_partition_name(const std::string& text) {
  return !text.empty() && text.size() <= 256 &&
         text.find_first_of(" ,=\t\r\n\"'") == std::string::npos && text[0] != '-';
}

// One ladder as it is read.
class Reader {
 public:
  Reader(std::string where, const SayProblem& problem)
      : where_(std::move(where)), problem_(problem) {}

  std::optional<Ladder> read(const YAML::Node& value);

 private:
  void say(int line, const std::string& what) {
    is_sound_ = false;
    problem_(line, where_ + ": " + what);
  }
  void step(const YAML::Node& item);
  void step_with(const YAML::Node& item);
  // In its place, once. False: it is not.
  bool take(const std::string& word, int line);
  void requeue(const YAML::Node& value, int line);
  void signal(const YAML::Node& value, int line);
  void grace(const YAML::Node& value, int line);
  void check_order(int line);
  std::string text_of(const YAML::Node& value) {
    return value.IsScalar() ? value.Scalar() : std::string();
  }

  const std::string where_;
  const SayProblem& problem_;
  Ladder ladder_;
  std::set<std::size_t> taken_;
  bool is_sound_ = true;
};

bool Reader::take(const std::string& word, int line) {
  const auto place = place_of(word);
  if (!place) {
    say(line, "there is no step " + in_quotes(word) + "; a step is " + allowed_steps());
    return false;
  }
  if (!taken_.insert(*place).second) {
    say(line, "the step " + word + " is given twice");
    return false;
  }
  if (*taken_.rbegin() != *place) {
    say(line, "the step " + word + " comes after " + std::string(steps.at(*taken_.rbegin())) +
                  "; the order is warn, stop_new, credit, requeue, signal, cancel");
    return false;
  }
  return true;
}

void Reader::requeue(const YAML::Node& value, int line) {
  const std::string partition = text_of(value);
  if (!is_partition_name(partition)) {
    return say(line, "requeue needs the partition that jobs go to, as in {requeue: cpu}");
  }
  ladder_.requeue_to = partition;
}

void Reader::signal(const YAML::Node& value, int line) {
  std::string name = text_of(value);
  if (name.starts_with("SIG")) name.erase(0, 3);
  if (std::find(signals.begin(), signals.end(), name) == signals.end()) {
    std::string allowed;
    for (const std::string_view one : signals) {
      allowed += (allowed.empty() ? "" : ", ") + std::string(one);
    }
    return say(line, "signal: " + in_quotes(text_of(value)) + " is not allowed; expected is " +
                         allowed + ", as in {signal: USR1, grace: 5m}");
  }
  ladder_.signal = name;
}

void Reader::grace(const YAML::Node& value, int line) {
  const auto span = parse_span(text_of(value));
  if (!span || *span < grace_min || *span > grace_max) {
    return say(line, "grace: " + in_quotes(text_of(value)) +
                         " is not allowed; expected is a duration from " + to_text(grace_min) +
                         " to " + to_text(grace_max));
  }
  ladder_.grace = *span;
}

// {requeue: cpu} or {signal: USR1, grace: 5m}
void Reader::step_with(const YAML::Node& item) {
  std::set<std::string> seen;
  for (const auto& entry : item) {
    const std::string key = text_of(entry.first);
    const int line = line_of(entry.first);
    if (!seen.insert(key).second) {
      say(line, key + ": this key is given twice");
    } else if (key == "requeue" && seen.size() == 1) {
      if (take(key, line)) requeue(entry.second, line);
    } else if (key == "signal" && !seen.contains("requeue")) {
      if (take(key, line)) signal(entry.second, line);
    } else if (key == "grace" && !seen.contains("requeue")) {
      grace(entry.second, line);
    } else if (place_of(key)) {
      say(line, seen.size() > 1 ? "each step is an item of its own: " + key + " is not"
                                : "the step " + key + " is a word alone");
    } else {
      say(line, "there is no step " + in_quotes(key) + "; a step is " + allowed_steps());
    }
  }
  if (seen.contains("grace") && !seen.contains("signal")) {
    say(line_of(item), "grace belongs to a signal, as in {signal: USR1, grace: 5m}");
  }
}

void Reader::step(const YAML::Node& item) {
  const int line = line_of(item);
  if (item.IsMap()) return step_with(item);
  if (!item.IsScalar()) return say(line, "a step is " + allowed_steps());
  const std::string word = item.Scalar();
  if (word == "requeue") return requeue(YAML::Node(), line);
  if (word == "signal") return signal(YAML::Node(), line);
  if (!take(word, line)) return;
  if (word == "warn") ladder_.warn = true;
  if (word == "stop_new") ladder_.stop_new = true;
  if (word == "credit") ladder_.credit = true;
  if (word == "cancel") ladder_.cancel = true;
}

void Reader::check_order(int line) {
  if (ladder_.credit && !ladder_.acts_on_jobs()) {
    say(line,
        "credit says how long jobs go on before they are requeued, signalled or cancelled; "
        "one of these must follow");
  }
  if (ladder_.acts_on_jobs() && !ladder_.stop_new) {
    say(line,
        "before jobs are requeued, signalled or cancelled, new ones must be stopped: "
        "stop_new is missing");
  }
}

std::optional<Ladder> Reader::read(const YAML::Node& value) {
  const int line = line_of(value);
  if (!value.IsSequence()) {
    say(line, "a list of steps is expected; a step is " + allowed_steps());
    return std::nullopt;
  }
  for (const YAML::Node& item : value) step(item);
  if (is_sound_) check_order(line);
  if (!is_sound_) return std::nullopt;
  return ladder_;
}

}  // namespace

std::optional<Ladder> read_ladder(const YAML::Node& value, const std::string& where,
                                  const SayProblem& problem) {
  return Reader(where, problem).read(value);
}

std::string to_text(const Ladder& ladder) {
  std::string out;
  const auto add = [&](bool is_taken, const std::string& step) {
    if (is_taken) out += (out.empty() ? "" : ", ") + step;
  };
  add(ladder.warn, "warn");
  add(ladder.stop_new, "stop_new");
  add(ladder.credit, "credit");
  add(!ladder.requeue_to.empty(), "{requeue: \"" + ladder.requeue_to + "\"}");
  add(!ladder.signal.empty(),
      "{signal: " + ladder.signal + ", grace: " + to_text(ladder.grace) + "}");
  add(ladder.cancel, "cancel");
  return "[" + out + "]";
}

const std::string& allowed_steps() {
  static const std::string text =
      "warn, stop_new, credit, {requeue: PARTITION}, {signal: NAME, grace: DURATION} or cancel";
  return text;
}

}  // namespace asbb::config
