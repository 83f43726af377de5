#include <algorithm>
#include <fstream>
#include <ostream>

#include "api/build_version.h"
#include "cli/commands.h"
#include "cli/recovery_view.h"

namespace asbb::cli {
namespace {

void add_global_flags(Command& root, GlobalFlags& flags) {
  root.take({"--output",
             "FORM",
             "How results are printed; table when left out.",
             Presence::optional,
             {"table", "json", "csv"}},
            flags.output)
      .take({"-c,--config",
             "FILE",
             "The settings; /etc/asbb/config.yaml when left out.",
             Presence::optional,
             {},
             "ASBB_CONFIG_FILE"},
            flags.config)
      .take({"--socket",
             "PATH",
             "The service's socket; that of the settings when left out.",
             Presence::optional,
             {},
             "ASBB_SOCKET"},
            flags.socket)
      .take({"--url",
             "URL",
             "The service's URL, instead of its socket.",
             Presence::optional,
             {},
             "ASBB_URL"},
            flags.url)
      .take({"--token-file",
             "FILE",
             "A file with the bearer token for the URL.",
             Presence::optional,
             {},
             "ASBB_TOKEN_FILE"},
            flags.token_file);
}

std::string version_line() {
  const api::Version version = api::build_version();
  return "asbb " + version.version +
         (version.git_commit.empty() ? "" : " (" + version.git_commit + ")");
}

int show_version(const Context& context) {
  return context.done(version_line(), api::to_json(api::build_version()));
}

int write_manuals(const Context& context, const CommandNode& root, const std::string& folder) {
  CommandNode offline;
  Context unused(context.out(), context.err(), {}, {});
  describe_recovery_program(offline, unused, {});
  auto pages = manual_pages(root, api::build_version().version);
  for (ManualPage& page : manual_pages(offline, api::build_version().version)) {
    pages.push_back(std::move(page));
  }
  for (const ManualPage& page : pages) {
    std::ofstream file(folder + "/" + page.file, std::ios::binary);
    file << page.text;
    file.close();
    if (!file) {
      return context.failed(Error{
          ErrorKind::unavailable, "'" + folder + "/" + page.file + "' cannot be written", {}});
    }
  }
  return exit_done;
}

void add_tools(Command& root, Context& context, const CommandNode& tree) {
  root.add("version", "Shows which build this is.").action([&context] {
    return show_version(context);
  });
  Command completion = root.add("completion", "Scripts that complete commands in a shell.");
  completion.add("bash", "Prints the script for bash.")
      .example("source <(asbb completion bash)")
      .action([&context, &tree] {
        context.out() << bash_completion(tree);
        return exit_done;
      });
  auto folder = std::make_shared<std::string>();
  root.add("man", "Writes the manual pages into a folder.")
      .hide()
      .take({"FOLDER", "", "Which must exist.", Presence::required}, *folder)
      .action([&context, &tree, folder] { return write_manuals(context, tree, *folder); });
  root.add("reference", "Prints docs/reference/cli.md.").hide().action([&context, &tree] {
    context.out() << reference_page(tree);
    return exit_done;
  });
}

// An epilog must never see a failure, not even that of a line it got wrong.
bool is_quiet_hook(const std::vector<std::string>& arguments) {
  const auto has = [&](const char* word) {
    return std::find(arguments.begin(), arguments.end(), word) != arguments.end();
  };
  return has("slurm") && has("notify") && has("--quiet");
}

}  // namespace

int run_program(const std::vector<std::string>& arguments, std::ostream& out, std::ostream& err,
                config::Environment environment, std::function<Instant()> now) {
  std::ostream nowhere(nullptr);
  const bool is_quiet = is_quiet_hook(arguments);
  std::ostream& complaints = is_quiet ? nowhere : err;
  Context context(out, complaints, std::move(environment), std::move(now));
  CommandNode tree;
  tree.name = "asbb";
  tree.help = "The budget of Slurm accounts: who may spend what, and who spent it.";
  tree.notes = {
      "Exit codes: 0 done, 1 failed, 2 wrong command line, 3 refused by a budget, 4 a dry run "
      "found something to do."};
  tree.begins = [&context](const CommandNode& command) { context.set_command(command); };
  Command root(&tree);
  add_global_flags(root, context.flags);
  add_account(root, context);
  add_transactions(root, context);
  add_usage(root, context);
  add_budgets(root, context);
  add_report(root, context);
  add_forecast(root, context);
  add_top(root, context);
  add_alerts(root, context);
  add_prices(root, context);
  add_money(root, context);
  add_rates(root, context);
  add_quote(root, context);
  add_submit(root, context);
  add_reconcile(root, context);
  add_recover(root, context);
  add_job_context(root, context);
  add_audit(root, context);
  add_service(root, context);
  add_database(root, context);
  add_doctor(root, context);
  add_config(root, context);
  add_slurm(root, context);
  add_tools(root, context, tree);
  const int code = run_command_line(tree, version_line(), arguments, out, complaints);
  out.flush();
  if (is_quiet) return exit_done;
  if (!out) {
    err << "asbb: the output could not be written completely\n";
    return code == exit_done ? exit_failed : code;
  }
  return code;
}

}  // namespace asbb::cli
