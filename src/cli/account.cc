#include <algorithm>
#include <ostream>
#include <variant>

#include "api/json_writer.h"
#include "base/text.h"
#include "cli/account_budgets.h"
#include "cli/account_slurm.h"
#include "cli/account_tree.h"
#include "cli/account_view.h"
#include "cli/commands.h"

namespace asbb::cli {
namespace {

struct CreateFlags {
  std::string name;
  std::string account;
  BudgetFlags budgets;
  std::string parent;
  std::string description;
  std::optional<std::string> hold_percentage;
  std::string aliases;
  std::vector<std::string> owners;
  AccountSlurmFlags slurm;
};

std::vector<std::string> split_names(const std::string& list) {
  std::vector<std::string> names;
  for (std::size_t at = 0; at < list.size();) {
    const std::size_t comma = std::min(list.find(',', at), list.size());
    names.push_back(list.substr(at, comma - at));
    at = comma + 1;
  }
  return names;
}

// Of a flag that may be given several times; "" alone means none.
std::vector<std::string> split_all(const std::vector<std::string>& lists) {
  std::vector<std::string> names;
  for (const std::string& list : lists) {
    for (std::string& name : split_names(list)) names.push_back(std::move(name));
  }
  return names;
}

Result<api::AccountCreate> read_creation(const CreateFlags& flags) {
  api::AccountCreate request;
  request.slurm_account = flags.account.empty() ? flags.name : flags.account;
  request.name = flags.name;
  request.description = flags.description;
  request.parent = flags.parent;
  request.aliases = split_names(flags.aliases);
  request.owners = split_all(flags.owners);
  if (flags.hold_percentage) {
    const auto factor = read_limit("--hold-percentage", *flags.hold_percentage);
    if (!factor) return tl::unexpected(factor.error());
    request.hold_percentage = *factor;
  }
  auto budgets = read_budgets(flags.budgets);
  if (!budgets) return tl::unexpected(budgets.error());
  request.budgets = std::move(*budgets);
  if (flags.slurm.names_anything() && !flags.slurm.is_wanted) {
    return fail(ErrorKind::invalid,
                "--user, --slurm-limit and --slurm-cluster are for Slurm's account: --slurm is "
                "missing");
  }
  return request;
}

void warn_of(const Context& context, const api::Account& account) {
  for (const api::Budget& made : account.budgets) {
    if (made.end_date <= context.now()) {
      context.warn("the period of this budget is over: it ended on " +
                   asbb::to_string(made.last_day) + ", so no job can hold against it");
    }
  }
  for (const std::string& warning : account.warnings) context.warn(warning);
}

// The whole command again: what is there already stays, the rest is made.
std::string completing_line(const CreateFlags& flags) {
  std::vector<std::string> words{"asbb", "account", "create", "--name=" + flags.name};
  const auto add = [&](const std::string& flag, const std::string& value) {
    if (!value.empty()) words.push_back(flag + "=" + value);
  };
  const auto add_all = [&](const std::string& flag, const std::vector<std::string>& values) {
    for (const std::string& value : values) add(flag, value);
  };
  add("--account", flags.account);
  add("--parent", flags.parent);
  add("--description", flags.description);
  add_all("--budget", flags.budgets.budgets);
  add("--start", flags.budgets.start.value_or(""));
  add("--end", flags.budgets.end.value_or(""));
  add_all("--period", flags.budgets.periods);
  add("--unit", flags.budgets.unit);
  words.emplace_back("--slurm");
  add_all("--user", flags.slurm.users);
  add_all("--slurm-limit", flags.slurm.limits);
  add_all("--slurm-cluster", flags.slurm.clusters);
  return shell_line(words);
}

// What an account that is there has and was not asked for; empty when it is the one that is meant.
std::string difference(const api::Account& account, const api::AccountCreate& request) {
  if (account.parent != request.parent) {
    return "it is " + (account.parent.empty() ? "below no other" : "below " + account.parent);
  }
  for (const api::NewBudget& wanted : request.budgets) {
    const auto is_it = [&](const api::Budget& budget) {
      const Day* first = std::get_if<Day>(&wanted.start_date);
      const bool is_unit = wanted.unit.empty() || wanted.unit == budget.unit;
      return is_unit && budget.granted == wanted.limit &&
             (first == nullptr || *first == budget.first_day);
    };
    if (std::none_of(account.budgets.begin(), account.budgets.end(), is_it)) {
      return "it has no budget of " + to_display(wanted.limit, wanted.unit);
    }
  }
  return {};
}

// The one that was made, or that an earlier run had made.
api::Reply<api::Account> create_or_find(Context& context, const CreateFlags& flags,
                                        const api::AccountCreate& request) {
  auto made = context.call<api::Account>("POST", "/api/v1/accounts", api::to_json(request));
  if (made || !flags.slurm.is_wanted || made.error().status != 409) return made;
  auto found = context.call<api::Account>("GET", account_path(request.slurm_account));
  if (!found || found->slurm_account != request.slurm_account) return made;
  const std::string other = difference(*found, request);
  if (other.empty()) return found;
  api::Problem problem = made.error();
  problem.message += " Nothing is changed: " + other + ". 'asbb account update' changes that.";
  return tl::unexpected(problem);
}

int create_with_slurm(Context& context, const CreateFlags& flags,
                      const api::AccountCreate& request) {
  const auto settings = context.settings();
  if (!settings) return exit_failed;
  const std::string description = flags.description.empty() ? flags.name : flags.description;
  const auto plans = plan_slurm_account(*settings, flags.slurm,
                                        {request.slurm_account, flags.parent, description});
  if (!plans) {
    const bool is_misuse = plans.error().kind == ErrorKind::invalid;
    return is_misuse ? context.misused(plans.error().message) : context.failed(plans.error());
  }
  const auto account = create_or_find(context, flags, request);
  if (!account) return context.failed(account.error());
  warn_of(context, *account);
  for (const SlurmAccountPlan& plan : *plans) warn_of_unknown_users(context, plan.changes);
  if (context.wants_table()) context.out() << harmless_lines(creation_sentence(*account)) << "\n";
  std::vector<ShownChange> shown;
  const int code = make_slurm_account(context, *plans, completing_line(flags), shown);
  if (context.wants_table()) {
    std::erase_if(shown, [](const ShownChange& one) { return one.state != "made"; });
    context.out() << (shown.empty() ? "Slurm: nothing was missing there.\n" : "Made in Slurm:\n");
    print_changes(context, shown);
  } else if (context.flags.output == "csv") {
    print_for_programs(context, shown);
  } else {
    context.out() << R"({"account":)" << api::to_json(*account) << R"(,"slurm":)"
                  << changes_json(shown) << "}\n";
  }
  return code;
}

int create(Context& context, const CreateFlags& flags) {
  const auto request = read_creation(flags);
  if (!request) return context.misused(request.error().message);
  if (flags.slurm.is_wanted) return create_with_slurm(context, flags, *request);
  const auto account =
      context.call<api::Account>("POST", "/api/v1/accounts", api::to_json(*request));
  if (!account) return context.failed(account.error());
  warn_of(context, *account);
  return context.done(creation_sentence(*account), api::to_json(*account));
}

struct UpdateFlags {
  std::string account;
  std::optional<std::string> name;
  std::optional<std::string> description;
  std::optional<std::string> parent;
  std::optional<std::string> status;
  std::optional<std::string> hold_percentage;
  std::string unit;
  std::optional<std::string> budget;
  std::optional<std::string> start;
  std::optional<std::string> end;
  std::optional<std::string> credit;
  std::optional<std::string> aliases;
  std::vector<std::string> owners;
  std::optional<std::string> carry_over;
  std::optional<std::string> may_convert;
  std::string reason;
};

Result<api::AccountUpdate> read_update(const UpdateFlags& flags) {
  api::AccountUpdate out;
  out.name = flags.name;
  out.description = flags.description;
  out.parent = flags.parent;
  out.status = flags.status;
  out.unit = flags.unit;
  out.reason = flags.reason;
  if (flags.hold_percentage) {
    const auto factor = read_limit("--hold-percentage", *flags.hold_percentage);
    if (!factor) return tl::unexpected(factor.error());
    out.hold_percentage = *factor;
  }
  if (flags.budget) {
    const auto limit = read_limit("--budget", *flags.budget);
    if (!limit) return tl::unexpected(limit.error());
    out.budget_limit = *limit;
  }
  if (flags.credit) {
    const auto credit = read_limit("--credit-limit", *flags.credit);
    if (!credit) return tl::unexpected(credit.error());
    out.credit_limit = *credit;
  }
  if (flags.carry_over) {
    if (auto fault = carry_over_fault(*flags.carry_over)) return tl::unexpected(*fault);
    out.carry_over = *flags.carry_over;
  }
  if (flags.may_convert) out.may_convert = *flags.may_convert == "yes";
  if (flags.aliases) out.aliases = split_names(*flags.aliases);
  if (!flags.owners.empty()) out.owners = split_all(flags.owners);
  for (const auto& [text, target] :
       {std::pair{&flags.start, &out.start_date}, std::pair{&flags.end, &out.end_date}}) {
    if (!*text) continue;
    const auto date = api::parse_date(**text);
    if (!date) {
      const std::string flag = text == &flags.start ? "--start: " : "--end: ";
      return fail(ErrorKind::invalid, flag + date.error().message);
    }
    *target = *date;
  }
  api::AccountUpdate nothing;
  nothing.unit = out.unit;
  nothing.reason = out.reason;
  if (out == nothing) {
    return fail(ErrorKind::invalid,
                "what is to change in account " + in_quotes(flags.account) +
                    " was not said: --budget, --start, --end, --status, --parent, --name, "
                    "--description, --owner or --hold-percentage" +
                    (flags.unit.empty() ? "" : "; --unit alone only says which budget is meant"));
  }
  return out;
}

int update(Context& context, const UpdateFlags& flags) {
  const auto request = read_update(flags);
  if (!request) return context.misused(request.error().message);
  const auto account =
      context.call<api::Account>("PUT", account_path(flags.account), api::to_json(*request));
  if (!account) return context.failed(account.error());
  for (const std::string& warning : account->warnings) context.warn(warning);
  if (!context.wants_table()) return show_account(context, *account, {});
  context.out() << "Account " << harmless(account->slurm_account) << " updated.\n\n";
  return show_account(context, *account, {});
}

int show(Context& context, const std::string& name) {
  const auto account = context.call<api::Account>("GET", account_path(name));
  if (!account) return context.failed(account.error());
  std::vector<api::OpenHold> holds;
  if (context.wants_table()) {
    auto found = context.call<std::vector<api::OpenHold>>("GET", account_path(name) + "/holds");
    if (!found) return context.failed(found.error());
    holds = std::move(*found);
  }
  for (const std::string& warning : account->warnings) context.warn(warning);
  return show_account(context, *account, holds);
}

int list(Context& context, const std::string& status) {
  const auto accounts = all_accounts(context, status);
  if (!accounts) return context.failed(accounts.error());
  return context.show(context.wants_table() ? accounts_table(*accounts) : accounts_csv(*accounts),
                      api::to_json(*accounts),
                      status.empty() ? no_accounts_sentence() : "No account is " + status + ".");
}

int remove(Context& context, const std::string& name) {
  const auto before = context.call<api::Account>("GET", account_path(name));
  if (!before) return context.failed(before.error());
  if (before->status == "closed") return context.done("Account " + name + " was closed already.");
  const auto answer = context.call_without_body("DELETE", account_path(name));
  if (!answer) return context.failed(answer.error());
  std::string said = "Account " + name + " is closed; its transactions stay.";
  if (before->open_holds > 0) {
    said += before->open_holds == 1
                ? " Its open hold stays until its job ends, which is charged to it"
                : " Its " + std::to_string(before->open_holds) +
                      " open holds stay until their jobs end, which are charged to it";
    said += ": 'asbb account show " + name + "' lists them.";
  }
  return context.done(said);
}

struct LimitFlags {
  std::string account;
  std::string partition;
  std::string limit;
  std::string unit;
  std::string reason;
};

int set_limit(Context& context, const LimitFlags& flags) {
  const auto limit = read_limit("--limit", flags.limit);
  if (!limit) return context.misused(limit.error().message);
  const api::PartitionLimitSet request{*limit, flags.unit, flags.reason};
  const auto account = context.call<api::Account>(
      "PUT",
      account_path(flags.account) + "/partition-limits/" + api::percent_encode(flags.partition),
      api::to_json(request));
  if (!account) return context.failed(account.error());
  for (const std::string& warning : account->warnings) context.warn(warning);
  return context.done(limit_sentence(*account, flags.partition, flags.unit),
                      api::to_json(*account));
}

void add_create(Command& account, Context& context) {
  auto flags = std::make_shared<CreateFlags>();
  account.add("create", "Creates an account, with its budgets.")
      .take({"--name", "NAME", "The Slurm account; a name for people when --account is given.",
             Presence::required},
            flags->name)
      .take({"--account", "ACCOUNT", "The Slurm account, when --name is a name for people."},
            flags->account)
      .take({"--budget", "AMOUNT",
             "What it may spend from --start to --end: 50000, or with its unit, 50000USD or "
             "100000core-hours."},
            Repeated{&flags->budgets.budgets})
      .take({"--start", "YYYY-MM-DD", "The first day of these budgets."}, flags->budgets.start)
      .take({"--end", "YYYY-MM-DD", "The last day of these budgets, included."}, flags->budgets.end)
      .take({"--period", "FIRST..LAST:AMOUNT",
             "A budget for other days: 2026-01-01..2026-12-31:60000USD."},
            Repeated{&flags->budgets.periods})
      .take({"--unit", "UNIT", "What amounts without a unit are counted in; the service's."},
            flags->budgets.unit)
      .take({"--parent", "ACCOUNT", "The account above it, whose limits it must fit too."},
            flags->parent)
      .take({"--description", "TEXT", "What it is for."}, flags->description)
      .take({"--carry-over", "PART",
             "What of the rest goes into the next budget at its end: none, all, or N%."},
            flags->budgets.carry_over)
      .take({"--hold-percentage", "FACTOR",
             "What is set aside for a job is its estimate times this, such as 1.2."},
            flags->hold_percentage)
      .take({"--credit-limit", "AMOUNT",
             "What running jobs may use beyond the limit; never for holds."},
            flags->budgets.credit_limit)
      .take({"--alias", "NAMES",
             "Other names by which programs know it, such as an AWS account id; with commas."},
            flags->aliases)
      .take({"--owner", "NAME_OR_MAIL",
             "A user who may read its figures, or a mail address; alerts of the account go there."},
            Repeated{&flags->owners})
      .take({"--slurm", "", "Makes the Slurm account and its users too, with sacctmgr."},
            flags->slurm.is_wanted)
      .take({"--user", "NAMES", "A user of the Slurm account; several with commas."},
            Repeated{&flags->slurm.users})
      .take({"--slurm-limit", "CLUSTER:NAME=VALUE",
             "A limit of Slurm's there, such as cloud:MaxJobs=10; without CLUSTER on each."},
            Repeated{&flags->slurm.limits})
      .take({"--slurm-cluster", "CLUSTER", "Only on this one of the settings' clusters."},
            Repeated{&flags->slurm.clusters})
      .note(
          "The account and all its budgets are made, or nothing is. 'asbb account update' adds "
          "further budgets later; 'asbb account import' makes many accounts from a file.")
      .note(
          "With --slurm, what Slurm could refuse is looked at first; then the ledger makes its "
          "account, then Slurm does. What is missing after that is said with the command that "
          "completes it, which is the same one: what is there already stays.")
      .example("asbb account create --name='ML project' --account=ml-001 --alias=123456789012")
      .example(
          "asbb account create --name=proj001 --budget=50 --start=2025-01-01 "
          "--end=2025-12-31")
      .example(
          "asbb account create --name=r01 --period=2025-01-01..2025-12-31:50000USD --owner=alice")
      .example(
          "asbb account create --name=proj002 --slurm --user=alice "
          "--slurm-limit=cloud:MaxJobs=10")
      .action([&context, flags] { return create(context, *flags); });
}

void add_update(Command& account, Context& context) {
  auto flags = std::make_shared<UpdateFlags>();
  account.add("update", "Changes an account, or one of its budgets.")
      .take({"ACCOUNT", "", "The Slurm account.", Presence::required}, flags->account)
      .take({"--name", "NAME", "A name for people."}, flags->name)
      .take({"--description", "TEXT", "What it is for."}, flags->description)
      .take({"--parent", "ACCOUNT", "The account above it; \"\" for none."}, flags->parent)
      .take({"--status",
             "STATUS",
             "An inactive or suspended account holds nothing more.",
             Presence::optional,
             {"active", "inactive", "suspended"}},
            flags->status)
      .take({"--hold-percentage", "FACTOR", "Estimate times this is set aside."},
            flags->hold_percentage)
      .take({"--budget", "AMOUNT",
             "What the budget in force is granted; what was carried over comes on top."},
            flags->budget)
      .take({"--start", "YYYY-MM-DD", "Its first day."}, flags->start)
      .take({"--end", "YYYY-MM-DD", "Its last day, included."}, flags->end)
      .take({"--unit", "UNIT",
             "Which budget: the one counted in this; needed where there are several."},
            flags->unit)
      .take({"--credit,--credit-limit", "AMOUNT",
             "What running jobs may use beyond its limit; never for holds."},
            flags->credit)
      .take({"--carry-over", "PART",
             "What of its rest goes into the next budget at its end: none, all, or N%."},
            flags->carry_over)
      .take({"--may-convert",
             "YES",
             "Whether 'asbb convert' may pay one of its units with another.",
             Presence::optional,
             {"yes", "no"}},
            flags->may_convert)
      .take(
          {"--alias,--aliases", "NAMES", "Other names for the account, by commas; \"\" for none."},
          flags->aliases)
      .take({"--owner", "NAME_OR_MAIL", "Who owns it from now on, all of them; \"\" for nobody."},
            Repeated{&flags->owners})
      .take({"--reason", "TEXT", "Why; it is kept in the ledger."}, flags->reason)
      .note(
          "With --budget, --start and --end the budget that these days overlap is changed; when "
          "they overlap none, a new budget is added: for the next year, or in another unit.")
      .example("asbb account update proj001 --budget=75 --reason='supplement of June'")
      .action([&context, flags] { return update(context, *flags); });
}

void add_set_limit(Command& account, Context& context) {
  auto flags = std::make_shared<LimitFlags>();
  account.add("set-limit", "Limits what an account may spend on one partition.")
      .take({"ACCOUNT", "", "The Slurm account.", Presence::required}, flags->account)
      .take({"--partition", "PARTITION", "Which partition.", Presence::required}, flags->partition)
      .take({"--limit", "AMOUNT", "At most this, held and used together.", Presence::required},
            flags->limit)
      .take({"--unit", "UNIT",
             "Which budget: the one counted in this; needed where there are several."},
            flags->unit)
      .take({"--reason", "TEXT", "Why; it is kept in the ledger."}, flags->reason)
      .example("asbb account set-limit proj001 --partition=gpu-aws --limit=20")
      .action([&context, flags] { return set_limit(context, *flags); });
}

}  // namespace

void add_account(Command& root, Context& context) {
  Command account = root.add("account", "Accounts, their budgets and limits.");
  auto status = std::make_shared<std::string>();
  account.add("list", "Lists the accounts with the budgets in force.")
      .take({"--status",
             "STATUS",
             "Those alone; all that are not closed when left out.",
             Presence::optional,
             {"active", "inactive", "suspended", "closed"}},
            *status)
      .example("asbb account list --output=csv")
      .action([&context, status] { return list(context, *status); });
  add_create(account, context);
  auto shown = std::make_shared<std::string>();
  account.add("show", "Shows an account: budgets, partition limits, open holds.")
      .take({"ACCOUNT", "", "The Slurm account.", Presence::required}, *shown)
      .example("asbb account show proj001")
      .action([&context, shown] { return show(context, *shown); });
  add_update(account, context);
  auto removed = std::make_shared<std::string>();
  account.add("delete", "Closes an account; its transactions stay.")
      .take({"ACCOUNT", "", "The Slurm account.", Presence::required}, *removed)
      .note("A closed account holds nothing more. Jobs that run are still charged to it.")
      .example("asbb account delete proj001")
      .action([&context, removed] { return remove(context, *removed); });
  add_set_limit(account, context);
  add_account_tree(account, context);
  add_account_import(account, context);
}

}  // namespace asbb::cli
