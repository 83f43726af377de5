// Submits to slurmctld as every user with libslurm can: any field of the request set to anything,
// and many at once without the cost of starting sbatch.
//
//   submit_load NAME=VALUE...
//       One job. Prints "job ID", or on stderr what slurmctld said against it.
//   submit_load --count=N [--processes=P] [--json] NAME=VALUE...
//       N jobs out of P processes, which start together and each submit one job after the other.
//       Prints how many were accepted, how many a second, and how long one took: from the call of
//       libslurm to its return, percentiles over all of them.
//   submit_load --count=N [--processes=P] [--json] -- COMMAND [ARGUMENT...]
//       The same, with a command that is started for each job, such as sbatch or a script around
//       it; a job is accepted when the command's exit code is 0.
//
// The exit code is 3 when a job was refused. The cluster is that of SLURM_CONF.
#include <fcntl.h>
#include <slurm/slurm.h>
#include <slurm/slurm_errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { processes_max = 1024, count_max = 10000000, spank_max = 32 };

struct settings {
  int count;  // 0: one, and say what became of it
  int processes;
  bool json;
  char** command;  // null: libslurm
};

// What the processes of one run share.
struct shared {
  _Atomic int ready;
  _Atomic bool go;
  _Atomic int accepted;
  _Atomic int refused;
  int64_t took_ns[];  // of each submission, whatever became of it
};

struct request {
  job_desc_msg_t job;
  char* spank[spank_max];
};

struct field {
  const char* name;
  size_t offset;
};

static const struct field text_fields[] = {
    {"account", offsetof(job_desc_msg_t, account)},
    {"admin_comment", offsetof(job_desc_msg_t, admin_comment)},
    {"array", offsetof(job_desc_msg_t, array_inx)},
    {"cluster_features", offsetof(job_desc_msg_t, cluster_features)},
    {"comment", offsetof(job_desc_msg_t, comment)},
    {"extra", offsetof(job_desc_msg_t, extra)},
    {"name", offsetof(job_desc_msg_t, name)},
    {"origin_cluster", offsetof(job_desc_msg_t, origin_cluster)},
    {"partition", offsetof(job_desc_msg_t, partition)},
    {"qos", offsetof(job_desc_msg_t, qos)},
    {"req_nodes", offsetof(job_desc_msg_t, req_nodes)},
    {"script", offsetof(job_desc_msg_t, script)},
    {"submit_line", offsetof(job_desc_msg_t, submit_line)},
};

static const struct field number_fields[] = {
    {"job_id", offsetof(job_desc_msg_t, job_id)},
    {"min_cpus", offsetof(job_desc_msg_t, min_cpus)},
    {"priority", offsetof(job_desc_msg_t, priority)},
    {"time_limit", offsetof(job_desc_msg_t, time_limit)},
    {"user_id", offsetof(job_desc_msg_t, user_id)},
};

static const struct field wide_fields[] = {
    {"fed_siblings_active", offsetof(job_desc_msg_t, fed_siblings_active)},
    {"fed_siblings_viable", offsetof(job_desc_msg_t, fed_siblings_viable)},
};

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static void fill_request(struct request* request) {
  static char script[] = "#!/bin/sh\ntrue\n";
  static char path[] = "PATH=/usr/bin:/bin";
  static char* environment[] = {path, NULL};
  static char nowhere[] = "/dev/null";
  static char folder[] = "/tmp";
  job_desc_msg_t* job = &request->job;
  slurm_init_job_desc_msg(job);
  job->script = script;
  job->environment = environment;
  job->env_size = 1;
  job->std_out = job->std_err = nowhere;
  job->work_dir = folder;
  job->min_nodes = 1;
  job->min_cpus = 1;
  job->user_id = getuid();
  job->group_id = getgid();
}

// Where the field is that `word` sets, with `value` behind its '='; null when it is none of these.
static void* find(struct request* request, const struct field* fields, size_t count,
                  const char* word, char** value) {
  for (size_t at = 0; at < count; ++at) {
    const size_t length = strlen(fields[at].name);
    if (strncmp(word, fields[at].name, length) != 0 || word[length] != '=') continue;
    *value = (char*)word + length + 1;
    return (char*)&request->job + fields[at].offset;
  }
  return NULL;
}

// The request points into the words: they are the program's own arguments.
static bool set_field(struct request* request, const char* word) {
  char* value = NULL;
  char** text = find(request, text_fields, COUNT_OF(text_fields), word, &value);
  if (text != NULL) return *text = value, true;
  uint32_t* number = find(request, number_fields, COUNT_OF(number_fields), word, &value);
  if (number != NULL) return *number = (uint32_t)strtoul(value, NULL, 0), true;
  uint64_t* wide = find(request, wide_fields, COUNT_OF(wide_fields), word, &value);
  if (wide != NULL) return *wide = strtoull(value, NULL, 0), true;
  job_desc_msg_t* job = &request->job;
  if (strncmp(word, "spank=", 6) != 0 || job->spank_job_env_size == spank_max) return false;
  request->spank[job->spank_job_env_size++] = (char*)word + 6;
  job->spank_job_env = request->spank;
  return true;
}

static int64_t now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

// The job's id, or 0 when it was refused.
static uint32_t submit(struct request* request) {
  submit_response_msg_t* response = NULL;
  const int code = slurm_submit_batch_job(&request->job, &response);
  const uint32_t job = code == SLURM_SUCCESS && response != NULL ? response->job_id : 0;
  if (response != NULL) slurm_free_submit_response_response_msg(response);
  return job;
}

