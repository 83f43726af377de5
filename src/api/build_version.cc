#include "api/build_version.h"

namespace asbb::api {

Version build_version() {
  Version out;
  out.version = ASBB_VERSION;
  out.git_commit = ASBB_GIT_COMMIT;
  out.build_time = ASBB_BUILD_TIME;
  out.compiler = std::string("C++ ") + __VERSION__;
  out.os = "linux";
#if defined(__x86_64__)
  out.arch = "amd64";
#elif defined(__aarch64__)
  out.arch = "arm64";
#else
  out.arch = "other";
#endif
  return out;
}

}  // namespace asbb::api
