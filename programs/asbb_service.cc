// The daemon's process: arguments, configuration, signals. What runs is http/daemon.h.
#include <sys/resource.h>

#include <csignal>
#include <cstdio>
#include <exception>
#include <string>

#include "api/build_version.h"
#include "http/daemon.h"
#include "service/log.h"

namespace {

constexpr const char* usage =
    "asbb-service [--config FILE]\n"
    "The budget service; runs in the foreground and logs to standard error.\n"
    "  --config FILE  its settings (ASBB_CONFIG_FILE, else /etc/asbb/config.yaml)\n"
    "  --version      says its version\n";

// A connection is a descriptor, and plugins come in bursts.
void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  (void)::setrlimit(RLIMIT_NOFILE, &limit);
}

int run(const asbb::config::Config& config) {
  using namespace asbb;
  if (const auto started = service::start_log(config.logging); !started) {
    std::fprintf(stderr, "asbb-service: %s\n", started.error().message.c_str());
    return 1;
  }
  raise_descriptor_limit();
  // Blocked before there is a second thread, so that all inherit it and this one alone waits.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);

  http::Daemon daemon(config);
  service::log_info("asbb-service " + api::build_version().version + " starts");
  if (const auto started = daemon.start(); !started) {
    service::log_error(started.error().message);
    return 1;
  }
  service::log_info("ready");
  int received = 0;
  sigwait(&signals, &received);
  service::log_info(received == SIGTERM ? "stopping: SIGTERM" : "stopping: SIGINT");
  daemon.stop();
  service::log_info("stopped");
  return 0;
}

}  // namespace

int main(int argument_count, char** arguments) {
  std::string path;
  for (int i = 1; i < argument_count; ++i) {
    const std::string word = arguments[i];
    if (word == "--version") {
      std::printf("asbb-service %s\n", asbb::api::build_version().version.c_str());
      return 0;
    }
    if (word == "--config" && i + 1 < argument_count) {
      path = arguments[++i];
    } else if (word.starts_with("--config=")) {
      path = word.substr(sizeof("--config=") - 1);
    } else {
      const bool asked = word == "--help" || word == "-h";
      std::fputs(usage, asked ? stdout : stderr);
      return asked ? 0 : 2;
    }
  }
  const auto config = asbb::config::load_config(path, asbb::config::process_environment());
  if (!config) {
    for (const std::string& problem : config.error()) {
      std::fprintf(stderr, "asbb-service: %s\n", problem.c_str());
    }
    return 1;
  }
  try {
    return run(*config);
  } catch (const std::exception& error) {
    asbb::service::log_error(std::string("failed: ") + error.what());
    return 1;
  }
}
