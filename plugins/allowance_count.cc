#include "plugins/allowance_count.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "plugins/log.h"

namespace asbb::plugins {
namespace {

constexpr char kMark[8] = {'a', 's', 'b', 'b', 'a', 'l', 'w', '2'};
constexpr std::int64_t kAllSpent = -1;

// FNV-1a: tells a torn or foreign image from a whole one; no secret is in it.
std::uint64_t check_of(const void* bytes, std::size_t count) {
  std::uint64_t hash = 0xcbf29ce484222325;
  const auto* at = static_cast<const unsigned char*>(bytes);
  for (std::size_t i = 0; i < count; ++i) hash = (hash ^ at[i]) * 0x100000001b3;
  return hash;
}

}  // namespace

AllowanceCount::~AllowanceCount() {
  if (file_ >= 0) close(file_);
}

bool AllowanceCount::fail(const char* problem) {
  if (problem_ == nullptr) log_error("allowances: %s %s: none is spent", path_, problem);
  problem_ = problem;
  return false;
}

bool AllowanceCount::is_whole() const {
  return std::memcmp(image_.mark, kMark, sizeof kMark) == 0 &&
         image_.check == check_of(&image_, offsetof(Image, check));
}

// The file of the slurmctld before this one, or a new one. An empty one that was there is not new:
// a crash may have emptied it. Not ours is what another user could have written.
bool AllowanceCount::open_file() {
  if (file_ >= 0) return true;
  if (path_[0] == '\0') return fail("(allowance_file) is not known");
  constexpr int flags = O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;
  int file = open(path_, flags);
  const bool is_new = file < 0 && errno == ENOENT;
  if (is_new) file = open(path_, flags | O_CREAT | O_EXCL, S_IRUSR | S_IWUSR);
  if (file < 0) return fail("cannot be opened");
  struct stat status = {};
  const bool is_ours = fstat(file, &status) == 0 && S_ISREG(status.st_mode) &&
                       status.st_uid == geteuid() && status.st_nlink == 1 &&
                       (status.st_mode & (S_IRWXG | S_IRWXO)) == 0;
  if (!is_ours) {
    close(file);
    return fail("is not a file of slurmctld's user with mode 0600");
  }
  const ssize_t got = pread(file, &image_, sizeof image_, 0);
  is_unreadable_ = !is_new && (status.st_size != static_cast<off_t>(sizeof image_) ||
                               got != static_cast<ssize_t>(sizeof image_) || !is_whole());
  if (is_new || is_unreadable_) image_ = {};
  if (is_unreadable_) {
    log_error("allowances: %s is damaged: what is published now counts as spent", path_);
  }
  file_ = file;
  return true;
}

bool AllowanceCount::write_file() {
  std::memcpy(image_.mark, kMark, sizeof kMark);
  image_.check = check_of(&image_, offsetof(Image, check));
  // g++ 12 takes the mark for all of it (-Wstringop-overread).
  const Image copy = image_;
  const ssize_t put = pwrite(file_, &copy, sizeof copy, 0);
  if (put != static_cast<ssize_t>(sizeof image_)) return fail("cannot be written");
  if (problem_ != nullptr) log_info("allowances: %s can be written again", path_);
  problem_ = nullptr;
  return true;
}

AllowanceCount::Slot* AllowanceCount::find(std::uint64_t generation) {
  for (Slot& slot : image_.slots) {
    if (slot.generation == generation) return &slot;
  }
  return nullptr;
}

void AllowanceCount::publish(const std::uint64_t* generations, std::size_t count) {
  if (!open_file()) return;
  if (is_unreadable_) {
    for (std::size_t i = 0; i < count; ++i) {
      image_.spent_until = std::max(image_.spent_until, generations[i]);
    }
    is_unreadable_ = false;
  }
  const std::uint64_t* end = generations + count;
  const std::uint64_t seen_before = image_.seen_until;
  for (Slot& slot : image_.slots) {
    if (std::find(generations, end, slot.generation) == end) slot = {};
  }
  for (const std::uint64_t* generation = generations; generation != end; ++generation) {
    if (*generation == 0 || find(*generation) != nullptr) continue;
    Slot* free = find(0);
    const bool was_withdrawn = *generation <= seen_before;
    if (free != nullptr) *free = {*generation, was_withdrawn ? kAllSpent : 0};
    image_.seen_until = std::max(image_.seen_until, *generation);
  }
  static_cast<void>(write_file());
}

bool AllowanceCount::take(std::uint64_t generation, std::int64_t amount_micros, std::int64_t micros,
                          std::int64_t* left_micros) {
  *left_micros = 0;
  if (generation == 0 || file_ < 0 || generation <= image_.spent_until) return false;
  Slot* slot = find(generation);
  if (slot == nullptr || slot->spent_micros < 0 || slot->spent_micros > amount_micros) return false;
  *left_micros = amount_micros - slot->spent_micros;
  if (micros < 0 || micros > *left_micros) return false;
  slot->spent_micros += micros;
  if (!write_file()) {
    slot->spent_micros -= micros;
    return false;
  }
  *left_micros -= micros;
  return true;
}

void AllowanceCount::write_spent(BoundedText* text) const {
  constexpr std::size_t told_max = 32;
  std::size_t told = 0;
  for (const Slot& slot : image_.slots) {
    const bool is_spent = slot.spent_micros != 0 || slot.generation <= image_.spent_until;
    if (slot.generation == 0 || !is_spent || told == told_max) continue;
    if (told++ > 0) text->append(',');
    text->append_decimal(slot.generation);
    text->append('=');
    text->append_decimal(static_cast<std::uint64_t>(std::max<std::int64_t>(0, slot.spent_micros)));
  }
}

}  // namespace asbb::plugins
