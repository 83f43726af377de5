// The settings of asbb's first version that are no more, by their names there: those that have
// another name now, and those that are refused with what replaces them. Used inside src/config
// only. Constant; any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace asbb::config {

// Another name of a setting; both may be given in files, but not together.
struct OtherName {
  std::string name;  // "section.key"
  std::string now;
};
[[nodiscard]] const std::vector<OtherName>& other_names();
// The name that it has now; `name` itself where it has no other.
[[nodiscard]] std::string name_now(const std::string& name);

struct FormerSetting {
  std::string name;     // "section.key", or "section" for all of it
  std::string instead;  // a sentence: what replaces it
};
[[nodiscard]] const std::vector<FormerSetting>& former_settings();
// The sentence; "" when it never was a setting. That of a section is for all of its keys.
[[nodiscard]] std::string instead_of(std::string_view name);

}  // namespace asbb::config
