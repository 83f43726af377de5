#include "service/allowances.h"

#include <algorithm>
#include <charconv>

#include "base/text.h"
#include "plugins/wire.h"

namespace asbb::service {
namespace {

constexpr std::int64_t tasks_max = 10'000'000;
constexpr std::size_t told_max = 10'000;

std::optional<std::int64_t> whole_number(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < 0) return std::nullopt;
  return number;
}

}  // namespace

void Allowances::publish(const std::string& cluster, ClusterAllowances what) {
  {
    const std::lock_guard lock(mutex_);
    const auto known = published_.find(cluster);
    if (known != published_.end() && known->second == what) return;
    published_.insert_or_assign(cluster, std::move(what));
  }
  if (changed_) changed_();
}

std::optional<ClusterAllowances> Allowances::published(const std::string& cluster) const {
  const std::lock_guard lock(mutex_);
  const auto found = published_.find(cluster);
  return found == published_.end() ? std::nullopt : std::optional(found->second);
}

void Allowances::written(const std::string& cluster, const ClusterAllowances& what, Instant at) {
  const std::lock_guard lock(mutex_);
  const auto [known, is_first] = written_.try_emplace(cluster);
  Written& file = known->second;
  if (is_first) file.first = at;
  std::vector<ledger::HoldId> holds;
  for (const PublishedAllowance& allowance : what.allowances) {
    if (allowance.hold.is_set()) holds.push_back(allowance.hold);
  }
  for (const ledger::HoldId hold : file.holds) {
    if (std::find(holds.begin(), holds.end(), hold) == holds.end()) file.withdrawn[hold] = at;
  }
  for (const ledger::HoldId hold : holds) file.withdrawn.erase(hold);
  file.holds = std::move(holds);
}

std::optional<Instant> Allowances::withdrawn_since(const std::string& cluster,
                                                   ledger::HoldId hold) const {
  const std::lock_guard lock(mutex_);
  const auto file = written_.find(cluster);
  if (file == written_.end()) return std::nullopt;
  const auto& holds = file->second.holds;
  if (std::find(holds.begin(), holds.end(), hold) != holds.end()) return std::nullopt;
  const auto withdrawn = file->second.withdrawn.find(hold);
  return withdrawn == file->second.withdrawn.end() ? file->second.first : withdrawn->second;
}

void Allowances::told(std::string_view spent) {
  const std::lock_guard lock(mutex_);
  for (const std::string_view word : split(spent, ',')) {
    const std::size_t equals = word.find('=');
    if (equals == std::string_view::npos) continue;
    const auto hold = whole_number(word.substr(0, equals));
    const auto micros = whole_number(word.substr(equals + 1));
    if (!hold || !micros || (spent_.size() >= told_max && !spent_.contains({*hold}))) continue;
    spent_[ledger::HoldId{*hold}] = Micros(*micros);
  }
}

std::optional<Micros> Allowances::told_spent(ledger::HoldId hold) const {
  const std::lock_guard lock(mutex_);
  const auto found = spent_.find(hold);
  return found == spent_.end() ? std::nullopt : std::optional(found->second);
}

bool is_allowance(const ledger::Hold& hold) {
  return hold.kind == ledger::HoldKind::external && hold.group == allowance_group;
}

std::optional<AllowanceTag> find_allowance(std::string_view admin_comment) {
  for (std::string_view word : split(admin_comment, ' ')) {
    if (!word.starts_with(plugins::wire::kAllowanceMark)) continue;
    word.remove_prefix(plugins::wire::kAllowanceMark.size());
    const auto numbers = split(word, ':');
    if (numbers.size() != 3) return std::nullopt;
    const auto hold = whole_number(numbers[0]);
    const auto micros = whole_number(numbers[1]);
    const auto tasks = whole_number(numbers[2]);
    if (!hold || !micros || !tasks || *hold == 0 || *tasks < 1 || *tasks > tasks_max ||
        Micros(*micros) > max_amount) {
      return std::nullopt;
    }
    return AllowanceTag{ledger::HoldId{*hold}, Micros(*micros), *tasks};
  }
  return std::nullopt;
}

}  // namespace asbb::service
