// How what asbb recover and asbb-recovery found is shown. Pure.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "api/recovery.h"
#include "cli/command.h"
#include "cli/context.h"

namespace asbb::cli {

// The flags of both programs; `action` is run with what was given.
void add_recovery_flags(Command& command, const std::shared_ptr<api::RecoveryRequest>& request);

// The table and the reasons below it, CSV or JSON; the exit code: exit_failed when something could
// not be read or done.
[[nodiscard]] int show_recovery(const Context& context, const api::RecoveryAnswer& answer);

using RecoverOffline =
    std::function<Result<api::RecoveryAnswer>(const config::Config&, const api::RecoveryRequest&)>;

// The command line of asbb-recovery. `recover` may be empty: then only its manual is wanted.
void describe_recovery_program(CommandNode& root, Context& context, RecoverOffline recover);

}  // namespace asbb::cli
