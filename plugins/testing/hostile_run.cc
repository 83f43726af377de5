#include "plugins/testing/hostile_run.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <memory>
#include <mutex>
#include <stop_token>
#include <thread>

#include "plugins/channel.h"
#include "plugins/clock.h"
#include "plugins/gate.h"
#include "plugins/testing/fake_service.h"
#include "plugins/testing/fake_slurm.h"
#include "plugins/testing/hostile_service.h"

namespace asbb::plugins::testing {
namespace {

constexpr std::size_t kViolationsShown = 10;

// How long this thread has waited for a processor since it began, as the scheduler counts it.
class RunDelay {
 public:
  RunDelay() : file_(open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC)) {}
  ~RunDelay() {
    if (file_ >= 0) close(file_);
  }
  RunDelay(const RunDelay&) = delete;
  RunDelay& operator=(const RunDelay&) = delete;

  [[nodiscard]] std::int64_t micros() const {
    char text[128] = {};
    long long ran_nanos = 0;
    long long waited_nanos = 0;
    if (file_ < 0 || pread(file_, text, sizeof text - 1, 0) <= 0) return 0;
    if (std::sscanf(text, "%lld %lld", &ran_nanos, &waited_nanos) != 2) return 0;
    return waited_nanos / 1'000;
  }

 private:
  int file_;
};

// For how long the machine stood still: a virtual one does now and then, a tenth of a second at a
// time, which no counter of the kernel tells. A thread that does nothing but sleep notices.
class Standstill {
 public:
  Standstill() : thread_([this](const std::stop_token& stop) { watch(stop); }) {}

  // Since the start, as far as it was noticed: look a while after what may have been held up.
  [[nodiscard]] std::int64_t micros() const { return micros_; }

 private:
  void watch(const std::stop_token& stop) {
    constexpr std::int64_t nap_micros = 2'000;
    constexpr std::int64_t notable_micros = 10'000;
    while (!stop.stop_requested()) {
      const std::int64_t before = monotonic_micros();
      std::this_thread::sleep_for(std::chrono::microseconds(nap_micros));
      const std::int64_t late = monotonic_micros() - before - nap_micros;
      if (late > notable_micros) micros_ += late;
    }
  }

  std::atomic<std::int64_t> micros_ = 0;
  std::jthread thread_;
};

struct Outcome {
  bool is_silence = false;
  bool is_accepted = false;
};

// What one thread does, and what came of it.
class Submitter {
 public:
  Submitter(const HostileRun& run, const HostileService& service, const Standstill& standstill)
      : run_(run), service_(service), standstill_(standstill) {}

  void submit_all(int calls, int first_way) {
    const RunDelay delay;
    took_micros_.reserve(static_cast<std::size_t>(calls));
    for (int at = 0; at < calls; ++at) {
      const auto way = static_cast<Way>((first_way + at) % (kWays + 1));
      const std::int64_t stood_before = standstill_.micros();
      const std::int64_t waited_before = delay.micros();
      const std::int64_t start = monotonic_micros();
      const Outcome outcome = way == Way::kCount ? ask_a_stranger() : submit(way);
      std::int64_t took = monotonic_micros() - start - (delay.micros() - waited_before);
      if (took > longest_allowed()) {
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
        took -= standstill_.micros() - stood_before;
      }
      took_micros_.push_back(took);
      judge(way, outcome, took);
    }
  }

  void add_to(HostileReport* report, std::vector<std::int64_t>* took_micros) const {
    report->calls += static_cast<int>(took_micros_.size());
    report->answered += answered_;
    report->well_behaved += well_behaved_;
    took_micros->insert(took_micros->end(), took_micros_.begin(), took_micros_.end());
    for (const std::string& text : violations_) {
      if (report->violations.size() < kViolationsShown) report->violations.push_back(text);
    }
  }

