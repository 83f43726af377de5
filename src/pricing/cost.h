// The one place where rates meet quantities: estimates and charges both come from here, so that a
// charge within the bound of its estimate cannot exceed it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/money.h"
#include "pricing/price_book.h"
#include "pricing/tres.h"

namespace asbb::pricing {

// What `tres` costs at `rate` for `seconds` (>= 0; the minimum is the caller's), computed in 128
// bits and rounded once. Nothing when it exceeds max_amount or 128 bits on the way. More of
// anything never costs less.
[[nodiscard]] std::optional<Micros> cost(const Rate& rate, const Tres& tres, std::int64_t seconds,
                                         Rounding rounding);

// Whether an hour of `a` costs less than an hour of `b`, exactly. With Basis::share, `a` and `b`
// may have one kind of thing only (CPUs, memory or GPUs), the same in both.
[[nodiscard]] bool costs_less(const Rate& rate, const Tres& a, const Tres& b);

// Elapsed or limiting seconds of a job that starts, raised to the minimum of the rate.
[[nodiscard]] std::int64_t billed_seconds(const Rate& rate, std::int64_t seconds);

// The terms of an hour for people: "2 nodes x 1.20 + 64 CPUs x 0.05", with the unit's name left to
// the caller.
[[nodiscard]] std::string hourly_terms(const Rate& rate, const Tres& tres);

}  // namespace asbb::pricing
