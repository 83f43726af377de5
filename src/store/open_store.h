// Which store a configuration names: database.driver and database.dsn. The one place that knows all
// adapters.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "store/migrations.h"
#include "store/store.h"

namespace asbb::store {

// Driver "sqlite": the dsn is the path of the database file. invalid: another driver or an empty
// dsn. not_found: no database there. broken: it is not at this program's version; the message says
// which command to run. The store is not owned yet.
// `warn` is told, on the owner's thread, of what makes the store slower, but not wrong.
[[nodiscard]] Result<std::unique_ptr<Store>> open_store(
    const std::string& driver, const std::string& dsn,
    std::function<void(const std::string&)> warn = {});

// Who owns that database now, as "process 123"; nothing when nobody does.
[[nodiscard]] Result<std::optional<std::string>> database_owner(const std::string& driver,
                                                                const std::string& dsn);

// The same for the schema (store/migrations.h).
[[nodiscard]] Result<MigrationReport> migrate_database(const std::string& driver,
                                                       const std::string& dsn, MigrateMode mode);
[[nodiscard]] Result<SchemaStatus> database_status(const std::string& driver,
                                                   const std::string& dsn);

}  // namespace asbb::store
