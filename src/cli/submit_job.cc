#include "cli/submit_job.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "base/text.h"
#include "cli/sbatch_context.h"
#include "slurm/process.h"

namespace asbb::cli {
namespace {

// "/dev/stdin", "/dev/fd/63" (which bash makes of "<(...)") and the like.
std::optional<int> descriptor_of(const std::string& path) {
  if (path == "/dev/stdin") return STDIN_FILENO;
  for (const std::string_view folder : {"/dev/fd/", "/proc/self/fd/"}) {
    constexpr std::int64_t descriptor_max = 1'000'000;
    if (!path.starts_with(folder)) continue;
    const auto number = parse_count(path.substr(folder.size()), descriptor_max);
    if (number) return static_cast<int>(*number);
  }
  return std::nullopt;
}

std::string read_to_end(int descriptor) {
  constexpr std::size_t block_bytes = 65'536;
  std::array<char, block_bytes> block{};
  std::string text;
  while (true) {
    const ssize_t count = read(descriptor, block.data(), block.size());
    if (count > 0) text.append(block.data(), static_cast<std::size_t>(count));
    if (count == 0 || (count < 0 && errno != EINTR)) return text;
  }
}

// What was read stands at that descriptor once more.
bool put_back(const std::string& text, int descriptor) {
  const int file = memfd_create("sbatch-script", 0);
  if (file < 0) return false;
  std::size_t done = 0;
  while (done < text.size()) {
    const ssize_t count = write(file, text.data() + done, text.size() - done);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    done += static_cast<std::size_t>(count);
  }
  if (lseek(file, 0, SEEK_SET) != 0 || dup2(file, descriptor) < 0) return false;
  if (file != descriptor) close(file);
  return true;
}

// Takes in the script that comes on a pipe.
Result<std::string> read_script_of(SubmitJob& job, const std::string& path) {
  const auto descriptor = descriptor_of(path);
  struct stat found{};
  const bool is_there =
      descriptor ? fstat(*descriptor, &found) == 0 : stat(path.c_str(), &found) == 0;
  const bool is_stream = is_there && !S_ISREG(found.st_mode) && !S_ISDIR(found.st_mode);
  if (is_stream && !descriptor) {
    return fail(ErrorKind::invalid, path + " is no file: what is read from it, sbatch would miss");
  }
  // A file that is open has a place, from which sbatch goes on.
  if (!is_stream && path != "/dev/stdin") return read_script_file(path);
  job.piped = read_to_end(*descriptor);
  job.piped_path = path;
  job.piped_descriptor = *descriptor;
  return *job.piped;
}

std::vector<std::pair<std::string, std::string>> environment_for(const Context& context,
                                                                 const Route& route) {
  std::vector<std::pair<std::string, std::string>> out;
  for (const auto& [name, value] : context.environment()) {
    const bool is_ours = name == "SLURM_TIME_FORMAT" || name == "SLURM_JWT" ||
                         (name == "SLURM_CONF" && !route.slurm_conf.empty());
    if (!is_ours) out.emplace_back(name, value);
  }
  if (!route.slurm_conf.empty()) out.emplace_back("SLURM_CONF", route.slurm_conf);
  return out;
}

std::string last_line(const std::string& text) {
  std::string last;
  for (const std::string_view line : split(text, '\n')) {
    if (!line.empty()) last = std::string(line);
  }
  return last;
}

}  // namespace

SubmitJob read_submit_job(const Context& context, std::vector<std::string> words) {
  SubmitJob job;
  job.words = std::move(words);
  bool has_script = false;
  const auto note_script = [&](const std::string&) -> Result<std::string> {
    has_script = true;
    return std::string();
  };
  const auto nothing = [](const std::string&) { return std::optional<std::string>(); };
  const auto line = read_sbatch_options(job.words, nothing, note_script);
  const auto is_word = [&](const char* word) {
    return std::find(job.words.begin(), job.words.end(), word) != job.words.end();
  };
  job.is_quiet = is_word("--parsable") || is_word("--quiet") || is_word("-Q");
  if (!line) {
    job.options = line;
    return job;
  }
  job.names_clusters = line->contains("clusters");
  std::vector<std::string> whole = job.words;
  if (!has_script && !line->contains("wrap")) whole.emplace_back("/dev/stdin");
  job.options = read_sbatch_options(whole, sbatch_variables(context), [&](const std::string& path) {
    return read_script_of(job, path);
  });
  const SbatchOptions& known = job.options ? *job.options : *line;
  job.is_quiet = known.contains("parsable") || known.contains("quiet");
  return job;
}

Result<Route> route_to(const api::ClusterInfo& cluster,
                       const std::vector<api::ClusterInfo>& clusters, const std::string& own,
                       const SubmitJob& job) {
  Route route{cluster.name, false, {}};
  const bool names_clusters = job.options && job.options->contains("clusters");
  const auto from = std::find_if(clusters.begin(), clusters.end(),
                                 [&](const api::ClusterInfo& info) { return info.name == own; });
  const bool is_known = from != clusters.end();
  const bool is_reached = is_known && std::find(from->reaches.begin(), from->reaches.end(),
                                                cluster.name) != from->reaches.end();
  if (own == cluster.name) {
    route.is_named = !cluster.federation.empty() || names_clusters;
    return route;
  }
  if (is_reached || own.empty()) {
    route.is_named = true;
    return route;
  }
  if (cluster.slurm_conf.empty() || cluster_of_conf(cluster.slurm_conf) != cluster.name) {
    return fail(ErrorKind::not_found,
                "cluster " + cluster.name + " cannot be reached from " + own +
                    ": they share no slurmdbd, so that -M does not name it, and no slurm.conf of "
                    "it is found here" +
                    (cluster.slurm_conf.empty() ? "" : " at " + cluster.slurm_conf) +
                    "; an administrator gives it in slurm.clusters of the settings");
  }
  route.slurm_conf = cluster.slurm_conf;
  route.is_named = names_clusters;
  return route;
}

Result<api::QuoteRequest> quote_request(const SubmitJob& job, const Route& route,
                                        const std::string& own) {
  if (!job.options) return tl::unexpected(job.options.error());
  SbatchOptions options = *job.options;
  if (route.is_named) options["clusters"] = route.cluster;
  if (!route.slurm_conf.empty() && !route.is_named) options.erase("clusters");
  auto asked = sbatch_submission(options);
  if (!asked) return tl::unexpected(asked.error());
  if (!route.cluster.empty()) asked->cluster = route.cluster;
  if (asked->cluster.empty()) asked->cluster = own;
  return api::QuoteRequest{std::move(*asked), ""};
}

std::vector<std::string> sbatch_line(const SubmitJob& job, const Route& route) {
  std::vector<std::string> line = {"sbatch"};
  if (route.is_named) line.push_back("--clusters=" + route.cluster);
  line.insert(line.end(), job.words.begin(), job.words.end());
  return line;
}

Result<Instant> ask_start(const Context& context, const SubmitJob& job, const Route& route) {
  constexpr std::string_view before = " to start at ";
  constexpr int patience_ms = 20'000;
  slurm::ProcessRequest request;
  request.argv = sbatch_line(job, route);
  request.argv.insert(request.argv.begin() + 1, "--test-only");
  request.environment = environment_for(context, route);
  request.deadline_ms = patience_ms;
  if (job.piped) {
    request.input = *job.piped;
    std::replace(request.argv.begin(), request.argv.end(), job.piped_path,
                 std::string("/dev/stdin"));
  }
  const auto said = slurm::run_process(request);
  if (!said) return tl::unexpected(said.error());
  const std::string text = said->out + "\n" + said->err;
  const std::size_t at = text.find(before);
  if (said->exit_code != 0 || at == std::string::npos) {
    return fail(ErrorKind::unavailable, last_line(text));
  }
  const std::size_t first = at + before.size();
  const std::string when = text.substr(first, text.find(' ', first) - first);
  const auto start = parse_rfc3339(when + "Z");
  if (!start) return fail(ErrorKind::broken, "it says no time: " + last_line(text));
  return *start;
}

std::string release_of(const std::string& version) {
  std::string_view number(version);
  while (!number.empty() && std::isspace(static_cast<unsigned char>(number.back())) != 0) {
    number.remove_suffix(1);
  }
  number.remove_prefix(number.rfind(' ') + 1);  // npos + 1 is 0
  const std::size_t first = number.find('.');
  if (first == std::string_view::npos || first == 0) return {};
  const std::size_t second = number.find_first_not_of("0123456789", first + 1);
  const std::string_view release = number.substr(0, second);
  const bool is_number = release.size() > first + 1 &&
                         release.find_first_not_of("0123456789.") == std::string_view::npos;
  return is_number ? std::string(release) : std::string();
}

std::string sbatch_release() {
  constexpr int patience_ms = 5'000;
  slurm::ProcessRequest request;
  request.argv = {"sbatch", "--version"};
  request.deadline_ms = patience_ms;
  const auto said = slurm::run_process(request);
  return said && said->exit_code == 0 ? release_of(said->out) : std::string();
}

Error become_sbatch(const SubmitJob& job, const Route& route) {
  if (job.piped && !put_back(*job.piped, job.piped_descriptor)) {
    return Error{ErrorKind::broken, "the script cannot be handed on: no memory for it", ""};
  }
  if (!route.slurm_conf.empty()) setenv("SLURM_CONF", route.slurm_conf.c_str(), 1);
  // Of another slurmdbd, it is not known there.
  if (!route.slurm_conf.empty() && !route.is_named) unsetenv("SLURM_CLUSTERS");
  std::vector<std::string> line = sbatch_line(job, route);
  std::vector<char*> pointers;
  for (std::string& word : line) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  execvp("sbatch", pointers.data());
  const std::string why = std::strerror(errno);
  return Error{ErrorKind::broken,
               "sbatch cannot be run: " + why + "; it has to be in a folder of PATH", ""};
}

}  // namespace asbb::cli
