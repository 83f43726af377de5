// Who a user id is. A look-up can hang for as long as nslcd or sssd does, so there are two doors:
// `known_name` and `known_id` only read what is remembered and never block (any thread, the HTTP
// thread included); `resolve` and `learn` ask the system and block (worker threads only). The
// service learns all users of the associations at each refresh (ClusterCache::refresh), so a
// submission needs only the first door.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace asbb::slurm {

class UserNames {
 public:
  virtual ~UserNames() = default;

  // What is remembered; never blocks.
  [[nodiscard]] virtual std::optional<std::string> known_name(std::uint32_t user_id) const = 0;
  [[nodiscard]] virtual std::optional<std::uint32_t> known_id(const std::string& name) const = 0;

  // Asks the system when it is not remembered. Blocking. Errors: `not_found`, or `unavailable` when
  // the system could not say.
  [[nodiscard]] virtual Result<std::string> resolve(std::uint32_t user_id) = 0;

  // Remembers the ids of these names; names the system does not know are passed over. Blocking.
  virtual void learn(const std::vector<std::string>& names) = 0;
};

// getpwuid_r and getpwnam_r. What was found is kept until `learn` runs again for that name; what
// was not found is not kept. Thread-safe.
class SystemUserNames final : public UserNames {
 public:
  SystemUserNames();
  ~SystemUserNames() override;
  [[nodiscard]] std::optional<std::string> known_name(std::uint32_t user_id) const override;
  [[nodiscard]] std::optional<std::uint32_t> known_id(const std::string& name) const override;
  [[nodiscard]] Result<std::string> resolve(std::uint32_t user_id) override;
  void learn(const std::vector<std::string>& names) override;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace asbb::slurm
