#include "config/names.h"

#include <algorithm>
#include <vector>

#include "base/nearest.h"
#include "base/text.h"
#include "config/old_names.h"

namespace asbb::config {
namespace {

std::vector<std::string> keys_of(const std::string& section) {
  std::vector<std::string> keys;
  for (const Setting& setting : settings()) {
    if (setting.section == section) keys.push_back(setting.key);
  }
  for (const std::string& name : structured_settings()) {
    if (name.starts_with(section + ".")) keys.push_back(name.substr(section.size() + 1));
  }
  return keys;
}

std::string variable_of(const std::string& name) {
  std::string out = "ASBB_";
  for (const char c : name) {
    const bool is_small = c >= 'a' && c <= 'z';
    out += c == '.' ? '_' : (is_small ? static_cast<char>(c - 'a' + 'A') : c);
  }
  return out;
}

// Where another section has a setting of that name.
std::string moved_to(const std::string& key) {
  for (const Setting& setting : settings()) {
    if (setting.key == key) return setting.name();
  }
  return {};
}

}  // namespace

std::string why_unknown(const std::string& name, const std::string& section) {
  const std::string none = "there is no such setting; ";
  if (const std::string instead = instead_of(name); !instead.empty()) return none + instead;
  const std::vector<std::string> keys = keys_of(section);
  const std::string key = name.substr(section.size() + 1);
  if (const std::string near = nearest_word(key, keys); !near.empty()) {
    return none + "did you mean '" + near + "'?";
  }
  if (const std::string other = moved_to(key); !other.empty()) {
    return none + "did you mean '" + other + "'?";
  }
  return none + "'" + section + "' has " + joined(keys, ", ");
}

std::string why_no_section(const std::string& section) {
  std::vector<std::string> names;
  for (const Section& one : sections()) names.push_back(one.name);
  if (std::find(names.begin(), names.end(), section) != names.end()) return {};
  const std::string none = "there is no such section; ";
  if (const std::string instead = instead_of(section); !instead.empty()) return none + instead;
  if (const std::string near = nearest_word(section, names); !near.empty()) {
    return none + "did you mean '" + near + "'?";
  }
  return none + "there are " + joined(names, ", ");
}

std::string why_no_variable(const std::string& variable) {
  const std::string none = "there is no such setting; ";
  for (const FormerSetting& former : former_settings()) {
    const std::string own = variable_of(former.name);
    const bool is_whole = former.name.find('.') == std::string::npos;
    if (variable == own || (is_whole && variable.starts_with(own + "_"))) {
      return none + former.instead;
    }
  }
  std::vector<std::string> known;
  for (const Setting& setting : settings()) known.push_back(variable_of(setting.name()));
  for (const std::string& name : structured_settings()) {
    if (variable == variable_of(name)) return "this can be set in the file only";
  }
  if (const std::string near = nearest_word(variable, known); !near.empty()) {
    return none + "did you mean " + near + "?";
  }
  return none + "'asbb config init -' shows them all";
}

bool names_setting(const std::string& variable, const Setting& setting) {
  if (variable == variable_of(setting.name())) return true;
  const auto& others = other_names();
  return std::any_of(others.begin(), others.end(), [&](const OtherName& other) {
    return other.now == setting.name() && variable == variable_of(other.name);
  });
}

// "postgres://asbb:***@db/asbb", "password=***", "https://hook.example.org/a?***".
std::string without_secrets(std::string text) {
  if (const auto query = text.find('?'); text.starts_with("http") && query != std::string::npos) {
    text.replace(query + 1, std::string::npos, "***");
  }
  if (const auto scheme = text.find("://"); scheme != std::string::npos) {
    const auto at = text.rfind('@');
    const auto colon = text.find(':', scheme + 3);
    if (at != std::string::npos && colon < at) text.replace(colon + 1, at - colon - 1, "***");
  }
  const std::string key = "password=";
  if (const auto found = text.find(key); found != std::string::npos) {
    const auto start = found + key.size();
    text.replace(start, std::min(text.find_first_of(" &", start), text.size()) - start, "***");
  }
  return text;
}

}  // namespace asbb::config
