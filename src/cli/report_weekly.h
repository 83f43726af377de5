// asbb report weekly
#pragma once

#include "cli/command.h"
#include "cli/context.h"

namespace asbb::cli {

void add_report_weekly(Command& report, Context& context);

}  // namespace asbb::cli
