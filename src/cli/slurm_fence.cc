#include "cli/slurm_fence.h"

#include <algorithm>
#include <ostream>

#include "base/text.h"
#include "cli/account_tree.h"
#include "cli/account_view.h"
#include "cli/slurm_accounts.h"
#include "pricing/billing_weights.h"
#include "slurm/cluster_view_commands.h"
#include "slurm/key_values.h"

namespace asbb::cli {
namespace {

constexpr std::int64_t fence_micros = 1'000'000;
constexpr const char* fence_limit = "GrpTRESMins";

struct FenceFlags {
  std::string cluster;
  std::string unit;
  std::vector<std::string> accounts;  // empty: all of the ledger
  bool remove = false;
  bool dry_run = false;
};

// What one unit is in Slurm's minutes there.
struct FenceMeasure {
  std::string unit;
  std::string tres;        // "billing"
  std::int64_t scale = 1;  // of it for one unit and hour
};

std::string spaceless(std::string text) {
  std::erase_if(text, [](char c) { return c == ' ' || c == '"'; });
  return to_lower(text);
}

// The scale by which the partition's weights are those of its price; nothing when they are not.
std::optional<std::int64_t> scale_of(const pricing::Rate& rate, const std::string& weights) {
  for (std::int64_t scale = 1; scale <= fence_micros; scale *= 10) {
    const std::string text = pricing::billing_weights(rate, scale).text();
    if (!text.empty() && spaceless(text) == spaceless(weights)) return scale;
  }
  return std::nullopt;
}

// A price of 1 for a CPU and nothing else is what Slurm counts in CPU minutes anyway.
bool is_core_hours(const pricing::Rate& rate) {
  return rate.basis == pricing::Basis::tres && rate.per_core_hour == Micros(fence_micros) &&
         rate.per_gb_hour.is_zero() && rate.per_node_hour.is_zero() && rate.per_gpu_hour.empty() &&
         rate.per_instance_hour.empty();
}

Result<FenceMeasure> measure_of(const pricing::PriceBook& book,
                                const slurm::ClusterSnapshot& cluster, const std::string& unit) {
  std::map<std::string, std::vector<const slurm::PartitionInfo*>> by_unit;
  for (const slurm::PartitionInfo& partition : cluster.partitions) {
    const pricing::Rate* rate = book.find_priced(cluster.cluster, partition.name);
    if (rate != nullptr) by_unit[rate->unit].push_back(&partition);
  }
  std::string wanted = unit;
  if (wanted.empty() && by_unit.size() == 1) wanted = by_unit.begin()->first;
  const auto found = by_unit.find(wanted);
  if (found == by_unit.end()) {
    std::vector<std::string> units;
    for (const auto& [name, partitions] : by_unit) units.push_back(name);
    return fail(ErrorKind::invalid,
                "--unit: partitions of cluster " + cluster.cluster +
                    (units.empty() ? " have no price" : " are priced in " + listed(units)) +
                    (unit.empty() ? "; one is to be named" : ", not in " + in_quotes(unit)));
  }
  FenceMeasure measure{wanted, "cpu", 1};
  const auto rate_of = [&](const slurm::PartitionInfo* partition) {
    return book.find_priced(cluster.cluster, partition->name);
  };
  const bool are_core_hours =
      by_unit.size() == 1 && std::all_of(found->second.begin(), found->second.end(),
                                         [&](auto* one) { return is_core_hours(*rate_of(one)); });
  if (are_core_hours) return measure;
  measure.tres = "billing";
  measure.scale = 0;
  for (const slurm::PartitionInfo* partition : found->second) {
    const auto scale = scale_of(*rate_of(partition), partition->billing_weights);
    if (scale && (measure.scale == 0 || measure.scale == *scale)) {
      measure.scale = *scale;
      continue;
    }
    return fail(ErrorKind::conflict,
                "partition " + partition->name + " of cluster " + cluster.cluster +
                    " has TRESBillingWeights=" + in_quotes(partition->billing_weights) +
                    ", which are not those of its price: 'asbb slurm configure --clusters=" +
                    cluster.cluster + " --write' makes them");
  }
  return measure;
}

// Minutes used until now by account, in lower case, as slurmctld has them for its limits.
std::map<std::string, std::int64_t> read_fence_usage(std::string_view text,
                                                     const std::string& tres) {
  std::map<std::string, std::int64_t> usage;
  for (const std::string_view line : split(text, '\n')) {
    const slurm::KeyValues values = slurm::parse_key_values(line);
    const auto account = values.find("Account");
    const auto user = values.find("UserName");
    const auto minutes = values.find(fence_limit);
    if (account == values.end() || minutes == values.end()) continue;
    if (user != values.end() && !user->second.empty()) continue;
    for (const std::string_view one : split(minutes->second, ',')) {
      const std::size_t open = one.find('(');
      if (!one.starts_with(tres + "=") || open == std::string_view::npos) continue;
      const std::string_view digits =
          one.substr(open + 1, one.find_first_of(".)", open) - open - 1);
      usage[to_lower(account->second)] = parse_count(digits).value_or(0);
    }
  }
  return usage;
}

bool is_below_budget_in_force(const std::vector<api::Account>& accounts,
                              const api::Account& account, const std::string& unit) {
  std::string above = account.parent;
  for (std::size_t steps = 0; !above.empty() && steps < accounts.size(); ++steps) {
    const auto found = std::find_if(accounts.begin(), accounts.end(),
                                    [&](const auto& one) { return one.slurm_account == above; });
    if (found == accounts.end()) return false;
    if (budget_in_force(*found, unit) != nullptr) return true;
    above = found->parent;
  }
  return false;
}

// What becomes of the limit of one account: left as it is, taken away, or set to so many minutes
// beyond those that are used.
struct Fence {
  enum class Kind { leave, remove, set };
  Kind kind = Kind::leave;
  std::int64_t minutes = 0;
};

// What Slurm may still let through, in minutes: limit less what is charged, since held money is for
// jobs that Slurm counts while they run. Between two periods that is nothing, unless an account
// above pays then.
Fence fence_of(const std::vector<api::Account>& accounts, const api::Account& account,
               const FenceMeasure& measure) {
  if (const api::Budget* budget = budget_in_force(account, measure.unit)) {
    const Micros left = std::max(Micros(), budget->limit - budget->used);
    const auto minutes = mul_div(left.count(), measure.scale * 60, fence_micros, Rounding::up);
    return minutes ? Fence{Fence::Kind::set, *minutes} : Fence{};
  }
  const bool has_others =
      std::any_of(account.budgets.begin(), account.budgets.end(),
                  [&](const api::Budget& budget) { return budget.unit == measure.unit; });
  if (!has_others) return {};
  if (is_below_budget_in_force(accounts, account, measure.unit)) return {Fence::Kind::remove, 0};
  return {Fence::Kind::set, 0};
}

class FenceBuilder {
 public:
  FenceBuilder(Context& context, const FenceFlags& flags, slurm::SlurmCluster cluster)
      : context_(context), flags_(flags), cluster_(std::move(cluster)) {}

