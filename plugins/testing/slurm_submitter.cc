// Submits to slurmctld with any field of the request set to anything, as every user with libslurm
// can: what sbatch would not let through, and many at once without the cost of starting sbatch.
//
//   slurm_submitter [--count=N] [--processes=N] NAME=VALUE...
//
// Prints "job ID" for each accepted job (with --count only how many, and how many a second), what
// slurmctld said otherwise; 3 when a job was refused. The cluster is that of SLURM_CONF.
#include <slurm/slurm.h>
#include <slurm/slurm_errno.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

struct Settings {
  int count = 0;  // 0: one, and say what became of it
  int processes = 1;
};

// What the processes of one run share.
struct Shared {
  std::atomic<int> ready;
  std::atomic<bool> go;
  std::atomic<int> accepted;
  std::atomic<int> refused;
};

struct TextField {
  const char* name;
  char* job_desc_msg_t::* field;
};

constexpr TextField kTexts[] = {
    {"account", &job_desc_msg_t::account},
    {"admin_comment", &job_desc_msg_t::admin_comment},
    {"array", &job_desc_msg_t::array_inx},
    {"cluster_features", &job_desc_msg_t::cluster_features},
    {"comment", &job_desc_msg_t::comment},
    {"extra", &job_desc_msg_t::extra},
    {"name", &job_desc_msg_t::name},
    {"origin_cluster", &job_desc_msg_t::origin_cluster},
    {"partition", &job_desc_msg_t::partition},
    {"qos", &job_desc_msg_t::qos},
    {"req_nodes", &job_desc_msg_t::req_nodes},
    {"script", &job_desc_msg_t::script},
    {"submit_line", &job_desc_msg_t::submit_line},
};

struct NumberField {
  const char* name;
  std::uint32_t job_desc_msg_t::* field;
};

constexpr NumberField kNumbers[] = {
    {"job_id", &job_desc_msg_t::job_id},     {"min_cpus", &job_desc_msg_t::min_cpus},
    {"priority", &job_desc_msg_t::priority}, {"time_limit", &job_desc_msg_t::time_limit},
    {"user_id", &job_desc_msg_t::user_id},
};

// The request and the texts it points into.
class Request {
 public:
  Request() {
    slurm_init_job_desc_msg(&job_);
    static char script[] = "#!/bin/sh\ntrue\n";
    static char path[] = "PATH=/usr/bin:/bin";
    static char* environment[] = {path, nullptr};
    static char nowhere[] = "/dev/null";
    static char folder[] = "/tmp";
    job_.script = script;
    job_.environment = environment;
    job_.env_size = 1;
    job_.std_out = job_.std_err = nowhere;
    job_.work_dir = folder;
    job_.min_nodes = 1;
    job_.min_cpus = 1;
    job_.user_id = getuid();
    job_.group_id = getgid();
  }

  bool set(const std::string& field) {
    const std::size_t equals = field.find('=');
    if (equals == std::string::npos) return false;
    const std::string name = field.substr(0, equals);
    const char* value = field.c_str() + equals + 1;
    const auto number = std::strtoull(value, nullptr, 0);
    for (const TextField& text : kTexts) {
      if (name == text.name) return keep(value, &(job_.*text.field));
    }
    for (const NumberField& at : kNumbers) {
      if (name == at.name) return job_.*at.field = static_cast<std::uint32_t>(number), true;
    }
    if (name == "fed_siblings_viable") return job_.fed_siblings_viable = number, true;
    if (name == "fed_siblings_active") return job_.fed_siblings_active = number, true;
    if (name == "spank") {
      spank_.push_back(nullptr);
      keep(value, &spank_.back());
      job_.spank_job_env = spank_.data();
      job_.spank_job_env_size = static_cast<std::uint32_t>(spank_.size());
      return true;
    }
    return false;
  }

  job_desc_msg_t* get() { return &job_; }

 private:
  // Kept until the program ends, as the request is.
  static bool keep(const char* text, char** where) {
    *where = strdup(text);
    return *where != nullptr;
  }

  job_desc_msg_t job_{};
  std::vector<char*> spank_;
};

// The job's id, or 0 when it was refused.
std::uint32_t submit(Request* request) {
  submit_response_msg_t* response = nullptr;
  if (slurm_submit_batch_job(request->get(), &response) != SLURM_SUCCESS || response == nullptr) {
    return 0;
  }
  const std::uint32_t job = response->job_id;
  slurm_free_submit_response_response_msg(response);
  return job;
}

int submit_one(Request* request) {
  const std::uint32_t job = submit(request);
  if (job == 0) {
    std::fprintf(stderr, "refused: %s\n", slurm_strerror(slurm_get_errno()));
    return 3;
  }
  std::printf("job %u\n", job);
  return 0;
}

void submit_share(Request* request, int count, Shared* shared) {
  ++shared->ready;
  while (!shared->go) usleep(100);
  for (int at = 0; at < count; ++at) ++(submit(request) != 0 ? shared->accepted : shared->refused);
}

int submit_many(Request* request, const Settings& settings) {
  void* memory =
      mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return 1;
  auto* shared = new (memory) Shared{};
  for (int at = 0; at < settings.processes; ++at) {
    if (fork() != 0) continue;
    const int count =
        settings.count * (at + 1) / settings.processes - settings.count * at / settings.processes;
    submit_share(request, count, shared);
    _exit(0);
  }
  while (shared->ready < settings.processes) usleep(100);
  const auto start = Clock::now();
  shared->go = true;
  while (wait(nullptr) > 0) {
  }
  const std::chrono::duration<double> took = Clock::now() - start;
  const int done = shared->accepted + shared->refused;
  std::printf("accepted %d refused %d rate %.1f\n", shared->accepted.load(), shared->refused.load(),
              done / took.count());
  return shared->refused == 0 && done == settings.count ? 0 : 3;
}

}  // namespace

int main(int argc, char** argv) {
  Settings settings;
  Request request;
  for (int at = 1; at < argc; ++at) {
    const std::string word = argv[at];
    if (word.starts_with("--count=")) {
      settings.count = std::atoi(word.c_str() + 8);
    } else if (word.starts_with("--processes=")) {
      settings.processes = std::atoi(word.c_str() + 12);
    } else if (!request.set(word)) {
      std::fprintf(stderr, "slurm_submitter: what is '%s'?\n", word.c_str());
      return 2;
    }
  }
  slurm_init(nullptr);
  return settings.count == 0 ? submit_one(&request) : submit_many(&request, settings);
}
