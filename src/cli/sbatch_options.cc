#include "cli/sbatch_options.h"

#include <algorithm>
#include <string_view>

#include "base/text.h"

namespace asbb::cli {
namespace {

enum class Takes { nothing, value, maybe };

struct Option {
  std::string_view name;
  char letter = '\0';  // '\0': none
  Takes takes = Takes::value;
  std::string_view variable = "";  // SBATCH_...
};

constexpr Option known_options[] = {
    {"account", 'A', Takes::value, "SBATCH_ACCOUNT"},
    {"acctg-freq"},
    {"array", 'a', Takes::value, "SBATCH_ARRAY_INX"},
    {"batch"},
    {"bb"},
    {"bbf"},
    {"begin", 'b'},
    {"budget"},
    {"chdir", 'D'},
    {"cloud", '\0', Takes::nothing},
    {"cluster-constraint", '\0', Takes::value, "SBATCH_CLUSTER_CONSTRAINT"},
    {"clusters", 'M', Takes::value, "SBATCH_CLUSTERS"},
    {"comment"},
    {"constraint", 'C', Takes::value, "SBATCH_CONSTRAINT"},
    {"container"},
    {"contiguous", '\0', Takes::nothing},
    {"core-spec", 'S', Takes::value, "SBATCH_CORE_SPEC"},
    {"cores-per-socket"},
    {"cpu-freq"},
    {"cpus-per-gpu", '\0', Takes::value, "SBATCH_CPUS_PER_GPU"},
    {"cpus-per-task", 'c'},
    {"deadline"},
    {"delay-boot"},
    {"dependency", 'd'},
    {"distribution", 'm'},
    {"error", 'e'},
    {"exclude", 'x'},
    {"exclusive", '\0', Takes::maybe, "SBATCH_EXCLUSIVE"},
    {"export"},
    {"export-file"},
    {"extra-node-info", 'B'},
    {"get-user-env", '\0', Takes::maybe},
    {"gid"},
    {"gpu-bind"},
    {"gpu-freq"},
    {"gpus", 'G', Takes::value, "SBATCH_GPUS"},
    {"gpus-per-node", '\0', Takes::value, "SBATCH_GPUS_PER_NODE"},
    {"gpus-per-socket", '\0', Takes::value, "SBATCH_GPUS_PER_SOCKET"},
    {"gpus-per-task", '\0', Takes::value, "SBATCH_GPUS_PER_TASK"},
    {"gres", '\0', Takes::value, "SBATCH_GRES"},
    {"gres-flags", '\0', Takes::value, "SBATCH_GRES_FLAGS"},
    {"hint", '\0', Takes::value, "SBATCH_HINT"},
    {"hold", 'H', Takes::nothing},
    {"ignore-pbs", '\0', Takes::nothing},
    {"input", 'i'},
    {"job-name", 'J'},
    {"kill-on-invalid-dep"},
    {"licenses", 'L'},
    {"mail-type"},
    {"mail-user"},
    {"mcs-label"},
    {"mem", '\0', Takes::value, "SBATCH_MEM_PER_NODE"},
    {"mem-bind"},
    {"mem-per-cpu", '\0', Takes::value, "SBATCH_MEM_PER_CPU"},
    {"mem-per-gpu", '\0', Takes::value, "SBATCH_MEM_PER_GPU"},
    {"mincpus"},
    {"network"},
    {"nice", '\0', Takes::maybe},
    {"no-kill", 'k', Takes::maybe},
    {"no-requeue", '\0', Takes::nothing},
    {"nodefile", 'F'},
    {"nodelist", 'w'},
    {"nodes", 'N'},
    {"ntasks", 'n'},
    {"ntasks-per-core"},
    {"ntasks-per-gpu", '\0', Takes::value, "SLURM_NTASKS_PER_GPU"},
    {"ntasks-per-node"},
    {"ntasks-per-socket"},
    {"open-mode"},
    {"output", 'o'},
    {"overcommit", 'O', Takes::nothing, "SBATCH_OVERCOMMIT"},
    {"oversubscribe", 's', Takes::nothing},
    {"parsable", '\0', Takes::nothing},
    {"partition", 'p', Takes::value, "SBATCH_PARTITION"},
    {"power"},
    {"prefer"},
    {"priority"},
    {"profile"},
    {"propagate", '\0', Takes::maybe},
    {"qos", 'q', Takes::value, "SBATCH_QOS"},
    {"quiet", 'Q', Takes::nothing},
    {"reboot", '\0', Takes::nothing},
    {"requeue", '\0', Takes::nothing},
    {"reservation", '\0', Takes::value, "SBATCH_RESERVATION"},
    {"signal"},
    {"sockets-per-node"},
    {"spread-job", '\0', Takes::nothing, "SBATCH_SPREAD_JOB"},
    {"switches"},
    {"test-only", '\0', Takes::nothing},
    {"thread-spec", '\0', Takes::value, "SBATCH_THREAD_SPEC"},
    {"threads-per-core", '\0', Takes::value, "SBATCH_THREADS_PER_CORE"},
    {"time", 't', Takes::value, "SBATCH_TIMELIMIT"},
    {"time-min"},
    {"tmp"},
    {"uid"},
    {"use-min-nodes", '\0', Takes::nothing},
    {"verbose", 'v', Takes::nothing},
    {"wait", 'W', Takes::nothing},
    {"wait-all-nodes"},
    {"wckey", '\0', Takes::value, "SBATCH_WCKEY"},
    {"wrap"},
};

tl::unexpected<Error> bad(const std::string& sentence) {
  return fail(ErrorKind::invalid, sentence);
}

const Option* by_letter(char letter) {
  for (const Option& option : known_options) {
    if (option.letter == letter && letter != '\0') return &option;
  }
  return nullptr;
}

// The whole name, or a beginning that is of one option alone, as getopt_long takes them.
Result<const Option*> by_name(std::string_view name) {
  std::vector<const Option*> found;
  for (const Option& option : known_options) {
    if (option.name == name) return &option;
    if (option.name.starts_with(name)) found.push_back(&option);
  }
  if (found.size() == 1) return found.front();
  return bad("--" + std::string(name) +
             (found.empty() ? " is not an option of sbatch that is known here"
                            : " may be several options of sbatch"));
}

struct Read {
  SbatchOptions options;
  std::string script;  // the first word that is not an option
};

class Reader {
 public:
  explicit Reader(const std::vector<std::string>& arguments) : arguments_(arguments) {}

