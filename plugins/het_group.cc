#include "plugins/het_group.h"

#include <pthread.h>

#include <algorithm>
#include <cstdint>

#include "plugins/mutex.h"

namespace asbb::plugins {
namespace {

struct HetGroup {
  pthread_t thread = 0;
  std::uint32_t user = 0;
  std::uint32_t next_offset = 0;  // 0: nobody's
  Token first;
};

// More threads than these that are in the middle of such a job forget the oldest. A variable of the
// thread itself would be allocated by the loader when it is first used, which it dies of without
// memory.
constexpr std::size_t kGroupsMax = 64;

Mutex mutex;
HetGroup groups[kGroupsMax];
std::size_t oldest = 0;

}  // namespace

Token het_group_of(const job_desc_msg_t& job, const Token& token) {
  const std::uint32_t offset = job.het_job_offset;
  const bool is_component = is_set(offset);
  const pthread_t thread = pthread_self();
  const Locked lock(mutex);
  HetGroup* own = std::find_if(groups, groups + kGroupsMax, [&](const HetGroup& group) {
    return group.next_offset != 0 && pthread_equal(group.thread, thread) != 0;
  });
  const bool is_known = own != groups + kGroupsMax;
  if (is_component && offset == 0) {
    HetGroup& group = is_known ? *own : groups[oldest++ % kGroupsMax];
    group = {thread, job.user_id, 1, token};
    return token;
  }
  if (!is_known) return {};
  if (!is_component || offset != own->next_offset || job.user_id != own->user) {
    *own = {};
    return {};
  }
  ++own->next_offset;
  return own->first;
}

}  // namespace asbb::plugins
