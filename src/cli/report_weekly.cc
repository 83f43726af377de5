#include "cli/report_weekly.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <map>
#include <ostream>

#include "alerts/channel.h"
#include "api/json_writer.h"
#include "base/text.h"
#include "base/zone.h"
#include "cli/account_tree.h"
#include "cli/new_file.h"
#include "cli/report_read.h"
#include "cli/report_view.h"
#include "cli/week_state.h"
#include "report/html.h"
#include "store/durable_file.h"

namespace asbb::cli {
namespace {

constexpr int weeks_back_max = 8;
constexpr const char* by_mail = "mail";
constexpr const char* all_name = "ALL";  // no account of Slurm has capital letters

// And those above it. Each belongs to whom the one above it belongs: the timer, which is not root,
// goes on with what root began. false: errno tells.
bool make_folder(const std::filesystem::path& folder) {
  const std::string path = folder.string();
  if (path.empty() || ::access(path.c_str(), F_OK) == 0) return true;
  if (!make_folder(folder.parent_path())) return false;
  if (::mkdir(path.c_str(), 0777) != 0) return errno == EEXIST;
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (descriptor < 0) return false;
  const bool is_given = store::give_to_folder_owner(descriptor, path);
  const int why = errno;
  ::close(descriptor);
  errno = why;
  return is_given;
}

struct WeeklyFlags {
  std::string week;
  std::string directory;
  std::string state_file;
  std::string zone;
  bool email = false;
};

struct Deed {
  report::Week week;
  std::string account;
  std::string to;       // a file or an address
  std::string outcome;  // written, sent, "sent before", "not sent: ..."
};

using Owners = std::map<std::string, std::vector<std::string>>;  // by account

class Weekly {
 public:
  Weekly(Context& context, const WeeklyFlags& flags, config::Config settings)
      : context_(context), flags_(flags), settings_(std::move(settings)) {}

  int run() {
    if (auto begun = begin(); !begun) return context_.failed(begun.error());
    auto zone = report_zone(context_, flags_.zone);
    if (!zone) return context_.failed(zone.error());
    zone_ = std::move(*zone);
    const auto weeks = asked_weeks();
    if (!weeks) {
      return weeks.error().kind == ErrorKind::invalid ? context_.misused(weeks.error().message)
                                                      : context_.failed(weeks.error());
    }
    for (const auto& [week, wanted] : *weeks) {
      if (auto done = report_week(week, wanted); !done) return context_.failed(done.error());
    }
    show();
    return is_incomplete_ ? exit_failed : exit_done;
  }

 private:
  struct Wanted {
    bool folder = false;
    bool mail = false;
  };
  using Weeks = std::map<report::Week, Wanted>;

  Result<void> begin() {
    if (flags_.email) {
      const auto& channels = settings_.alerts.channels;
      const auto fits = [](const config::AlertChannel& channel) {
        using Kind = config::AlertChannel::Kind;
        return (channel.kind == Kind::smtp || channel.kind == Kind::sendmail) &&
               !channel.owners_at.empty();
      };
      const auto found = std::find_if(channels.begin(), channels.end(), fits);
      if (found == channels.end()) {
        return fail(ErrorKind::invalid,
                    "--email: alerts.channels in the settings has no channel of type smtp or "
                    "sendmail with owners_at, which says where accounts' owners have their mail");
      }
      channel_ = *found;
    }
    std::string path = flags_.state_file;
    if (path.empty()) {
      path = (std::filesystem::path(settings_.database.dsn).parent_path() / "weekly-reports.state")
                 .string();
    }
    return state_.open(path);
  }

  [[nodiscard]] std::string folder_destination() const {
    std::error_code failed;
    const auto whole = std::filesystem::absolute(flags_.directory, failed);
    return "folder " + (failed ? flags_.directory : whole.lexically_normal().string());
  }

  Result<Weeks> asked_weeks() {
    const auto today = day_of(context_.now(), zone_);
    if (!today) return fail(ErrorKind::invalid, "--time-zone: " + today.error().message);
    const report::Week last = report::previous_week(report::week_of(*today));
    Weeks weeks;
    const auto want = [&](const std::string& destination, bool Wanted::* member) -> Result<void> {
      auto missing = state_.missing(destination, last, weeks_back_max);
      if (!missing) return tl::unexpected(missing.error());
      for (const report::Week& week : *missing) weeks[week].*member = true;
      return {};
    };
    if (!flags_.week.empty()) {
      const auto week = report::parse_week(flags_.week);
      if (!week) return fail(ErrorKind::invalid, "--week: " + week.error().message);
      if (last < *week) {
        return fail(ErrorKind::invalid, "--week: " + flags_.week +
                                            " is not over; the last week that is over is " +
                                            to_string(last));
      }
      weeks[*week] = {!flags_.directory.empty() && !state_.is_done(folder_destination(), *week),
                      flags_.email && !state_.is_done(by_mail, *week)};
      return weeks;
    }
    if (!flags_.directory.empty()) {
      if (auto wanted = want(folder_destination(), &Wanted::folder); !wanted) {
        return tl::unexpected(wanted.error());
      }
    }
    if (flags_.email) {
      if (auto wanted = want(by_mail, &Wanted::mail); !wanted) {
        return tl::unexpected(wanted.error());
      }
    }
    return weeks;
  }

