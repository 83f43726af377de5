#include "cli/tree.h"

namespace asbb::cli {
namespace {

// Text for roff: a leading '.' or "'" would be a request, '-' must stay a minus.
std::string roff(const std::string& text) {
  std::string out;
  if (text.starts_with('.') || text.starts_with('\'')) out += "\\&";
  for (const char c : text) {
    if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else {
      out += c;
    }
  }
  return out;
}

std::string upper(std::string text) {
  for (char& c : text) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return text;
}

std::string page_name(const CommandNode& node) {
  return node.parent == nullptr ? node.name : page_name(*node.parent) + "-" + node.name;
}

std::string synopsis(const CommandNode& node) {
  std::string out = ".B " + roff(node.path()) + "\n";
  for (const auto& taken : node.takes) {
    const Argument& argument = taken.argument;
    std::string word = argument.is_positional() ? argument.names : argument.long_name();
    if (!argument.is_positional() && !argument.value.empty()) word += "=" + argument.value;
    if (std::holds_alternative<std::vector<std::string>*>(taken.target)) word = "-- " + word;
    out += roff(argument.presence == Presence::required ? word : "[" + word + "]") + "\n";
  }
  if (!node.children.empty()) out += ".I COMMAND\n";
  return out;
}

std::string arguments_section(const CommandNode& node) {
  std::string out = ".SH OPTIONS\n";
  for (const auto& taken : node.takes) {
    const Argument& argument = taken.argument;
    out += ".TP\n.B " + roff(argument.names);
    out += argument.is_positional() || argument.value.empty() ? "\n"
                                                              : roff("=" + argument.value) + "\n";
    out += roff(argument.help) + "\n";
    for (const std::string& word : argument.words) {
      out += (&word == &argument.words.front() ? "One of " : "") + roff(word) +
             (&word == &argument.words.back() ? ".\n" : ",\n");
    }
    if (!argument.variable.empty()) out += "Variable: " + roff(argument.variable) + ".\n";
  }
  return out;
}

std::string make_page(const CommandNode& node, const std::string& version) {
  const std::string name = page_name(node);
  std::string out = ".TH " + upper(name) + " 1 \"\" \"asbb " + version + "\" \"asbb\"\n";
  out += ".SH NAME\n" + roff(name) + " \\- " + roff(node.help) + "\n";
  out += ".SH SYNOPSIS\n" + synopsis(node);
  if (!node.notes.empty()) out += ".SH DESCRIPTION\n";
  for (const std::string& note : node.notes) out += ".PP\n" + roff(note) + "\n";
  if (!node.children.empty()) {
    out += ".SH COMMANDS\n";
    for (const auto& child : node.children) {
      if (child->is_hidden) continue;
      out += ".TP\n.BR " + roff(page_name(*child)) + " (1)\n" + roff(child->help) + "\n";
    }
  }
  if (!node.takes.empty()) out += arguments_section(node);
  if (!node.examples.empty()) out += ".SH EXAMPLES\n";
  for (const std::string& line : node.examples) out += ".nf\n" + roff(line) + "\n.fi\n";
  out +=
      ".SH EXIT STATUS\n0 done, 1 failed, 2 wrong command line, 3 refused by a budget, 4 a dry run "
      "found something to do.\n";
  if (node.parent != nullptr) {
    out += ".SH SEE ALSO\n.BR " + roff(page_name(*node.parent)) + " (1)\n";
  }
  return out;
}

}  // namespace

std::vector<ManualPage> manual_pages(const CommandNode& root, const std::string& version) {
  std::vector<ManualPage> out;
  for (const CommandNode* node : all_commands(root)) {
    out.push_back({page_name(*node) + ".1", make_page(*node, version)});
  }
  return out;
}

std::string bash_completion(const CommandNode& root) {
  std::string steps;
  std::string choices;
  for (const CommandNode* node : all_commands(root)) {
    if (node->parent != nullptr) {
      steps += (steps.empty() ? "" : " | ") + ("\"" + node->path() + "\"");
    }
    std::string words = "--help";
    for (const CommandNode* from = node; from != nullptr; from = from->parent) {
      for (const auto& taken : from->takes) {
        if (taken.argument.is_positional()) continue;
        words += " " + taken.argument.long_name() + (taken.argument.value.empty() ? "" : "=");
      }
    }
    for (const auto& child : node->children) {
      if (!child->is_hidden) words = child->name + " " + words;
    }
    choices += "    \"" + node->path() + "\") words=\"" + words + "\" ;;\n";
  }
  return "# bash completion for " + root.name + "\n_" + root.name +
         "() {\n"
         "  local path=" +
         root.name +
         " word words i\n"
         "  local typed=${COMP_WORDS[COMP_CWORD]}\n"
         "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
         "    word=${COMP_WORDS[i]}\n"
         "    case \"$path $word\" in\n"
         "      " +
         steps +
         ") path=\"$path $word\" ;;\n"
         "    esac\n"
         "  done\n"
         "  case \"$path\" in\n" +
         choices +
         "  esac\n"
         "  mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$typed\")\n"
         "  [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *= ]] && compopt -o nospace\n"
         "  return 0\n"
         "}\n"
         "complete -o default -F _" +
         root.name + " " + root.name + "\n";
}

}  // namespace asbb::cli
