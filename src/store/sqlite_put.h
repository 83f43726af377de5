// The values of a row as parameters of the statements in sqlite_write.cc, in the order of their
// columns. Texts are not copied: a row must live until its statement was run.
#pragma once

#include <cstdint>
#include <string>

#include "store/sqlite.h"
#include "store/store.h"

namespace asbb::store::sqlite {

struct AccountRow {
  explicit AccountRow(const ledger::Account& named);
  const ledger::Account* account;
  std::string aliases;
  std::string owners;
};

// A part of a hold or of a share, in its place.
struct HoldPartRow {
  HoldPartRow(ledger::HoldId of, std::int64_t place, const ledger::HoldPart& written);
  std::int64_t hold;
  std::int64_t number;
  const ledger::HoldPart* part;
  std::string legs;
};
struct SharePartRow {
  std::int64_t share;
  std::int64_t number;
  Micros held;
};

Statement& put(Statement& statement, const AccountRow& row);
Statement& put(Statement& statement, const ledger::Budget& budget);
Statement& put(Statement& statement, const ledger::PartitionLimit& limit);
Statement& put(Statement& statement, const ledger::PriceVersion& prices);
Statement& put(Statement& statement, const ledger::ConversionRate& rate);
Statement& put(Statement& statement, const ledger::Hold& hold);
Statement& put(Statement& statement, const HoldPartRow& row);
Statement& put(Statement& statement, const ledger::Share& share);
Statement& put(Statement& statement, const SharePartRow& row);
Statement& put(Statement& statement, const ledger::RememberedAnswer& answer);
Statement& put(Statement& statement, const ChainedEntry& chained);

// The counters first, then all that says which row it is and that nothing else of it differs.
Statement& put_counters(Statement& statement, const ledger::Budget& budget);
Statement& put_counters(Statement& statement, const ledger::PartitionLimit& limit);

}  // namespace asbb::store::sqlite
