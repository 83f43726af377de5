#include "cli/recovery_view.h"

#include <ostream>

#include "api/json.h"

namespace asbb::cli {
namespace {

std::string held_text(const api::RecoveryHold& hold) {
  std::string text;
  for (const api::RecoveryAmount& held : hold.held) {
    text += (text.empty() ? "" : " + ") + to_display(held.amount, held.unit);
  }
  return text;
}

std::string name_of(const api::RecoveryHold& hold) {
  if (hold.job_id.empty()) return "Hold " + hold.transaction_id;
  return (hold.cluster.empty() ? "Job " : hold.cluster + " job ") + hold.job_id;
}

Table short_table(const api::RecoveryAnswer& answer) {
  Table table({{"SINCE (UTC)", "since"},
               {"ACCOUNT", "account", Align::left, true},
               {"USER", "user", Align::left, true},
               {"JOB", "job_id", Align::right},
               {"HELD", "held", Align::right},
               {answer.dry_run ? "WOULD" : "DONE", "action"}});
  for (const api::RecoveryHold& hold : answer.holds) {
    table.add({to_second_text(hold.since), hold.account, hold.user.empty() ? "-" : hold.user,
               hold.job_id.empty() ? "-" : hold.job_id, held_text(hold), hold.action});
  }
  return table;
}

Table whole_table(const api::RecoveryAnswer& answer) {
  Table table({{"", "transaction_id"},
               {"", "kind"},
               {"", "account"},
               {"", "user"},
               {"", "cluster"},
               {"", "job_id"},
               {"", "partition"},
               {"", "since"},
               {"", "held"},
               {"", "unit"},
               {"", "action"},
               {"", "why"}});
  for (const api::RecoveryHold& hold : answer.holds) {
    for (const api::RecoveryAmount& held : hold.held) {
      table.add({hold.transaction_id, hold.kind, hold.account, hold.user, hold.cluster, hold.job_id,
                 hold.partition, to_rfc3339(hold.since), to_decimal(held.amount), held.unit,
                 hold.action, hold.why});
    }
  }
  return table;
}

}  // namespace

void add_recovery_flags(Command& command, const std::shared_ptr<api::RecoveryRequest>& request) {
  command.take({"--dry-run", "", "Only says what it would do."}, request->dry_run)
      .take({"--account", "ACCOUNT", "Shows the holds of this account alone."}, request->account)
      .take({"--job", "JOB", "Shows the hold of this job alone: 123."}, request->job_id)
      .note(
          "What is done rests on evidence, never on age: a hold is tied to the job that carries "
          "its "
          "token, a job that has ended is charged what Slurm's accounting says, and a hold is "
          "given "
          "back when no controller and no accounting has its job. Holds of jobs that wait or run "
          "are "
          "not shown. Any other hold stays open, and it is said why.");
}

int show_recovery(const Context& context, const api::RecoveryAnswer& answer) {
  const int code = answer.problems.empty() ? exit_done : exit_failed;
  if (!context.wants_table()) {
    static_cast<void>(context.show(whole_table(answer), api::to_json(answer)));
    return code;
  }
  if (answer.holds.empty()) {
    context.out() << "Every open hold belongs to a job that waits or runs"
                  << (answer.problems.empty() ? ".\n" : ", as far as it could be seen.\n");
  } else {
    context.out() << short_table(answer).text() << "\n";
  }
  for (const api::RecoveryHold& hold : answer.holds) {
    context.out() << harmless_lines(name_of(hold) + " (" + hold.action + "): " + hold.why) << "\n";
  }
  for (const std::string& problem : answer.problems) {
    context.err() << "asbb: " << harmless_lines(problem) << "\n";
  }
  return code;
}

void describe_recovery_program(CommandNode& root, Context& context, RecoverOffline recover) {
  root.name = "asbb-recovery";
  root.help = "Looks at the holds that no job explains, with the service stopped.";
  Command command(&root);
  command
      .take({"--config",
             "FILE",
             "The settings of asbb-service.",
             Presence::optional,
             {},
             "ASBB_CONFIG_FILE"},
            context.flags.config)
      .take(
          {"--output", "FORMAT", "How it is shown.", Presence::optional, {"table", "json", "csv"}},
          context.flags.output);
  const auto request = std::make_shared<api::RecoveryRequest>();
  add_recovery_flags(command, request);
  command
      .note(
          "Run it as the service's user. It owns the database while it runs and refuses to start "
          "beside the service, which does the same by itself ('asbb recover'). Jobs that ran "
          "without a hold are left to the service, which looks for them when it starts.")
      .note("Exit codes: 0 done, 1 failed or not all could be read, 2 wrong command line.")
      .example("asbb-recovery --dry-run")
      .action([&context, request, recover = std::move(recover)] {
        const auto settings = context.settings();
        if (!settings) return static_cast<int>(exit_failed);
        const auto answer = recover(*settings, *request);
        return answer ? show_recovery(context, *answer) : context.failed(answer.error());
      });
}

}  // namespace asbb::cli
