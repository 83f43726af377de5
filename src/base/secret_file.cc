#include "base/secret_file.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <fstream>

namespace asbb {

Result<std::string> read_secret_file(const std::string& path) {
  struct stat facts{};
  if (::stat(path.c_str(), &facts) != 0) {
    return fail(ErrorKind::broken,
                "cannot read the secret file " + path + ": " + std::strerror(errno));
  }
  if ((facts.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    return fail(ErrorKind::broken,
                "others than its owner may use the secret file " + path + ": chmod 400 it");
  }
  std::ifstream file(path, std::ios::binary);
  std::string secret;
  std::getline(file, secret);
  if (secret.empty()) {
    return fail(ErrorKind::broken, "the secret file " + path + " has no secret in its first line");
  }
  return secret;
}

}  // namespace asbb
