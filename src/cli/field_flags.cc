#include "cli/field_flags.h"

#include <map>
#include <vector>

namespace asbb::cli {
namespace {

constexpr int bad_request = 400;

// The usual one first, where a command takes several; the last that was given counts.
const std::map<std::string, std::vector<std::string>>& flags_by_field() {
  static const std::map<std::string, std::vector<std::string>> flags = {
      {"account", {"FROM", "ACCOUNT", "--from", "--account"}},
      {"actual_cost", {"--actual-cost"}},
      {"aliases", {"--alias"}},
      {"amount", {"--amount", "--budget"}},
      {"budget_limit", {"--budget"}},
      {"by", {"--by"}},
      {"carry_over", {"--carry-over"}},
      {"cluster", {"--cluster"}},
      {"credit_limit", {"--credit-limit"}},
      {"description", {"--description"}},
      {"effective_from", {"--effective-from"}},
      {"end_date", {"--end", "--to"}},
      {"from_unit", {"FROM", "--unit"}},
      {"hold_percentage", {"--hold-percentage"}},
      {"job_id", {"JOB", "--job-id", "--job"}},
      {"limit", {"--limit", "--budget"}},
      {"name", {"--name"}},
      {"owners", {"--owner"}},
      {"parent", {"--parent"}},
      {"partition", {"--partition"}},
      {"percent", {"--percent"}},
      {"rate", {"RATE"}},
      {"reason", {"--reason"}},
      {"request_id", {"--request-id"}},
      {"slurm_account", {"ACCOUNT", "--name", "--account"}},
      {"start_date", {"--start", "--from"}},
      {"status", {"--status"}},
      {"to", {"TO", "--to"}},
      {"to_account", {"TO", "--to"}},
      {"to_unit", {"TO", "--to"}},
      {"transaction_id", {"--transaction", "ID"}},
      {"type", {"--type"}},
      {"unit", {"--budget", "--unit"}},
      {"user", {"--user"}},
  };
  return flags;
}

bool is_given(const CommandNode::Target& target) {
  if (const auto* text = std::get_if<std::string*>(&target)) return !(*text)->empty();
  if (const auto* text = std::get_if<std::optional<std::string>*>(&target)) {
    return (*text)->has_value();
  }
  const auto* repeated = std::get_if<Repeated>(&target);
  return repeated != nullptr && !repeated->values->empty();
}

const CommandNode::Taken* taken(const CommandNode& command, const std::string& flag) {
  for (const CommandNode::Taken& one : command.takes) {
    if (one.argument.long_name() == flag) return &one;
  }
  return nullptr;
}

// "start_date" of "budgets[0].start_date".
std::string last_part(const std::string& field) {
  return field.substr(field.rfind('.') + 1);
}

// Fields of two words are fields wherever they stand; others are words as well.
std::string with_flags(const CommandNode& command, const std::string& text) {
  std::string out;
  std::string word;
  bool is_quoted = false;
  const auto finish = [&] {
    const bool is_field = !is_quoted && word.find('_') != std::string::npos;
    const std::string flag = is_field ? flag_of(command, word) : std::string();
    out += flag.empty() ? word : flag;
    word.clear();
  };
  for (const char c : text) {
    if ((c >= 'a' && c <= 'z') || c == '_') {
      word += c;
      continue;
    }
    finish();
    if (c == '\'') is_quoted = !is_quoted;
    out += c;
  }
  finish();
  return out;
}

}  // namespace

std::string flag_of(const CommandNode& command, const std::string& field) {
  const auto found = flags_by_field().find(field);
  if (found == flags_by_field().end()) return {};
  std::string usual;
  std::string given;
  for (const std::string& flag : found->second) {
    const CommandNode::Taken* one = taken(command, flag);
    if (one == nullptr) continue;
    if (is_given(one->target)) given = flag;
    if (usual.empty()) usual = flag;
  }
  return given.empty() ? usual : given;
}

std::string in_flags_of(const CommandNode& command, const api::Problem& problem) {
  const std::string flag = flag_of(command, last_part(problem.field));
  std::string message = problem.message;
  if (flag.empty()) return with_flags(command, message);
  for (const std::string& head : {problem.field, last_part(problem.field)}) {
    if (message.starts_with(head + ":") || message.starts_with(head + " '")) {
      return flag + with_flags(command, message.substr(head.size()));
    }
  }
  message = with_flags(command, message);
  const bool is_named = problem.status != bad_request || message.find(flag) != std::string::npos;
  return is_named ? message : flag + ": " + message;
}

}  // namespace asbb::cli
