#include "store/sqlite_readers.h"

#include <chrono>

namespace asbb::store::sqlite {
namespace {
constexpr std::size_t readers_max = 8;
constexpr std::chrono::seconds longest_wait{5};
}  // namespace

ReaderPool::ReaderPool(OpenOptions options) : options_(std::move(options)) {}

Result<Connection*> ReaderPool::take() {
  std::unique_lock lock(mutex_);
  const bool free = returned_.wait_for(
      lock, longest_wait, [this] { return !idle_.empty() || connections_.size() < readers_max; });
  if (!free) {
    return fail(ErrorKind::unavailable,
                "every reader of " + options_.path + " is busy: ask again, or for less at a time");
  }
  if (idle_.empty()) {
    auto opened = Connection::open(options_);
    if (!opened) return tl::unexpected(std::move(opened.error()));
    connections_.push_back(std::move(*opened));
    return connections_.back().get();
  }
  Connection* connection = idle_.back();
  idle_.pop_back();
  return connection;
}

void ReaderPool::give_back(Connection& connection) {
  connection.rollback();
  {
    const std::lock_guard lock(mutex_);
    idle_.push_back(&connection);
  }
  returned_.notify_one();
}

}  // namespace asbb::store::sqlite
