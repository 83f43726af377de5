#include "plugins/slurm_config.h"

#include <glob.h>

#include "plugins/file_text.h"
#include "plugins/log.h"
#include "plugins/words.h"

namespace asbb::plugins {
namespace {

constexpr std::size_t kConfigBytesMax = 16U << 20;
constexpr int kIncludeDepthMax = 8;

// "/etc/slurm" for "/etc/slurm/slurm.conf".
std::string_view folder_of(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string_view::npos) return ".";
  return {path.data(), slash == 0 ? 1 : slash};
}

// `name`, or folder/name when it is relative.
bool join(std::string_view folder, std::string_view name, PathText* path) {
  if (name.starts_with('/')) return path->assign(name);
  char storage[PATH_MAX];
  BoundedText joined(storage, sizeof storage);
  joined.append(folder);
  joined.append('/');
  joined.append(name);
  return !joined.overflowed() && path->assign(joined.view());
}

// Takes "key = value", with or without blanks and quotes, off the front of a line of slurm.conf
// (Slurm: src/common/parse_config.c, keyvalue_pattern).
bool take_pair(std::string_view* line, std::string_view* key, std::string_view* value) {
  const auto skip_blanks = [line] {
    while (line->starts_with(' ') || line->starts_with('\t')) line->remove_prefix(1);
  };
  skip_blanks();
  const std::size_t key_end = line->find_first_of(" \t=");
  if (key_end == std::string_view::npos) return false;
  *key = std::string_view(line->data(), key_end);
  line->remove_prefix(key_end);
  skip_blanks();
  if (!line->starts_with('=')) return false;
  line->remove_prefix(1);
  skip_blanks();
  const bool is_quoted = line->starts_with('"');
  if (is_quoted) line->remove_prefix(1);
  const std::size_t end = line->find_first_of(is_quoted ? "\"" : " \t\r");
  const std::size_t length = end == std::string_view::npos ? line->size() : end;
  *value = std::string_view(line->data(), length);
  line->remove_prefix(length);
  if (is_quoted && !line->empty()) line->remove_prefix(1);
  return true;
}

void assign_cluster(std::string_view name, SlurmConf* conf) {
  char storage[256];
  BoundedText lowered(storage, sizeof storage);
  for (const char character : name) lowered.append(lower(character));
  const bool is_kept = name.find('/') == std::string_view::npos && !lowered.overflowed() &&
                       conf->cluster.assign(lowered.view());
  if (!is_kept) log_error("slurm.conf: this ClusterName cannot be used");
}

// Folder is that of slurm.conf itself: includes inside included files are relative to it as well.
bool scan_slurm_conf(const char* path, std::string_view folder, int depth, SlurmConf* conf) {
  FileText file;
  if (!file.read(path, kConfigBytesMax)) {
    log_error("%s %s", path, file.problem());
    return false;
  }
  std::string_view rest = file.view();
  while (!rest.empty()) {
    std::string_view line = without_comment(take_until("\n", &rest));
    std::string_view words = line;
    PathText included;
    if (equals_without_case(take_word(&words), "include") && depth < kIncludeDepthMax &&
        join(folder, take_word(&words), &included)) {
      scan_slurm_conf(included.c_str(), folder, depth + 1, conf);
      continue;
    }
    std::string_view key;
    std::string_view value;
    while (take_pair(&line, &key, &value)) {
      if (equals_without_case(key, "ClusterName")) assign_cluster(value, conf);
      if (equals_without_case(key, "PlugStackConfig") && !join(folder, value, &conf->plugstack)) {
        log_error("slurm.conf: this PlugStackConfig cannot be used");
      }
      if (equals_without_case(key, "StateSaveLocation") && !conf->state_folder.assign(value)) {
        log_error("slurm.conf: this StateSaveLocation cannot be used");
      }
    }
  }
  return true;
}

std::string_view file_name_of(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  if (slash != std::string_view::npos) path.remove_prefix(slash + 1);
  return path;
}

PluginLine scan_plugstack(const char* path, int depth, FixedText<kPluginLineBytes>* arguments);

PluginLine scan_included(std::string_view including, std::string_view pattern, int depth,
                         FixedText<kPluginLineBytes>* arguments) {
  PathText absolute;
  if (depth > kIncludeDepthMax || !join(folder_of(including), pattern, &absolute)) {
    return PluginLine::absent;
  }
  glob_t found{};
  PluginLine result = PluginLine::absent;
  if (glob(absolute.c_str(), 0, nullptr, &found) == 0) {
    for (std::size_t at = 0; at < found.gl_pathc && result == PluginLine::absent; ++at) {
      result = scan_plugstack(found.gl_pathv[at], depth, arguments);
    }
  }
  globfree(&found);
  return result;
}

PluginLine scan_plugstack(const char* path, int depth, FixedText<kPluginLineBytes>* arguments) {
  FileText file;
  if (!file.read(path, kConfigBytesMax)) {
    log_error("%s %s", path, file.problem());
    return PluginLine::unreadable;
  }
  std::string_view rest = file.view();
  while (!rest.empty()) {
    std::string_view line = without_comment(take_until("\n", &rest));
    const std::string_view kind = take_word(&line);
    const std::string_view object = take_word(&line);
    if (equals_without_case(kind, "include")) {
      const PluginLine result = scan_included(path, object, depth + 1, arguments);
      if (result == PluginLine::found) return result;
      continue;
    }
    const bool is_plugin =
        equals_without_case(kind, "required") || equals_without_case(kind, "optional");
    if (!is_plugin || file_name_of(object) != kObjectName) continue;
    if (arguments->assign(line)) return PluginLine::found;
    log_error("%s: the line of %s is too long", path, kObjectName.data());
    return PluginLine::unreadable;
  }
  return PluginLine::absent;
}

}  // namespace

bool read_slurm_conf(const char* path, SlurmConf* conf) {
  const std::string_view folder = folder_of(path);
  if (!join(folder, "plugstack.conf", &conf->plugstack)) return false;
  if (!scan_slurm_conf(path, folder, 0, conf)) return false;
  if (conf->cluster.empty()) log_error("%s names no cluster (ClusterName)", path);
  return !conf->cluster.empty();
}

PluginLine read_plugin_line(const char* plugstack_path, FixedText<kPluginLineBytes>* arguments) {
  return scan_plugstack(plugstack_path, 0, arguments);
}

}  // namespace asbb::plugins
