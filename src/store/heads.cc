#include "store/heads.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <optional>

#include "base/text.h"
#include "store/chain.h"
#include "store/durable_file.h"

namespace asbb::store {
namespace {

constexpr std::size_t head_digits = 64;

std::optional<KnownHead> parse_line(std::string_view line) {
  const auto parts = split(line, ' ');
  if (parts.size() != 3) return std::nullopt;
  const auto sequence = parse_count(parts[0]);
  const bool is_hex = parts[1].size() == head_digits &&
                      parts[1].find_first_not_of("0123456789abcdef") == std::string_view::npos;
  if (!sequence || !is_hex || !parse_rfc3339(parts[2])) return std::nullopt;
  return KnownHead{*sequence, std::string(parts[1]), std::string(parts[2])};
}

tl::unexpected<Error> head_failure(const std::string& path, int code) {
  return fail(
      code == ENOENT ? ErrorKind::not_found : ErrorKind::unavailable,
      "the file of the chain's heads, " + path + ", cannot be used: " + std::strerror(code));
}

// The end of a line that a crash cut short, so that the next one stands alone.
bool lacks_line_end(int descriptor) {
  const off_t size = ::lseek(descriptor, 0, SEEK_END);
  char last = '\n';
  return size > 0 && ::pread(descriptor, &last, 1, size - 1) == 1 && last != '\n';
}

}  // namespace

std::string head_line(const KnownHead& head) {
  return std::to_string(head.sequence) + " " + head.head + " " + head.time;
}

Result<KnownHeads> read_heads(const std::string& path) {
  KnownHeads known;
  if (path.empty()) return known;
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  if (!file && errno == ENOENT) known.missing_file = path;
  if (!file && errno != ENOENT) return head_failure(path, errno);
  std::int64_t number = 0;
  for (std::string line; std::getline(file, line) && !file.eof();) {
    ++number;
    if (auto head = parse_line(line)) {
      known.heads.push_back(std::move(*head));
    } else {
      known.problems.push_back("Line " + std::to_string(number) + " of " + path +
                               " is no head of a chain: edited, or torn by a crash.");
    }
  }
  if (file.bad()) return head_failure(path, EIO);
  return known;
}

Result<void> append_head(const std::string& path, const KnownHead& head) {
  const int descriptor = open_or_create(path, O_RDWR | O_APPEND, 0640);
  if (descriptor < 0) return head_failure(path, errno);
  const std::string line = (lacks_line_end(descriptor) ? "\n" : "") + head_line(head) + "\n";
  errno = 0;
  const bool written =
      ::write(descriptor, line.data(), line.size()) == static_cast<ssize_t>(line.size()) &&
      ::fsync(descriptor) == 0;
  const int code = errno == 0 ? ENOSPC : errno;
  ::close(descriptor);
  if (!written) return head_failure(path, code);
  return {};
}

HeadCheck::HeadCheck(KnownHeads known) : known_(std::move(known)) {
  std::stable_sort(known_.heads.begin(), known_.heads.end(),
                   [](const auto& a, const auto& b) { return a.sequence < b.sequence; });
}

void HeadCheck::add(std::int64_t sequence, const ChainValue& chain) {
  const auto& heads = known_.heads;
  while (next_ < heads.size() && heads[next_].sequence < sequence) ++next_;
  for (; next_ < heads.size() && heads[next_].sequence == sequence; ++next_) {
    if (is_changed_ || heads[next_].head == to_hex(chain)) continue;
    is_changed_ = true;
    known_.problems.push_back("Entry " + std::to_string(sequence) + ": the head of the chain was " +
                              heads[next_].head + " at " + heads[next_].time + " and is " +
                              to_hex(chain) + " now: history up to there was changed.");
  }
}

std::vector<std::string> HeadCheck::finish(std::int64_t last) {
  std::vector<std::string> out = known_.problems;
  if (!known_.missing_file.empty() && last > 0) {
    out.push_back("The file of the chain's heads, " + known_.missing_file +
                  ", is not there: nothing shows whether the tail is cut.");
  }
  if (!known_.heads.empty() && known_.heads.back().sequence > last) {
    const KnownHead& newest = known_.heads.back();
    out.push_back("The ledger ends at entry " + std::to_string(last) + ", but had " +
                  std::to_string(newest.sequence) + " entries at " + newest.time +
                  ": the tail from entry " + std::to_string(last + 1) + " on is cut.");
  }
  return out;
}

}  // namespace asbb::store