  int run(const config::Config& settings) {
    if (const auto ready = prepare(settings); !ready) return context_.failed(ready.error());
    const auto accounts = all_accounts(context_);
    if (!accounts) return context_.failed(accounts.error());
    for (const std::string& name : flags_.accounts) {
      const bool is_known = std::any_of(accounts->begin(), accounts->end(),
                                        [&](const auto& one) { return has_name(one, name); });
      if (!is_known) {
        return context_.misused("--account: the ledger has no account " + in_quotes(name));
      }
    }
    for (const api::Account& account : *accounts) plan(*accounts, account);
    return show_and_set();
  }

 private:
  Result<void> prepare(const config::Config& settings) {
    slurm::ClusterViewCommands view(client_, {cluster_}, [] { return Instant(); });
    auto snapshot = view.read_cluster(cluster_.name);
    if (!snapshot) return tl::unexpected(snapshot.error());
    const std::string enforced = to_lower(snapshot->accounting_storage_enforce);
    if (enforced.find("safe") == std::string::npos && enforced != "all") {
      return fail(ErrorKind::conflict,
                  "cluster " + cluster_.name + " has AccountingStorageEnforce=" + enforced +
                      " without 'safe': jobs would run past GrpTRESMins. 'asbb slurm configure "
                      "--clusters=" +
                      cluster_.name + " --write' adds it");
    }
    const auto current = context_.call<api::PriceBook>("GET", "/api/v1/prices/current");
    if (!current) return fail(ErrorKind::unavailable, current.error().message);
    pricing::PriceBookDefaults defaults;
    defaults.time_zone = settings.service.timezone;
    const auto book = pricing::parse_price_book(current->text, "price book", defaults);
    if (!book) return tl::unexpected(book.error());
    auto measure = measure_of(*book, *snapshot, flags_.unit);
    if (!measure) return tl::unexpected(measure.error());
    measure_ = std::move(*measure);
    if (const auto sees = check_sees_all(client_, cluster_); !sees) return sees;
    auto tree = read_account_tree(client_, cluster_);
    if (!tree) return tl::unexpected(tree.error());
    there_ = std::move(*tree);
    const auto said = client_.run(cluster_, {"scontrol", "-o", "show", "assoc_mgr", "flags=assoc"});
    if (!said) return tl::unexpected(said.error());
    usage_ = read_fence_usage(*said, measure_.tres);
    return {};
  }

