#include "plugins/options.h"

#include <algorithm>

namespace asbb::plugins {
namespace {

// Slurm: src/common/plugstack.c, _opt_env_name().
constexpr std::string_view kPrefix = "_SLURM_SPANK_OPTION_" ASBB_PLUGIN_NAME "_";
constexpr std::size_t kAccountBytesMax = 255;

bool is_account_character(char character) {
  const auto byte = static_cast<unsigned char>(character);
  if (byte >= 0x80) return true;
  if ((byte | 0x20) >= 'a' && (byte | 0x20) <= 'z') return true;
  if (byte >= '0' && byte <= '9') return true;
  return std::string_view("._-+@:=").find(character) != std::string_view::npos;
}

// "NAME=VALUE" -> VALUE when the name is the option's.
bool take_option(std::string_view entry, std::string_view option, std::string_view* value) {
  if (!entry.starts_with(kPrefix)) return false;
  entry.remove_prefix(kPrefix.size());
  if (!entry.starts_with(option)) return false;
  entry.remove_prefix(option.size());
  if (!entry.starts_with('=')) return false;
  entry.remove_prefix(1);
  *value = entry;
  return true;
}

void replace(char** text, const char* with) {
  slurm_xfree(reinterpret_cast<void**>(text));
  *text = slurm_xstrdup(with);
}

}  // namespace

bool is_account_name(std::string_view text) {
  if (text.empty() || text.size() > kAccountBytesMax) return false;
  return std::all_of(text.begin(), text.end(), is_account_character);
}

Options read_options(const job_desc_msg_t& job) {
  Options options;
  if (job.spank_job_env == nullptr) return options;
  for (std::uint32_t at = 0; at < job.spank_job_env_size; ++at) {
    if (job.spank_job_env[at] == nullptr) continue;
    const std::string_view entry(job.spank_job_env[at]);
    std::string_view value;
    if (take_option(entry, kCloudOption, &value)) options.cloud = true;
    if (take_option(entry, kBudgetOption, &value)) options.budget = value;
  }
  return options;
}

void apply_options(const Options& options, job_desc_msg_t* job) {
  if (!options.budget.empty()) replace(&job->account, options.budget.data());
  if (options.cloud && !is_set(job->cluster_features)) {
    replace(&job->cluster_features, kCloudFeature);
  }
}

}  // namespace asbb::plugins
