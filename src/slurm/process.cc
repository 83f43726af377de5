#include "slurm/process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <optional>

#include "base/assert.h"
#include "base/text.h"

namespace asbb::slurm {
namespace {

using SteadyClock = std::chrono::steady_clock;

class Descriptor {
 public:
  explicit Descriptor(int number = -1) : number_(number) {}
  ~Descriptor() { close(); }
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    if (this != &other) {
      close();
      number_ = std::exchange(other.number_, -1);
    }
    return *this;
  }
  [[nodiscard]] int get() const { return number_; }
  [[nodiscard]] bool is_open() const { return number_ >= 0; }
  void close() {
    if (number_ >= 0) {
      ::close(std::exchange(number_, -1));
    }
  }

 private:
  int number_;
};

struct Pipe {
  Descriptor read_end;
  Descriptor write_end;
};

std::optional<Pipe> make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    return std::nullopt;
  }
  Pipe made{Descriptor(ends[0]), Descriptor(ends[1])};
  ::fcntl(ends[0], F_SETFL, O_NONBLOCK);
  return made;
}

std::vector<std::string> child_environment(const ProcessRequest& request) {
  std::vector<std::string> result{"LC_ALL=C", "TZ=UTC"};
  for (const char* name : {"PATH", "HOME", "LD_LIBRARY_PATH", "SLURM_JWT"}) {
    if (const char* value = std::getenv(name)) {
      result.push_back(std::string(name) + "=" + value);
    }
  }
  for (const auto& [name, value] : request.environment) {
    std::erase_if(result, [&](const std::string& entry) { return entry.starts_with(name + "="); });
    result.push_back(name + "=" + value);
  }
  return result;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> result;
  result.reserve(texts.size() + 1);
  for (std::string& text : texts) {
    result.push_back(text.data());
  }
  result.push_back(nullptr);
  return result;
}

// A file in memory that reads as the input; closed when it could not be made.
Descriptor input_file(const std::string& input) {
  Descriptor file(::memfd_create("input", MFD_CLOEXEC));
  for (std::size_t done = 0; file.is_open() && done < input.size();) {
    const ssize_t count = ::write(file.get(), input.data() + done, input.size() - done);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) {
      file.close();
    } else {
      done += static_cast<std::size_t>(count);
    }
  }
  if (file.is_open()) ::lseek(file.get(), 0, SEEK_SET);
  return file;
}

// Starts the child in a process group of its own with a clean signal state and no descriptor but
// the three. Gives 0 or an errno.
int spawn(const ProcessRequest& request, const Pipe& out, const Pipe& err, pid_t* child) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_init(&actions);
  posix_spawnattr_init(&attributes);
  const Descriptor input = request.input.empty() ? Descriptor() : input_file(request.input);
  if (request.input.empty()) {
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  } else {
    posix_spawn_file_actions_adddup2(&actions, input.get(), 0);
  }
  posix_spawn_file_actions_adddup2(&actions, out.write_end.get(), 1);
  posix_spawn_file_actions_adddup2(&actions, err.write_end.get(), 2);
  posix_spawn_file_actions_addclosefrom_np(&actions, 3);
  sigset_t none;
  sigset_t all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes,
                           POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  std::vector<std::string> arguments = request.argv;
  std::vector<std::string> environment = child_environment(request);
  const int failure = ::posix_spawnp(child, arguments.front().c_str(), &actions, &attributes,
                                     pointers(arguments).data(), pointers(environment).data());
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  return failure;
}

enum class Drained { more_later, ended, too_much };

Drained drain(Descriptor& from, std::string& into, std::size_t limit_bytes) {
  std::array<char, 65536> buffer;
  while (from.is_open()) {
    const ssize_t count = ::read(from.get(), buffer.data(), buffer.size());
    if (count > 0) {
      if (into.size() + static_cast<std::size_t>(count) > limit_bytes) {
        return Drained::too_much;
      }
      into.append(buffer.data(), static_cast<std::size_t>(count));
    } else if (count < 0 && errno == EINTR) {
      continue;
    } else if (count < 0 && errno == EAGAIN) {
      return Drained::more_later;
    } else {
      from.close();
    }
  }
  return Drained::ended;
}