  void plan(const std::vector<api::Account>& accounts, const api::Account& account) {
    const auto& wanted = flags_.accounts;
    const bool is_wanted =
        wanted.empty() || std::any_of(wanted.begin(), wanted.end(), [&](const std::string& name) {
          return has_name(account, name);
        });
    if (!is_wanted) return;
    const Fence fence =
        flags_.remove ? Fence{Fence::Kind::remove, 0} : fence_of(accounts, account, measure_);
    if (fence.kind == Fence::Kind::leave) return;
    std::vector<std::string> names{to_lower(account.slurm_account)};
    for (const std::string& alias : account.aliases) names.push_back(to_lower(alias));
    std::erase_if(names, [&](const std::string& name) { return !plan(name, fence); });
    if (names.size() > 1 && fence.kind == Fence::Kind::set) shared_.push_back(joined(names, ", "));
  }

  // Whether the cluster has the account.
  bool plan(const std::string& name, const Fence& fence) {
    const auto found = there_.accounts.find(name);
    if (found == there_.accounts.end()) return false;
    slurm::TreeAccount fenced = found->second;
    fenced.description.clear();
    fenced.organization.clear();
    slurm::Limit& limit = fenced.limits[fence_limit];
    limit.erase(measure_.tres);
    const std::int64_t used = usage_.contains(name) ? usage_.at(name) : 0;
    if (fence.kind == Fence::Kind::set) limit[measure_.tres] = used + fence.minutes;
    if (limit.empty()) fenced.limits.erase(fence_limit);
    wanted_.accounts[name] = std::move(fenced);
    return true;
  }

  int show_and_set() {
    slurm::FollowRules rules;
    rules.limits[fence_limit] = {slurm::LimitRule::Kind::copy, {}, {}};
    rules.existing = slurm::FollowRules::Existing::overwrite;
    // Accounts above that are not fenced are there all the same.
    auto changes = changes_between(wanted_, there_, rules);
    std::erase_if(changes, [](const auto& one) { return one.is_left(); });
    std::vector<ShownChange> shown;
    if (changes.empty() || flags_.dry_run) {
      append_changes(shown, cluster_.name, changes, "to do");
      return show(shown, changes.empty() ? exit_done : exit_differs);
    }
    if (context_.wants_table()) {
      append_changes(shown, cluster_.name, changes, "to do");
      print_changes(context_, shown);
      shown.clear();
    }
    const auto outcome = follow(client_, cluster_, wanted_, rules);
    append_outcome(shown, cluster_.name, changes, outcome);
    if (!context_.wants_table()) print_for_programs(context_, shown);
    if (!outcome.broken_off.empty() || !outcome.missing.empty()) {
      return say_incomplete(context_, cluster_.name, outcome,
                            "The same command, once more, goes on from here.");
    }
    if (context_.wants_table()) say_how_coarse();
    return exit_done;
  }

