// The house rules that a machine can check (CONTRIBUTING.md): which folder may include which, how
// long lines, functions and files may be, where floating point may not stand, which coroutine forms
// g++ 12 miscompiles.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;

const fs::path root = ASBB_SOURCE_DIR;

// Folder of src/ -> the folders it may include besides itself.
const std::map<std::string, std::set<std::string>> allowed_includes{
    {"base", {}},
    {"ledger", {"base"}},
    {"pricing", {"base"}},
    {"insight", {"base"}},
    {"report", {"base"}},
    {"config", {"base"}},
    {"store", {"base", "ledger"}},
    {"slurm", {"base"}},
    {"api", {"base"}},
    {"advisor", {"base", "config", "api"}},
    {"alerts", {"base", "config", "slurm", "api"}},
    {"service",
     {"base", "ledger", "pricing", "insight", "config", "store", "slurm", "api", "advisor",
      "alerts"}},
    {"http",
     {"base", "ledger", "pricing", "insight", "config", "store", "slurm", "api", "advisor",
      "alerts", "service"}},
    {"cli", {"base", "config", "api", "slurm", "store", "pricing", "report", "alerts"}},
};

constexpr std::size_t line_length_max = 100;
constexpr std::size_t function_length_max = 70;
constexpr std::size_t file_length_max = 500;
constexpr std::size_t program_length_max = 100;

struct SourceFile {
  fs::path path;  // relative to the root
  std::vector<std::string> lines;
};

std::vector<SourceFile> sources(const std::vector<std::string>& folders) {
  std::vector<SourceFile> out;
  for (const std::string& folder : folders) {
    if (!fs::exists(root / folder)) continue;
    for (const auto& entry : fs::recursive_directory_iterator(root / folder)) {
      const auto extension = entry.path().extension();
      if (extension != ".c" && extension != ".cc" && extension != ".h") continue;
      SourceFile file{fs::relative(entry.path(), root), {}};
      std::ifstream in(entry.path());
      for (std::string line; std::getline(in, line);) file.lines.push_back(line);
      out.push_back(std::move(file));
    }
  }
  EXPECT_FALSE(out.empty());
  return out;
}

const std::vector<std::string> all_folders{"src", "programs", "plugins", "tests", "fuzz", "bench"};

std::string place(const SourceFile& file, std::size_t index) {
  return file.path.string() + ":" + std::to_string(index + 1);
}

// Characters, not bytes, of UTF-8.
std::size_t length_of(const std::string& line) {
  std::size_t count = 0;
  for (const char c : line) count += (static_cast<unsigned char>(c) & 0xC0u) != 0x80u;
  return count;
}

bool is_test(const SourceFile& file) {
  return file.path.stem().string().ends_with("_test") ||
         file.path.string().find("testing/") != std::string::npos;
}

TEST(Tidy, IncludesPointDownwards) {
  const std::regex include("^#include \"([a-z_]+)/");
  for (const SourceFile& file : sources({"src"})) {
    const std::string folder = std::next(file.path.begin())->string();
    const auto rule = allowed_includes.find(folder);
    ASSERT_NE(rule, allowed_includes.end()) << "src/" << folder << " has no include rule";
    for (std::size_t i = 0; i < file.lines.size(); ++i) {
      std::smatch match;
      if (!std::regex_search(file.lines[i], match, include)) continue;
      const std::string used = match[1];
      // The names of the conversation with the plugin, and of its policy file.
      const bool is_wire =
          folder == "service" && file.lines[i].starts_with("#include \"plugins/wire.h\"");
      const bool fine = used == folder || rule->second.contains(used) || is_wire ||
                        (is_test(file) && allowed_includes.contains(used));
      EXPECT_TRUE(fine) << place(file, i) << ": " << folder << " may not include " << used;
    }
  }
}

