#include "plugins/het_group.h"

#include <cstdint>

namespace asbb::plugins {
namespace {

struct HetGroup {
  Token first;
  std::uint32_t user = 0;
  std::uint32_t next_offset = 0;
};

thread_local HetGroup last;

}  // namespace

std::string_view het_group_of(const job_desc_msg_t& job, const Token& token) {
  const std::uint32_t offset = job.het_job_offset;
  const bool is_component = is_set(offset);
  if (is_component && offset == 0) {
    last = {token, job.user_id, 1};
  } else if (is_component && offset == last.next_offset && job.user_id == last.user) {
    ++last.next_offset;
  } else {
    last = {};
  }
  return last.first.view();
}

}  // namespace asbb::plugins
