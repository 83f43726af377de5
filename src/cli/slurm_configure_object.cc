#include "cli/slurm_configure_object.h"

#include <elf.h>
#include <glob.h>

#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>

#include "base/text.h"

namespace asbb::cli {
namespace {

constexpr std::uintmax_t object_bytes_max = 256U * 1024U * 1024U;

// A structure out of the file's bytes; nothing when they end before it does.
template <typename T>
std::optional<T> read_at(const std::string& bytes, std::uint64_t offset) {
  if (offset > bytes.size() || bytes.size() - offset < sizeof(T)) return std::nullopt;
  T value{};
  std::memcpy(&value, bytes.data() + offset, sizeof value);
  return value;
}

bool is_object(const std::string& bytes) {
  const auto head = read_at<Elf64_Ehdr>(bytes, 0);
  return head && std::memcmp(head->e_ident, ELFMAG, SELFMAG) == 0 &&
         head->e_ident[EI_CLASS] == ELFCLASS64 && head->e_shentsize == sizeof(Elf64_Shdr);
}

std::vector<Elf64_Shdr> sections_of(const std::string& bytes) {
  const auto head = read_at<Elf64_Ehdr>(bytes, 0);
  std::vector<Elf64_Shdr> sections;
  for (std::uint64_t at = 0; at < head->e_shnum; ++at) {
    const auto section = read_at<Elf64_Shdr>(bytes, head->e_shoff + at * sizeof(Elf64_Shdr));
    if (!section) break;
    sections.push_back(*section);
  }
  return sections;
}

// Of a symbol of the dynamic table: its address's section, and where in it.
std::optional<std::uint64_t> offset_of(const std::string& bytes, const std::string& wanted) {
  const auto sections = sections_of(bytes);
  for (const Elf64_Shdr& table : sections) {
    if (table.sh_type != SHT_DYNSYM || table.sh_link >= sections.size()) continue;
    const Elf64_Shdr& names = sections[table.sh_link];
    for (std::uint64_t at = 0; at < table.sh_size / sizeof(Elf64_Sym); ++at) {
      const auto symbol = read_at<Elf64_Sym>(bytes, table.sh_offset + at * sizeof(Elf64_Sym));
      if (!symbol) return std::nullopt;
      const std::uint64_t name = names.sh_offset + symbol->st_name;
      if (name >= bytes.size() || bytes.compare(name, wanted.size() + 1, wanted + '\0') != 0) {
        continue;
      }
      if (symbol->st_shndx >= sections.size()) return std::nullopt;
      const Elf64_Shdr& home = sections[symbol->st_shndx];
      return home.sh_offset + (symbol->st_value - home.sh_addr);
    }
  }
  return std::nullopt;
}

}  // namespace

std::string slurm_version_text(std::uint32_t number) {
  char text[32];
  std::snprintf(text, sizeof text, "%u.%02u.%u", number >> 16 & 0xFFU, number >> 8 & 0xFFU,
                number & 0xFFU);
  return text;
}

Result<PluginVersion> plugin_version_of(const std::string& path) {
  std::error_code failed;
  const auto size = std::filesystem::file_size(path, failed);
  std::ifstream file(path, std::ios::binary);
  if (failed || !file) return fail(ErrorKind::not_found, "'" + path + "' cannot be read");
  const auto no_plugin = fail(ErrorKind::invalid, "'" + path + "' is not a plugin of Slurm");
  if (size > object_bytes_max) return no_plugin;
  std::string bytes(size, '\0');
  if (!file.read(bytes.data(), static_cast<std::streamsize>(size))) return no_plugin;
  if (!is_object(bytes)) return no_plugin;
  const auto offset = offset_of(bytes, "plugin_version");
  if (!offset) return no_plugin;
  const auto number = read_at<std::uint32_t>(bytes, *offset);
  if (!number) return no_plugin;
  return PluginVersion{*number, *offset};
}

std::vector<std::string> plugin_folders(const std::string& plugin_dir) {
  std::vector<std::string> folders;
  for (const std::string_view folder : split(plugin_dir, ':')) {
    if (!folder.empty()) folders.emplace_back(folder);
  }
  if (!folders.empty()) return folders;
  for (const char* usual : {"/usr/lib/*/slurm-wlm", "/usr/lib/slurm-wlm", "/usr/lib/*/slurm",
                            "/usr/lib64/slurm", "/usr/local/lib/slurm"}) {
    glob_t found{};
    glob(usual, 0, nullptr, &found);
    for (std::size_t at = 0; at < found.gl_pathc; ++at) folders.emplace_back(found.gl_pathv[at]);
    globfree(&found);
  }
  return folders;
}

std::string find_plugin(const std::vector<std::string>& folders, const std::string& name) {
  for (const std::string& folder : folders) {
    std::error_code ignored;
    if (std::filesystem::exists(folder + "/" + name, ignored)) return folder + "/" + name;
  }
  return {};
}

}  // namespace asbb::cli
