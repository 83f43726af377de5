// One job of a report as JSON. Pure.
#pragma once

#include <string>

#include "report/adder.h"

namespace asbb::cli {

[[nodiscard]] std::string job_json(const report::Dual& report, const report::JobLine& job);

}  // namespace asbb::cli
