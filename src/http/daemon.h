// The whole service in one object: store, committer, prices, views of the clusters, reconciler and
// the REST face, started and stopped in the order that loses nothing. One thread starts it, waits
// elsewhere, and stops it.
#pragma once

#include <memory>

#include "base/result.h"
#include "config/config.h"

namespace asbb::http {

class Daemon {
 public:
  explicit Daemon(config::Config config);
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;
  ~Daemon();

  // Takes ownership of the database, loads the ledger, listens, starts to watch the clusters. When
  // it fails nothing runs.
  [[nodiscard]] Result<void> start();

  // Answers what is owed, commits what is queued, gives the database back. Idempotent.
  void stop();

 private:
  struct Parts;

  const config::Config config_;
  std::unique_ptr<Parts> parts_;
};

}  // namespace asbb::http
