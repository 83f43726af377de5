#include "cli/slurm_dual_files.h"

#include <algorithm>
#include <regex>

#include "base/text.h"

namespace asbb::cli {
namespace {

constexpr auto ignore_case = std::regex::icase;

struct WrongKey {
  const char* pattern;  // of a line without its comment
  const char* right;
};

// What circulates, and keeps every daemon and command from starting (docs/dual-accounting.md).
constexpr WrongKey wrong_conf_keys[] = {
    {R"(^\s*TRESBillingWeights\s*=)",
     "TRESBillingWeights stands on the PartitionName line of each partition, not on one of its "
     "own"},
    {R"(^\s*Federation(Name|AuthType|Clusters)?\s*=)",
     "there is no such key: a federation is made by 'sacctmgr add federation', and "
     "FederationParameters=fed_display is all that slurm.conf knows of it"},
    {R"(^\s*AccountingStorageLoc\s*=)", "it was removed from Slurm: leave it out"},
    {R"(^\s*AccountingStoreJobComment\s*=)",
     "it was removed from Slurm: AccountingStoreFlags=job_comment is its successor"}};

std::string uncommented(const std::string& line) {
  return line.substr(0, line.find('#'));
}

std::vector<std::string> conf_lines(const std::string& text) {
  std::vector<std::string> lines;
  for (const std::string_view line : split(text, '\n')) lines.emplace_back(line);
  return lines;
}

std::string joined_lines(const std::vector<std::string>& lines) {
  std::string text;
  for (std::size_t at = 0; at < lines.size(); ++at) text += (at == 0 ? "" : "\n") + lines[at];
  return text;
}

std::string partition_of(const std::string& line) {
  static const std::regex name(R"(^\s*PartitionName\s*=\s*(\S+))", ignore_case);
  std::smatch match;
  const std::string text = uncommented(line);
  if (!std::regex_search(text, match, name)) return {};
  std::string found = match[1];
  while (found.ends_with('\\')) found.pop_back();
  return to_lower(found) == "default" ? "" : found;
}

// The lines of one partition: the first, and those it is continued on.
std::size_t last_line(const std::vector<std::string>& lines, std::size_t first) {
  std::size_t last = first;
  while (uncommented(lines[last]).ends_with('\\') && last + 1 < lines.size()) ++last;
  return last;
}

}  // namespace

std::string ConfEditor::value(const std::string& key) const {
  return conf_value(files_, key).value_or("");
}

void ConfEditor::take(Change change) {
  for (ConfFile& file : files_) {
    if (file.path != change.path) continue;
    file.text = change.text;
    file.exists = true;
  }
  for (Change& earlier : changes_) {
    if (earlier.path != change.path) continue;
    earlier.text = change.text;
    earlier.lines.insert(earlier.lines.end(), change.lines.begin(), change.lines.end());
    return;
  }
  changes_.push_back(std::move(change));
}

void ConfEditor::set_missing(const std::string& key, const std::string& value) {
  if (conf_value(files_, key)) return;
  take(add_line(files_.front(), key + "=" + value));
}

Result<void> ConfEditor::add_words(const std::string& key, const std::vector<std::string>& words) {
  if (!conf_value(files_, key)) {
    std::string list;
    for (const std::string& word : words) list += (list.empty() ? "" : ",") + word;
    set_missing(key, list);
    return {};
  }
  for (const std::string& word : words) {
    auto change = add_to_list(files_, key, word);
    if (!change) return tl::unexpected(change.error());
    if (!*change) continue;
    // One line for people, with all the words.
    for (Change& earlier : changes_) {
      const auto is_same = [&](const std::string& line) {
        return to_lower(line).find(to_lower(key) + "=") != std::string::npos;
      };
      if (earlier.path == (*change)->path) std::erase_if(earlier.lines, is_same);
    }
    take(std::move(**change));
  }
  return {};
}

std::vector<std::string> ConfEditor::partitions() const {
  std::vector<std::string> names;
  for (const ConfFile& file : files_) {
    for (const std::string& line : conf_lines(file.text)) {
      const std::string name = partition_of(line);
      if (!name.empty() && std::find(names.begin(), names.end(), name) == names.end()) {
        names.push_back(name);
      }
    }
  }
  return names;
}

std::string ConfEditor::set_weights(const std::string& partition, const std::string& weights) {
  static const std::regex key(R"(\bTRESBillingWeights\s*=\s*("[^"]*"|[^\s"\\]*))", ignore_case);
  static const std::regex head(R"(^\s*PartitionName\s*=\s*[^\s\\]+)", ignore_case);
  for (const ConfFile& file : files_) {
    std::vector<std::string> lines = conf_lines(file.text);
    for (std::size_t first = 0; first < lines.size(); ++first) {
      if (partition_of(lines[first]) != partition) continue;
      const std::string wanted = "TRESBillingWeights=\"" + weights + "\"";
      std::smatch match;
      for (std::size_t at = first; at <= last_line(lines, first); ++at) {
        const std::string text = uncommented(lines[at]);
        if (!std::regex_search(text, match, key)) continue;
        std::string before = match[1];
        std::erase(before, '"');
        if (before == weights) return before;
        lines[at].replace(static_cast<std::size_t>(match.position(0)),
                          static_cast<std::size_t>(match.length(0)), wanted);
        take({file.path, joined_lines(lines), {lines[at]}});
        return before;
      }
      const std::string text = uncommented(lines[first]);
      std::regex_search(text, match, head);
      lines[first].insert(static_cast<std::size_t>(match.position(0) + match.length(0)),
                          " " + wanted);
      take({file.path, joined_lines(lines), {lines[first]}});
      return {};
    }
  }
  return {};
}

std::vector<std::string> ConfEditor::wrong_keys() const {
  std::vector<std::string> sentences;
  for (const ConfFile& file : files_) {
    int number = 0;
    for (const std::string& line : conf_lines(file.text)) {
      ++number;
      for (const WrongKey& one : wrong_conf_keys) {
        if (!std::regex_search(uncommented(line), std::regex(one.pattern, ignore_case))) continue;
        sentences.push_back(file.path + ":" + std::to_string(number) + ": " + in_quotes(line) +
                            ": Slurm refuses the whole file for it; " + one.right + ".");
      }
    }
  }
  return sentences;
}

}  // namespace asbb::cli
