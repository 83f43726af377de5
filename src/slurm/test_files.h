// The recorded output of real commands (tests/slurm/fixtures), for tests.
#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>

namespace asbb::slurm {

// The whole file; fails the test when it is not there.
inline std::string recorded(const std::string& name) {
  const std::string path = std::string(ASBB_SOURCE_DIR) + "/tests/slurm/fixtures/" + name;
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file.good()) << path;
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

}  // namespace asbb::slurm
