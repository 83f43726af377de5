#include "cli/slurm_configure_files.h"

#include <fcntl.h>
#include <glob.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>

#include "base/text.h"

namespace asbb::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t files_max = 64;

std::string without_comment(std::string_view line) {
  return std::string(line.substr(0, line.find('#')));
}

std::regex pattern(const std::string& text) {
  return std::regex(text, std::regex::icase);
}

// Up to the value of a key, and the value without its quotes.
std::regex key_pattern(const std::string& key) {
  return pattern("((?:^|\\s)" + key + "\\s*=\\s*\"?)([^\\s\"]*)");
}

// "Include NAME" -> NAME, relative to the folder of the first file.
std::optional<std::string> included(const std::string& line, const std::string& folder) {
  static const std::regex include = pattern("^\\s*include\\s+(\\S+)");
  std::smatch match;
  if (!std::regex_search(line, match, include)) return std::nullopt;
  const fs::path named = match[1].str();
  return named.is_absolute() ? named.string() : (fs::path(folder) / named).string();
}

std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += (text.empty() ? "" : "\n") + line;
  return text;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (const std::string_view line : split(text, '\n')) lines.emplace_back(line);
  return lines;
}

bool names_word(const std::string& list, const std::string& word) {
  for (const std::string_view one : split(list, ',')) {
    if (to_lower(one) == word || to_lower(one) == "job_submit/" + word) return true;
  }
  return false;
}

Error cannot(const std::string& what, const std::string& path) {
  return {ErrorKind::unavailable, "'" + path + "' " + what + ": " + std::strerror(errno), {}};
}

// A new file beside the old one, complete and on the disk.
Result<void> write_beside(const Change& change, const std::string& fresh) {
  const int file = open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (file < 0) return tl::unexpected(cannot("cannot be written", fresh));
  struct stat old = {};
  mode_t mode = change.is_program ? 0755 : 0644;
  bool is_fine = true;
  if (stat(change.path.c_str(), &old) == 0) {
    mode = old.st_mode & 07777;
    is_fine = fchown(file, old.st_uid, old.st_gid) == 0;
  }
  const auto size = static_cast<ssize_t>(change.text.size());
  is_fine = is_fine && write(file, change.text.data(), change.text.size()) == size &&
            fchmod(file, mode) == 0 && fsync(file) == 0;
  if (is_fine) return close(file), Result<void>{};
  auto error = cannot("cannot be written", fresh);
  close(file);
  unlink(fresh.c_str());
  return tl::unexpected(error);
}

}  // namespace

ConfFile read_if_there(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return {path, "", false};
  return {path, std::string(std::istreambuf_iterator<char>(file), {}), true};
}

Result<std::vector<ConfFile>> read_slurm_conf(const std::string& path) {
  const std::string folder = fs::path(path).parent_path().string();
  std::vector<ConfFile> files{read_if_there(path)};
  if (!files[0].exists) return fail(ErrorKind::not_found, "'" + path + "' cannot be read");
  for (std::size_t at = 0; at < files.size(); ++at) {
    for (const std::string& line : lines_of(files[at].text)) {
      const auto more = included(without_comment(line), folder);
      if (!more) continue;
      if (files.size() == files_max) return fail(ErrorKind::invalid, path + ": too many includes");
      ConfFile next = read_if_there(*more);
      if (!next.exists) return fail(ErrorKind::not_found, "'" + *more + "' cannot be read");
      files.push_back(std::move(next));
    }
  }
  return files;
}

std::optional<std::string> conf_value(const std::vector<ConfFile>& files, const std::string& key) {
  const std::regex wanted = key_pattern(key);
  std::optional<std::string> value;
  for (const ConfFile& file : files) {
    for (const std::string& line : lines_of(file.text)) {
      std::smatch match;
      const std::string bare = without_comment(line);
      if (std::regex_search(bare, match, wanted)) value = match[2].str();
    }
  }
  return value;
}

