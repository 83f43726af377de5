// The token of a submission: 44 hexadecimal digits, time first (wire.h). It is the request id of
// the service and the mark in the job's admin_comment. Any thread.
#pragma once

#include <string_view>

#include "plugins/bounded_text.h"
#include "plugins/wire.h"

namespace asbb::plugins {

using Token = FixedText<wire::kTokenCharacters + 1>;

// False when the kernel has no random numbers yet; never blocks.
[[nodiscard]] bool mint_token(Token* token);

// What admin_comment becomes, in memory of Slurm: the words that were there, without any that looks
// like a token of ours, then "asbb=<token>". `existing` may be null. Null when memory is short.
[[nodiscard]] char* admin_comment_with(const char* existing, const Token& token);

}  // namespace asbb::plugins
