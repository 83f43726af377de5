// The token of a submission: 44 hexadecimal digits, time first (wire.h). It is the request id of
// the service and the mark in the job's admin_comment. Any thread.
#pragma once

#include <cstdint>
#include <string_view>

#include "plugins/bounded_text.h"
#include "plugins/wire.h"

namespace asbb::plugins {

using Token = FixedText<wire::kTokenCharacters + 1>;

// False when the kernel has no random numbers yet; never blocks.
[[nodiscard]] bool mint_token(Token* token);

// What a job that was let through while the service is silent has taken of an allowance; generation
// 0: nothing.
struct Allowed {
  std::uint64_t generation = 0;
  std::int64_t micros = 0;
  std::int64_t tasks = 0;
};

// What admin_comment becomes, in memory of Slurm: the words that were there, without any that looks
// like one of ours, then "asbb=<token>", and "asbb-allowance=<generation>:<micros>:<tasks>" where
// something was taken. `existing` may be null. Null when memory is short.
[[nodiscard]] char* admin_comment_with(const char* existing, const Token& token,
                                       const Allowed& allowed = {});

}  // namespace asbb::plugins
