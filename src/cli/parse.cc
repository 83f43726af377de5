#include <CLI/CLI.hpp>
#include <algorithm>
#include <map>
#include <optional>
#include <ostream>

#include "base/text.h"
#include "cli/tree.h"

namespace asbb::cli {
namespace {

using Apps = std::map<const CommandNode*, CLI::App*>;

using Words = std::vector<std::string>;

void add_argument(CLI::App& app, const CommandNode::Taken& taken) {
  const Argument& argument = taken.argument;
  const bool is_cut_off = std::holds_alternative<Words*>(taken.target) ||
                          std::holds_alternative<HandedOn>(taken.target);
  if (is_cut_off) return;
  CLI::Option* option = nullptr;
  if (const auto* text = std::get_if<std::string*>(&taken.target)) {
    option = app.add_option(argument.names, **text);
  } else if (const auto* maybe = std::get_if<std::optional<std::string>*>(&taken.target)) {
    auto* const target = *maybe;
    option = app.add_option_function<std::string>(
        argument.names, [target](const std::string& value) { *target = value; });
  } else if (const auto* number = std::get_if<Number>(&taken.target)) {
    option = app.add_option(argument.names, *number->value);
    option->check(CLI::Range(number->min, number->max));
  } else if (const auto* repeated = std::get_if<Repeated>(&taken.target)) {
    option = app.add_option(argument.names, *repeated->values);
    option->allow_extra_args(false);
  } else {
    option = app.add_flag(argument.names, *std::get<bool*>(taken.target));
  }
  if (argument.presence == Presence::required) option->required();
  if (!argument.words.empty()) option->check(CLI::IsMember(argument.words));
  if (!argument.variable.empty()) option->envname(argument.variable);
}

void build(CLI::App& app, const CommandNode& node, Apps& apps) {
  apps[&node] = &app;
  for (const CommandNode::Taken& taken : node.takes) add_argument(app, taken);
  for (const auto& child : node.children) {
    build(*app.add_subcommand(child->name, child->help), *child, apps);
  }
  if (!node.children.empty()) app.require_subcommand(node.action ? 0 : 1, 1);
}

// The command that the line names, as far as it was understood.
const CommandNode& deepest(const CommandNode& node, const Apps& apps) {
  for (const auto& child : node.children) {
    if (apps.at(child.get())->parsed()) return deepest(*child, apps);
  }
  return node;
}

std::vector<std::string> flags_of(const CommandNode* node) {
  std::vector<std::string> out = {"--help"};
  for (; node != nullptr; node = node->parent) {
    for (const CommandNode::Taken& taken : node->takes) {
      if (!taken.argument.is_positional()) out.push_back(taken.argument.long_name());
    }
  }
  return out;
}

std::vector<std::string> verbs_of(const CommandNode& node) {
  std::vector<std::string> out;
  for (const auto& child : node.children) {
    if (!child->is_hidden) out.push_back(child->name);
  }
  return out;
}

std::string unexpected_word(const CommandNode& node, const std::string& word) {
  const bool is_flag = word.starts_with('-');
  const std::string typed = word.substr(0, is_flag ? word.find('=') : std::string::npos);
  const auto known = is_flag ? flags_of(&node) : verbs_of(node);
  std::string out = "'" + typed + "' is not " +
                    (is_flag                 ? "a flag of '"
                     : node.children.empty() ? "expected by '"
                                             : "a command of '") +
                    node.path() + "'";
  const std::string near = nearest(typed, known);
  if (!near.empty()) return out + "; did you mean '" + near + "'?";
  if (!is_flag && !known.empty()) return out + "; there are " + joined(known, ", ") + ".";
  return out + ".";
}

// CLI11 reads "--parent=" as a flag whose value follows; it means an empty value.
std::vector<std::string> with_empty_values(const std::vector<std::string>& arguments) {
  std::vector<std::string> out;
  for (const std::string& argument : arguments) {
    if (argument.starts_with("--") && argument.find('=') == argument.size() - 1) {
      out.push_back(argument.substr(0, argument.size() - 1));
      out.emplace_back();
    } else {
      out.push_back(argument);
    }
  }
  return out;
}

const CommandNode::Taken* rest_of(const CommandNode& node) {
  for (const CommandNode::Taken& taken : node.takes) {
    if (std::holds_alternative<Words*>(taken.target)) return &taken;
  }
  return nullptr;
}

// Takes what stands behind "--" off a line whose command wants it as it stands.
Words cut_rest(const CommandNode& root, Words& arguments) {
  const auto mark = std::find(arguments.begin(), arguments.end(), "--");
  for (const auto& child : root.children) {
    if (rest_of(*child) == nullptr) continue;
    if (std::find(arguments.begin(), mark, child->name) == mark) continue;
    Words rest(mark == arguments.end() ? mark : mark + 1, arguments.end());
    arguments.erase(mark, arguments.end());
    return rest;
  }
  return {};
}

const HandedOn* handed_on(const CommandNode& node) {
  for (const CommandNode::Taken& taken : node.takes) {
    if (const auto* target = std::get_if<HandedOn>(&taken.target)) return target;
  }
  return nullptr;
}

// How many words of the line the flag at the first of them takes; 0 when it is none of the node's.
std::size_t flag_words(const CommandNode& node, const std::string& word, const Words& theirs) {
  for (const CommandNode::Taken& taken : node.takes) {
    const bool has_value = !std::holds_alternative<bool*>(taken.target);
    for (const std::string_view name : split(taken.argument.names, ',')) {
      const bool is_theirs = std::find(theirs.begin(), theirs.end(), name) != theirs.end();
      if (is_theirs || !name.starts_with('-')) continue;
      if (word == name) return has_value ? 2 : 1;
      const bool is_long = name.starts_with("--");
      const std::string joined = std::string(name) + (is_long ? "=" : "");
      if (has_value && word.size() > joined.size() && word.starts_with(joined)) return 1;
      if (is_long && word == joined) return 1;
    }
  }
  return 0;
}

// The same for a command that hands its words on.
std::optional<Words> cut_handed_on(const CommandNode& root, Words& arguments) {
  std::size_t at = 0;
  while (at < arguments.size()) {
    const std::size_t count = flag_words(root, arguments[at], {});
    if (count == 0) break;
    at += count;
  }
  if (at >= arguments.size()) return std::nullopt;
  for (const auto& child : root.children) {
    const HandedOn* target = handed_on(*child);
    if (target == nullptr || child->name != arguments[at]) continue;
    for (++at; at < arguments.size();) {
      const std::string& word = arguments[at];
      std::size_t count = word == "--help" || word == "-h" ? 1 : 0;
      if (count == 0) count = flag_words(*child, word, target->theirs);
      if (count == 0) count = flag_words(root, word, target->theirs);
      if (count == 0) break;
      at += count;
    }
    at = std::min(at, arguments.size());
    const auto first = arguments.begin() + static_cast<std::ptrdiff_t>(at);
    const bool is_marked = first != arguments.end() && *first == "--";
    Words rest(is_marked ? first + 1 : first, arguments.end());
    arguments.erase(first, arguments.end());
    return rest;
  }
  return std::nullopt;
}

// One sentence about what is wrong with the line.
std::string complaint(const CommandNode& node, const CLI::App& app, const CLI::ParseError& error) {
  const auto extra = app.remaining(true);
  if (!extra.empty()) return unexpected_word(node, extra.front());
  if (!node.children.empty() && !node.action) {
    std::string verbs = wrapped(joined(verbs_of(node), ", ") + ".", 80, "  ");
    verbs.pop_back();
    return "'" + node.path() + "' needs a command:\n" + verbs;
  }
  return std::string(error.what()) + ".";
}

}  // namespace

int run_command_line(const CommandNode& root, const std::string& version,
                     const std::vector<std::string>& arguments, std::ostream& out,
                     std::ostream& err) {
  CLI::App app(root.help, root.name);
  app.fallthrough();
  app.set_help_flag("-h,--help", "Shows help.");
  app.set_version_flag("-V,--version", version);
  Apps apps;
  build(app, root, apps);
  Words line = arguments;
  const std::optional<Words> words = cut_handed_on(root, line);
  const Words rest = words ? Words() : cut_rest(root, line);
  std::vector<std::string> reversed = with_empty_values(line);
  std::reverse(reversed.begin(), reversed.end());  // as CLI11 wants them
  try {
    app.parse(std::move(reversed));
  } catch (const CLI::CallForHelp&) {
    out << help_text(deepest(root, apps));
    return exit_done;
  } catch (const CLI::CallForVersion&) {
    out << version << "\n";
    return exit_done;
  } catch (const CLI::ParseError& error) {
    const CommandNode& node = deepest(root, apps);
    err << "asbb: " << complaint(node, app, error) << "\n";
    err << "'" << node.path() << " --help' shows what it takes.\n";
    return exit_usage;
  }
  const CommandNode& node = deepest(root, apps);
  if (const auto* taken = rest_of(node)) *std::get<Words*>(taken->target) = rest;
  if (const HandedOn* target = handed_on(node); target != nullptr && words) {
    *target->words = *words;
  }
  if (root.begins) root.begins(node);
  return node.action();
}

}  // namespace asbb::cli