 private:
  // A fresh gate each time: none has a breaker that is open. Without a policy file silence refuses.
  Outcome submit(Way way) {
    char line[512];
    std::snprintf(line, sizeof line, "timeout_ms=%u service_user=0 socket=%s", run_.timeout_ms,
                  service_.socket_path(way).c_str());
    Gate gate;
    gate.configure(line, "onprem");
    Request request;
    request.set(&job_desc_msg_t::partition, "gpu-aws");
    Outcome outcome;
    outcome.is_accepted = gate.submit(request.get(), 1'000, request.err_msg()) == SLURM_SUCCESS;
    const std::string said = request.take_err_msg();
    gate.hang_up();
    outcome.is_silence = said.find("does not answer") != std::string::npos;
    if (outcome.is_accepted != (request->admin_comment != nullptr)) {
      violations_.emplace_back("a token without acceptance, or none with it");
    }
    return outcome;
  }

  // A service that would allow everything and runs as somebody else.
  Outcome ask_a_stranger() {
    TrustedUsers trusted;
    trusted.add(geteuid() + 1);
    const std::string path = service_.socket_path(Way::allows);
    Exchange conversation;
    const Failure failure = exchange({path.c_str(), &trusted}, {"PUT / HTTP/1.1\r\n\r\n", {}},
                                     monotonic_micros() + std::int64_t{run_.timeout_ms} * 1'000,
                                     &conversation, nullptr);
    return {failure == Failure::untrusted_server || failure == Failure::not_listening, false};
  }

  [[nodiscard]] std::int64_t longest_allowed() const {
    return std::int64_t{run_.timeout_ms} * 1'000 + kOvertimeMicrosMax;
  }

  void judge(Way way, const Outcome& outcome, std::int64_t took_micros) {
    const std::string name = way == Way::kCount ? "another user" : describe(way);
    if (took_micros > longest_allowed()) {
      violations_.push_back(name + ": took " + std::to_string(took_micros) + " us");
    }
    if (way == Way::allows || way == Way::denies) {
      ++well_behaved_;
      answered_ += outcome.is_silence ? 0 : 1;
      const bool is_right = outcome.is_silence || outcome.is_accepted == (way == Way::allows);
      if (!is_right) violations_.push_back(name + ": the answer was not obeyed");
    } else if (way == Way::huge_body) {
      if (outcome.is_accepted) violations_.push_back(name + ": was accepted");
    } else if (!outcome.is_silence || outcome.is_accepted) {
      violations_.push_back(name + ": was not taken for silence");
    }
  }

  const HostileRun& run_;
  const HostileService& service_;
  const Standstill& standstill_;
  std::vector<std::int64_t> took_micros_;
  int answered_ = 0;
  int well_behaved_ = 0;
  std::vector<std::string> violations_;
};

}  // namespace

HostileReport run_hostile(const HostileRun& run) {
  const Folder folder;
  const HostileService service(folder.path("").substr(0, folder.path("").size() - 1),
                               static_cast<int>(run.timeout_ms) * 2);
  const Standstill standstill;
  std::vector<std::unique_ptr<Submitter>> submitters;
  std::vector<std::thread> threads;
  for (int at = 0; at < run.threads; ++at) {
    submitters.push_back(std::make_unique<Submitter>(run, service, standstill));
    const int calls = run.calls * (at + 1) / run.threads - run.calls * at / run.threads;
    threads.emplace_back([submitter = submitters.back().get(), calls, first_way = at * 2] {
      submitter->submit_all(calls, first_way);
    });
  }
  for (std::thread& thread : threads) thread.join();

  HostileReport report;
  std::vector<std::int64_t> took_micros;
  for (const auto& submitter : submitters) submitter->add_to(&report, &took_micros);
  std::sort(took_micros.begin(), took_micros.end());
  report.median_micros = took_micros[took_micros.size() / 2];
  report.longest_micros = took_micros.back();
  return report;
}

}  // namespace asbb::plugins::testing
