#include "store/open_store.h"

#include <utility>

#include "store/durable_file.h"
#include "store/lock_file.h"
#include "store/sqlite_store.h"

namespace asbb::store {
namespace {

Result<void> check_driver(const std::string& driver, const std::string& dsn) {
  if (driver != "sqlite") {
    return fail(ErrorKind::invalid, "database.driver is '" + driver + "'; this asbb has: sqlite",
                "database.driver");
  }
  if (dsn.empty() || dsn == ":memory:" || dsn.starts_with("file:")) {
    return fail(ErrorKind::invalid,
                "database.dsn is '" + dsn +
                    "'; for sqlite it is the path of the database file, such as "
                    "/var/lib/asbb/asbb.db",
                "database.dsn");
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<Store>> open_store(const std::string& driver, const std::string& dsn,
                                          std::function<void(const std::string&)> warn) {
  return check_driver(driver, dsn).and_then([&]() -> Result<std::unique_ptr<Store>> {
    SqliteOptions options;
    options.path = dsn;
    options.warn = std::move(warn);
    auto opened = SqliteStore::open(std::move(options));
    if (!opened) return tl::unexpected(std::move(opened.error()));
    return std::move(*opened);
  });
}

Result<std::optional<std::string>> database_owner(const std::string& driver,
                                                  const std::string& dsn) {
  return check_driver(driver, dsn).and_then([&] { return true_path(dsn); }).map([](auto path) {
    return LockFile::holder(path + ".lock");
  });
}

Result<MigrationReport> migrate_database(const std::string& driver, const std::string& dsn,
                                         MigrateMode mode) {
  return check_driver(driver, dsn).and_then([&] { return migrate(dsn, mode); });
}

Result<SchemaStatus> database_status(const std::string& driver, const std::string& dsn) {
  return check_driver(driver, dsn).and_then([&] { return schema_status(dsn); });
}

}  // namespace asbb::store
