#include "cli/slurm_accounts.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <ostream>
#include <thread>

#include "api/json_writer.h"
#include "base/text.h"
#include "slurm/operator_proof.h"
#include "slurm/user_names.h"

namespace asbb::cli {
namespace {

using slurm::TreeChange;
using What = TreeChange::What;

constexpr std::size_t sentences_max = 20;

std::string count_of(std::size_t count, const std::string& noun) {
  return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

// The description of an account that is added, the default account of a user who is.
bool is_part_of_another(const TreeChange& change, const std::vector<TreeChange>& changes) {
  return std::any_of(changes.begin(), changes.end(), [&](const TreeChange& other) {
    if (other.is_left() || other.account != change.account) return false;
    if (change.what == What::describe) return other.what == What::add_account;
    return change.what == What::set_default && other.what == What::add_user && other.is_default &&
           other.user == change.user;
  });
}

std::string what_text(const TreeChange& change) {
  if (change.what == What::set_limit || change.what == What::describe) return change.field;
  if (change.what == What::add_user && change.is_default) return "add user, default";
  return to_string(change.what);
}

std::string sentence_of(const TreeChange& change) {
  std::string text = what_text(change) + " " + change.account;
  if (!change.user.empty()) text = what_text(change) + " " + change.user + " in " + change.account;
  return text;
}

bool is_same(const TreeChange& a, const TreeChange& b) {
  return a.what == b.what && a.account == b.account && a.user == b.user && a.field == b.field;
}

std::vector<std::pair<std::string, std::string>> fields_of(const ShownChange& shown) {
  const TreeChange& change = shown.change;
  return {{"cluster", shown.cluster},  {"change", to_string(change.what)},
          {"account", change.account}, {"user", change.user},
          {"field", change.field},     {"now", change.now},
          {"then", change.then},       {"state", shown.state},
          {"why", change.why_left}};
}

}  // namespace

OneWriter::OneWriter(const Context& context, Span patience) : descriptor_(-1), is_alone_(true) {
  constexpr auto pause = std::chrono::milliseconds(50);
  const std::string file = config::config_file(context.flags.config, context.environment());
  if (!file.empty()) descriptor_ = open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor_ < 0) return;
  const auto until =
      std::chrono::steady_clock::now() + std::chrono::microseconds(patience.microseconds);
  while (flock(descriptor_, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    if (std::chrono::steady_clock::now() >= until) {
      is_alone_ = false;
      return;
    }
    std::this_thread::sleep_for(pause);
  }
}

OneWriter::~OneWriter() {
  if (descriptor_ >= 0) close(descriptor_);
}

Error another_writer(const std::string& cure) {
  return {ErrorKind::conflict, "another command is at work on Slurm's accounts. " + cure, {}};
}

Result<slurm::SlurmCluster> settings_cluster(const config::Config& settings,
                                             const std::string& flag, const std::string& name) {
  std::vector<std::string> names;
  for (const config::Cluster& cluster : settings.slurm.clusters) {
    if (cluster.name == name) return slurm::SlurmCluster{name, cluster.conf, cluster.bin_dir};
    names.push_back(cluster.name);
  }
  std::string message = flag + ": the settings have no cluster " + in_quotes(name);
  const std::string near = nearest(to_lower(name), names);
  if (!near.empty()) {
    message += "; did you mean '" + near + "'?";
  } else {
    message += names.empty() ? "; slurm.clusters lists none" : "; they have " + listed(names);
  }
  return fail(ErrorKind::invalid, message, flag);
}

Result<void> check_sees_all(slurm::SlurmClient& client, const slurm::SlurmCluster& cluster) {
  const auto proof =
      prove_operator(client, cluster, slurm::current_reader(), slurm::ProofFor::slurmdbd);
  if (proof.proven) return {};
  return fail(ErrorKind::denied, proof.text);
}

Result<std::map<std::string, slurm::LimitRule>> limit_rules(const config::Cluster& cluster) {
  using From = config::LimitRule::Kind;
  using To = slurm::LimitRule::Kind;
  std::map<std::string, slurm::LimitRule> rules;
  for (const auto& [name, rule] : cluster.limits) {
    const slurm::LimitName* limit = slurm::find_limit(name);
    if (limit == nullptr || rule.kind == From::keep) continue;
    slurm::LimitRule& out = rules[std::string(limit->name)];
    out.kind = rule.kind == From::copy ? To::copy : To::scale;
    out.factor = rule.factor;
    if (rule.kind != From::fixed) continue;
    const auto value = slurm::parse_limit(limit->kind, rule.value);
    if (!value) {
      return fail(ErrorKind::invalid, "slurm.clusters, cluster " + cluster.name + ": limits." +
                                          name + ": " + value.error().message);
    }
    out.kind = To::fixed;
    out.value = *value;
  }
  return rules;
}

void append_changes(std::vector<ShownChange>& shown, const std::string& cluster,
                    const std::vector<TreeChange>& changes, const std::string& state) {
  for (const TreeChange& change : changes) {
    if (is_part_of_another(change, changes)) continue;
    shown.push_back({cluster, change, change.is_left() ? "left" : state});
  }
}

void append_outcome(std::vector<ShownChange>& shown, const std::string& cluster,
                    const std::vector<TreeChange>& changes, const slurm::FollowOutcome& outcome) {
  const std::size_t first = shown.size();
  append_changes(shown, cluster, changes, "missing");
  for (std::size_t at = first; at < shown.size(); ++at) {
    const bool is_made =
        std::any_of(outcome.made.begin(), outcome.made.end(),
                    [&](const TreeChange& made) { return is_same(made, shown[at].change); });
    if (is_made && shown[at].state == "missing") shown[at].state = "made";
  }
}

void print_changes(const Context& context, const std::vector<ShownChange>& shown) {
  Table table({{"CLUSTER", ""},
               {"CHANGE", ""},
               {"ACCOUNT", "", Align::left, true},
               {"USER", "", Align::left, true},
               {"NOW", "", Align::left, true},
               {"THEN", "", Align::left, true}});
  std::size_t left = 0;
  for (const auto& [cluster, change, state] : shown) {
    left += change.is_left() ? 1 : 0;
    if (change.is_left()) continue;
    const auto cell = [](const std::string& text) { return text.empty() ? "-" : text; };
    table.add({cluster, what_text(change), change.account, cell(change.user), cell(change.now),
               cell(change.then)});
  }
  if (!table.is_empty()) context.out() << table.text();
  if (left == 0) return;
  context.out() << (table.is_empty() ? "" : "\n") << "Left as it is:\n";
  std::size_t said = 0;
  for (const auto& [cluster, change, state] : shown) {
    if (!change.is_left() || said == sentences_max) continue;
    ++said;
    context.out() << "  " << harmless(sentence_of(change) + ": " + change.why_left) << "\n";
  }
  if (left > said) {
    context.out() << "  and " << left - said << " more; --output=csv lists them all\n";
  }
}

std::string changes_json(const std::vector<ShownChange>& shown) {
  api::JsonWriter json;
  json.begin_array();
  for (const ShownChange& one : shown) {
    json.begin_object();
    for (const auto& [key, value] : fields_of(one)) json.key(key), json.text(value);
    json.end_object();
  }
  json.end_array();
  return json.take();
}

void print_for_programs(const Context& context, const std::vector<ShownChange>& shown) {
  std::vector<Column> columns;
  for (const auto& [key, value] : fields_of({})) columns.push_back({"", key});
  Table table(columns);
  for (const ShownChange& one : shown) {
    std::vector<std::string> cells;
    for (const auto& [key, value] : fields_of(one)) cells.push_back(value);
    table.add(std::move(cells));
  }
  static_cast<void>(context.show(table, changes_json(shown)));
}

int say_incomplete(const Context& context, const std::string& cluster,
                   const slurm::FollowOutcome& outcome, const std::string& cure) {
  std::ostream& err = context.err();
  for (std::size_t at = 0; at < std::min(outcome.said.size(), sentences_max); ++at) {
    err << "asbb: " << harmless(outcome.said[at]) << "\n";
  }
  if (!outcome.broken_off.empty()) {
    err << "asbb: slurmdbd of cluster " << cluster
        << " stopped answering: " << harmless(outcome.broken_off) << "\n"
        << count_of(outcome.made.size(), "change") << " had been made by then"
        << (outcome.made.empty() ? "" : ", the last: " + harmless(sentence_of(outcome.made.back())))
        << ". " << cure << "\n";
    return exit_failed;
  }
  err << "asbb: cluster " << cluster << ": " << count_of(outcome.missing.size(), "change")
      << " did not come about: ";
  std::vector<std::string> names;
  for (const TreeChange& change : outcome.missing) names.push_back(harmless(sentence_of(change)));
  err << listed(names) << ". " << cure << "\n";
  return exit_failed;
}

void warn_of_unknown_users(const Context& context, const std::vector<TreeChange>& changes) {
  std::vector<std::string> names;
  for (const TreeChange& change : changes) {
    if (change.what == What::add_user && !change.is_left()) names.push_back(change.user);
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  slurm::SystemUserNames known;
  known.learn(names);
  std::erase_if(names, [&](const std::string& name) { return known.known_id(name).has_value(); });
  if (names.empty()) return;
  context.warn("this machine knows no uid of " + listed(names) +
               ": Slurm takes them all the same, and they can submit where the controller knows "
               "them");
}

}  // namespace asbb::cli
