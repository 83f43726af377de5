// asbb account import: every line is checked against the file and the accounts there are before
// anything is changed, and all that is wrong is said at once. Then all of it is imported in one
// command of the ledger, or nothing. A line that is there already, in
// all it says, is left alone, so the same file may be imported again.
#include <algorithm>
#include <fstream>
#include <iterator>
#include <map>
#include <ostream>
#include <set>
#include <sstream>

#include "base/text.h"
#include "cli/account_tree.h"
#include "cli/commands.h"
#include "cli/csv_file.h"

namespace asbb::cli {
namespace {

const std::vector<std::string> import_columns = {
    "account", "name",       "description",  "parent",          "unit",    "budget", "start",
    "end",     "carry_over", "credit_limit", "hold_percentage", "aliases", "owners"};

// A budget of the file, and its line.
struct PlannedBudget {
  std::int64_t line = 0;
  api::NewBudget budget;
};

struct PlannedAccount {
  std::int64_t line = 0;
  api::AccountCreate account;
  std::vector<PlannedBudget> budgets;
};

class Import {
 public:
  Import(const std::vector<api::Account>& known, std::string default_unit)
      : default_unit_(std::move(default_unit)) {
    for (const api::Account& account : known) {
      known_[account.slurm_account] = &account;
      for (const std::string& alias : account.aliases) aliases_[alias] = account.slurm_account;
    }
  }