static bool run(char** command) {
  const pid_t child = vfork();
  if (child < 0) return false;
  if (child == 0) {
    execvp(command[0], command);
    _exit(127);
  }
  int status = 0;
  return waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static int submit_one(struct request* request) {
  const uint32_t job = submit(request);
  if (job == 0) {
    fprintf(stderr, "refused: %s\n", slurm_strerror(slurm_get_errno()));
    return 3;
  }
  printf("job %u\n", job);
  return 0;
}

static void submit_share(struct request* request, const struct settings* settings, int first,
                         int last, struct shared* shared) {
  ++shared->ready;
  while (!shared->go) usleep(100);
  for (int at = first; at < last; ++at) {
    const int64_t start = now_ns();
    const bool accepted = settings->command != NULL ? run(settings->command) : submit(request) != 0;
    shared->took_ns[at] = now_ns() - start;
    ++*(accepted ? &shared->accepted : &shared->refused);
  }
}

// False when a process could not be started; those that were have been told to begin.
static bool start_processes(struct request* request, const struct settings* settings,
                            struct shared* shared) {
  int first = 0;
  for (int at = 0; at < settings->processes; ++at) {
    const int last = (int)((int64_t)settings->count * (at + 1) / settings->processes);
    const pid_t child = fork();
    if (child < 0) return false;
    if (child == 0) {
      // What a command says of each job is not what this program says.
      if (settings->command != NULL) dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), 1);
      submit_share(request, settings, first, last, shared);
      _exit(0);
    }
    first = last;
  }
  return true;
}

static int compare(const void* left, const void* right) {
  const int64_t a = *(const int64_t*)left;
  const int64_t b = *(const int64_t*)right;
  return (a > b) - (a < b);
}

// The smallest duration that `percent` of all do not exceed, in milliseconds.
static double percentile_ms(const int64_t* sorted_ns, int count, int percent) {
  const int rank = (int)(((int64_t)count * percent + 99) / 100);
  return (double)sorted_ns[rank > 0 ? rank - 1 : 0] / 1e6;
}

static void report(const struct settings* settings, struct shared* shared, int64_t took_ns) {
  const int count = settings->count;
  qsort(shared->took_ns, (size_t)count, sizeof shared->took_ns[0], compare);
  const char* format =
      settings->json
          ? "{\"processes\": %d, \"accepted\": %d, \"refused\": %d, \"p50_ms\": %.3f, "
            "\"p90_ms\": %.3f, \"p99_ms\": %.3f, \"max_ms\": %.3f, \"rate_per_s\": %.1f}\n"
          : "processes %d accepted %d refused %d p50 %.3f ms p90 %.3f ms p99 %.3f ms "
            "max %.3f ms rate %.1f\n";
  printf(format, settings->processes, shared->accepted, shared->refused,
         percentile_ms(shared->took_ns, count, 50), percentile_ms(shared->took_ns, count, 90),
         percentile_ms(shared->took_ns, count, 99), percentile_ms(shared->took_ns, count, 100),
         (shared->accepted + shared->refused) * 1e9 / (double)took_ns);
}

static int submit_many(struct request* request, const struct settings* settings) {
  const size_t bytes = sizeof(struct shared) + (size_t)settings->count * sizeof(int64_t);
  struct shared* shared =
      mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (shared == MAP_FAILED) {
    perror("submit_load: mmap");
    return 1;
  }
  fflush(stdout);
  const bool started = start_processes(request, settings, shared);
  while (started && shared->ready < settings->processes) usleep(100);
  const int64_t start_ns = now_ns();
  shared->go = true;
  while (wait(NULL) > 0) {
  }
  if (!started || shared->accepted + shared->refused != settings->count) {
    fprintf(stderr, "submit_load: a process could not be started, or ended early\n");
    return 1;
  }
  report(settings, shared, now_ns() - start_ns);
  return shared->refused == 0 ? 0 : 3;
}

// The number behind `option`, which begins the word; 0 unless it is from 1 to `most`.
static int number_of(const char* word, const char* option, long most) {
  char* end = NULL;
  const long value = strtol(word + strlen(option), &end, 10);
  return *end == '\0' && value >= 1 && value <= most ? (int)value : 0;
}

static bool starts_with(const char* word, const char* start) {
  return strncmp(word, start, strlen(start)) == 0;
}

int main(int argc, char** argv) {
  struct settings settings = {.count = 0, .processes = 1};
  static struct request request;
  fill_request(&request);
  for (int at = 1; at < argc && settings.command == NULL; ++at) {
    const char* word = argv[at];
    bool known = true;
    if (starts_with(word, "--count=")) {
      known = (settings.count = number_of(word, "--count=", count_max)) > 0;
    } else if (starts_with(word, "--processes=")) {
      known = (settings.processes = number_of(word, "--processes=", processes_max)) > 0;
    } else if (strcmp(word, "--json") == 0) {
      settings.json = true;
    } else if (strcmp(word, "--") == 0) {
      settings.command = argv + at + 1;
    } else {
      known = set_field(&request, word);
    }
    if (!known) {
      fprintf(stderr, "submit_load: what is '%s'?\n", word);
      return 2;
    }
  }
  if (settings.command != NULL && (settings.command[0] == NULL || settings.count == 0)) {
    fprintf(stderr, "submit_load: a command behind -- and --count=N belong together\n");
    return 2;
  }
  if (settings.command == NULL) slurm_init(NULL);
  return settings.count == 0 ? submit_one(&request) : submit_many(&request, &settings);
}
