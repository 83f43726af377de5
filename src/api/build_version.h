// What this build is; the same words in `asbb version`, GET /version and the logs. Constant.
#pragma once

#include "api/system.h"

namespace asbb::api {

[[nodiscard]] Version build_version();

}  // namespace asbb::api
