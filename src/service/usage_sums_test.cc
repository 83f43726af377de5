#include "service/usage_sums.h"

#include <gtest/gtest.h>

#include <random>

namespace asbb::service {
namespace {

// As plainly as can be: every entry is kept.
struct Plainly {
  std::map<std::string, Micros> charged;
  std::map<std::string, std::set<std::string>> jobs;

  void add(const std::string& name, Micros amount, const std::string& job) {
    charged[name] += amount;
    jobs[name].insert(job);
  }
  [[nodiscard]] std::map<std::string, std::pair<Micros, std::int64_t>> lines() const {
    std::map<std::string, std::pair<Micros, std::int64_t>> out;
    for (const auto& [name, amount] : charged) {
      out[name] = {amount, static_cast<std::int64_t>(jobs.at(name).size())};
    }
    return out;
  }
};

std::map<std::string, std::pair<Micros, std::int64_t>> told(
    const std::vector<api::UsageLine>& lines) {
  std::map<std::string, std::pair<Micros, std::int64_t>> out;
  for (const api::UsageLine& line : lines) out[line.name] = {line.charged, line.jobs};
  return out;
}

TEST(UsageSums, AreThoseOfAPlainSum) {
  std::mt19937 random(7);
  const auto one_of = [&](int count) {
    return std::to_string(random() % static_cast<unsigned>(count));
  };
  UsageSums sums;
  Plainly periods, partitions, users, clusters, accounts, whole, largest;
  for (int i = 0; i < 5'000; ++i) {
    ledger::Entry entry;
    entry.type = i % 7 == 0 ? ledger::EntryType::refund : ledger::EntryType::charge;
    entry.amount = Micros(static_cast<std::int64_t>(random() % 1'000'000));
    entry.partition = one_of(5);
    entry.user = one_of(40);
    entry.account_name = one_of(9);
    entry.job.cluster = i % 10 == 0 ? "" : one_of(2);
    entry.job.job_id = entry.job.cluster.empty() ? 0 : 1 + static_cast<int>(random() % 700);
    entry.job.task = i % 3 == 0 ? static_cast<int>(random() % 4) : -1;
    if (entry.job.cluster.empty()) entry.job.external_id = "x" + one_of(60);
    entry.hold.value = 1 + static_cast<int>(random() % 2);
    const std::string period = one_of(12);
    sums.add(entry, period);
    const Micros spent = *spent_by(entry);
    const std::string job =
        entry.job.cluster + "/" + std::to_string(entry.job.job_id) + "/" + entry.job.external_id;
    const std::string task = job + "/" + std::to_string(entry.job.task);
    periods.add(period, spent, task);
    partitions.add(entry.partition, spent, task);
    users.add(entry.user, spent, task);
    clusters.add(entry.job.cluster, spent, task);
    accounts.add(entry.account_name, spent, task);
    whole.add("all", spent, task);
    largest.add(job + "/" + std::to_string(entry.hold.value), spent, job);
  }
  api::UnitUsage usage;
  sums.fill(usage);
  EXPECT_EQ(told(usage.by_period), periods.lines());
  EXPECT_EQ(told(usage.by_partition), partitions.lines());
  EXPECT_EQ(told(usage.by_user), users.lines());
  EXPECT_EQ(told(usage.by_cluster), clusters.lines());
  EXPECT_EQ(told(usage.by_account), accounts.lines());
  EXPECT_EQ(std::pair(usage.charged, usage.jobs), whole.lines().at("all"));
  std::vector<Micros> dearest;
  for (const auto& [job, amount] : largest.charged) dearest.push_back(amount);
  std::sort(dearest.rbegin(), dearest.rend());
  ASSERT_EQ(usage.largest_jobs.size(), 10u);
  for (std::size_t i = 0; i < 10; ++i) EXPECT_EQ(usage.largest_jobs[i].charged, dearest[i]);
}

}  // namespace
}  // namespace asbb::service
