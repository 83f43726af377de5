// A few read-only connections to one database for whichever threads ask. Each is used by one thread
// at a time; a thread that finds all of them busy waits a little. They never write and never
// checkpoint.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "store/sqlite.h"

namespace asbb::store::sqlite {

class ReaderPool {
 public:
  explicit ReaderPool(OpenOptions options);

  // Calls `read(Connection&)` inside a read transaction, so that it sees one state of the database.
  // unavailable when every connection stays busy.
  template <typename Read>
  auto read(Read&& read) -> decltype(read(std::declval<Connection&>())) {
    auto connection = take();
    if (!connection) return tl::unexpected(std::move(connection.error()));
    const Return give_back{*this, **connection};
    if (auto begun = (*connection)->begin_read(); !begun) {
      return tl::unexpected(std::move(begun.error()));
    }
    return read(**connection);
  }

 private:
  struct Return {
    ReaderPool& pool;
    Connection& connection;
    ~Return() { pool.give_back(connection); }
  };
  [[nodiscard]] Result<Connection*> take();
  void give_back(Connection& connection);

  const OpenOptions options_;
  std::mutex mutex_;  // guards what follows
  std::condition_variable returned_;
  std::vector<std::unique_ptr<Connection>> connections_;
  std::vector<Connection*> idle_;
};

}  // namespace asbb::store::sqlite