// Or a mistake in the ledger would be one in what it is held against.
TEST(Tidy, TheReferenceKnowsNothingOfTheLedger) {
  const std::regex include("^#include \"(?!ledger/testing/reference\\.h\")");
  int seen = 0;
  for (const SourceFile& file : sources({"src"})) {
    const std::string name = file.path.stem().string();
    if (!name.starts_with("reference") || name == "reference_check") continue;
    ++seen;
    for (std::size_t i = 0; i < file.lines.size(); ++i) {
      EXPECT_FALSE(std::regex_search(file.lines[i], include)) << place(file, i);
    }
  }
  EXPECT_GE(seen, 5);
}

TEST(Tidy, ProgramsOnlyWire) {
  const std::set<std::string> allowed{"base", "config", "api", "service", "http", "cli"};
  const std::regex include("^#include \"([a-z_]+)/");
  for (const SourceFile& file : sources({"programs"})) {
    EXPECT_LE(file.lines.size(), program_length_max) << file.path;
    for (std::size_t i = 0; i < file.lines.size(); ++i) {
      std::smatch match;
      if (!std::regex_search(file.lines[i], match, include)) continue;
      EXPECT_TRUE(allowed.contains(match[1])) << place(file, i);
    }
  }
}

TEST(Tidy, PluginsIncludeNothingOfTheService) {
  const std::regex include(
      "^#include \"(base|ledger|pricing|insight|config|store|slurm|api|alerts|service|http|cli)/");
  for (const SourceFile& file : sources({"plugins"})) {
    for (std::size_t i = 0; i < file.lines.size(); ++i) {
      EXPECT_FALSE(std::regex_search(file.lines[i], include)) << place(file, i);
    }
  }
}

TEST(Tidy, LinesFitOnAScreen) {
  for (const SourceFile& file : sources(all_folders)) {
    for (std::size_t i = 0; i < file.lines.size(); ++i) {
      if (file.lines[i].find("http://") != std::string::npos) continue;
      EXPECT_LE(length_of(file.lines[i]), line_length_max) << place(file, i);
      EXPECT_EQ(file.lines[i].find('\t'), std::string::npos) << place(file, i) << ": a tab";
    }
  }
}

TEST(Tidy, FilesHaveOneIdea) {
  for (const SourceFile& file : sources(all_folders)) {
    EXPECT_LE(file.lines.size(), file_length_max) << file.path;
  }
}

// A function at namespace scope begins in column 0, ends its head with '{' and ends with '}' in
// column 0.
TEST(Tidy, FunctionsFitInTheHead) {
  for (const SourceFile& file : sources(all_folders)) {
    std::size_t start = 0;
    bool inside = false;
    for (std::size_t i = 0; i < file.lines.size(); ++i) {
      const std::string& line = file.lines[i];
      const bool opens = !line.empty() && line[0] != ' ' && line[0] != '}' && line[0] != '#' &&
                         line.find('(') != std::string::npos && line.rfind("namespace", 0) != 0 &&
                         line.rfind("//", 0) != 0;
      if (!inside && opens) {
        start = i;
        inside = true;
      }
      if (inside && (line == "}" || (line.ends_with(";") && line[0] != ' ' && start == i) ||
                     (line.ends_with("}") && start == i))) {
        EXPECT_LE(i - start + 1, function_length_max) << place(file, start);
        inside = false;
      } else if (inside && line.empty() && i > start && file.lines[i - 1].ends_with(";") &&
                 file.lines[i - 1].rfind("  ", 0) != 0) {
        inside = false;
      }
    }
  }
}

// A body inside a class, two blanks in.
TEST(Tidy, FunctionsInClassesFitInTheHead) {
  const std::regex head("^  [A-Za-z~].*\\).*\\{$");
  for (const SourceFile& file : sources(all_folders)) {
    std::size_t start = 0;
    bool inside = false;
    for (std::size_t i = 0; i < file.lines.size(); ++i) {
      const std::string& line = file.lines[i];
      if (!inside && line.ends_with("{") && std::regex_match(line, head)) {
        start = i;
        inside = true;
      }
      if (!inside || !line.starts_with("  }")) continue;
      EXPECT_LE(i - start + 1, function_length_max) << place(file, start);
      inside = false;
    }
  }
}

