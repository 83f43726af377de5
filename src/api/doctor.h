// What is wired and what is not. Plain values.
#pragma once

#include <string>
#include <vector>

namespace asbb::api {

struct DoctorCheck {
  std::string name;    // "prices onprem"
  std::string status;  // "ok", "warning" or "failed"
  std::string found;   // a sentence
  std::string cure;    // a sentence; left out when empty
  bool operator==(const DoctorCheck&) const = default;
};

struct DoctorAnswer {
  std::vector<DoctorCheck> checks;
  bool operator==(const DoctorAnswer&) const = default;
};

}  // namespace asbb::api
