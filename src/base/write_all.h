// Writing to a descriptor, whatever it takes at once. Functions; any thread.
#pragma once

#include <string_view>

namespace asbb {

// False: some of it was not written; errno tells why.
[[nodiscard]] bool write_all(int descriptor, std::string_view text);

}  // namespace asbb
