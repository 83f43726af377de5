// The recorded output of real commands (tests/slurm/fixtures) and rows in its form, for tests.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "base/text.h"

namespace asbb::slurm {

// What the recorded commands were given as a separator.
inline const std::string recorded_separator =
    "\x1f"
    "0000000000000000";

// The whole file; fails the test when it is not there.
inline std::string recorded(const std::string& name) {
  const std::string path = std::string(ASBB_SOURCE_DIR) + "/tests/slurm/fixtures/" + name;
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file.good()) << path;
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// The fields as one printed record.
inline std::string joined(const std::vector<std::string>& fields) {
  std::string text;
  for (const std::string& field : fields) {
    text += field + recorded_separator;
  }
  return text + "\n";
}

// The same with one field changed.
inline std::string joined_with(std::vector<std::string> fields, std::size_t column,
                               const std::string& value) {
  fields[column] = value;
  return joined(fields);
}

// The columns after `option` ("--format=") stand in the script that recorded the files, so that
// they are what the readers ask for.
inline void expect_columns_recorded(const std::vector<std::string>& arguments,
                                    std::string_view option) {
  std::string script = recorded("../record-fixtures");
  script.erase(std::remove(script.begin(), script.end(), '\n'), script.end());
  const auto asked = std::find_if(arguments.begin(), arguments.end(), [&](const auto& argument) {
    return argument.starts_with(option);
  });
  ASSERT_NE(asked, arguments.end()) << option;
  for (const std::string_view column : split(std::string_view(*asked).substr(option.size()), ',')) {
    EXPECT_THAT(script, ::testing::HasSubstr(std::string(column.substr(0, column.find(':')))));
  }
}

}  // namespace asbb::slurm
