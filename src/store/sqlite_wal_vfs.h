// A file system layer for SQLite that gathers what a transaction writes to the write-ahead log, and
// hands it on in one piece when it is to be synced. SQLite itself writes each frame in two pieces,
// 24 bytes of header and then the page. For the one connection that writes, with synchronous=FULL;
// it lives as long as that connection and is used on its thread alone. Other files go past it.
//
// Why nobody misses what is not in the file yet (wal.c of SQLite 3.40): sqlite3WalFrames() writes
// the frames of a commit, calls xSync, and only when that went well publishes their number to other
// connections with walIndexWriteHdr(); walCheckpoint() copies published frames only, and
// walIndexRecover() needs the write lock. Without FULL there is no xSync, and this must not be
// used. What this connection reads itself, or asks the size of, is handed on before.
//
// Why a write that failed leaves no commit mark: the header of the last frame, which has the mark
// and the sums, is handed on by itself when everything else is in the file, in whose place that has
// the header's bits turned round. So the mark is in the file when all of it was written and not
// before, whatever the file had there earlier. Frames of a failed transaction that a shorter one
// leaves behind itself do not count: each frame's sum goes on from the one before it.
#pragma once

#include <memory>
#include <string>

namespace asbb::store::sqlite {

class WalVfs {
 public:
  // On top of SQLite's layer of that name; empty: the usual one.
  explicit WalVfs(const std::string& below);
  ~WalVfs();
  WalVfs(const WalVfs&) = delete;
  WalVfs& operator=(const WalVfs&) = delete;

  // What OpenOptions::vfs is to be; it is another one for each object.
  [[nodiscard]] const std::string& name() const { return name_; }

 private:
  struct Layer;
  const std::string name_;
  std::unique_ptr<Layer> layer_;
};

}  // namespace asbb::store::sqlite
