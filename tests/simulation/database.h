// The disk of the simulated centre, with what is on it: it outlives the services that open it.
// Power cuts, full disks, torn writes and owners that are pushed aside happen here. One thread.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "ledger/testing/random_commands.h"
#include "store/store.h"

namespace asbb::simulation {

using ledger::testing::Chance;

class Database {
 public:
  Database() = default;
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;
  virtual ~Database() = default;

  // Another process's store.
  [[nodiscard]] virtual std::unique_ptr<store::Store> open() = 0;
  // A store that never owns the database: what anybody finds who looks.
  [[nodiscard]] virtual store::Store& reader() = 0;

  // The owner's lock keeps nobody out any more.
  virtual void take_over() = 0;

  // One of the next writes fails; what it does, or nothing when this disk never does.
  [[nodiscard]] virtual std::string fail_soon(Chance& chance) = 0;
  virtual void heal() = 0;

  // Everything stops: `end` destroys the stores that were opened, and nothing that they do then
  // reaches the disk. After a power cut any part of what was not synced is missing.
  virtual void stop_all(const std::function<void()>& end, bool power_cut, Chance& chance) = 0;
};

[[nodiscard]] std::unique_ptr<Database> make_memory_database();
[[nodiscard]] std::unique_ptr<Database> make_sqlite_database();

}  // namespace asbb::simulation
