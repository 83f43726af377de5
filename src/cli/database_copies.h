// The commands of `asbb database` that make copies, put them back and check them.
#pragma once

#include "cli/command.h"
#include "cli/context.h"

namespace asbb::cli {

void add_database_copies(Command& database, Context& context);

}  // namespace asbb::cli
