#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <ostream>

#include "api/json_writer.h"
#include "cli/commands.h"

namespace asbb::cli {
namespace {

int init(Context& context, const std::string& named) {
  const std::string text = config::default_config_text();
  if (named == "-") {
    context.out() << text;
    return exit_done;
  }
  std::string path = named.empty() ? context.flags.config : named;
  if (path.empty()) path = config::default_path;
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  if (file < 0) {
    if (errno == EEXIST) {
      return context.failed(Error{ErrorKind::conflict,
                                  "'" + path +
                                      "' exists and is left as it is; 'asbb config init "
                                      "FILE' writes another, - writes to the terminal",
                                  {}});
    }
    return context.failed(Error{
        ErrorKind::unavailable, "'" + path + "' cannot be written: " + std::strerror(errno), {}});
  }
  const ssize_t written = write(file, text.data(), text.size());
  if (close(file) != 0 || written != static_cast<ssize_t>(text.size())) {
    unlink(path.c_str());
    return context.failed(
        Error{ErrorKind::unavailable, "'" + path + "' cannot be written: the disk is full", {}});
  }
  return context.done("Wrote " + path + " with every setting and its default.");
}

std::string problems_json(const config::Problems& problems) {
  api::JsonWriter out;
  out.begin_object();
  out.key("ok");
  out.flag(problems.empty());
  out.key("problems");
  out.begin_array();
  for (const std::string& problem : problems) out.text(problem);
  out.end_array();
  out.end_object();
  return out.take();
}

int validate(Context& context, const std::string& named) {
  const std::string asked = named.empty() ? context.flags.config : named;
  const std::string file = config::config_file(asked, context.environment());
  const auto loaded = config::load_config(asked, context.environment(), config::Files::looked_at);
  const config::Problems problems = loaded ? config::Problems{} : loaded.error();
  const int code = problems.empty() ? exit_done : exit_failed;
  if (context.flags.output == "json") {
    context.out() << problems_json(problems) << "\n";
    return code;
  }
  for (const std::string& problem : problems) context.err() << harmless_lines(problem) << "\n";
  if (!problems.empty()) return code;
  return context.done(file.empty() ? "There is no settings file; the defaults are in force."
                                   : file + " is right.");
}

int show(Context& context) {
  const auto settings = context.settings();
  if (!settings) return exit_failed;
  if (context.wants_table()) {
    context.out() << config::show_config(*settings);
    return exit_done;
  }
  Table table({{"", "setting"}, {"", "value"}});
  api::JsonWriter json;
  json.begin_object();
  for (const auto& [name, value] : config::flat_config(*settings)) {
    table.add({name, value});
    json.key(name);
    json.text(value);
  }
  json.end_object();
  return context.show(table, json.take());
}

}  // namespace

void add_config(Command& root, Context& context) {
  Command config = root.add("config", "The settings file.");
  auto written = std::make_shared<std::string>();
  config.add("init", "Writes a settings file with every setting, its meaning and its default.")
      .take({"FILE", "",
             "Where to; --config or /etc/asbb/config.yaml when left out, - is the "
             "terminal."},
            *written)
      .example("asbb config init -")
      .action([&context, written] { return init(context, *written); });
  auto checked = std::make_shared<std::string>();
  config.add("validate", "Says everything that is wrong with a settings file, with its lines.")
      .take({"FILE", "", "Which; the one in use when left out."}, *checked)
      .example("asbb config validate examples/config.yaml")
      .action([&context, checked] { return validate(context, *checked); });
  config.add("show", "Shows the settings in force, file and environment together.")
      .action([&context] { return show(context); });
}

}  // namespace asbb::cli
