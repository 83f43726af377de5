#include "store/faulty_disk.h"

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <cerrno>
#include <filesystem>
#include <new>

namespace asbb::store {

struct FaultyDisk::State {
  sqlite3_vfs layer{};
  std::string synced_folder;
  std::int64_t operations = 0;
  std::int64_t fails_at = 0;  // 0: never
  DiskFailure failure = DiskFailure::full;
  bool for_good = false;
  bool has_failed = false;
  int system_code = 0;

  bool fails_now() {
    ++operations;
    if (fails_at == 0 || operations < fails_at || (operations > fails_at && !for_good)) {
      return false;
    }
    has_failed = true;
    return true;
  }
};

namespace {

// SQLite gives the memory; the real file follows this one.
struct FaultyFile {
  sqlite3_file base;
  FaultyDisk::State* disk;  // none for files that do not count
  std::string* path;
};

FaultyFile& faulty(sqlite3_file* file) {
  return *reinterpret_cast<FaultyFile*>(file);
}

sqlite3_file* real(sqlite3_file* file) {
  return reinterpret_cast<sqlite3_file*>(reinterpret_cast<FaultyFile*>(file) + 1);
}

int close_file(sqlite3_file* file) {
  delete faulty(file).path;
  return real(file)->pMethods->xClose(real(file));
}

int read_file(sqlite3_file* file, void* to, int count, sqlite3_int64 at) {
  return real(file)->pMethods->xRead(real(file), to, count, at);
}

int write_file(sqlite3_file* file, const void* from, int count, sqlite3_int64 at) {
  FaultyDisk::State* disk = faulty(file).disk;
  const auto write = [&](int bytes) {
    return real(file)->pMethods->xWrite(real(file), from, bytes, at);
  };
  if (disk == nullptr || !disk->fails_now()) return write(count);
  if (disk->failure == DiskFailure::full) return SQLITE_FULL;
  const bool torn = disk->failure == DiskFailure::torn;
  const int written = write(torn ? count / 2 : count);
  disk->system_code = torn ? EDQUOT : EIO;
  return written == SQLITE_OK ? SQLITE_IOERR_WRITE : written;
}

int truncate_file(sqlite3_file* file, sqlite3_int64 size) {
  FaultyDisk::State* disk = faulty(file).disk;
  if (disk != nullptr && disk->fails_now()) return SQLITE_IOERR_TRUNCATE;
  return real(file)->pMethods->xTruncate(real(file), size);
}

int sync_file(sqlite3_file* file, int flags) {
  FaultyDisk::State* disk = faulty(file).disk;
  const bool fails = disk != nullptr && disk->fails_now();
  if (fails && disk->failure != DiskFailure::ignored) return SQLITE_IOERR_FSYNC;
  const int code = real(file)->pMethods->xSync(real(file), flags);
  if (disk != nullptr && code == SQLITE_OK) {
    namespace fs = std::filesystem;
    const fs::path source = *faulty(file).path;
    fs::copy_file(source, fs::path(disk->synced_folder) / source.filename(),
                  fs::copy_options::overwrite_existing);
  }
  return fails ? SQLITE_IOERR_FSYNC : code;
}

int file_size(sqlite3_file* file, sqlite3_int64* size) {
  return real(file)->pMethods->xFileSize(real(file), size);
}
int lock_file(sqlite3_file* file, int level) {
  return real(file)->pMethods->xLock(real(file), level);
}
int unlock_file(sqlite3_file* file, int level) {
  return real(file)->pMethods->xUnlock(real(file), level);
}
int check_lock(sqlite3_file* file, int* held) {
  return real(file)->pMethods->xCheckReservedLock(real(file), held);
}
int control_file(sqlite3_file* file, int operation, void* argument) {
  FaultyDisk::State* disk = faulty(file).disk;
  if (operation == SQLITE_FCNTL_LAST_ERRNO && disk != nullptr && disk->has_failed) {
    *static_cast<int*>(argument) = disk->system_code;
    return SQLITE_OK;
  }
  return real(file)->pMethods->xFileControl(real(file), operation, argument);
}
int sector_size(sqlite3_file* file) {
  return real(file)->pMethods->xSectorSize(real(file));
}
int characteristics(sqlite3_file* file) {
  return real(file)->pMethods->xDeviceCharacteristics(real(file));
}
int map_shared(sqlite3_file* file, int region, int size, int extend, void volatile** memory) {
  return real(file)->pMethods->xShmMap(real(file), region, size, extend, memory);
}
int lock_shared(sqlite3_file* file, int offset, int count, int flags) {
  return real(file)->pMethods->xShmLock(real(file), offset, count, flags);
}
void barrier(sqlite3_file* file) {
  real(file)->pMethods->xShmBarrier(real(file));
}
int unmap_shared(sqlite3_file* file, int remove) {
  return real(file)->pMethods->xShmUnmap(real(file), remove);
}

sqlite3_io_methods make_methods() {
  sqlite3_io_methods methods{};
  methods.iVersion = 2;  // shared memory, but no mapped reads
  methods.xClose = &close_file;
  methods.xRead = &read_file;
  methods.xWrite = &write_file;
  methods.xTruncate = &truncate_file;
  methods.xSync = &sync_file;
  methods.xFileSize = &file_size;
  methods.xLock = &lock_file;
  methods.xUnlock = &unlock_file;
  methods.xCheckReservedLock = &check_lock;
  methods.xFileControl = &control_file;
  methods.xSectorSize = &sector_size;
  methods.xDeviceCharacteristics = &characteristics;
  methods.xShmMap = &map_shared;
  methods.xShmLock = &lock_shared;
  methods.xShmBarrier = &barrier;
  methods.xShmUnmap = &unmap_shared;
  return methods;
}

int open_file(sqlite3_vfs* layer, const char* name, sqlite3_file* file, int flags, int* out) {
  static const sqlite3_io_methods methods = make_methods();
  sqlite3_vfs* usual = sqlite3_vfs_find(nullptr);
  file->pMethods = nullptr;
  const int code = usual->xOpen(usual, name, real(file), flags, out);
  if (code != SQLITE_OK) return code;
  const bool counts = (flags & (SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_WAL)) != 0;
  faulty(file).disk = counts ? static_cast<FaultyDisk::State*>(layer->pAppData) : nullptr;
  faulty(file).path = new std::string(name == nullptr ? "" : name);
  file->pMethods = &methods;
  return SQLITE_OK;
}

}  // namespace

FaultyDisk::FaultyDisk(std::string synced_folder) : state_(std::make_unique<State>()) {
  sqlite3_initialize();
  const sqlite3_vfs* usual = sqlite3_vfs_find(nullptr);
  state_->synced_folder = std::move(synced_folder);
  state_->layer = *usual;
  state_->layer.pNext = nullptr;
  state_->layer.zName = name();
  state_->layer.szOsFile = usual->szOsFile + static_cast<int>(sizeof(FaultyFile));
  state_->layer.pAppData = state_.get();
  state_->layer.xOpen = &open_file;
  EXPECT_EQ(sqlite3_vfs_register(&state_->layer, 0), SQLITE_OK);
}

FaultyDisk::~FaultyDisk() {
  sqlite3_vfs_unregister(&state_->layer);
}

const char* FaultyDisk::name() {
  return "asbb-faulty";
}

void FaultyDisk::fail_at(std::int64_t operation, DiskFailure failure, bool for_good) {
  state_->operations = 0;
  state_->fails_at = operation;
  state_->failure = failure;
  state_->for_good = for_good;
  state_->has_failed = false;
}

void FaultyDisk::heal() {
  state_->fails_at = 0;
}

bool FaultyDisk::has_failed() const {
  return state_->has_failed;
}

}  // namespace asbb::store
