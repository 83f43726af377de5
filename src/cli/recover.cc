#include "cli/commands.h"
#include "cli/recovery_view.h"

namespace asbb::cli {
namespace {

int recover(Context& context, const api::RecoveryRequest& request) {
  context.set_timeouts(2'000, 120'000);
  const auto answer =
      context.call<api::RecoveryAnswer>("POST", "/api/v1/recovery", api::to_json(request));
  if (!answer) return context.failed(answer.error());
  return show_recovery(context, *answer);
}

}  // namespace

void add_recover(Command& root, Context& context) {
  auto request = std::make_shared<api::RecoveryRequest>();
  Command command =
      root.add("recover", "Looks at the holds that no job explains, and ends what can be.");
  add_recovery_flags(command, request);
  command
      .note(
          "The service does the same by itself every few seconds. With the service stopped, "
          "asbb-recovery does it.")
      .example("asbb recover --dry-run")
      .example("asbb recover --account=proj001")
      .action([&context, request] { return recover(context, *request); });
}

}  // namespace asbb::cli