  Result<Read> read() {
    for (; at_ < arguments_.size(); ++at_) {
      const std::string& word = arguments_[at_];
      if (word == "--" || word.size() < 2 || word.front() != '-') {
        if (word == "--") ++at_;
        if (at_ < arguments_.size()) out_.script = arguments_[at_];
        break;
      }
      const auto done = word[1] == '-' ? long_option(word) : letters(word);
      if (!done) return tl::unexpected(done.error());
    }
    return out_;
  }

 private:
  Result<void> long_option(const std::string& word) {
    const std::size_t equals = word.find('=');
    const auto option = by_name(std::string_view(word).substr(2, equals - 2));
    if (!option) return tl::unexpected(option.error());
    const bool has_value = equals != std::string::npos;
    if (has_value && (*option)->takes == Takes::nothing) {
      return bad("--" + std::string((*option)->name) + " takes no value");
    }
    if (has_value) return set(**option, word.substr(equals + 1));
    return with_next(**option);
  }

  // "-n4", "-n 4", "-HO".
  Result<void> letters(const std::string& word) {
    for (std::size_t i = 1; i < word.size(); ++i) {
      const Option* option = by_letter(word[i]);
      if (option == nullptr) {
        return bad("-" + std::string(1, word[i]) +
                   " is not an option of sbatch that is known here");
      }
      if (option->takes != Takes::nothing && i + 1 < word.size()) {
        return set(*option, word.substr(i + 1));
      }
      if (const auto done = with_next(*option); !done) return done;
    }
    return {};
  }

  Result<void> with_next(const Option& option) {
    if (option.takes != Takes::value) return set(option, "");
    if (at_ + 1 >= arguments_.size())
      return bad("--" + std::string(option.name) + " needs a value");
    return set(option, arguments_[++at_]);
  }

  Result<void> set(const Option& option, const std::string& value) {
    out_.options[std::string(option.name)] = value;
    return {};
  }

  const std::vector<std::string>& arguments_;
  std::size_t at_ = 0;
  Read out_;
};

// Words of a #SBATCH line: quotes keep blanks, a backslash the next character, # ends it.
void add_words(std::string_view line, std::vector<std::string>& words) {
  std::string word;
  bool has_word = false;
  char quote = '\0';
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    const bool is_blank = c == ' ' || c == '\t' || c == '\r';
    if (c == '\\' && i + 1 < line.size() && quote != '\'') {
      word += line[++i];
      has_word = true;
    } else if (quote != '\0' && c == quote) {
      quote = '\0';
    } else if (quote == '\0' && (c == '"' || c == '\'')) {
      quote = c;
      has_word = true;
    } else if (quote == '\0' && c == '#') {
      break;
    } else if (quote == '\0' && is_blank) {
      if (has_word) words.push_back(word);
      word.clear();
      has_word = false;
    } else {
      word += c;
      has_word = true;
    }
  }
  if (has_word) words.push_back(word);
}

}  // namespace

std::vector<std::string> script_arguments(const std::string& script) {
  constexpr std::string_view magic = "#SBATCH";
  std::vector<std::string> words;
  for (const std::string_view line : split(script, '\n')) {
    if (line.starts_with(magic)) {
      add_words(line.substr(magic.size()), words);
    } else if (const std::size_t first = line.find_first_not_of(" \t\r");
               first != std::string_view::npos && line[first] != '#') {
      break;
    }
  }
  return words;
}

Result<SbatchOptions> read_sbatch_options(const std::vector<std::string>& arguments,
                                          const Lookup& environment,
                                          const ReadScript& read_script) {
  auto line = Reader(arguments).read();
  if (!line) return tl::unexpected(line.error());
  SbatchOptions merged;
  if (!line->script.empty() && !line->options.contains("wrap")) {
    const auto script = read_script(line->script);
    if (!script) return tl::unexpected(script.error());
    const std::vector<std::string> words = script_arguments(*script);
    const auto in_script = Reader(words).read();
    if (!in_script) return bad(line->script + ": " + in_script.error().message);
    merged = in_script->options;
  }
  // The older name of SBATCH_CLUSTERS.
  if (const auto value = environment("SLURM_CLUSTERS")) merged["clusters"] = *value;
  for (const Option& option : known_options) {
    if (option.variable.empty()) continue;
    if (const auto value = environment(std::string(option.variable))) {
      merged[std::string(option.name)] = *value;
    }
  }
  // One way to ask for memory takes the place of another that stood further back.
  for (const char* memory : {"mem", "mem-per-cpu", "mem-per-gpu"}) {
    if (!line->options.contains(memory)) continue;
    for (const char* other : {"mem", "mem-per-cpu", "mem-per-gpu"}) merged.erase(other);
  }
  for (const auto& [name, value] : line->options) merged[name] = value;
  return merged;
}

}  // namespace asbb::cli
