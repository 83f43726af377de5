// Entries that are old enough move into a table of their own, oldest first, so that the two tables
// hold one part of the sequence each.
#include "store/sqlite.h"
#include "store/sqlite_rows.h"

namespace asbb::store::sqlite {
namespace {

constexpr char oldest_sql[] =
    "SELECT sequence, at_us FROM budget_transactions"
    " WHERE sequence < (SELECT max(sequence) FROM budget_transactions) ORDER BY sequence LIMIT ?";
constexpr char copy_sql[] =
    "INSERT INTO budget_transactions_archive SELECT * FROM budget_transactions"
    " WHERE sequence <= ? ORDER BY sequence";
constexpr char remove_sql[] = "DELETE FROM budget_transactions WHERE sequence <= ?";

struct Oldest {
  std::int64_t count = 0;
  std::int64_t last_sequence = 0;
};

Result<Oldest> find_oldest(Connection& connection, Instant before, std::int64_t count_max) {
  const auto statement = connection.cached(oldest_sql);
  if (!statement) return tl::unexpected(statement.error());
  (*statement)->put(count_max);
  Oldest oldest;
  while (true) {
    const auto more = (*statement)->row();
    if (!more) return tl::unexpected(more.error());
    if (!*more) return oldest;
    const std::int64_t sequence = (*statement)->integer();
    if ((*statement)->integer() >= before.microseconds) {
      if (auto ended = (*statement)->run(); !ended) return tl::unexpected(ended.error());
      return oldest;
    }
    ++oldest.count;
    oldest.last_sequence = sequence;
  }
}

// Of exactly so many rows, or nothing of the transaction may stay.
Result<void> change(Connection& connection, const char* sql, const Oldest& oldest) {
  const auto statement = connection.cached(sql);
  if (!statement) return tl::unexpected(statement.error());
  if (auto done = (*statement)->put(oldest.last_sequence).run(); !done) return done;
  if (connection.changes() == oldest.count) return {};
  return fail(ErrorKind::broken, "the database " + connection.path() +
                                     " has other transactions to archive than it said");
}

}  // namespace

Result<std::int64_t> archive_entries(Connection& connection, Instant before,
                                     std::int64_t count_max) {
  const auto oldest = find_oldest(connection, before, count_max);
  if (!oldest) return tl::unexpected(oldest.error());
  if (oldest->count == 0) return 0;
  auto moved = change(connection, copy_sql, *oldest).and_then([&] {
    return change(connection, remove_sql, *oldest);
  });
  if (!moved) return tl::unexpected(std::move(moved.error()));
  return oldest->count;
}

}  // namespace asbb::store::sqlite