  void read(const std::vector<CsvRow>& rows) {
    if (rows.empty()) return complain(1, "the file is empty: its first line names the columns");
    read_header(rows.front());
    if (!problems_.empty()) return;
    for (auto row = rows.begin() + 1; row != rows.end(); ++row) read_row(*row);
    for (const auto& [name, planned] : planned_) check(planned);
    std::stable_sort(problems_.begin(), problems_.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
  }

  [[nodiscard]] std::vector<std::string> problems() const {
    std::vector<std::string> out;
    for (const auto& [line, text] : problems_) {
      out.push_back("line " + std::to_string(line) + ": " + text);
    }
    return out;
  }

  // Parents before those below them.
  [[nodiscard]] std::vector<const PlannedAccount*> in_order() const {
    std::vector<const PlannedAccount*> out;
    std::set<std::string> done;
    while (out.size() < planned_.size()) {
      const std::size_t before = out.size();
      for (const auto& [name, planned] : planned_) {
        const std::string& parent = planned.account.parent;
        const bool is_ready = !planned_.contains(parent) || done.contains(parent);
        if (!done.contains(name) && is_ready) {
          out.push_back(&planned);
          done.insert(name);
        }
      }
      if (out.size() == before) break;  // a circle, which check() has named
    }
    return out;
  }

  [[nodiscard]] const api::Account* known(const std::string& name) const {
    const auto found = known_.find(name);
    return found == known_.end() ? nullptr : found->second;
  }

  // The budget of the account that has that unit and period; null when there is none.
  [[nodiscard]] const api::Budget* same_period(const std::string& name,
                                               const api::NewBudget& budget) const {
    const api::Account* account = known(name);
    if (account == nullptr) return nullptr;
    for (const api::Budget& other : account->budgets) {
      if (other.unit == unit_of(budget) && other.first_day == std::get<Day>(budget.start_date) &&
          other.last_day == std::get<Day>(budget.end_date)) {
        return &other;
      }
    }
    return nullptr;
  }

 private:
  void complain(std::int64_t line, std::string text) {
    problems_.emplace_back(line, std::move(text));
  }
  [[nodiscard]] std::string unit_of(const api::NewBudget& budget) const {
    return budget.unit.empty() ? default_unit_ : budget.unit;
  }

  void read_header(const CsvRow& row) {
    for (std::size_t i = 0; i < row.cells.size(); ++i) {
      const std::string name = to_lower(row.cells[i]);
      if (std::find(import_columns.begin(), import_columns.end(), name) == import_columns.end()) {
        const std::string near = nearest(name, import_columns);
        complain(row.line, in_quotes(row.cells[i]) + " is no column" +
                               (near.empty() ? "; there are " + listed(import_columns, 12)
                                             : "; did you mean '" + near + "'?"));
      } else if (!columns_.emplace(name, i).second) {
        complain(row.line, "column " + in_quotes(name) + " is there twice");
      }
    }
    if (!columns_.contains("account")) complain(row.line, "column 'account' is missing");
  }

  [[nodiscard]] std::string cell(const CsvRow& row, const char* column) const {
    const auto found = columns_.find(column);
    return found == columns_.end() ? std::string() : row.cells[found->second];
  }

  void read_row(const CsvRow& row) {
    if (row.cells.size() != columns_.size()) {
      return complain(row.line, std::to_string(row.cells.size()) +
                                    " values, where the first line "
                                    "names " +
                                    std::to_string(columns_.size()) + " columns");
    }
    const std::string name = cell(row, "account");
    if (name.empty())
      return complain(row.line, "account: the name of the Slurm account is missing");
    PlannedAccount line;
    line.line = row.line;
    line.account.slurm_account = name;
    line.account.name = cell(row, "name");
    line.account.description = cell(row, "description");
    line.account.parent = cell(row, "parent");
    line.account.aliases = words_of(cell(row, "aliases"));
    line.account.owners = words_of(cell(row, "owners"));
    if (const std::string factor = cell(row, "hold_percentage"); !factor.empty()) {
      const auto read = read_limit("hold_percentage", factor);
      if (!read) return complain(row.line, read.error().message);
      line.account.hold_percentage = *read;
    }
    read_budget_cells(row, line);
    const auto [at, is_new] = planned_.emplace(name, line);
    if (!is_new) add_to(at->second, line);
  }

  static std::vector<std::string> words_of(const std::string& text) {
    std::vector<std::string> out;
    for (const std::string_view word : split(text, ' ')) {
      if (!word.empty()) out.emplace_back(word);
    }
    return out;
  }

  void read_budget_cells(const CsvRow& row, PlannedAccount& line) {
    const std::string amount = cell(row, "budget");
    const std::string start = cell(row, "start");
    const std::string end = cell(row, "end");
    if (amount.empty() && start.empty() && end.empty()) return;
    api::NewBudget budget;
    budget.unit = cell(row, "unit");
    budget.carry_over = cell(row, "carry_over");
    const auto limit = read_limit("budget", amount);
    if (!limit) complain(row.line, limit.error().message);
    budget.limit = limit.value_or(Micros());
    const auto first = parse_day(start);
    if (!first) complain(row.line, "start: " + first.error().message);
    const auto last = parse_day(end);
    if (!last) complain(row.line, "end: " + last.error().message);
    if (first && last && *last < *first) {
      complain(row.line, "end: " + end + " is before the start, " + start);
    }
    if (!budget.carry_over.empty()) {
      const auto part = api::parse_carry_over(budget.carry_over);
      if (!part) complain(row.line, "carry_over: " + part.error().message);
    }
    if (const std::string credit = cell(row, "credit_limit"); !credit.empty()) {
      const auto read = read_limit("credit_limit", credit);
      if (!read) complain(row.line, read.error().message);
      budget.credit_limit = read.value_or(Micros());
    }
    budget.start_date = first.value_or(Day{});
    budget.end_date = last.value_or(Day{});
    if (first && last) line.budgets.push_back({row.line, budget});
  }

  // A further line of the same account: another unit or period.
  void add_to(PlannedAccount& planned, const PlannedAccount& line) {
    const auto differs = [&](const std::string& there, const std::string& here, const char* what) {
      if (!here.empty() && here != there) {
        complain(line.line, std::string(what) + ": line " + std::to_string(planned.line) +
                                " of the same account says " + in_quotes(there));
      }
    };
    differs(planned.account.name, line.account.name, "name");
    differs(planned.account.description, line.account.description, "description");
    differs(planned.account.parent, line.account.parent, "parent");
    differs(joined(planned.account.owners), joined(line.account.owners), "owners");
    if (line.budgets.empty())
      complain(line.line,
               "the account is there in line " + std::to_string(planned.line) + " already");
    for (const PlannedBudget& budget : line.budgets) {
      for (const PlannedBudget& other : planned.budgets) {
        if (unit_of(other.budget) == unit_of(budget.budget) &&
            overlap(other.budget, budget.budget)) {
          complain(line.line, "its period overlaps that of line " + std::to_string(other.line));
        }
      }
      planned.budgets.push_back(budget);
    }
  }

  static std::string joined(const std::vector<std::string>& words) {
    std::string out;
    for (const std::string& word : words) out += (out.empty() ? "" : " ") + word;
    return out;
  }

  static bool overlap(const api::NewBudget& a, const api::NewBudget& b) {
    return !(std::get<Day>(a.end_date) < std::get<Day>(b.start_date)) &&
           !(std::get<Day>(b.end_date) < std::get<Day>(a.start_date));
  }

  void check(const PlannedAccount& planned) {
    const std::string& name = planned.account.slurm_account;
    const std::string& parent = planned.account.parent;
    if (const auto read = api::from_json<api::AccountCreate>(api::to_json(planned.account));
        !read) {
      complain(planned.line, read.error().field + ": " + read.error().message);
    }
    if (aliases_.contains(name)) {
      complain(planned.line, "account: " + in_quotes(name) + " is another name of account " +
                                 in_quotes(aliases_[name]));
    }
    if (!parent.empty() && known(parent) == nullptr && !planned_.contains(parent)) {
      complain(planned.line, "parent: there is no account " + in_quotes(parent) +
                                 ", neither in the service nor in this file");
    }
    std::set<std::string> seen{name};
    for (auto at = planned_.find(parent); at != planned_.end();
         at = planned_.find(at->second.account.parent)) {
      if (!seen.insert(at->first).second) {
        complain(planned.line, "parent: the accounts stand in a circle");
        break;
      }
    }
    for (const std::string& alias : planned.account.aliases) {
      const auto taken = aliases_.find(alias);
      const bool is_own = taken != aliases_.end() && taken->second == name;
      if (known(alias) != nullptr || planned_.contains(alias) ||
          (taken != aliases_.end() && !is_own)) {
        complain(planned.line, "aliases: " + in_quotes(alias) + " names an account already");
      }
      aliases_.emplace(alias, name);
    }
    if (const api::Account* there = known(name)) check_known(planned, *there);
  }

  // What is there already must be what the line says; only budgets may come to it.
  void check_known(const PlannedAccount& planned, const api::Account& there) {
    const auto differs = [&](const char* what, const std::string& now, const std::string& asked) {
      if (asked.empty() || asked == now) return;
      complain(planned.line, std::string(what) + ": account " + in_quotes(there.slurm_account) +
                                 " is there with " + in_quotes(now) +
                                 "; 'asbb account update' changes it");
    };
    differs("name", there.name, planned.account.name);
    differs("description", there.description, planned.account.description);
    differs("parent", there.parent, planned.account.parent);
    const std::set<std::string> owners(planned.account.owners.begin(),
                                       planned.account.owners.end());
    differs("owners", joined(there.owners), joined({owners.begin(), owners.end()}));
    for (const std::string& alias : planned.account.aliases) {
      if (std::find(there.aliases.begin(), there.aliases.end(), alias) == there.aliases.end()) {
        complain(planned.line, "aliases: account " + in_quotes(there.slurm_account) +
                                   " is there without " + in_quotes(alias) +
                                   "; 'asbb account update --aliases' changes it");
      }
    }
    for (const PlannedBudget& wanted : planned.budgets) {
      if (const api::Budget* same = same_period(there.slurm_account, wanted.budget)) {
        if (same->granted != wanted.budget.limit) {
          complain(wanted.line, "budget: this period is there with " + to_display(same->granted) +
                                    "; 'asbb account update --budget' changes it");
        }
        continue;
      }
      for (const api::Budget& budget : there.budgets) {
        api::NewBudget other;
        other.start_date = budget.first_day;
        other.end_date = budget.last_day;
        if (budget.unit != unit_of(wanted.budget) || !overlap(other, wanted.budget)) continue;
        complain(wanted.line, "start: the period overlaps the budget from " +
                                  asbb::to_string(budget.first_day) + " to " +
                                  asbb::to_string(budget.last_day));
      }
    }
  }

  const std::string default_unit_;
  std::map<std::string, std::size_t> columns_;
  std::map<std::string, const api::Account*> known_;
  std::map<std::string, std::string> aliases_;
  std::map<std::string, PlannedAccount> planned_;
  std::vector<std::pair<std::int64_t, std::string>> problems_;
};

// What there is to do, and the line of the file that each of it comes from.
struct ImportPlan {
  api::AccountImport request;
  std::vector<std::int64_t> account_lines;
  std::vector<std::int64_t> budget_lines;
  std::int64_t unchanged = 0;
};

ImportPlan plan_import(const Import& import, const std::string& default_unit) {
  ImportPlan plan;
  for (const PlannedAccount* planned : import.in_order()) {
    const std::string& name = planned->account.slurm_account;
    const bool is_new = import.known(name) == nullptr;
    api::AccountCreate create = planned->account;
    bool is_changed = is_new;
    for (const PlannedBudget& wanted : planned->budgets) {
      api::NewBudget budget = wanted.budget;
      if (budget.unit.empty()) budget.unit = default_unit;
      if (is_new) {
        create.budgets.push_back(budget);
      } else if (import.same_period(name, budget) == nullptr) {
        plan.request.budgets.push_back({name, budget});
        plan.budget_lines.push_back(wanted.line);
        is_changed = true;
      }
    }
    if (is_new) {
      plan.request.accounts.push_back(std::move(create));
      plan.account_lines.push_back(planned->line);
    }
    if (!is_changed) ++plan.unchanged;
  }
  return plan;
}

// The line that a refusal is about: its field begins with "accounts[3]" or "budgets[3]".
std::optional<std::int64_t> line_of(const ImportPlan& plan, const std::string& field) {
  for (const auto& [name, lines] :
       {std::pair{"accounts[", &plan.account_lines}, std::pair{"budgets[", &plan.budget_lines}}) {
    if (!field.starts_with(name)) continue;
    const std::size_t begin = std::string_view(name).size();
    const auto index = parse_count(field.substr(begin, field.find(']') - begin),
                                   static_cast<std::int64_t>(lines->size()) - 1);
    if (index) return (*lines)[static_cast<std::size_t>(*index)];
  }
  return std::nullopt;
}

Result<std::string> read_import_file(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  if (!in.is_open() || in.bad()) {
    return fail(ErrorKind::not_found, "'" + file + "' cannot be read");
  }
  return text;
}

std::string counted(std::size_t count, const std::string& one) {
  return std::to_string(count) + " " + one + (count == 1 ? "" : "s");
}

std::string sentence_of(const ImportPlan& plan) {
  return counted(plan.request.accounts.size(), "new account") + ", " +
         counted(plan.request.budgets.size(), "budget") + " for accounts that were there, " +
         counted(static_cast<std::size_t>(plan.unchanged), "account") + " unchanged";
}

struct ImportFlags {
  std::string file;
  std::string default_unit = "USD";
  bool dry = false;
};

int import_accounts(Context& context, const ImportFlags& flags) {
  const auto text = read_import_file(flags.file);
  if (!text) return context.failed(text.error());
  const auto rows = read_csv(*text);
  if (!rows)
    return context.failed(Error{ErrorKind::invalid, flags.file + ": " + rows.error().message, {}});
  const auto known = all_accounts(context);
  if (!known) return context.failed(known.error());
  Import import(*known, flags.default_unit);
  import.read(*rows);
  const auto problems = import.problems();
  for (const std::string& problem : problems) {
    context.err() << harmless(flags.file) << ": " << harmless(problem) << "\n";
  }
  if (!problems.empty()) {
    context.err() << "asbb: nothing was imported: " << problems.size()
                  << (problems.size() == 1 ? " problem\n" : " problems\n");
    return exit_failed;
  }
  const ImportPlan plan = plan_import(import, flags.default_unit);
  const std::size_t count = plan.request.accounts.size() + plan.request.budgets.size();
  if (count > api::import_count_max) {
    return context.failed(Error{ErrorKind::invalid,
                                flags.file + " has " + std::to_string(count) +
                                    " accounts and budgets to add; one file may have " +
                                    std::to_string(api::import_count_max) + " of them",
                                {}});
  }
  if (flags.dry) {
    return context.done("All of " + flags.file + " can be imported: " + sentence_of(plan) + ".");
  }
  if (count > 0) {
    const auto done = context.call<api::AccountImportAnswer>("POST", "/api/v1/accounts/import",
                                                             api::to_json(plan.request));
    if (!done) {
      if (const auto line = line_of(plan, done.error().field)) {
        context.err() << harmless(flags.file) << ": line " << *line << ":\n";
      }
      const int code = context.failed(done.error());
      context.err() << "asbb: nothing was imported\n";
      return code;
    }
  }
  return context.done("Imported " + flags.file + ": " + sentence_of(plan) + ".");
}

}  // namespace

void add_account_import(Command& account, Context& context) {
  auto flags = std::make_shared<ImportFlags>();
  account.add("import", "Creates the accounts of a CSV file, with their budgets.")
      .take({"FILE", "", "Comma-separated values; the first line names the columns.",
             Presence::required},
            flags->file)
      .take({"--default-unit", "UNIT", "What a line without a unit is counted in; USD."},
            flags->default_unit)
      .take({"--dry-run", "", "Only says what is wrong."}, flags->dry)
      .note(
          "Columns: account (needed), name, description, parent, unit, budget, start, end, "
          "carry_over, credit_limit, hold_percentage, aliases and owners (with blanks). Several "
          "lines of one "
          "account are budgets of several units or of successive periods.")
      .note(
          "Every line is checked first, and all that is wrong is said with its line. All of the "
          "file is imported in one step, or nothing is. What is there already stays, so a file may "
          "be imported again.")
      .example("asbb account import examples/accounts.csv")
      .action([&context, flags] { return import_accounts(context, *flags); });
}

}  // namespace asbb::cli
