// A terminal that a program draws whole screens on: its own screen, keys without return, no cursor.
// Plain control sequences of ECMA-48 that every terminal and multiplexer since the VT100 knows, and
// no colour. One at a time; the terminal is as it was once this is gone. One thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/top_screen.h"

namespace asbb::cli {

class Terminal {
 public:
  // Nothing where standard input or output is no terminal, or one that cannot be drawn on
  // (TERM says dumb, or nothing).
  [[nodiscard]] static std::optional<Terminal> open();
  Terminal(Terminal&& other) noexcept;
  Terminal& operator=(Terminal&&) = delete;
  ~Terminal();

  [[nodiscard]] ScreenSize size() const;
  // False: the terminal is gone.
  [[nodiscard]] bool draw(const std::vector<std::string>& lines) const;

  enum class Event { time, key, quit, resized };
  // Until a key, another size, a signal to end, or so much time.
  [[nodiscard]] Event wait(int timeout_ms) const;

 private:
  Terminal() = default;
  bool owns_ = true;
};

}  // namespace asbb::cli
