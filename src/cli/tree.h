// The whole command line: parsing, and what is made of the tree itself (help, completion, manuals,
// the reference page), so that they never differ. Lives for one run of the program; one thread.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "cli/command.h"

namespace asbb::cli {

enum ExitCode : int {
  exit_done = 0,
  exit_failed = 1,
  exit_usage = 2,
  exit_refused = 3,
  exit_differs = 4  // of a dry run that found something to do
};

// Parses and runs the action that the line names. Help and version go to `out` with exit_done; a
// wrong line is one sentence on `err`, with the nearest flag or command, and exit_usage.
[[nodiscard]] int run_command_line(const CommandNode& root, const std::string& version,
                                   const std::vector<std::string>& arguments, std::ostream& out,
                                   std::ostream& err);

// Of one command, 80 columns wide.
[[nodiscard]] std::string help_text(const CommandNode& node);

// A script for bash: `source <(asbb completion bash)`.
[[nodiscard]] std::string bash_completion(const CommandNode& root);

struct ManualPage {
  std::string file;  // "asbb-account-create.1"
  std::string text;  // man(7)
};
[[nodiscard]] std::vector<ManualPage> manual_pages(const CommandNode& root,
                                                   const std::string& version);

// docs/reference/cli.md
[[nodiscard]] std::string reference_page(const CommandNode& root);

// The word that is nearest to what was typed; empty when none is near.
[[nodiscard]] std::string nearest(const std::string& typed, const std::vector<std::string>& words);

// The root first, each node before its children, hidden ones left out.
[[nodiscard]] std::vector<const CommandNode*> all_commands(const CommandNode& root);

}  // namespace asbb::cli