  Result<void> report_week(report::Week week, const Wanted& wanted) {
    if (!wanted.folder && !wanted.mail) return {};
    ReportQuery query;
    query.first_day = report::first_day(week);
    query.last_day = report::last_day(week);
    query.zone = zone_;
    query.wants_burn_downs = true;
    Owners owners;
    auto accounts = accounts_ever(context_);
    if (!accounts) return fail(ErrorKind::unavailable, accounts.error().message);
    query.accounts = {""};
    for (const api::Account& account : *accounts) {
      if (account.owners.empty() && account.budgets.empty()) continue;
      query.accounts.push_back(account.slurm_account);
      owners[account.slurm_account] = account.owners;
    }
    if (accounts->empty()) {
      return fail(ErrorKind::unavailable,
                  "there is no account that this user may see, so nothing is reported, and week " +
                      to_string(week) + " stays to be done");
    }
    const auto reports = read_reports(context_, query);
    if (!reports) return fail(ErrorKind::unavailable, reports.error().message);
    if (wanted.folder) {
      if (auto written = write_week(week, *reports); !written) return written;
    }
    if (wanted.mail) return mail_week(week, *reports, owners);
    return {};
  }

  // An account that had nothing to do with the week has no report.
  static bool has_something(const report::Dual& report) {
    return !report.units.empty() || !report.uncharged.empty() || !report.budgets.empty();
  }

  Result<void> write_week(report::Week week, const std::vector<report::Dual>& reports) {
    const std::filesystem::path folder =
        std::filesystem::path(flags_.directory) / report::to_string(week);
    if (!make_folder(folder)) {
      return fail(ErrorKind::unavailable,
                  "--directory: '" + folder.string() + "' cannot be made: " + std::strerror(errno));
    }
    for (const report::Dual& report : reports) {
      if (!has_something(report)) continue;
      const std::string name = report.account.empty() ? all_name : report.account;
      for (const auto& [ending, content] : {std::pair{".html", report::to_html(report)},
                                            std::pair{".csv", report_csv(report, "user")}}) {
        NewFile file((folder / (name + ending)).string());
        // A run that was killed left some of them.
        if (auto opened = file.open(true, FileOwner::folder); !opened) return opened;
        file.stream() << content;
        if (auto finished = file.finish(true); !finished) return finished;
        deeds_.push_back({week, name, (folder / (name + ending)).string(), "written"});
      }
    }
    return state_.note_done(folder_destination(), week);
  }

  Result<void> mail_week(report::Week week, const std::vector<report::Dual>& reports,
                         const Owners& owners) {
    bool is_whole = true;
    for (const report::Dual& report : reports) {
      const auto found = owners.find(report.account);
      if (found == owners.end() || !has_something(report)) continue;
      for (const std::string& owner : found->second) {
        const bool is_address = owner.find('@') != std::string::npos;
        auto sent = send(week, report, is_address ? owner : owner + "@" + channel_.owners_at);
        if (!sent) return tl::unexpected(sent.error());
        is_whole = is_whole && *sent;
      }
    }
    if (!is_whole) {
      is_incomplete_ = true;
      return {};
    }
    return state_.note_done(by_mail, week);
  }

