// JSON in and out for every type of api/types.h. Numbers are read from their decimal text and
// written as plain decimals, so money is exact on the way in and out (DESIGN 4.1). Reading refuses
// what is hostile or ambiguous: invalid UTF-8, a key given twice, nesting beyond 16, NUL or control
// characters in names, numbers out of range; fields it does not know are ignored, and null counts
// as absent. Functions only, any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/types.h"

namespace asbb::api {

// Instantiated for every struct of api/types.h that travels, and for vectors of those that are
// answered as bare arrays (Account, Transaction, OpenHold, PriceBook). An error is `invalid`; its
// field is the path of the value at fault ("budgets[1].limit"), its message says what is allowed.
template <typename T>
[[nodiscard]] Result<T> from_json(std::string_view text);

template <typename T>
[[nodiscard]] std::string to_json(const T& value);

}  // namespace asbb::api
