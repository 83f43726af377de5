// The table of every setting that is one value: where it stands, what it means, how its text is
// read and written. The lists and maps (service.admins, slurm.clusters, slurm.on_unavailable,
// enforcement.ladder, ...) are read in load.cc. Used inside src/config only. Constant; any thread.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "config/duration.h"

namespace asbb::config {

struct Setting {
  std::string section;
  std::string key;
  std::string help;     // for people: what it does
  std::string allowed;  // for people: what values there are
  // False when the text is not allowed; then nothing has changed.
  std::function<bool(Config&, const std::string&)> set;
  std::function<std::string(const Config&)> get;  // reads back through set
  bool is_text = true;                            // written in quotes

  [[nodiscard]] std::string name() const { return section + "." + key; }
};

[[nodiscard]] const std::vector<Setting>& settings();

// The parts of it that have a file of their own.
[[nodiscard]] std::vector<Setting> budget_settings();
[[nodiscard]] std::vector<Setting> alerts_settings();
[[nodiscard]] std::vector<Setting> advisor_settings();
[[nodiscard]] std::vector<Setting> logging_settings();
[[nodiscard]] std::vector<Setting> metrics_settings();

// In the order in which they are written.
struct Section {
  std::string name;
  std::string help;
};
[[nodiscard]] const std::vector<Section>& sections();

// The settings that are lists or maps, "section.key".
[[nodiscard]] const std::vector<std::string>& structured_settings();

// A Slurm or system user: 1 to 64 of letters, digits and "._-", not beginning with '-'.
[[nodiscard]] bool is_user_name(std::string_view text);
// A ClusterName: 1 to 40 of lower-case letters, digits, '_' and '-'.
[[nodiscard]] bool is_cluster_name(std::string_view text);
// "/..." without control characters.
[[nodiscard]] bool is_absolute_path(std::string_view text);

}  // namespace asbb::config
