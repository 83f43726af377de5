#include <sys/stat.h>
#include <unistd.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <exception>
#include <fstream>
#include <iterator>
#include <set>

#include "base/text.h"
#include "config/alerts.h"
#include "config/allowances.h"
#include "config/clusters.h"
#include "config/config.h"
#include "config/file_checks.h"
#include "config/ladder.h"
#include "config/names.h"
#include "config/old_names.h"
#include "config/settings.h"
#include "config/yaml_text.h"

extern char** environ;

namespace asbb::config {
namespace {

constexpr int no_line = 0;

// Walks the document into a Config and collects what is wrong.
class Loader {
 public:
  explicit Loader(std::string source) : source_(std::move(source)) {}

  // Of the file itself.
  void problem_of_file(const std::string& message) { problem(no_line, message); }

  void read_document(const std::string& text);
  void read_environment(const Environment& environment);
  void check_together();
  void look_at_files();
  // Of a file that everybody may read.
  void look_for_secrets();
  Loaded<Config> finish();

 private:
  // Calls `visit` for each key of a map, once; says when it is no map or a key comes twice.
  void each_key(const YAML::Node& map, const std::string& where, const VisitKey& visit);
  std::optional<std::vector<YAML::Node>> read_yaml(const std::string& text);
  void read_setting(const std::string& section, const std::string& key, const YAML::Node& value,
                    int line);
  void read_admins(const YAML::Node& value, int line);
  void read_on_unavailable(const YAML::Node& value, int line);
  std::optional<Ladder> ladder_of(const YAML::Node& value, const std::string& where);
  void read_ladders(const std::string& where, const YAML::Node& value, int line,
                    std::map<std::string, Ladder>& ladders);
  void read_variable(const std::string& variable, const std::string& value);
  // The text of a single value; says when it is something else.
  std::optional<std::string> scalar(const YAML::Node& value, const std::string& where, int line);
  std::optional<bool> allow_or_deny(const std::string& text, const std::string& where, int line);

  void problem(int line, const std::string& message) { problems_.emplace(line, message); }
  void unknown_key(int line, const std::string& where, const std::string& section);

