// The service's REST face, put together: authority, operations, routes, metrics and the listener.
// Owned by the program, which stops it before the committer and the reconciler, and destroys it
// only when those have stopped too: until then they may still answer to it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "config/config.h"
#include "service/alarms.h"
#include "service/committer.h"
#include "service/operations.h"
#include "service/prices.h"
#include "slurm/cluster_cache.h"
#include "slurm/user_names.h"

namespace asbb::http {

struct ServerParts {
  service::Committer& committer;
  service::Prices& prices;
  const slurm::ClusterCache& view;
  slurm::UserNames& names;
  const service::Alarms& alarms;
  service::Hooks hooks;
  store::ChainKey chain_key;
};

class Server {
 public:
  Server(const config::Config& config, ServerParts parts);
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  ~Server();

  // Reads the tokens file, looks administrators and SlurmUser up (blocking), and listens.
  [[nodiscard]] Result<void> start();

  // Answers what is owed, for a few seconds at most, and closes everything. The committer must
  // still run. Idempotent.
  void stop();

  // Where it listens, once started; for the log and for tests.
  [[nodiscard]] std::vector<std::string> addresses() const;
  [[nodiscard]] bool is_narrowed() const;
  [[nodiscard]] std::uint16_t tcp_port() const;
  // "GET /health": every route, for tests against the contract.
  [[nodiscard]] std::vector<std::string> routes() const;

 private:
  struct Assembly;

  const config::Config config_;
  const ServerParts parts_;
  std::unique_ptr<Assembly> assembly_;
};

}  // namespace asbb::http
