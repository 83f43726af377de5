#include "store/store.h"

namespace asbb::store {

Result<std::int64_t> Store::archive(Instant /*before*/, std::int64_t /*count_max*/) {
  return 0;
}

}  // namespace asbb::store