  int show(const std::vector<ShownChange>& shown, int code) {
    if (!context_.wants_table()) {
      print_for_programs(context_, shown);
      return code;
    }
    print_changes(context_, shown);
    if (shown.empty()) {
      context_.out() << "Nothing to do: no account of cluster " << cluster_.name
                     << " has another limit than this, or a budget in " << measure_.unit << ".\n";
    }
    say_how_coarse();
    return code;
  }

  void say_how_coarse() {
    if (flags_.remove) return;
    context_.out() << "\nThis fence is coarse. " << measure_.scale * 60 << " " << measure_.tres
                   << "-minutes stand for 1 " << measure_.unit
                   << ". It is of this moment: later\ndeposits, charges and transfers are not in "
                      "it until it is set again. Runs that\nare not charged yet count once more; "
                      "what Slurm has used fades by its\nPriorityDecayHalfLife, and so does the "
                      "fence. The ledger stays the judge.\n";
    for (const std::string& names : shared_) {
      context_.out() << "Behind it each of " << harmless(names)
                     << " has all that is left of their one budget:\nless would keep jobs from "
                        "money that is there.\n";
    }
  }

  Context& context_;
  const FenceFlags& flags_;
  slurm::SlurmCluster cluster_;
  slurm::SlurmCommands client_{sacctmgr_deadline_ms};
  FenceMeasure measure_;
  slurm::AccountTree there_;
  slurm::AccountTree wanted_;
  std::map<std::string, std::int64_t> usage_;
  std::vector<std::string> shared_;  // Slurm accounts of one budget
};

int fence(Context& context, const FenceFlags& flags) {
  const auto settings = context.settings();
  if (!settings) return exit_failed;
  auto cluster = settings_cluster(*settings, "--cluster", flags.cluster);
  if (!cluster) return context.misused(cluster.error().message);
  std::optional<OneWriter> writer;
  if (!flags.dry_run) writer.emplace(context, OneWriter::usual_patience);
  if (writer && !writer->is_alone()) return context.failed(another_writer());
  return FenceBuilder(context, flags, std::move(*cluster)).run(*settings);
}

}  // namespace

void add_slurm_fence(Command& slurm, Context& context) {
  auto flags = std::make_shared<FenceFlags>();
  slurm.add("fence", "Sets what is left in the budgets as Slurm's own limits: a second fence.")
      .take({"--cluster", "CLUSTER", "On which cluster.", Presence::required}, flags->cluster)
      .take({"--unit", "UNIT", "Of the budgets; needed when the cluster's prices have several."},
            flags->unit)
      .take({"--account", "ACCOUNT", "Only of this account of the ledger."},
            Repeated{&flags->accounts})
      .take({"--remove", "", "Takes the fence away again."}, flags->remove)
      .take({"--dry-run", "", "Shows what would be set; the exit code is 4 when it is anything."},
            flags->dry_run)
      .note(
          "GrpTRESMins of each account becomes what Slurm has counted until now plus what is left "
          "of the budget in force, or nothing after its end: in billing-minutes where the "
          "partitions' TRESBillingWeights are "
          "those of the prices, in CPU minutes where a core-hour is all that is paid. Needs "
          "AccountingStorageEnforce with safe.")
      .note(
          "It is coarse, says so, and is for the time in which the budget service is away: it "
          "does not follow the ledger by itself.")
      .example("asbb slurm fence --cluster=cloud --unit=USD --dry-run")
      .action([&context, flags] { return fence(context, *flags); });
}

}  // namespace asbb::cli