  std::string source_;
  Config config_;
  std::multimap<int, std::string> problems_;    // by line of the file
  std::vector<std::string> variable_problems_;  // of the environment
  std::map<std::string, int> lines_;            // where a setting was given
};

void Loader::each_key(const YAML::Node& map, const std::string& where, const VisitKey& visit) {
  config::each_key(
      map, where, [&](int line, const std::string& message) { problem(line, message); }, visit);
}

void Loader::unknown_key(int line, const std::string& where, const std::string& section) {
  problem(line, where + ": " + why_unknown(where, section));
}

std::optional<std::string> Loader::scalar(const YAML::Node& value, const std::string& where,
                                          int line) {
  if (value.IsScalar()) return value.Scalar();
  problem(line, where + ": one value is expected, not " + kind_of(value) +
                    (value.IsNull() ? "; write \"\" for an empty text" : ""));
  return std::nullopt;
}

std::optional<bool> Loader::allow_or_deny(const std::string& text, const std::string& where,
                                          int line) {
  if (text == "allow") return true;
  if (text == "deny") return false;
  problem(line, where + ": " + in_quotes(text) + " is not allowed; allow or deny is expected");
  return std::nullopt;
}

void Loader::read_setting(const std::string& section, const std::string& key,
                          const YAML::Node& value, int line) {
  const std::string given = section + "." + key;
  const std::string name = name_now(given);
  if (const auto [before, is_new] = lines_.emplace(name, line); !is_new) {
    return problem(line, given + ": " + (given == name ? "" : "this is " + name + ", which ") +
                             "line " + std::to_string(before->second) + " gives " +
                             (given == name ? "this " : "") + "already");
  }
  if (name == "service.admins") return read_admins(value, line);
  if (name == "slurm.on_unavailable") return read_on_unavailable(value, line);
  const SayProblem say = [&](int there, const std::string& message) { problem(there, message); };
  if (name == "slurm.clusters") {
    config_.slurm.clusters = read_clusters(value, line, say);
    return;
  }
  if (name == "alerts.channels") {
    config_.alerts.channels = read_channels(value, name, say);
    return;
  }
  if (name == "alerts.thresholds") {
    config_.alerts.thresholds = read_thresholds(value, name, say);
    return;
  }
  Enforcement& enforcement = config_.enforcement;
  if (name == "enforcement.accounts") return read_ladders(name, value, line, enforcement.accounts);
  if (name == "enforcement.partitions") {
    return read_ladders(name, value, line, enforcement.partitions);
  }
  if (name == "enforcement.ladder") {
    if (const auto ladder = ladder_of(value, name)) enforcement.ladder = *ladder;
    return;
  }
  for (const Setting& setting : settings()) {
    if (setting.name() != name) continue;
    const auto text = scalar(value, given, line);
    if (text && !setting.set(config_, *text)) {
      problem(line, given + ": " + in_quotes(without_secrets(*text)) +
                        " is not allowed; expected is " + setting.allowed);
    }
    return;
  }
  unknown_key(line, given, section);
}

void Loader::read_admins(const YAML::Node& value, int line) {
  const std::string where = "service.admins";
  if (!value.IsSequence()) {
    return problem(line, where + ": a list of user names is expected, not " + kind_of(value));
  }
  for (const YAML::Node& item : value) {
    const auto name = scalar(item, where, line_of(item));
    if (!name) continue;
    if (!is_user_name(*name)) {
      problem(line_of(item), where + ": " + in_quotes(*name) + " is not a user name");
      continue;
    }
    config_.service.admins.push_back(*name);
  }
}

void Loader::read_on_unavailable(const YAML::Node& value, int line) {
  const std::string where = "slurm.on_unavailable";
  if (!value.IsMap()) {
    return problem(line, where + ": {default, partitions, ...} is expected, not " + kind_of(value));
  }
  OnUnavailable& policy = config_.slurm.on_unavailable;
  each_key(value, where, [&](const std::string& key, const YAML::Node& item, int at) {
    const std::string name = where + "." + key;
    if (key == "default") {
      const auto text = scalar(item, name, at);
      if (!text) return;
      if (const auto allow = allow_or_deny(*text, name, at)) policy.allow_by_default = *allow;
    } else if (key == "without_allowance") {
      const auto text = scalar(item, name, at);
      if (!text) return;
      if (const auto allow = allow_or_deny(*text, name, at))
        policy.allow_without_allowance = *allow;
    } else if (key == "allowances") {
      lines_[name] = at;
      policy.allowances = read_allowances(
          item, name, [&](int there, const std::string& message) { problem(there, message); });
    } else if (key != "partitions") {
      problem(at, name +
                      ": there is no such setting; on_unavailable has default, partitions, "
                      "without_allowance, allowances");
    } else if (!item.IsMap()) {
      problem(at, name + ": a map of partition names to allow or deny is expected, not " +
                      kind_of(item));
    } else {
      each_key(item, name, [&](const std::string& partition, const YAML::Node& choice, int there) {
        const auto text = scalar(choice, name + "." + partition, there);
        if (!text) return;
        if (const auto allow = allow_or_deny(*text, name + "." + partition, there)) {
          policy.allow_by_partition[partition] = *allow;
        }
      });
    }
  });
}

std::optional<Ladder> Loader::ladder_of(const YAML::Node& value, const std::string& where) {
  return read_ladder(value, where,
                     [&](int line, const std::string& message) { problem(line, message); });
}

void Loader::read_ladders(const std::string& where, const YAML::Node& value, int line,
                          std::map<std::string, Ladder>& ladders) {
  if (!value.IsMap()) {
    return problem(line,
                   where + ": a map of names to lists of steps is expected, not " + kind_of(value));
  }
  each_key(value, where, [&](const std::string& name, const YAML::Node& item, int) {
    if (const auto ladder = ladder_of(item, where + "." + name)) ladders[name] = *ladder;
  });
}

// Which lines are indented with tabs; there they become two blanks each, so that the rest can be
// read.
std::vector<int> replace_tabs(std::string& text) {
  std::vector<int> lines;
  std::string out;
  int number = 0;
  for (const std::string_view line : split(text, '\n')) {
    if (++number > 1) out += '\n';
    const auto begin = std::min(line.find_first_not_of(" \t"), line.size());
    const std::string_view indent = line.substr(0, begin);
    if (begin < line.size() && indent.find('\t') != std::string_view::npos) lines.push_back(number);
    for (const char c : indent) out += c == '\t' ? "  " : " ";
    out += line.substr(begin);
  }
  text = std::move(out);
  return lines;
}

std::optional<std::vector<YAML::Node>> Loader::read_yaml(const std::string& text) {
  try {
    return YAML::LoadAll(text);
  } catch (const YAML::Exception& error) {
    const int line = error.mark.is_null() ? no_line : error.mark.line + 1;
    std::string with_blanks = text;
    const std::vector<int> tabs = replace_tabs(with_blanks);
    if (tabs.empty() || tabs.front() > line) {
      problem(line, "this is not YAML: " + error.msg);
      return std::nullopt;
    }
    for (const int tab : tabs) {
      problem(tab, "a tab stands before the setting; YAML is indented with blanks");
    }
    try {
      return YAML::LoadAll(with_blanks);
    } catch (const YAML::Exception&) {  // what a tab should have been is not clear
      return std::nullopt;
    }
  }
}

void Loader::read_document(const std::string& text) {
  const auto read = read_yaml(text);
  if (!read) return;
  const std::vector<YAML::Node>& documents = *read;
  if (documents.size() > 1) {
    return problem(line_of(documents[1]), "a second document begins; one is expected");
  }
  if (documents.empty() || documents[0].IsNull()) return;
  if (!documents[0].IsMap()) {
    return problem(
        line_of(documents[0]),
        std::string("the sections of settings are expected, not ") + kind_of(documents[0]));
  }
  const SayProblem say = [&](int line, const std::string& message) { problem(line, message); };
  const VisitKey visit = [&](const std::string& section, const YAML::Node& value, int line) {
    if (const std::string why = why_no_section(section); !why.empty()) {
      return problem(line, section + ": " + why);
    }
    if (value.IsNull()) return;
    if (!value.IsMap()) {
      return problem(line, section + ": settings are expected, not " + kind_of(value));
    }
    each_key(value, section, [&](const std::string& key, const YAML::Node& item, int at) {
      read_setting(section, key, item, at);
    });
  };
  config::each_key(documents[0], "", say, visit, Repeated::visited);
}

void Loader::read_variable(const std::string& variable, const std::string& value) {
  const auto refuse = [&](const std::string& why) {
    variable_problems_.push_back("environment: " + variable + ": " + why);
  };
  for (const Setting& setting : settings()) {
    if (!names_setting(variable, setting)) continue;
    if (!setting.set(config_, value)) {
      refuse(in_quotes(without_secrets(value)) + " is not allowed; expected is " + setting.allowed);
    }
    return;
  }
  if (variable == "ASBB_SERVICE_ADMINS") {
    config_.service.admins.clear();
    for (std::size_t at = 0; at < value.size();) {
      const std::size_t comma = std::min(value.find(',', at), value.size());
      const std::string name = value.substr(at, comma - at);
      if (!is_user_name(name)) return refuse(in_quotes(name) + " is not a user name");
      config_.service.admins.push_back(name);
      at = comma + 1;
    }
    return;
  }
  refuse(why_no_variable(variable));
}

// Not settings: where the programs find the file and the service, and what the project's own tools
// use.
bool is_not_a_setting(const std::string& variable) {
  static const std::set<std::string> names = {"ASBB_CONFIG_FILE", "ASBB_SOCKET",
                                              "ASBB_URL",         "ASBB_TOKEN_FILE",
                                              "ASBB_BUILD_DIR",   "ASBB_TEST_BED"};
  return names.contains(variable);
}

// A misspelt variable would otherwise leave its default in force, the database's place for one.
void Loader::read_environment(const Environment& environment) {
  for (const auto& [variable, value] : environment) {
    if (variable.starts_with("ASBB_") && !is_not_a_setting(variable)) {
      read_variable(variable, value);
    }
  }
}

void Loader::check_together() {
  const auto line = [&](const std::string& name) {
    const auto found = lines_.find(name);
    return found == lines_.end() ? no_line : found->second;
  };
  if (config_.slurm.view_max_age < config_.slurm.refresh_interval) {
    problem(line("slurm.view_max_age"),
            "slurm.view_max_age: " + to_text(config_.slurm.view_max_age) +
                " is shorter than slurm.refresh_interval (" +
                to_text(config_.slurm.refresh_interval) + "); every view would be too old");
  }
  const Budget& budget = config_.budget;
  const std::pair<const char*, bool> costs[] = {
      {"budget.cost_of_node_fail", budget.writes_off_node_fail},
      {"budget.cost_of_boot_fail", budget.writes_off_boot_fail},
      {"budget.cost_of_preempted", budget.writes_off_preempted}};
  for (const auto& [name, writes_off] : costs) {
    if (!writes_off || !budget.write_off_account.empty()) continue;
    problem(line(name), std::string(name) +
                            ": write-off needs an account that bears the cost: set "
                            "budget.write_off_account");
  }
  const std::string allowances = "slurm.on_unavailable.allowances";
  for (const auto& [name, accounts] : config_.slurm.on_unavailable.allowances) {
    const bool is_known = std::any_of(config_.slurm.clusters.begin(), config_.slurm.clusters.end(),
                                      [&](const Cluster& one) { return one.name == name; });
    if (!is_known) {
      problem(line(allowances), allowances + "." + name + ": slurm.clusters has no such cluster");
    }
  }
  if (budget.max_budget_amount < budget.min_budget_amount) {
    problem(line("budget.max_budget_amount"),
            "budget.max_budget_amount: " + to_decimal(budget.max_budget_amount) +
                " is less than budget.min_budget_amount (" + to_decimal(budget.min_budget_amount) +
                "); no budget could be made");
  }
  if (config_.database.chain_key_file == config_.database.dsn) {
    problem(line("database.chain_key_file"),
            "database.chain_key_file: the key must not be the database itself");
  }
}

void Loader::look_at_files() {
  for (const FileProblem& found : check_files(config_)) {
    const auto given = lines_.find(found.name);
    problem(given == lines_.end() ? no_line : given->second, found.name + ": " + found.message);
  }
}

void Loader::look_for_secrets() {
  for (const FileProblem& found : secrets_in(config_, source_)) {
    const auto given = lines_.find(found.name);
    if (given == lines_.end()) continue;  // of the environment
    problem(given->second, found.name + ": " + found.message);
  }
}

Loaded<Config> Loader::finish() {
  if (problems_.empty() && variable_problems_.empty()) {
    fill_clusters(config_.slurm);
    return std::move(config_);
  }
  Problems out;
  for (const auto& [line, message] : problems_) {
    out.push_back(source_ + (line == no_line ? "" : ":" + std::to_string(line)) + ": " + message);
  }
  out.insert(out.end(), variable_problems_.begin(), variable_problems_.end());
  return tl::unexpected(std::move(out));
}

struct FileText {
  std::string text;
  mode_t mode = 0;
};

Loaded<FileText> read_file(const std::string& path) {
  const auto refuse = [&](const std::string& why) {
    return tl::unexpected(Problems{path + ": " + why});
  };
  struct stat facts{};
  if (stat(path.c_str(), &facts) != 0) {
    return refuse(std::string("this file cannot be read: ") + std::strerror(errno));
  }
  if (!S_ISREG(facts.st_mode)) return refuse("this is not a file");
  std::ifstream file(path, std::ios::binary);
  if (!file) return refuse(std::string("this file cannot be read: ") + std::strerror(errno));
  return FileText{
      std::string(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()),
      facts.st_mode};
}

Loaded<Config> parse(const FileText& file, const std::string& source,
                     const Environment& environment, Files files) {
  try {
    Loader loader(source);
    if ((file.mode & S_IWOTH) != 0) {
      loader.problem_of_file("everybody may change this file: 'chmod o-w' it");
    }
    loader.read_document(file.text);
    if ((file.mode & S_IROTH) != 0) loader.look_for_secrets();
    loader.read_environment(environment);
    loader.check_together();
    if (files == Files::looked_at) loader.look_at_files();
    return loader.finish();
  } catch (const std::exception& error) {  // yaml-cpp throws from accessors too
    return tl::unexpected(Problems{source + ": this is not YAML: " + error.what()});
  }
}

}  // namespace

Environment process_environment() {
  constexpr std::string_view prefixes[] = {"ASBB_", "SLURM_", "SBATCH_"};
  Environment out;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const auto equals = text.find('=');
    const bool is_wanted =
        std::any_of(std::begin(prefixes), std::end(prefixes),
                    [&](const std::string_view prefix) { return text.starts_with(prefix); });
    if (!is_wanted || equals == std::string_view::npos) continue;
    out.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return out;
}

Loaded<Config> parse_config(const std::string& text, const std::string& source,
                            const Environment& environment, Files files) {
  return parse({text, 0}, source, environment, files);
}

std::string config_file(const std::string& path, const Environment& environment) {
  if (!path.empty()) return path;
  const auto variable = environment.find("ASBB_CONFIG_FILE");
  if (variable != environment.end() && !variable->second.empty()) return variable->second;
  return access(default_path, F_OK) == 0 ? default_path : "";
}

Loaded<Config> load_config(const std::string& path, const Environment& environment, Files files) {
  const std::string file = config_file(path, environment);
  if (file.empty()) return parse_config("", "defaults", environment, files);
  const auto text = read_file(file);
  if (!text) return tl::unexpected(text.error());
  return parse(*text, file, environment, files);
}

}  // namespace asbb::config
