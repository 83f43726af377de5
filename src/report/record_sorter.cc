#include "report/record_sorter.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <queue>

namespace asbb::report {
namespace {

// What a string costs beside its bytes.
constexpr std::size_t record_overhead = 48;

std::string temporary_folder() {
  const char* named = std::getenv("TMPDIR");
  return named == nullptr || *named == '\0' ? "/tmp" : named;
}

Error file_error(const std::string& what) {
  return Error{ErrorKind::unavailable,
               "records cannot be put aside in " + temporary_folder() + ": " + what +
                   "; TMPDIR names another folder",
               {}};
}

bool write_record(std::FILE* file, const std::string& record) {
  const auto size = static_cast<std::uint32_t>(record.size());
  return std::fwrite(&size, sizeof size, 1, file) == 1 &&
         (size == 0 || std::fwrite(record.data(), size, 1, file) == 1);
}

// False at the end of the piece.
bool read_record(std::FILE* file, std::string& record) {
  std::uint32_t size = 0;
  if (std::fread(&size, sizeof size, 1, file) != 1) return false;
  record.resize(size);
  return size == 0 || std::fread(record.data(), size, 1, file) == 1;
}

struct Head {
  std::string record;
  std::size_t piece = 0;
};
struct Later {
  bool operator()(const Head& a, const Head& b) const { return a.record > b.record; }
};

}  // namespace

Result<void> RecordSorter::put_aside() {
  std::sort(records_.begin(), records_.end());
  std::string name = temporary_folder() + "/asbb-report-XXXXXX";
  const int descriptor = ::mkostemp(name.data(), O_CLOEXEC);
  if (descriptor < 0) return tl::unexpected(file_error(std::strerror(errno)));
  ::unlink(name.c_str());
  File file(::fdopen(descriptor, "w+b"));
  if (file == nullptr) return tl::unexpected(file_error(std::strerror(errno)));
  for (const std::string& record : records_) {
    if (!write_record(file.get(), record)) {
      return tl::unexpected(file_error(std::strerror(errno)));
    }
  }
  if (std::fflush(file.get()) != 0) return tl::unexpected(file_error(std::strerror(errno)));
  std::rewind(file.get());
  pieces_.push_back(std::move(file));
  records_.clear();
  bytes_ = 0;
  return {};
}

Result<void> RecordSorter::add(std::string record) {
  bytes_ += record.size() + record_overhead;
  records_.push_back(std::move(record));
  if (bytes_ < bytes_max_) return {};
  return put_aside();
}

Result<void> RecordSorter::for_each(const std::function<Result<void>(std::string_view)>& use) {
  std::sort(records_.begin(), records_.end());
  if (pieces_.empty()) {
    for (const std::string& record : records_) {
      if (auto used = use(record); !used) return used;
    }
    return {};
  }
  if (auto done = put_aside(); !done) return done;
  std::priority_queue<Head, std::vector<Head>, Later> heads;
  std::string record;
  for (std::size_t i = 0; i < pieces_.size(); ++i) {
    if (read_record(pieces_[i].get(), record)) heads.push({record, i});
  }
  while (!heads.empty()) {
    const Head head = heads.top();
    heads.pop();
    if (auto used = use(head.record); !used) return used;
    if (read_record(pieces_[head.piece].get(), record)) heads.push({record, head.piece});
  }
  for (const File& piece : pieces_) {
    if (std::ferror(piece.get()) != 0) return tl::unexpected(file_error("a read failed"));
  }
  return {};
}

}  // namespace asbb::report
