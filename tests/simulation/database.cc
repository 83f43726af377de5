#include "simulation/database.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <optional>

#include "store/faulty_disk.h"
#include "store/memory_store.h"
#include "store/test_support.h"

namespace asbb::simulation {
namespace {

namespace fs = std::filesystem;
using store::DiskFailure;

class MemoryDatabase final : public Database {
 public:
  std::unique_ptr<store::Store> open() override {
    return std::make_unique<store::MemoryStore>(disk_);
  }
  store::Store& reader() override { return reader_; }
  void take_over() override { disk_->take_over(); }
  std::string fail_soon(Chance&) override { return {}; }
  void heal() override {}
  void stop_all(const std::function<void()>& end, bool, Chance&) override { end(); }

 private:
  std::shared_ptr<store::MemoryDisk> disk_ = std::make_shared<store::MemoryDisk>();
  store::MemoryStore reader_{disk_};
};

// An empty database, made once.
const std::string& empty_database() {
  static const store::TemporaryFolder folder;
  static const std::string content = store::read_file(store::make_database(folder));
  return content;
}

// What is in a folder under the names of a database and its WAL; nothing: no such file.
struct Files {
  std::optional<std::string> database;
  std::optional<std::string> wal;

  static Files in(const std::string& folder) {
    Files found;
    const auto read = [&](const char* name, std::optional<std::string>& content) {
      if (fs::exists(folder + name)) content = store::read_file(folder + name);
    };
    read("/asbb.db", found.database);
    read("/asbb.db-wal", found.wal);
    return found;
  }

  void put_into(const std::string& folder) const {
    for (const auto& old : fs::directory_iterator(folder)) fs::remove(old);
    if (database) store::write_file(folder + "/asbb.db", *database);
    if (wal) store::write_file(folder + "/asbb.db-wal", *wal);
  }
};

// Each sector as it was written, or as it was when it was last synced.
std::optional<std::string> after_power_cut(const std::optional<std::string>& written,
                                           const std::optional<std::string>& synced,
                                           Chance& chance) {
  constexpr std::size_t sector = 512;
  if (!written || (!synced && chance.one_in(2))) return synced;
  const std::string before = synced.value_or("");
  std::string left(chance.one_in(2) ? written->size() : before.size(), '\0');
  for (std::size_t at = 0; at < left.size(); at += sector) {
    const std::string& from = chance.one_in(2) ? *written : before;
    if (at >= from.size()) continue;
    left.replace(at, std::min({sector, from.size() - at, left.size() - at}), from, at,
                 std::min({sector, from.size() - at, left.size() - at}));
  }
  return left;
}

class SqliteDatabase final : public Database {
 public:
  SqliteDatabase() {
    fs::create_directory(live_);
    fs::create_directory(synced_);
    Files empty;
    empty.database = empty_database();
    empty.put_into(live_);
    empty.put_into(synced_);
  }
  ~SqliteDatabase() override { reader_.reset(); }

  std::unique_ptr<store::Store> open() override {
    auto opened = store::SqliteStore::open(options());
    if (!opened) ADD_FAILURE() << opened.error().message;
    return std::move(*opened);
  }

  store::Store& reader() override {
    if (!reader_) reader_ = open();
    return *reader_;
  }

  void take_over() override { fs::remove(live_ + "/asbb.db.lock"); }

  std::string fail_soon(Chance& chance) override {
    const std::int64_t operation = 1 + chance.below(12);
    const bool for_good = chance.one_in(2);
    const std::int64_t kind = chance.below(3);
    const DiskFailure failure = kind == 0   ? DiskFailure::full
                                : kind == 1 ? DiskFailure::torn
                                            : DiskFailure::ignored;
    disk_.fail_at(operation, failure, for_good);
    static const char* const names[] = {"full", "torn", "failing in name"};
    return std::string("disk ") + names[kind] + " at write " + std::to_string(operation) +
           (for_good ? " and after" : "");
  }

  void heal() override { disk_.heal(); }

  void stop_all(const std::function<void()>& end, bool power_cut, Chance& chance) override {
    Files live = Files::in(live_);
    Files synced = Files::in(synced_);
    if (power_cut) {
      live.database = after_power_cut(live.database, synced.database, chance);
      live.wal = after_power_cut(live.wal, synced.wal, chance);
      synced = live;
    }
    disk_.heal();
    reader_.reset();
    end();
    live.put_into(live_);
    synced.put_into(synced_);
  }

 private:
  [[nodiscard]] store::SqliteOptions options() const {
    store::SqliteOptions options;
    options.path = live_ + "/asbb.db";
    options.vfs = store::FaultyDisk::name();
    options.checkpoint_pages = 60;
    return options;
  }

  store::TemporaryFolder folder_;
  const std::string live_ = folder_.file("live");
  const std::string synced_ = folder_.file("synced");
  store::FaultyDisk disk_{synced_};
  std::unique_ptr<store::Store> reader_;
};

}  // namespace

std::unique_ptr<Database> make_memory_database() {
  return std::make_unique<MemoryDatabase>();
}

std::unique_ptr<Database> make_sqlite_database() {
  return std::make_unique<SqliteDatabase>();
}

}  // namespace asbb::simulation