  // Whether nothing is left to do for this address. What is told to a mail server is noted before
  // and after: a mail that may have arrived is not sent again.
  Result<bool> send(report::Week week, const report::Dual& report, const std::string& address) {
    Deed deed{week, report.account, address, "sent"};
    const WeekState::Mail before = state_.mail(week, report.account, address);
    if (before != WeekState::Mail::not_yet) {
      deed.outcome = before == WeekState::Mail::sent
                         ? "sent before"
                         : "not sent again: it was under way once and may have arrived";
      deeds_.push_back(std::move(deed));
      return true;
    }
    config::AlertChannel to_one = channel_;
    to_one.to = {address};
    to_one.owners_at.clear();
    static const std::atomic<bool> never_stops{false};
    const auto channel = alerts::make_channel(to_one, never_stops);
    if (!channel) return tl::unexpected(channel.error());
    if (auto noted = state_.note_begun(week, report.account, address); !noted) {
      return tl::unexpected(noted.error());
    }
    const auto done = (*channel)->send(message_of(week, report));
    const bool is_unknown = !done && done.error().kind == ErrorKind::unknown_outcome;
    // What nobody knows stays begun.
    const auto noted = done         ? state_.note_sent(week, report.account, address)
                       : is_unknown ? Result<void>()
                                    : state_.note_failed(week, report.account, address);
    if (!noted) return tl::unexpected(noted.error());
    if (is_unknown) {
      deed.outcome = "may have arrived, and is not sent again: " + done.error().message;
      context_.warn("the report of " + report.account + " to " + address + " " + deed.outcome);
    } else if (!done) {
      deed.outcome = "not sent: " + done.error().message;
      context_.warn("the report of " + report.account + " to " + address + " is " + deed.outcome +
                    "; the next run tries again");
    }
    deeds_.push_back(std::move(deed));
    return done.has_value() || is_unknown;
  }

  [[nodiscard]] alerts::Message message_of(report::Week week, const report::Dual& report) const {
    alerts::Message message;
    const std::string name = report::to_string(week);
    message.id = "report-" + name + "-" + report.account;
    std::erase_if(message.id, [](char c) {
      return c == '<' || c == '>' || static_cast<unsigned char>(c) <= ' ' ||
             static_cast<unsigned char>(c) >= 0x7F || c == '@';
    });
    message.subject = "Usage of " + report.account + " in week " + name;
    message.text = report_text(report, "") +
                   "\nThe page and the table that come with this mail have all of it.\n";
    message.at = context_.now();
    message.attachments = {
        {report.account + "-" + name + ".html", "text/html", report::to_html(report)},
        {report.account + "-" + name + ".csv", "text/csv", report_csv(report, "user")}};
    return message;
  }

  void show() const {
    Table table({{"WEEK", "week"},
                 {"ACCOUNT", "account", Align::left, true},
                 {"TO", "to"},
                 {"OUTCOME", "outcome", Align::left, true}});
    api::JsonWriter json;
    json.begin_array();
    for (const Deed& deed : deeds_) {
      table.add({report::to_string(deed.week), deed.account, deed.to, deed.outcome});
      json.begin_object();
      json.key("week"), json.text(report::to_string(deed.week));
      json.key("account"), json.text(deed.account);
      json.key("to"), json.text(deed.to);
      json.key("outcome"), json.text(deed.outcome);
      json.end_object();
    }
    json.end_array();
    static_cast<void>(context_.show(
        table, json.take(),
        "Nothing to do: every week that is over was reported. --week=YYYY-Www names another "
        "week."));
  }

  Context& context_;
  const WeeklyFlags& flags_;
  const config::Config settings_;
  config::AlertChannel channel_;
  WeekState state_;
  std::string zone_;
  std::vector<Deed> deeds_;
  bool is_incomplete_ = false;
};

int weekly(Context& context, const WeeklyFlags& flags) {
  if (flags.directory.empty() && !flags.email) {
    return context.misused("where to? --directory=DIR writes files, --email mails the owners.");
  }
  const auto settings = context.settings();
  if (!settings) return exit_failed;
  return Weekly(context, flags, *settings).run();
}

}  // namespace

void add_report_weekly(Command& report, Context& context) {
  auto flags = std::make_shared<WeeklyFlags>();
  report
      .add("weekly", "Reports every account's last week into a folder, and to its owners by mail.")
      .take({"--week", "YYYY-Www",
             "This ISO week; when left out the last one that is over, and those that were missed."},
            flags->week)
      .take({"--directory", "DIR", "Into this folder: YYYY-Www/ACCOUNT.html and .csv."},
            flags->directory)
      .take({"--email", "", "To the owners of each account, by the settings' mail channel."},
            flags->email)
      .take({"--time-zone", "ZONE",
             "Where days begin, such as Europe/Paris; service.timezone when left out."},
            flags->zone)
      .take(
          {"--state-file", "FILE",
           "What was done is noted here; weekly-reports.state beside the database when left out."},
          flags->state_file)
      .note(
          "It is made to be run by a timer. What was missed is made up once, eight weeks back at "
          "most; what is done is not done again. A mail is noted before and after it is sent: one "
          "that may have arrived is never sent twice. Two runs at once exclude each other.")
      .note(
          "Accounts with a budget or an owner have a report, and ALL is of all of them. The mail "
          "channel is the first of alerts.channels with type smtp or sendmail and owners_at.")
      .example("asbb report weekly --directory=reports --email")
      .example("asbb report weekly --week=2025-W24 --directory=reports")
      .action([&context, flags] { return weekly(context, *flags); });
}

}  // namespace asbb::cli