ConfNodes conf_nodes(const std::vector<ConfFile>& files) {
  static const std::regex name = pattern("^\\s*NodeName\\s*=\\s*(\\S+)");
  static const std::regex state = pattern("\\sState\\s*=\\s*(CLOUD|FUTURE)\\b");
  ConfNodes nodes;
  for (const ConfFile& file : files) {
    for (const std::string& line : lines_of(file.text)) {
      std::smatch match;
      const std::string bare = without_comment(line);
      if (!std::regex_search(bare, match, name) || to_lower(match[1].str()) == "default") continue;
      (std::regex_search(bare, state) ? nodes.absent : nodes.present).push_back(match[1].str());
    }
  }
  return nodes;
}

Result<std::optional<Change>> add_to_list(const std::vector<ConfFile>& files,
                                          const std::string& key, const std::string& word) {
  const std::regex wanted = key_pattern(key);
  const ConfFile* found = nullptr;
  std::vector<std::string> lines;
  std::size_t row = 0;
  for (const ConfFile& file : files) {
    const auto these = lines_of(file.text);
    for (std::size_t at = 0; at < these.size(); ++at) {
      if (!std::regex_search(without_comment(these[at]), wanted)) continue;
      found = &file;
      lines = these;
      row = at;
    }
  }
  if (found == nullptr) return add_line(files.front(), key + "=" + word);
  std::smatch match;
  const std::string bare = without_comment(lines[row]);
  std::regex_search(bare, match, wanted);
  const std::string list = match[2].str();
  if (names_word(list, word)) return std::optional<Change>{};
  if (bare.ends_with("\\")) {
    return fail(ErrorKind::invalid, found->path + ": the line of " + key +
                                        " is continued on the next one: add " + word +
                                        " to it by hand");
  }
  const auto at = static_cast<std::size_t>(match.position(2)) + list.size();
  lines[row].insert(at, (list.empty() ? "" : ",") + word);
  Change change;
  change.path = found->path;
  change.lines = {lines[row]};
  change.text = joined(lines);
  return std::optional<Change>(std::move(change));
}

Change add_line(const ConfFile& file, const std::string& line) {
  Change change;
  change.path = file.path;
  change.is_new = !file.exists;
  change.lines = {line};
  change.text = file.text;
  if (!change.text.empty() && !change.text.ends_with('\n')) change.text += '\n';
  change.text += line + '\n';
  return change;
}

std::optional<std::string> plugstack_line(const std::string& path, const std::string& object) {
  static const std::regex plugin = pattern("^\\s*(required|optional)\\s+(\\S+)");
  const std::string folder = fs::path(path).parent_path().string();
  for (const std::string& line : lines_of(read_if_there(path).text)) {
    const std::string bare = without_comment(line);
    std::smatch match;
    if (std::regex_search(bare, match, plugin) &&
        fs::path(match[2].str()).filename().string() == object) {
      return bare.substr(bare.find_first_not_of(" \t"));
    }
    const auto more = included(bare, folder);
    if (!more) continue;
    glob_t names{};
    std::optional<std::string> there;
    glob(more->c_str(), 0, nullptr, &names);
    for (std::size_t at = 0; at < names.gl_pathc && !there && names.gl_pathv[at] != path; ++at) {
      there = plugstack_line(names.gl_pathv[at], object);
    }
    globfree(&names);
    if (there) return there;
  }
  return std::nullopt;
}

Result<std::string> write_change(const Change& change, const std::string& stamp) {
  std::error_code failed;
  Change real = change;
  std::string kept;
  if (!change.is_new) {
    // What an administrator has made a link stays one.
    real.path = fs::canonical(change.path, failed).string();
    kept = real.path + ".before-asbb-" + stamp;
    if (!failed) fs::copy_file(real.path, kept, failed);
    if (failed) {
      return fail(ErrorKind::unavailable,
                  "no copy '" + kept + "' could be made: " + failed.message());
    }
  }
  const std::string fresh = real.path + ".asbb-new";
  if (const auto written = write_beside(real, fresh); !written) {
    return tl::unexpected(written.error());
  }
  if (rename(fresh.c_str(), real.path.c_str()) != 0) {
    auto error = cannot("cannot be replaced", real.path);
    unlink(fresh.c_str());
    return tl::unexpected(error);
  }
  return kept;
}

}  // namespace asbb::cli
