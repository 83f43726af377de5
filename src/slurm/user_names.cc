#include "slurm/user_names.h"

#include <pwd.h>

#include <cerrno>
#include <cstring>
#include <mutex>
#include <unordered_map>

#include "base/text.h"

namespace asbb::slurm {
namespace {

struct Found {
  std::uint32_t user_id = 0;
  std::string name;
};

// One look-up in the system's user database, with as much buffer as it asks for (to 1 MiB).
template <typename Ask>
Result<Found> look_up(Ask ask, const std::string& what) {
  std::vector<char> buffer(16'384);
  while (true) {
    passwd entry{};
    passwd* result = nullptr;
    const int failure = ask(&entry, buffer.data(), buffer.size(), &result);
    if (failure == ERANGE && buffer.size() < (1u << 20)) {
      buffer.resize(buffer.size() * 4);
      continue;
    }
    if (result != nullptr) {
      return Found{entry.pw_uid, entry.pw_name};
    }
    // getpwnam(3): several codes mean "no such user".
    if (failure == 0 || failure == ENOENT || failure == ESRCH || failure == EBADF ||
        failure == EPERM) {
      return fail(ErrorKind::not_found, "The system knows no user " + what + ".");
    }
    if (failure != EINTR) {
      return fail(ErrorKind::unavailable, "The system could not look up user " + what + ": " +
                                              std::strerror(failure) + ".");
    }
  }
}

}  // namespace

struct SystemUserNames::State {
  mutable std::mutex mutex;
  std::unordered_map<std::uint32_t, std::string> names;
  std::unordered_map<std::string, std::uint32_t> ids;

  void remember(const Found& found) {
    const std::scoped_lock lock(mutex);
    names[found.user_id] = found.name;
    ids[found.name] = found.user_id;
  }
  void forget(const std::string& name) {
    const std::scoped_lock lock(mutex);
    if (const auto known = ids.find(name); known != ids.end()) {
      names.erase(known->second);
      ids.erase(known);
    }
  }
};

SystemUserNames::SystemUserNames() : state_(std::make_unique<State>()) {}
SystemUserNames::~SystemUserNames() = default;

std::optional<std::string> SystemUserNames::known_name(std::uint32_t user_id) const {
  const std::scoped_lock lock(state_->mutex);
  const auto found = state_->names.find(user_id);
  return found == state_->names.end() ? std::nullopt : std::optional(found->second);
}

std::optional<std::uint32_t> SystemUserNames::known_id(const std::string& name) const {
  const std::scoped_lock lock(state_->mutex);
  const auto found = state_->ids.find(name);
  return found == state_->ids.end() ? std::nullopt : std::optional(found->second);
}

Result<std::string> SystemUserNames::resolve(std::uint32_t user_id) {
  if (auto known = known_name(user_id)) {
    return *known;
  }
  const auto found =
      look_up([&](passwd* entry, char* buffer, std::size_t size,
                  passwd** result) { return ::getpwuid_r(user_id, entry, buffer, size, result); },
              "with id " + std::to_string(user_id));
  if (!found) {
    return tl::unexpected(found.error());
  }
  state_->remember(*found);
  return found->name;
}

void SystemUserNames::learn(const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    const auto found = look_up(
        [&](passwd* entry, char* buffer, std::size_t size, passwd** result) {
          return ::getpwnam_r(name.c_str(), entry, buffer, size, result);
        },
        in_quotes(name));
    if (found) {
      state_->remember(*found);
    } else if (found.error().kind == ErrorKind::not_found) {
      state_->forget(name);
    }
  }
}

}  // namespace asbb::slurm
