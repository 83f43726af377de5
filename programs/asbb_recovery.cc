// The offline twin of asbb recover. The command line is in src/cli, what it does in src/service.
#include <csignal>
#include <exception>
#include <iostream>
#include <string>
#include <vector>

#include "api/build_version.h"
#include "cli/recovery_view.h"
#include "service/clock.h"
#include "service/offline_recovery.h"

int main(int argument_count, char** arguments) {
  using namespace asbb;
  std::signal(SIGPIPE, SIG_IGN);
  const std::vector<std::string> words(arguments + (argument_count > 0 ? 1 : 0),
                                       arguments + argument_count);
  cli::Context context(std::cout, std::cerr, config::process_environment(), service::system_now);
  cli::CommandNode tree;
  cli::describe_recovery_program(tree, context, service::recover_offline);
  try {
    const int code = cli::run_command_line(tree, "asbb-recovery " + api::build_version().version,
                                           words, std::cout, std::cerr);
    std::cout.flush();
    return std::cout ? code : cli::exit_failed;
  } catch (const std::exception& error) {
    std::cerr << "asbb-recovery: " << error.what() << "\n";
    return cli::exit_failed;
  }
}
