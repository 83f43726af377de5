#include "store/sqlite_wal_vfs.h"

#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <utility>

#include "base/assert.h"

namespace asbb::store::sqlite {

struct WalVfs::Layer {
  sqlite3_vfs vfs{};
};

namespace {

// Bytes; more is handed on in several pieces. The usual layer writes no more at once
// (seekAndWriteFd in os_unix.c).
constexpr int gathered_max = 0x1ffff;
constexpr int header_size = 24;  // of a frame; SQLite writes it by itself
constexpr int no_header = -1;

// SQLite gives the memory; the file of the layer below follows this one.
struct GatheredFile {
  sqlite3_file base;
  unsigned char* bytes;  // gathered_max of them
  sqlite3_int64 start;   // where in the file they belong
  int count;             // 0: nothing is gathered
  int last_header;       // where in them the last header begins, or no_header
  int page_size;         // the most that was written at once
};

GatheredFile& gathered(sqlite3_file* file) {
  return *reinterpret_cast<GatheredFile*>(file);
}

sqlite3_file* below(sqlite3_file* file) {
  return reinterpret_cast<sqlite3_file*>(reinterpret_cast<GatheredFile*>(file) + 1);
}

void turn_round(unsigned char* header) {
  std::transform(header, header + header_size, header,
                 [](unsigned char byte) { return static_cast<unsigned char>(~byte); });
}

// Nothing is gathered afterwards, also when the file cannot be written: SQLite then rolls back.
int hand_on(sqlite3_file* file) {
  GatheredFile& own = gathered(file);
  const int count = std::exchange(own.count, 0);
  if (count == 0) return SQLITE_OK;
  const auto write = [&](int from, int bytes) {
    return below(file)->pMethods->xWrite(below(file), own.bytes + from, bytes, own.start + from);
  };
  if (own.last_header == no_header) return write(0, count);
  turn_round(own.bytes + own.last_header);
  const int written = write(0, count);
  turn_round(own.bytes + own.last_header);
  return written == SQLITE_OK ? write(own.last_header, header_size) : written;
}

int write_file(sqlite3_file* file, const void* from, int count, sqlite3_int64 at) {
  GatheredFile& own = gathered(file);
  ASBB_ASSERT(count <= gathered_max);  // at most a page, of at most 64 KiB
  own.page_size = std::max(own.page_size, count);
  // A header stays with its page: it must not be in the file before it.
  const int room = count == header_size ? header_size + own.page_size : count;
  if (own.start + own.count != at || own.count + room > gathered_max) {
    if (const int code = hand_on(file); code != SQLITE_OK) return code;
  }
  if (own.count == 0) {
    own.start = at;
    own.last_header = no_header;
  }
  if (count == header_size) own.last_header = own.count;
  std::memcpy(own.bytes + own.count, from, static_cast<std::size_t>(count));
  own.count += count;
  return SQLITE_OK;
}

int sync_file(sqlite3_file* file, int flags) {
  const int code = hand_on(file);
  return code == SQLITE_OK ? below(file)->pMethods->xSync(below(file), flags) : code;
}

int read_file(sqlite3_file* file, void* to, int count, sqlite3_int64 at) {
  const int code = hand_on(file);
  return code == SQLITE_OK ? below(file)->pMethods->xRead(below(file), to, count, at) : code;
}

int truncate_file(sqlite3_file* file, sqlite3_int64 size) {
  const int code = hand_on(file);
  return code == SQLITE_OK ? below(file)->pMethods->xTruncate(below(file), size) : code;
}

int file_size(sqlite3_file* file, sqlite3_int64* size) {
  const int code = hand_on(file);
  return code == SQLITE_OK ? below(file)->pMethods->xFileSize(below(file), size) : code;
}

// What was never synced belongs to no commit.
int close_file(sqlite3_file* file) {
  sqlite3_free(gathered(file).bytes);
  return below(file)->pMethods->xClose(below(file));
}

int lock_file(sqlite3_file* file, int level) {
  return below(file)->pMethods->xLock(below(file), level);
}
int unlock_file(sqlite3_file* file, int level) {
  return below(file)->pMethods->xUnlock(below(file), level);
}
int check_lock(sqlite3_file* file, int* held) {
  return below(file)->pMethods->xCheckReservedLock(below(file), held);
}
int control_file(sqlite3_file* file, int operation, void* argument) {
  return below(file)->pMethods->xFileControl(below(file), operation, argument);
}
int sector_size(sqlite3_file* file) {
  return below(file)->pMethods->xSectorSize(below(file));
}
int characteristics(sqlite3_file* file) {
  return below(file)->pMethods->xDeviceCharacteristics(below(file));
}

sqlite3_io_methods make_methods() {
  sqlite3_io_methods methods{};
  methods.iVersion = 1;  // shared memory is asked of the database's file
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
  return methods;
}

int open_file(sqlite3_vfs* layer, const char* name, sqlite3_file* file, int flags, int* out) {
  static const sqlite3_io_methods methods = make_methods();
  auto* vfs = static_cast<sqlite3_vfs*>(layer->pAppData);
  if ((flags & SQLITE_OPEN_WAL) == 0) return vfs->xOpen(vfs, name, file, flags, out);
  file->pMethods = nullptr;
  auto* bytes = static_cast<unsigned char*>(sqlite3_malloc(gathered_max));
  if (bytes == nullptr) return SQLITE_NOMEM;
  const int code = vfs->xOpen(vfs, name, below(file), flags, out);
  if (code != SQLITE_OK) {
    sqlite3_free(bytes);
    return code;
  }
  gathered(file) = {{&methods}, bytes, 0, 0, no_header, 0};
  return SQLITE_OK;
}

std::string new_name() {
  static std::atomic<int> count = 0;
  return "asbb-wal-" + std::to_string(++count);
}

}  // namespace

WalVfs::WalVfs(const std::string& below) : name_(new_name()), layer_(std::make_unique<Layer>()) {
  sqlite3_vfs* vfs = sqlite3_vfs_find(below.empty() ? nullptr : below.c_str());
  ASBB_ASSERT(vfs != nullptr);
  layer_->vfs = *vfs;
  layer_->vfs.pNext = nullptr;
  layer_->vfs.zName = name_.c_str();
  layer_->vfs.szOsFile = vfs->szOsFile + static_cast<int>(sizeof(GatheredFile));
  layer_->vfs.pAppData = vfs;
  layer_->vfs.xOpen = &open_file;
  const int registered = sqlite3_vfs_register(&layer_->vfs, 0);
  ASBB_ASSERT(registered == SQLITE_OK);
}

WalVfs::~WalVfs() {
  sqlite3_vfs_unregister(&layer_->vfs);
}

}  // namespace asbb::store::sqlite
