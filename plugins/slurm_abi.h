// Everything the plugin knows about the Slurm it is built against: the public headers, the few
// functions of Slurm that it calls and the public headers do not declare, and the differences
// between versions. No other file of plugins/ looks at SLURM_VERSION_NUMBER.
#pragma once

#include <slurm/slurm.h>
#include <slurm/slurm_errno.h>
#include <slurm/slurm_version.h>

#include <cstddef>
#include <cstdint>

extern "C" {
// This one declares the entry points of a SPANK plugin without saying that they are of C.
#include <slurm/spank.h>

// slurmctld's job_record_t; nothing here looks into it but at its head (JobRecordHead).
struct job_record;

// Memory that is handed to slurmctld, or taken from it, must come from and go back to these two
// (Slurm: src/common/xstring.c, xmalloc.c); memory of malloc makes it abort later.
extern char* slurm_xstrdup(const char* text);
extern void slurm_xfree(void** pointer);
}

// From 23.02 on job_modify can tell the user something (Slurm: src/interfaces/job_submit.c).
#if SLURM_VERSION_NUMBER >= SLURM_VERSION_NUM(23, 2, 0)
#define ASBB_JOB_MODIFY_TELLS_THE_USER 1
#else
#define ASBB_JOB_MODIFY_TELLS_THE_USER 0
#endif

// Whether the first members of job_record_t are known, "DO NOT ALPHABETIZE": the same in every
// release from 20.11 to 25.05 (src/slurmctld/slurmctld.h, from 24.05 on src/common/job_record.h),
// and in every one of 25.11 and 26.05, where the job's step id, of the public headers, comes before
// them.
#if SLURM_VERSION_NUMBER >= SLURM_VERSION_NUM(20, 11, 0) && \
    SLURM_VERSION_NUMBER < SLURM_VERSION_NUM(26, 11, 0)
#define ASBB_JOB_RECORD_HEAD 1
#else
#define ASBB_JOB_RECORD_HEAD 0
#endif

// --prefer came with 22.05.
#if SLURM_VERSION_NUMBER >= SLURM_VERSION_NUM(22, 5, 0)
#define ASBB_JOB_HAS_PREFER 1
#else
#define ASBB_JOB_HAS_PREFER 0
#endif

// 25.11 put the job's id into a slurm_step_id_t of the request.
#if SLURM_VERSION_NUMBER >= SLURM_VERSION_NUM(25, 11, 0)
#define ASBB_JOB_ID step_id.job_id
#else
#define ASBB_JOB_ID job_id
#endif

namespace asbb::plugins {

// The name under which SPANK files the options of this object; part of the environment names that
// slurmctld sees: _SLURM_SPANK_OPTION_<name>_<option>.
#define ASBB_PLUGIN_NAME "asbb_budget"

inline constexpr unsigned kSlurmMajor = SLURM_VERSION_MAJOR(SLURM_VERSION_NUMBER);
inline constexpr unsigned kSlurmMinor = SLURM_VERSION_MINOR(SLURM_VERSION_NUMBER);
inline constexpr unsigned kSlurmMicro = SLURM_VERSION_MICRO(SLURM_VERSION_NUMBER);

struct JobRecordHeadSince2011 {
  std::uint32_t magic;
  char* account;
  char* admin_comment;
};
struct StepIdSince2505 {
  std::uint64_t sluid;
  std::uint32_t job_id;
  std::uint32_t step_het_comp;
  std::uint32_t step_id;
};
struct JobRecordHeadSince2511 {
  StepIdSince2505 step_id;
  std::uint32_t magic;
  char* account;
  char* admin_comment;
};
#if SLURM_VERSION_NUMBER >= SLURM_VERSION_NUM(25, 11, 0)
static_assert(sizeof(slurm_step_id_t) == sizeof(StepIdSince2505));
static_assert(offsetof(slurm_step_id_t, job_id) == offsetof(StepIdSince2505, job_id));
using JobRecordHead = JobRecordHeadSince2511;
#else
using JobRecordHead = JobRecordHeadSince2011;
#endif
inline constexpr std::uint32_t kJobMagic = 0xf0b7392c;  // JOB_MAGIC, of a record that is alive

// Slurm marks a field that the request left alone with the last but one value of its type, and "no
// limit" with the last one (slurm.h, NO_VAL and INFINITE).
constexpr bool is_set(std::uint8_t value) {
  return value != NO_VAL8 && value != INFINITE8;
}
constexpr bool is_set(std::uint16_t value) {
  return value != NO_VAL16 && value != INFINITE16;
}
constexpr bool is_set(std::uint32_t value) {
  return value != NO_VAL && value != INFINITE;
}
constexpr bool is_set(std::uint64_t value) {
  return value != NO_VAL64 && value != INFINITE64;
}
constexpr bool is_set(const char* text) {
  return text != nullptr && text[0] != '\0';
}

// The id that the request names; 0 when it names none.
constexpr std::uint32_t job_id_of(const job_desc_msg_t& job) {
  return is_set(job.ASBB_JOB_ID) ? job.ASBB_JOB_ID : 0;
}

}  // namespace asbb::plugins
