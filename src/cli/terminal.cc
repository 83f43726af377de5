#include "cli/terminal.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <string_view>
#include <utility>

#include "base/write_all.h"

namespace asbb::cli {
namespace {

volatile std::sig_atomic_t ends = 0;
volatile std::sig_atomic_t is_resized = 0;
termios as_it_was{};

void note_end(int) {
  ends = 1;
}
void note_size(int) {
  is_resized = 1;
}

// Without SA_RESTART, so that poll() returns.
void set_handler(int signal, void (*handler)(int)) {
  struct sigaction action{};
  action.sa_handler = handler;
  sigaction(signal, &action, nullptr);
}

}  // namespace

std::optional<Terminal> Terminal::open() {
  const char* kind = std::getenv("TERM");
  if (kind == nullptr || *kind == '\0' || std::string_view(kind) == "dumb" ||
      isatty(STDIN_FILENO) == 0 || isatty(STDOUT_FILENO) == 0 ||
      tcgetattr(STDIN_FILENO, &as_it_was) != 0) {
    return std::nullopt;
  }
  termios keys = as_it_was;
  keys.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
  keys.c_cc[VMIN] = 1;
  keys.c_cc[VTIME] = 0;
  keys.c_cc[VSUSP] = _POSIX_VDISABLE;  // a stopped program would leave its screen behind
  if (tcsetattr(STDIN_FILENO, TCSANOW, &keys) != 0) return std::nullopt;
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) set_handler(signal, note_end);
  set_handler(SIGWINCH, note_size);
  if (!write_all(STDOUT_FILENO, "\x1b[?1049h\x1b[?25l\x1b[2J")) ends = 1;
  return Terminal();
}

Terminal::Terminal(Terminal&& other) noexcept : owns_(std::exchange(other.owns_, false)) {}

Terminal::~Terminal() {
  if (!owns_) return;
  (void)write_all(STDOUT_FILENO, "\x1b[?25h\x1b[?1049l");
  tcsetattr(STDIN_FILENO, TCSANOW, &as_it_was);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGWINCH}) {
    set_handler(signal, SIG_DFL);
  }
}

ScreenSize Terminal::size() const {
  winsize found{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &found) != 0 || found.ws_col == 0 || found.ws_row == 0) {
    return {80, 24};
  }
  return {found.ws_col, found.ws_row};
}

bool Terminal::draw(const std::vector<std::string>& lines) const {
  std::string text = "\x1b[H";
  for (std::size_t i = 0; i < lines.size(); ++i) {
    text += (i == 0 ? "" : "\r\n") + lines[i] + "\x1b[K";
  }
  return write_all(STDOUT_FILENO, text + "\x1b[J");
}

Terminal::Event Terminal::wait(int timeout_ms) const {
  if (ends != 0) return Event::quit;
  pollfd keys{STDIN_FILENO, POLLIN, 0};
  const int ready = poll(&keys, 1, timeout_ms);
  if (ends != 0) return Event::quit;
  if (is_resized != 0) {
    is_resized = 0;
    return Event::resized;
  }
  if (ready <= 0) return Event::time;
  std::array<char, 64> typed{};
  const ssize_t count = read(STDIN_FILENO, typed.data(), typed.size());
  if (count <= 0) return Event::quit;
  const char key = typed[0];
  const bool is_escape = key == '\x1b' && count == 1;
  return key == 'q' || key == 'Q' || is_escape ? Event::quit : Event::key;
}

}  // namespace asbb::cli
