#include "simulation/allowance_truth.h"

#include <algorithm>

namespace asbb::simulation {

void AllowanceTruth::add(const ledger::Entry& entry) {
  const bool is_own = entry.reason.starts_with("may be spent on cluster ");
  if (entry.type == ledger::EntryType::hold && is_own) {
    const std::string cluster =
        entry.reason.find("cluster onprem") != std::string::npos ? "onprem" : "cloud";
    generations_[entry.hold.value] = {cluster, entry.account_name, entry.unit, entry.amount.count(),
                                      entry.at};
    ++coverage_.happened["money is set aside for the time without the service"];
  }
  if (entry.type == ledger::EntryType::release && generations_.contains(entry.hold.value)) {
    const bool is_end = entry.reason.starts_with("no job is left");
    ++coverage_.happened[is_end ? "an allowance is given back" : "a job takes from an allowance"];
  }
}

bool AllowanceTruth::has_allowance(const std::string& cluster, const std::string& account) const {
  const auto there = rules_.allowances.by_cluster.find(cluster);
  return there != rules_.allowances.by_cluster.end() && there->second.contains(account);
}

void AllowanceTruth::check(const std::string& cluster, const Request& request,
                           const LetThrough& said, Instant now) {
  const bool is_free = !Tariff::is_priced(request.partition);
  const bool is_set = !rules_.allowances.by_cluster.empty();
  const bool has_one = has_allowance(cluster, request.account);
  require(said.is_let_in || (!is_free && is_set), "refused without an allowance: " + said.why);
  if (!said.is_let_in) {
    ++coverage_.happened[has_one ? "an allowance does not let a job in"
                                 : "an account without an allowance is refused"];
    return;
  }
  if (said.generation != 0) return check_taken(cluster, request, said, now);
  if (is_free || !is_set) return;
  require(!has_one && rules_.allowances.allow_without_allowance,
          "a job of " + request.account + " is let in on " + cluster + " and takes nothing");
  ++coverage_.happened["an account without an allowance is let in"];
}

void AllowanceTruth::check_taken(const std::string& cluster, const Request& request,
                                 const LetThrough& said, Instant now) {
  const auto number = static_cast<std::int64_t>(said.generation);
  const std::string name = "generation " + std::to_string(number);
  const auto known = generations_.find(number);
  require(known != generations_.end(), name + " was never set aside");
  const Generation& generation = known->second;
  require(generation.cluster == cluster && generation.account == request.account,
          name + " is another's");
  require(period_of(generation.at) == period_of(now), name + " is of another period");
  require(useless_until_[cluster] < number, name + " is spent after its count was lost");
  std::int64_t& spent = spent_[cluster][number];
  spent += said.micros;
  require(spent <= generation.micros,
          name + " gives " + std::to_string(spent) + " of " + std::to_string(generation.micros));
  const auto tasks = std::max<std::int64_t>(1, static_cast<std::int64_t>(request.tasks.size()));
  for (const char* where : {"onprem", "cloud"}) {
    const Cost most = tariff_.hold(version_, where, request);
    require(most.unit == generation.unit, name + " is of another unit");
    require(most.micros * tasks <= said.micros, name + " gives " + std::to_string(said.micros) +
                                                    " for a job that may cost " +
                                                    std::to_string(most.micros * tasks));
  }
  ++coverage_.happened["an allowance lets a job in"];
  if (tasks > 1) ++coverage_.happened["an allowance lets an array in"];
}

void AllowanceTruth::note_written(std::int64_t version) {
  version_ = version;
  if (!generations_.empty()) written_until_ = generations_.rbegin()->first;
}

void AllowanceTruth::note_saved(const std::string& cluster) {
  saved_[cluster] = spent_[cluster];
  saved_useless_[cluster] = useless_until_[cluster];
}

void AllowanceTruth::note_restored(const std::string& cluster) {
  spent_[cluster] = saved_[cluster];
  useless_until_[cluster] = saved_useless_[cluster];
}

void AllowanceTruth::note_damaged(const std::string& cluster) {
  for (const auto& [number, generation] : generations_) {
    const bool is_published = generation.cluster == cluster && number <= written_until_;
    if (is_published) useless_until_[cluster] = number;
  }
}

void AllowanceTruth::check_end(const ledger::Book& book, const std::set<std::int64_t>& kept) const {
  std::map<std::int64_t, Micros> held;  // by budget
  std::set<std::pair<std::string, std::string>> seen;
  for (const ledger::Hold* hold : book.open_holds()) {
    for (std::size_t part = 0; part < hold->parts.size(); ++part) {
      Micros of_part = hold->parts[part].unopened;
      for (const ledger::Share* share : book.shares_of(hold->id)) {
        if (share->status == ledger::ShareStatus::open) of_part += share->held[part];
      }
      for (const ledger::Leg& leg : hold->parts[part].legs) {
        if (leg.kind == ledger::Leg::Kind::budget) held[leg.id] += of_part;
      }
    }
    if (!service::is_allowance(*hold) || kept.contains(hold->id.value)) continue;
    const Generation& generation = generations_.at(hold->id.value);
    require(seen.emplace(generation.cluster, generation.account).second,
            "two allowances of " + generation.account + " on " + generation.cluster +
                " are open in the end");
    for (const auto& [number, other] : generations_) {
      const bool is_same =
          other.cluster == generation.cluster && other.account == generation.account;
      require(!is_same || number <= hold->id.value,
              "allowance " + std::to_string(hold->id.value) + " of " + generation.account + " on " +
                  generation.cluster + " is open in the end, beside " + std::to_string(number));
    }
  }
  for (const ledger::Account* account : book.accounts()) {
    for (const ledger::Budget* budget : book.budgets_of(account->id)) {
      require(budget->held == held[budget->id.value],
              to_display(budget->held, budget->unit) + " is held of " + account->name +
                  " in the end, and its holds have " +
                  to_display(held[budget->id.value], budget->unit));
    }
  }
}

bool AllowanceTruth::explains(const std::string& alarm, const ledger::Book& book,
                              Instant now) const {
  for (const auto& [cluster, accounts] : rules_.allowances.by_cluster) {
    for (const auto& [name, setting] : accounts) {
      if (alarm != "allowance " + cluster + " " + name) continue;
      for (const std::string& above : {name, std::string("lab")}) {
        for (const ledger::Budget* budget : book.budgets_of(book.account(above)->id)) {
          const bool is_now = budget->unit == setting.unit && budget->covers(now);
          if (is_now && budget->available() < setting.amount) return true;
        }
      }
    }
  }
  return false;
}

}  // namespace asbb::simulation
