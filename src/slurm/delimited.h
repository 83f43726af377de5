// Cuts the output of squeue -O and sacct --parsable into fields, whatever their text holds. Every
// field ends in a separator that is made anew for each call and that nobody could know before:
// a job name, comment or account with newlines, bars or control characters stays what it is. A
// record is its number of fields and a newline. Pure; views into the given text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"

namespace asbb::slurm {

// A control character and 16 random hex digits; begins with no digit and no '.', which squeue
// would take for a field width, and holds no comma.
[[nodiscard]] std::string make_separator();

struct DelimitedText {
  std::vector<std::vector<std::string_view>> records;
  std::vector<std::string> problems;
};

// Records of exactly `columns` fields. Where the count is not right the text up to the next end of
// a record is left out, as a problem.
[[nodiscard]] DelimitedText cut_records(std::string_view text, std::string_view separator,
                                        std::size_t columns);

// Takes fields by position and remembers the first that could not be read.
class FieldReader {
 public:
  FieldReader(const std::vector<std::string_view>& fields,
              const std::vector<std::string_view>& names)
      : fields_(fields), names_(names) {}

  // As it is; "(null)", "N/A", "NA" and "None assigned" are empty.
  std::string text(std::size_t column);
  std::string raw_text(std::size_t column) { return std::string(fields_[column]); }
  std::int64_t count(std::size_t column);
  std::uint32_t user_id(std::size_t column);
  // 0 for "N/A" and empty.
  std::int64_t optional_count(std::size_t column);
  // Unix seconds; empty for "Unknown", "None", "NONE", "N/A" and "".
  std::optional<Instant> optional_time(std::size_t column);
  Instant time(std::size_t column);
  std::int64_t duration_seconds(std::size_t column);
  // Minutes; "UNLIMITED", "Partition_Limit", "NOT_SET" and empty are `unlimited`.
  std::int64_t limit_minutes(std::size_t column);

  void reject(std::size_t column);
  // Empty when everything could be read; else a sentence naming column and text.
  [[nodiscard]] const std::string& problem() const { return problem_; }

 private:
  const std::vector<std::string_view>& fields_;
  const std::vector<std::string_view>& names_;
  std::string problem_;
};

}  // namespace asbb::slurm
