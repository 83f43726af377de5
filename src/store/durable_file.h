// Small files that must be on the disk, with the right mode and owner, before anything relies on
// them. No state.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>

#include "base/result.h"

namespace asbb::store {

// Creates the file (never follows or replaces what is there), writes `content`, and returns when
// file and folder entry are on the disk. When root creates it, it belongs to the folder's owner:
// the service runs as its own user. conflict: it exists.
[[nodiscard]] Result<void> create_durable_file(const std::string& path, mode_t mode,
                                               std::string_view content);

// Moves a file within a folder, or a file system; returns when the folder's entry is on the disk.
// conflict: there is one of that name already.
[[nodiscard]] Result<void> rename_durably(const std::string& from, const std::string& to);

// What create_durable_file does about the owner, for a file that was just created; false: errno
// tells.
[[nodiscard]] bool give_to_folder_owner(int descriptor, const std::string& path);

// Opens the file with these flags of open(2), or makes it for the folder's owner when it is not
// there; never follows a link. The descriptor; below 0: errno tells.
[[nodiscard]] int open_or_create(const std::string& path, int flags, mode_t mode);

// Whether anything of that name is there, as far as this process may look.
[[nodiscard]] bool file_exists(const std::string& path);

// "." for a path without a slash.
[[nodiscard]] std::string folder_of(const std::string& path);

// The same file under its one true name: symbolic links in it are followed, so that two names of a
// database cannot mean two locks. A file that does not exist is sought in its folder.
[[nodiscard]] Result<std::string> true_path(const std::string& path);

}  // namespace asbb::store
