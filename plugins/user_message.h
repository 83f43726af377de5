// What the user reads on his terminal: each line of a text with "asbb: " before it, without control
// characters, without bytes that are not UTF-8, bounded. The text may come from the service or hold
// words of the user's own request: both are cleaned here.
#pragma once

#include <string_view>

namespace asbb::plugins {

// Sets slurmctld's err_msg, in memory of Slurm. What an earlier plugin of the stack put there stays
// in front. Nothing happens when there is nothing to say or err_msg is null.
void tell_user(std::string_view text, char** err_msg);

}  // namespace asbb::plugins
