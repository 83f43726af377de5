// GET /doctor: what of prices, accounts, holds and alarms is not as it should be, each with its
// cure.
#include <algorithm>
#include <set>
#include <utility>

#include "base/text.h"
#include "service/operations.h"
#include "service/paying_account.h"

namespace asbb::service {

class Operations::Doctor {
 public:
  Doctor(const Operations& operations, const Caller& caller)
      : operations_(operations), caller_(caller), now_(operations.now()) {}

  api::DoctorAnswer examine() {
    for (const std::string& cluster : operations_.options_.clusters) {
      view(cluster);
      prices(cluster);
    }
    reconciler();
    slurm_accounts();
    budgets();
    holds();
    alarms();
    channels();
    return std::move(answer_);
  }

 private:
  static constexpr std::size_t named_max = 10;

  void say(const std::string& name, const char* status, std::string found, std::string cure = {}) {
    answer_.checks.push_back({name, status, std::move(found), std::move(cure)});
  }

  static std::string listed(const std::set<std::string>& names) {
    std::string text;
    std::size_t count = 0;
    for (const std::string& name : names) {
      if (count++ == named_max)
        return text + " and " + std::to_string(names.size() - named_max) + " more";
      text += (text.empty() ? "" : ", ") + name;
    }
    return text;
  }

  void view(const std::string& cluster) {
    const std::string name = "view " + cluster;
    const auto snapshot = operations_.with_.view.cluster(cluster);
    const auto associations = operations_.with_.view.associations(cluster);
    const char* cure =
        "See that slurmctld and slurmdbd answer the service's user; its log says what failed.";
    if (!snapshot || !associations) {
      return say(name, "failed",
                 "the service has not read the cluster yet: priced jobs are refused", cure);
    }
    const Span age = now_ - std::min(snapshot->read_at, associations->read_at);
    const std::string text = "was read " + std::to_string(age.microseconds / 1'000'000) + " s ago";
    if (age > operations_.options_.gate.view_age_max) {
      return say(name, "failed", text + ": too old to price jobs, which are refused", cure);
    }
    say(name, "ok", text);
  }

  void prices(const std::string& cluster) {
    const std::string name = "prices " + cluster;
    const auto history = operations_.with_.prices.history();
    const pricing::PriceBook* book = history->in_force(now_);
    if (book == nullptr) {
      return say(name, "failed", "no prices are in force: no job is held or charged",
                 "Import a price book with 'asbb prices import FILE'.");
    }
    const auto snapshot = operations_.with_.view.cluster(cluster);
    if (!snapshot) return say(name, "warning", "not checked: the cluster was not read yet");
    std::set<std::string> missing;
    std::size_t priced = 0;
    for (const slurm::PartitionInfo& partition : snapshot->partitions) {
      if (book->find(cluster, partition.name) == nullptr) missing.insert(partition.name);
      if (book->find_priced(cluster, partition.name) != nullptr) ++priced;
    }
    if (!missing.empty()) {
      return say(name, "warning",
                 "no price is given for: " + listed(missing) + "; jobs there cost nothing",
                 "Give each a price in the price book, or say 'free: true', and import it.");
    }
    say(name, "ok",
        std::to_string(priced) + " of " + std::to_string(snapshot->partitions.size()) +
            " partitions have a price, the others are said to be free");
  }

  void reconciler() {
    if (!operations_.hooks_.last_pass) return;
    constexpr Span late = seconds(600);
    const PassReport pass = operations_.hooks_.last_pass();
    for (const std::string& cluster : operations_.options_.clusters) {
      const std::string name = "reconciler " + cluster;
      const auto complete = pass.complete.find(cluster);
      const bool is_young = now_ - operations_.started_at_ < late;
      if (complete == pass.complete.end()) {
        say(name, is_young ? "warning" : "failed",
            "the jobs of the cluster have not been read completely yet",
            "The alarms say what could not be read.");
      } else if (now_ - complete->second > late) {
        say(name, "failed", "the jobs were last read completely at " + to_rfc3339(complete->second),
            "The alarms say what could not be read.");
      } else {
        say(name, "ok", "the jobs were read completely at " + to_rfc3339(complete->second));
      }
    }
  }

  void slurm_accounts() {
    std::set<std::string> missing;
    for (const std::string& cluster : operations_.options_.clusters) {
      const auto associations = operations_.with_.view.associations(cluster);
      if (!associations)
        return say("slurm accounts", "warning", "not checked: not all clusters were read yet");
      operations_.with_.committer.read([&](const ledger::Book& book) {
        for (const std::string& account : associations->accounts(cluster)) {
          const bool has_users = account != "root";
          if (has_users && paying_account(book, associations.get(), cluster, account) == nullptr) {
            missing.insert(account);
          }
        }
      });
    }
    if (missing.empty()) {
      return say("slurm accounts", "ok", "each has a budget, or one above it has");
    }
    say("slurm accounts", "warning",
        "without a budget, so that priced jobs are refused: " + listed(missing),
        "Give them one: asbb account create --name=ACCOUNT --budget=AMOUNT --start=... --end=...");
  }

