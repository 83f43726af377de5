// What a simulated world ends with, and what it met on the way. Plain values.
#pragma once

#include <cstdint>
#include <map>
#include <string>

namespace asbb::simulation {

// Ends a run with a sentence.
struct Broken {
  std::string text;
};

inline void require(bool fine, const std::string& text) {
  if (!fine) throw Broken{text};
}

struct Coverage {
  std::map<std::string, std::int64_t> happened;
};

}  // namespace asbb::simulation
