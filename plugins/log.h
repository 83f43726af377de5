// Lines in slurmctld's log, all with the one prefix "asbb: ". Any thread. Never called in sbatch,
// srun or slurmstepd.
#pragma once

namespace asbb::plugins {

[[gnu::format(printf, 1, 2)]] void log_error(const char* format, ...);
[[gnu::format(printf, 1, 2)]] void log_info(const char* format, ...);
[[gnu::format(printf, 1, 2)]] void log_debug(const char* format, ...);

}  // namespace asbb::plugins
