// One command of the tree `asbb NOUN VERB`: what it is called, what it takes, what it does. Handles
// are cheap copies of a pointer; the nodes belong to the CommandLine that made them. Nothing but
// parse.cc includes the parser's library. One thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace asbb::cli {

enum class Presence { optional, required };

struct Number {
  std::int64_t* value = nullptr;
  std::int64_t min = 0;
  std::int64_t max = 0;
};

// A flag that may be given several times; each time its value comes to the others.
struct Repeated {
  std::vector<std::string>* values = nullptr;
};

// A flag or a positional argument of a command.
struct Argument {
  std::string names;  // "--name" or "-c,--config"; "ACCOUNT" for a positional one
  std::string value;  // what its value is called in help: "NAME", "YYYY-MM-DD"; empty for a switch
  std::string help;   // a sentence
  Presence presence = Presence::optional;
  std::vector<std::string> words{};  // the only values allowed, when there are any
  std::string variable{};            // environment variable that stands in for it

  [[nodiscard]] bool is_positional() const { return !names.starts_with('-'); }
  [[nodiscard]] std::string long_name() const;  // "--name", or the positional's name
};

// What a command hands to another program: every word from the first on that is none of the
// command's flags.
struct HandedOn {
  std::vector<std::string>* words = nullptr;
  std::vector<std::string> theirs{};  // flags of asbb that are the other program's here
};

struct CommandNode {
  using Target = std::variant<std::string*, std::optional<std::string>*, Number, bool*,
                              std::vector<std::string>*, Repeated, HandedOn>;
  struct Taken {
    Argument argument;
    Target target;
  };

  std::string name;
  std::string help;  // a sentence
  std::vector<std::string> notes;
  std::vector<std::string> examples;
  bool is_hidden = false;
  std::vector<Taken> takes;
  std::function<int()> action;
  std::function<void(const CommandNode&)> begins;  // of the root: hears which command will run
  CommandNode* parent = nullptr;
  std::vector<std::unique_ptr<CommandNode>> children;

  [[nodiscard]] std::string path() const;  // "asbb account create"
};

class Command {
 public:
  explicit Command(CommandNode* node) : node_(node) {}

  // A noun, or the verb of one.
  Command add(const std::string& name, const std::string& help);
  // A paragraph under the help.
  Command& note(const std::string& text);
  // A whole command line that works.
  Command& example(const std::string& line);
  // Not shown in help, completion and manuals.
  Command& hide();

  // Targets must outlive parsing: give members of something that the action owns too.
  Command& take(Argument argument, std::string& target);
  Command& take(Argument argument, std::optional<std::string>& target);
  Command& take(Argument argument, std::int64_t& target, std::int64_t min, std::int64_t max);
  Command& take(Argument argument, bool& target);
  Command& take(Argument argument, Repeated target);
  // All that stands behind "--", as it stands there. The last positional argument, and one alone.
  Command& take_rest(Argument argument, std::vector<std::string>& target);

  // The words of another program, behind this command's own flags; a "--" between them is dropped.
  Command& take_words(Argument argument, HandedOn target);

  // What the command does; returns an exit code.
  Command& action(std::function<int()> run);

 private:
  CommandNode* node_;
};

}  // namespace asbb::cli
