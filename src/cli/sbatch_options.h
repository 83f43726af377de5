// What sbatch makes of its arguments, its environment and the #SBATCH lines of its script, as far
// as it moves a price: the request that would reach slurmctld. The rules are those of Slurm 22.05
// (src/sbatch/opt.c, src/common/slurm_opt.c, proc_args.c). Options that move no price are read
// past; what sbatch does not know is an error, as it is there. Pure but for `read_script`.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "api/submission.h"
#include "base/result.h"

namespace asbb::cli {

// sbatch's options, by long name, with the last value given; "" for those without one.
using SbatchOptions = std::map<std::string, std::string>;

// Text of a file, or why it cannot be read.
using ReadScript = std::function<Result<std::string>(const std::string& path)>;

// Value of an environment variable.
using Lookup = std::function<std::optional<std::string>(const std::string& name)>;

// `arguments` as they stand behind "sbatch". The command line wins over SBATCH_* variables, and
// those over the script.
[[nodiscard]] Result<SbatchOptions> read_sbatch_options(const std::vector<std::string>& arguments,
                                                        const Lookup& environment,
                                                        const ReadScript& read_script);

// The #SBATCH lines of a script up to its first command, as arguments.
[[nodiscard]] std::vector<std::string> script_arguments(const std::string& script);

// What sbatch would send. Who submits and where stays empty where the options do not say it.
[[nodiscard]] Result<api::Submission> sbatch_submission(const SbatchOptions& options);

}  // namespace asbb::cli
