#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "cli/doctor_checks.h"
#include "store/chain.h"
#include "store/durable_file.h"
#include "store/open_store.h"

namespace asbb::cli {
namespace {

constexpr std::int64_t looked_at_max = 1'000;  // entries; asbb audit verify looks at all

bool check_schema(DoctorReport& report, const config::Database& database) {
  const std::string name = "database";
  const auto status = store::database_status(database.driver, database.dsn);
  if (!status) {
    report.failed(name, status.error().message, "'asbb database migrate' makes one.");
    return false;
  }
  if (status->version == 0) {
    report.failed(name, "there is no ledger at " + database.dsn,
                  "'asbb database migrate' makes it.");
    return false;
  }
  if (!status->is_current()) {
    report.failed(name,
                  database.dsn + " is at version " + std::to_string(status->version) + ", not at " +
                      std::to_string(status->latest),
                  status->version > status->latest
                      ? "Install the version of asbb that this database belongs to."
                      : "Stop the service, and run 'asbb database migrate'.");
    return false;
  }
  report.ok(name, database.dsn + " is at version " + std::to_string(status->version));
  return true;
}

void check_chain(DoctorReport& report, const config::Database& database) {
  const std::string name = "chain";
  const auto key = store::read_chain_key(database.chain_key_file);
  if (!key) {
    return report.failed(name, key.error().message,
                         "Put the key file back from your copy, for its owner alone (mode 0400).");
  }
  const auto store = store::open_store(database.driver, database.dsn);
  store::EntryQuery query;
  query.newest_first = true;
  query.count_max = looked_at_max;
  auto found = store ? (*store)->entries(query)
                     : Result<std::vector<store::ChainedEntry>>(tl::unexpected(store.error()));
  if (!found) {
    return report.failed(name, found.error().message, "'asbb audit verify --offline' says more.");
  }
  std::reverse(found->begin(), found->end());
  for (std::size_t i = 0; i < found->size(); ++i) {
    const store::ChainedEntry& one = (*found)[i];
    if (i == 0 && one.entry.sequence != 1) continue;
    const store::ChainValue before = i == 0 ? store::ChainValue{} : (*found)[i - 1].chain;
    if (store::chain_next(*key, before, one.record) == one.chain) continue;
    return report.failed(name,
                         "entry " + std::to_string(one.entry.sequence) +
                             " was changed, or was written with another key",
                         "'asbb audit verify' says all of it; put the database back from a copy.");
  }
  report.ok(name, "the last " + std::to_string(found->size()) + " entries hold");
}

void check_disk(DoctorReport& report, const config::Database& database) {
  constexpr std::uint64_t mb = 1'000'000;
  constexpr std::uint64_t least_mb = 100;
  constexpr std::uint64_t enough_mb = 1'000;
  const std::string folder = store::folder_of(database.dsn);
  struct statvfs system{};
  const bool is_known = statvfs(folder.c_str(), &system) == 0;
  if (!is_known && errno == EACCES) {
    return report.warning("disk", "not checked: you may not look into " + folder, as_root);
  }
  if (!is_known) {
    return report.failed("disk", "there is no folder " + folder,
                         "Make it, for the service's user.");
  }
  const std::uint64_t free_mb = std::uint64_t{system.f_bavail} * system.f_frsize / mb;
  const std::string text = std::to_string(free_mb) + " MB are free in " + folder;
  const char* cure = "Make room: nothing is held or charged once it is full.";
  if (free_mb < least_mb) return report.failed("disk", text, cure);
  if (free_mb < enough_mb) return report.warning("disk", text, cure);
  report.ok("disk", text);
}

}  // namespace

void DoctorReport::ok(const std::string& name, const std::string& found) {
  answer_.checks.push_back({name, "ok", found, {}});
}

void DoctorReport::warning(const std::string& name, const std::string& found,
                           const std::string& cure) {
  answer_.checks.push_back({name, "warning", found, cure});
}

void DoctorReport::failed(const std::string& name, const std::string& found,
                          const std::string& cure) {
  answer_.checks.push_back({name, "failed", found, cure});
}

bool is_hidden(const std::string& file) {
  return geteuid() != 0 && access(file.c_str(), R_OK) != 0 && errno == EACCES;
}

void check_database_wiring(DoctorReport& report, const config::Database& database) {
  // Who may not read the key is not the service's user: the database, too, is not for him.
  if (is_hidden(database.dsn) || is_hidden(database.chain_key_file)) {
    report.warning("database", "not checked: the ledger's files are for the service's user alone",
                   as_root);
  } else if (check_schema(report, database))
    check_chain(report, database);
  check_disk(report, database);
}

}  // namespace asbb::cli