  [[nodiscard]] bool is_in_slurm(const ledger::Account& account) const {
    for (const std::string& cluster : operations_.options_.clusters) {
      const auto associations = operations_.with_.view.associations(cluster);
      if (!associations || !associations->account_name(cluster, account.name).empty()) return true;
      for (const std::string& alias : account.aliases) {
        if (!associations->account_name(cluster, alias).empty()) return true;
      }
    }
    return operations_.options_.clusters.empty() ||
           account.name == operations_.options_.write_off_account;
  }

  void budgets() {
    std::set<std::string> strange;
    std::set<std::string> over;
    operations_.with_.committer.read([&](const ledger::Book& book) {
      for (const ledger::Account* account : book.accounts()) {
        if (account->status != ledger::AccountStatus::active) continue;
        const auto own = book.budgets_of(account->id);
        if (own.empty()) continue;
        if (!is_in_slurm(*account)) strange.insert(account->name);
        const bool is_over = std::all_of(own.begin(), own.end(),
                                         [&](const auto* budget) { return budget->end <= now_; });
        if (is_over) over.insert(account->name);
      }
    });
    const auto& clusters = operations_.options_.clusters;
    const bool is_read = std::all_of(clusters.begin(), clusters.end(), [&](const auto& cluster) {
      return operations_.with_.view.associations(cluster) != nullptr;
    });
    if (!is_read) {
      say("budgets", "warning", "not checked: not all clusters were read yet");
    } else if (!strange.empty()) {
      say("budgets", "warning", "of accounts that Slurm does not have: " + listed(strange),
          "Add them with 'sacctmgr add account', or close them with 'asbb account delete "
          "ACCOUNT'.");
    } else {
      say("budgets", "ok", "each belongs to an account of Slurm");
    }
    if (!over.empty()) {
      say("periods", "warning", "every budget has ended of: " + listed(over),
          "Give them a next one with 'asbb account update', or close them.");
    }
  }

  void holds() {
    constexpr Span unbound_max = hours(1);
    const Span external_max = ReconcilerOptions{}.hold_alarm_after;
    std::size_t unbound = 0;
    std::size_t external = 0;
    std::size_t open = 0;
    operations_.with_.committer.read([&](const ledger::Book& book) {
      for (const ledger::Hold* hold : book.open_holds()) {
        ++open;
        const Span age = now_ - hold->placed_at;
        if (hold->kind == ledger::HoldKind::external) {
          if (!is_allowance(*hold) && age > external_max) ++external;
        } else if (!hold->job && age > unbound_max) {
          ++unbound;
        }
      }
    });
    const std::string count = std::to_string(open) + " open";
    if (unbound + external == 0) return say("holds", "ok", count);
    say("holds", "warning",
        count + ", of them " + std::to_string(unbound) + " for an hour or more without a job and " +
            std::to_string(external) + " of other programs for more than a day",
        "'asbb recover --dry-run' says why each is open.");
  }

  void alarms() {
    const auto open = operations_.with_.alarms.list();
    if (open.empty()) return say("alarms", "ok", "none is open");
    say("alarms", "warning",
        std::to_string(open.size()) + " open; the first: " + open.front().message,
        "'asbb service status' shows all of them.");
  }

  void channels() {
    const AlertWatch* watch = operations_.hooks_.alerts;
    if (watch == nullptr || !watch->settings().enabled || watch->settings().channels.empty()) {
      return say("alert channels", "warning", "nobody is told of alarms and budgets that run out",
                 "Set up a channel in the settings: alerts.channels.");
    }
    std::set<std::string> failing;
    if (const auto alerts = operations_.alerts(caller_, {})) {
      for (const api::Alert& alert : *alerts) {
        for (const api::AlertDelivery& delivery : alert.deliveries) {
          const bool fails = delivery.status == "given_up" ||
                             (delivery.status == "waiting" && !delivery.error.empty());
          if (fails) failing.insert(delivery.channel + " (" + delivery.error + ")");
        }
      }
    }
    if (!failing.empty()) {
      return say("alert channels", "failed", "cannot be told: " + listed(failing),
                 "Correct the channel in the settings: alerts.channels.");
    }
    say("alert channels", "ok", std::to_string(watch->settings().channels.size()) + " set up");
  }

  const Operations& operations_;
  const Caller& caller_;
  const Instant now_;
  api::DoctorAnswer answer_;
};

Reply<api::DoctorAnswer> Operations::doctor(const Caller& caller) const {
  if (!caller.may_read) return not_allowed(caller);
  return Doctor(*this, caller).examine();
}

}  // namespace asbb::service