enum class Ending { exited, late, cancelled, too_much };

// Reads until the child itself has exited; what a grandchild still holds open is not waited for.
Ending collect(const Descriptor& exit_signal, Pipe& out, Pipe& err, const ProcessRequest& request,
               ProcessOutput& output) {
  const auto deadline = SteadyClock::now() + std::chrono::milliseconds(request.deadline_ms);
  while (true) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline - SteadyClock::now()).count();
    if (left <= 0) {
      return Ending::late;
    }
    std::array<pollfd, 4> waits{
        pollfd{exit_signal.get(), POLLIN, 0}, pollfd{out.read_end.get(), POLLIN, 0},
        pollfd{err.read_end.get(), POLLIN, 0}, pollfd{request.cancel_descriptor, POLLIN, 0}};
    if (::poll(waits.data(), waits.size(), static_cast<int>(left)) <= 0) {
      continue;
    }
    if (drain(out.read_end, output.out, request.output_limit_bytes) == Drained::too_much ||
        drain(err.read_end, output.err, request.output_limit_bytes) == Drained::too_much) {
      return Ending::too_much;
    }
    if ((waits[0].revents & POLLIN) != 0) {
      return Ending::exited;
    }
    if ((waits[3].revents & POLLIN) != 0) {
      return Ending::cancelled;
    }
  }
}

int reap(pid_t child) {
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

Result<void> check(const ProcessRequest& request) {
  ASBB_ASSERT(request.deadline_ms > 0);
  if (request.argv.empty() || request.argv.front().empty()) {
    return fail(ErrorKind::invalid, "No program was named to run.");
  }
  for (const std::string& argument : request.argv) {
    if (argument.find('\0') != std::string::npos) {
      return fail(ErrorKind::invalid,
                  "An argument of " + excerpt(request.argv.front()) + " contains a NUL character.");
    }
  }
  return {};
}

}  // namespace

Result<ProcessOutput> run_process(const ProcessRequest& request) {
  if (auto checked = check(request); !checked) {
    return tl::unexpected(checked.error());
  }
  const std::string& program = request.argv.front();
  auto out = make_pipe();
  auto err = make_pipe();
  if (!out || !err) {
    return fail(ErrorKind::unavailable,
                "Cannot make a pipe to run " + program + ": " + std::strerror(errno) + ".");
  }
  pid_t child = -1;
  if (const int failure = spawn(request, *out, *err, &child); failure != 0) {
    const bool passing = failure == EAGAIN || failure == ENOMEM;
    return fail(passing ? ErrorKind::unavailable : ErrorKind::broken,
                "Cannot run " + program + ": " + std::strerror(failure) + ".");
  }
  out->write_end.close();
  err->write_end.close();
  const Descriptor exit_signal(static_cast<int>(::syscall(SYS_pidfd_open, child, 0)));
  ProcessOutput output;
  const Ending ending =
      exit_signal.is_open() ? collect(exit_signal, *out, *err, request, output) : Ending::late;
  // The group lives on as a name until the child is reaped, so this reaches nobody else.
  ::kill(-child, SIGKILL);
  output.exit_code = reap(child);
  if (ending == Ending::late) {
    return fail(ErrorKind::unavailable, program + " gave no answer within " +
                                            std::to_string(request.deadline_ms) +
                                            " ms and was stopped.");
  }
  if (ending == Ending::cancelled) {
    return fail(ErrorKind::unavailable, program + " was stopped: nobody waits for its answer.");
  }
  if (ending == Ending::too_much) {
    return fail(ErrorKind::broken,
                program + " wrote more than " + std::to_string(request.output_limit_bytes) +
                    " bytes and was stopped.",
                output_limit_field);
  }
  return output;
}

}  // namespace asbb::slurm
