// The limits of an association in Slurm (sacctmgr(1)): which there are, how they are written, how
// one cluster's become another's. Plain values and pure functions; counts are whole, wall times
// minutes, memory MB as Slurm keeps it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/money.h"
#include "base/result.h"

namespace asbb::slurm {

enum class LimitKind { count, tres, minutes };

struct LimitName {
  std::string_view name;  // as sacctmgr takes it in format= and in set
  LimitKind kind;
};
// In the order in which they are shown.
[[nodiscard]] const std::vector<LimitName>& limit_names();
// Without regard to case; null when Slurm has none of that name, or asbb leaves it alone.
[[nodiscard]] const LimitName* find_limit(std::string_view name);

// By TRES ("cpu", "gres/gpu"); one number stands under "". Empty: no limit.
using Limit = std::map<std::string, std::int64_t>;
// By the name in limit_names(), those that are set.
using Limits = std::map<std::string, Limit>;

// "10"; "cpu=4,mem=10G"; "1-00:00:00". Empty and -1 are no limit. `invalid` says what is expected.
[[nodiscard]] Result<Limit> parse_limit(LimitKind kind, std::string_view text);
// What sacctmgr takes, and people read: "10", "cpu=4,mem=10240". Empty for no limit.
[[nodiscard]] std::string to_text(const Limit& limit);
// The same, with -1 for whatever `was` has and this one has not: sacctmgr leaves a TRES that is not
// named as it was.
[[nodiscard]] std::string to_setting(const Limit& limit, const Limit& was);

// What becomes of one limit of the cluster that is followed.
struct LimitRule {
  enum class Kind { keep, copy, scale, fixed };
  Kind kind = Kind::keep;
  Micros factor{};   // of scale, above 0
  Limit value = {};  // of fixed: what every account gets
};

// Scaled numbers are rounded down, but a limit that let something through never becomes 0.
[[nodiscard]] Limit scaled(const Limit& limit, Micros factor);

}  // namespace asbb::slurm
