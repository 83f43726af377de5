#include <algorithm>

#include "base/text.h"
#include "cli/tree.h"

namespace asbb::cli {
namespace {

constexpr std::size_t width = 80;

std::string spelled(const Argument& argument) {
  std::string out = argument.names;
  if (const auto comma = out.find(','); comma != std::string::npos) out.replace(comma, 1, ", ");
  if (!argument.is_positional() && !argument.value.empty()) out += "=" + argument.value;
  return out;
}

std::string meaning(const Argument& argument) {
  std::string out = argument.help;
  if (!argument.words.empty()) {
    out += " One of ";
    for (std::size_t i = 0; i < argument.words.size(); ++i) {
      out += (i == 0 ? "" : ", ") + argument.words[i];
    }
    out += ".";
  }
  if (!argument.variable.empty()) out += " Variable: " + argument.variable + ".";
  if (argument.presence == Presence::required && !argument.is_positional()) out += " Needed.";
  return out;
}

std::string usage_line(const CommandNode& node) {
  std::string out = node.path();
  bool has_flags = false;
  std::string rest;
  for (const auto& taken : node.takes) {
    const Argument& argument = taken.argument;
    const bool required = argument.presence == Presence::required;
    if (std::holds_alternative<std::vector<std::string>*>(taken.target)) {
      rest = " -- " + argument.names;
    } else if (std::holds_alternative<HandedOn>(taken.target)) {
      rest = required ? " " + argument.names : " [" + argument.names + "]";
    } else if (argument.is_positional()) {
      out += required ? " " + argument.names : " [" + argument.names + "]";
    } else if (required) {
      out += " " + argument.long_name() + "=" + argument.value;
    } else {
      has_flags = true;
    }
  }
  if (!node.children.empty()) out += node.action ? " [COMMAND]" : " COMMAND";
  return out + (has_flags ? " [FLAGS]" : "") + rest;
}

// Two columns: what is typed, and what it means.
std::string two_columns(const std::vector<std::pair<std::string, std::string>>& rows) {
  std::size_t left = 0;
  for (const auto& [typed, text] : rows) {
    if (typed.size() <= 26) left = std::max(left, typed.size());
  }
  std::string out;
  for (const auto& [typed, text] : rows) {
    std::string block = wrapped(text, width, std::string(left + 4, ' '));
    if (typed.size() <= left) {
      block.replace(2, typed.size(), typed);
      out += block;
    } else {
      out += "  " + typed + "\n" + block;
    }
  }
  return out;
}

std::string flags_block(const CommandNode& node) {
  std::vector<std::pair<std::string, std::string>> rows;
  for (const auto& taken : node.takes) {
    rows.emplace_back(spelled(taken.argument), meaning(taken.argument));
  }
  return two_columns(rows);
}

const CommandNode& root_of(const CommandNode& node) {
  return node.parent == nullptr ? node : root_of(*node.parent);
}

void collect(const CommandNode& node, std::vector<const CommandNode*>& out) {
  if (node.is_hidden) return;
  out.push_back(&node);
  for (const auto& child : node.children) collect(*child, out);
}

std::size_t distance(const std::string& a, const std::string& b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t change = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, change});
    }
  }
  return row[b.size()];
}

}  // namespace

std::string nearest(const std::string& typed, const std::vector<std::string>& words) {
  std::string best;
  std::size_t least = std::max<std::size_t>(2, typed.size() / 3) + 1;
  for (const std::string& word : words) {
    const bool begins = typed.size() >= 3 && word.starts_with(typed);
    const std::size_t away = begins ? 1 : distance(typed, word);
    if (away < least) {
      least = away;
      best = word;
    }
  }
  return best;
}

std::vector<const CommandNode*> all_commands(const CommandNode& root) {
  std::vector<const CommandNode*> out;
  collect(root, out);
  return out;
}

std::string help_text(const CommandNode& node) {
  std::string out = wrapped(node.help, width) + "\nUsage: " + usage_line(node) + "\n";
  std::vector<std::pair<std::string, std::string>> verbs;
  for (const auto& child : node.children) {
    if (!child->is_hidden) verbs.emplace_back(child->name, child->help);
  }
  if (!verbs.empty()) out += "\nCommands:\n" + two_columns(verbs);
  const bool is_root = node.parent == nullptr;
  if (!node.takes.empty()) {
    out += (is_root ? "\nFlags of every command:\n" : "\nArguments:\n") + flags_block(node);
  }
  for (const std::string& note : node.notes) out += "\n" + wrapped(note, width);
  if (!node.examples.empty()) out += "\nExamples:\n";
  for (const std::string& line : node.examples) out += "  " + line + "\n";
  if (!is_root) out += "\n'" + root_of(node).name + " --help' shows the flags of every command.\n";
  return out;
}

std::string reference_page(const CommandNode& root) {
  std::string out =
      "# Commands\n\n"
      "Made of the same tree as `asbb --help`, the manual pages and the completion\n"
      "(`source <(asbb completion bash)`). Amounts are plain decimals; days are inclusive.\n"
      "Exit codes: 0 done, 1 failed, 2 wrong command line, 3 refused by a budget, 4 a dry\n"
      "run found something to do.\n";
  for (const CommandNode* node : all_commands(root)) {
    if (!node->action && node->parent != nullptr) continue;
    out += "\n## " + node->path() + "\n\n" + wrapped(node->help, width) + "\n    " +
           usage_line(*node) + "\n";
    if (!node->takes.empty()) out += "\n";
    for (const auto& taken : node->takes) {
      std::string item =
          wrapped("* `" + spelled(taken.argument) + "`: " + meaning(taken.argument), width);
      for (std::size_t at = item.find('\n'); at + 1 < item.size(); at = item.find('\n', at + 1)) {
        item.insert(at + 1, "  ");
      }
      out += item;
    }
    for (const std::string& note : node->notes) out += "\n" + wrapped(note, width);
    if (!node->examples.empty()) out += "\nExamples:\n\n";
    for (const std::string& line : node->examples) out += "    " + line + "\n";
  }
  return out;
}

}  // namespace asbb::cli
