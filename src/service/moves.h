// What the operations_*.cc that move money share. Pure functions, inside src/service only.
#pragma once

#include <optional>
#include <string>

#include "api/json.h"
#include "ledger/command.h"
#include "service/authority.h"
#include "service/digest.h"

namespace asbb::service {

// Makes the command one that is carried out once for the key that the caller gave. The same key
// with another request, account or verb is a conflict.
template <typename Request>
void add_key(ledger::Command& made, const std::string& verb, const std::string& account,
             const Caller& caller, Request request) {
  if (request.request_id.empty()) return;
  made.context.request_id = "move:" + caller.actor + ":" + request.request_id;
  request.request_id.clear();
  made.context.body_digest = sha256_hex(verb + "\n" + account + "\n" + api::to_json(request));
}

// "123" or "123_4", of run 0; nothing when it is neither.
[[nodiscard]] std::optional<ledger::ShareKey> slurm_key(const std::string& job_id);

}  // namespace asbb::service