TEST(Tidy, NoFloatNearMoney) {
  const std::regex text("\"[^\"]*\"");
  const std::set<std::string> seconds_for_prometheus{"src/service/metrics.cc"};
  const std::regex word("\\b(double|float)\\b");
  for (const SourceFile& file : sources({"src"})) {
    if (is_test(file) || seconds_for_prometheus.contains(file.path.string())) continue;
    for (std::size_t i = 0; i < file.lines.size(); ++i) {
      const std::string code = file.lines[i].substr(0, file.lines[i].find("//"));
      if (code.find("double") == std::string::npos && code.find("float") == std::string::npos) {
        continue;
      }
      EXPECT_FALSE(std::regex_search(std::regex_replace(code, text, ""), word)) << place(file, i);
    }
  }
}

// g++ 12 destroys a temporary twice inside a co_await expression (CONTRIBUTING.md, "Coroutines").
TEST(Tidy, CoAwaitHasNoTemporariesWithBraces) {
  const std::regex bad("co_await.*(\\{[^}]|\\[[^\\]&=]*[a-z_]+[^\\]]*\\]\\s*[({])");
  for (const SourceFile& file : sources({"src", "programs"})) {
    for (std::size_t i = 0; i < file.lines.size(); ++i) {
      if (file.lines[i].find("co_await") == std::string::npos) continue;
      EXPECT_EQ(file.path.string().rfind("src/http/", 0), 0u)
          << place(file, i) << ": coroutines live in src/http only";
      EXPECT_FALSE(std::regex_search(file.lines[i], bad)) << place(file, i);
    }
  }
}

TEST(Tidy, NoLeftovers) {
  const std::regex word("\\b(TODO|FIXME|XXX|HACK)\\b|not (yet )?implemented");
  for (const SourceFile& file : sources(all_folders)) {
    if (file.path.filename() == "tidy_test.cc") continue;
    for (std::size_t i = 0; i < file.lines.size(); ++i) {
      EXPECT_FALSE(std::regex_search(file.lines[i], word)) << place(file, i);
    }
  }
}

TEST(Tidy, HeadersSayWhatTheyAre) {
  for (const SourceFile& file : sources({"src", "plugins"})) {
    if (file.path.extension() != ".h") continue;
    ASSERT_FALSE(file.lines.empty()) << file.path;
    EXPECT_EQ(file.lines[0].rfind("//", 0), 0u) << file.path << " does not open with prose";
    bool once = false;
    for (const std::string& line : file.lines) once = once || line == "#pragma once";
    EXPECT_TRUE(once) << file.path << " lacks #pragma once";
  }
}

TEST(Tidy, NamesAreSnakeCase) {
  const std::regex name("^[a-z0-9_]+\\.(c|cc|h)$");
  for (const SourceFile& file : sources(all_folders)) {
    EXPECT_TRUE(std::regex_match(file.path.filename().string(), name)) << file.path;
  }
}

// A rule that a document says is tested stays so: the files that it names are there.
TEST(Tidy, TheTestsThatDocumentsNameAreThere) {
  std::set<std::string> names;
  for (const char* folder : {"src", "plugins", "tests"}) {
    for (const auto& entry : fs::recursive_directory_iterator(root / folder)) {
      names.insert(entry.path().filename().string());
    }
  }
  const std::regex test("`([A-Za-z0-9_./-]+(_test\\.cc|\\.bats)|tests/[A-Za-z0-9_./-]+)`");
  std::size_t count = 0;
  for (const auto& entry : fs::recursive_directory_iterator(root / "docs")) {
    if (entry.path().extension() != ".md") continue;
    std::ifstream in(entry.path());
    std::size_t number = 0;
    for (std::string line; std::getline(in, line);) {
      ++number;
      for (std::sregex_iterator at(line.begin(), line.end(), test), end; at != end; ++at) {
        const std::string name = (*at)[1];
        const bool is_path = name.find('/') != std::string::npos;
        EXPECT_TRUE(is_path ? fs::exists(root / name) : names.contains(name))
            << fs::relative(entry.path(), root).string() << ":" << number << " names " << name;
        ++count;
      }
    }
  }
  EXPECT_GT(count, 40u);
}

}  // namespace
