// Durable holds per second over HTTP, beside the same server without a ledger and beside one commit
// per hold, in one run. Writes a table in Markdown to standard output; each ledger is audited after
// its run, and the program fails when one does not verify.
//
//     hold_bench [FOLDER] [MILLISECONDS]     the folder's disk is what is measured
//     hold_bench FOLDER MILLISECONDS CONNECTIONS ACCOUNTS [KIND]
//         one line of figures, for who looks where the time goes; KIND is batched (the usual), each
//         or bare: with batches of one, or without a ledger
#include <fcntl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <optional>

#include "api/json.h"
#include "bench/http_load.h"
#include "http/listener.h"
#include "http/server.h"
#include "store/open_store.h"

namespace asbb::bench {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr const char* check_path = "/api/v1/budget/check";

enum class Kind { no_ledger, one_commit_each, batched };

std::string request_text(const char* method, const std::string& target, const std::string& body) {
  return std::string(method) + " " + target +
         " HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: " +
         std::to_string(body.size()) + "\r\n\r\n" + body;
}

std::string account_name(std::int64_t number) {
  return "proj" + std::to_string(1000 + number);
}

std::string check_request(std::int64_t account) {
  return request_text("POST", check_path,
                      R"({"account":")" + account_name(account) +
                          R"(","partition":"gpu-aws","nodes":1,"cpus":4,"wall_time":"01:00:00"})");
}

// What the others share: reading the request, an answer of the same size.
class LedgerlessServer {
 public:
  explicit LedgerlessServer(const std::string& socket_path)
      : listener_(options(socket_path), {answer, {}, {}, {}}) {}
  bool start() { return listener_.start().has_value(); }
  void stop() { listener_.stop(1000); }

 private:
  static http::ListenerOptions options(const std::string& socket_path) {
    http::ListenerOptions options;
    options.socket_path = socket_path;
    options.user_connections_max = 1024;
    return options;
  }
  static void answer(const http::Request& request, const http::Responder& responder) {
    const auto check = api::from_json<api::BudgetCheck>(request.body);
    api::BudgetCheckAnswer made;
    made.available = check.has_value();
    made.transaction_id = "0197a1b2c3d4e5f60718293a4b5c6d7e8f9001122334";
    made.message = "$4.80 held.";
    responder.send({200, "application/json", api::to_json(made), {}});
  }

  http::Listener listener_;
};

void run_or_exit(service::Committer& committer, ledger::Action action) {
  ledger::Command command;
  command.context.actor = "bench";
  command.context.reason = "bench";
  command.action = std::move(action);
  const auto outcome = committer.run(std::move(command));
  if (outcome && outcome->accepted()) return;
  std::fprintf(stderr, "the ledger cannot be prepared\n");
  std::exit(1);
}

// The service's server and committer on SQLite, without clusters.
class LedgerServer {
 public:
  LedgerServer(const std::string& folder, std::size_t batch_max, int accounts) {
    config_.service.socket = folder + "/asbb.sock";
    config_.service.listen_addr = "";
    const std::string database = folder + "/asbb.db";
    if (!store::migrate_database("sqlite", database, store::MigrateMode::apply)) std::exit(1);
    store_ = std::move(*store::open_store("sqlite", database));
    service::CommitterOptions options;
    options.batch_max = batch_max;
    committer_.emplace(*store_, store::ChainKey{7}, service::system_now, options);
    if (!committer_->start()) std::exit(1);
    fund(accounts);
    server_.emplace(config_, http::ServerParts{*committer_, prices_, view_, names_, alarms_,
                                               service::Hooks{}, store::ChainKey{7}});
  }
  bool start() { return server_->start().has_value(); }
  void stop() {
    server_->stop();
    committer_->stop();
  }

 private:
  void fund(int accounts) {
    const Instant now = service::system_now();
    run_or_exit(*committer_,
                ledger::RecordPrices{now - hours(1),
                                     "prices:\n  - {cluster: \"*\", partition: gpu-aws, unit: USD, "
                                     "basis: tres, per_core_hour: 0.001}\n"});
    for (int i = 0; i < accounts; ++i) {
      ledger::CreateAccount account;
      account.name = account_name(i);
      account.budgets.resize(1);
      account.budgets.front().start = now - hours(24);
      account.budgets.front().end = now + hours(24 * 365);
      account.budgets.front().limit = Micros(1'000'000'000'000'000);
      run_or_exit(*committer_, account);
    }
    const auto followed =
        committer_->read([this](const ledger::Book& book) { return prices_.follow(book); });
    if (!followed) std::exit(1);
  }

  config::Config config_;
  std::unique_ptr<store::Store> store_;
  std::optional<service::Committer> committer_;
  service::Prices prices_;
  slurm::ClusterCache view_;
  slurm::SystemUserNames names_;
  service::Alarms alarms_{[](const service::Alarm&) {}};
  std::optional<http::Server> server_;
};

// Serves until the other end of `stop` is closed.
template <typename Server>
[[noreturn]] void serve(Server& server, int ready, int stop) {
  char byte = 0;
  if (!server.start() || ::write(ready, "r", 1) != 1 || ::read(stop, &byte, 1) < 0) std::_Exit(1);
  server.stop();
  std::_Exit(0);
}

// 0 is this process.
double cpu_seconds(pid_t process) {
  clockid_t clock = CLOCK_PROCESS_CPUTIME_ID;
  timespec time{};
  if (::clock_getcpuclockid(process, &clock) != 0 || ::clock_gettime(clock, &time) != 0) return 0;
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

// A server in a process of its own.
class ServerProcess {
 public:
  ServerProcess(Kind kind, const std::string& folder, int accounts) {
    if (::pipe2(ready_, O_CLOEXEC) != 0 || ::pipe2(stop_, O_CLOEXEC) != 0) std::exit(1);
    process_ = ::fork();
    if (process_ == 0) {
      ::close(stop_[1]);
      if (kind == Kind::no_ledger) {
        LedgerlessServer server(folder + "/asbb.sock");
        serve(server, ready_[1], stop_[0]);
      }
      LedgerServer server(folder, kind == Kind::batched ? 512 : 1, accounts);
      serve(server, ready_[1], stop_[0]);
    }
    ::close(stop_[0]);
    ::close(ready_[1]);
    char byte = 0;
    if (::read(ready_[0], &byte, 1) != 1) std::exit(1);
  }
  ~ServerProcess() {
    ::close(stop_[1]);
    ::close(ready_[0]);
    ::waitpid(process_, nullptr, 0);
  }
  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;

  // Of all its threads together.
  [[nodiscard]] double cpu_seconds() const { return bench::cpu_seconds(process_); }

 private:
  int ready_[2] = {};
  int stop_[2] = {};
  pid_t process_ = 0;
};

// A page written and synced as a commit has to: the median of 200, in ms.
double sync_ms(const std::string& folder) {
  const std::string path = folder + "/sync";
  const int file = ::open(path.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
  const std::string page(4096, 'x');
  std::vector<std::int64_t> times_us;
  for (int i = 0; i < 200; ++i) {
    const auto begin = SteadyClock::now();
    if (::write(file, page.data(), page.size()) < 0 || ::fdatasync(file) != 0) std::exit(1);
    times_us.push_back(
        std::chrono::duration_cast<std::chrono::microseconds>(SteadyClock::now() - begin).count());
  }
  ::close(file);
  std::filesystem::remove(path);
  std::sort(times_us.begin(), times_us.end());
  return static_cast<double>(times_us[times_us.size() / 2]) / 1000;
}

struct Measured {
  LoadResult load;
  double server_us = 0;  // of the processors, for one answer: the server's, and the clients'
  double client_us = 0;
};

Measured measure(Kind kind, const std::string& parent, int connections, int accounts,
                 std::chrono::milliseconds duration) {
  std::string folder = parent + "/asbb-bench-XXXXXX";
  if (::mkdtemp(folder.data()) == nullptr) std::exit(1);
  std::vector<std::string> requests;
  for (int i = 0; i < accounts; ++i) requests.push_back(check_request(i));
  Measured result;
  {
    const ServerProcess server(kind, folder, accounts);
    const std::string socket_path = folder + "/asbb.sock";
    const double server_before = server.cpu_seconds();
    const double client_before = cpu_seconds(0);
    result.load = run_load(socket_path, connections, duration, requests, R"("available":true)");
    const auto sent = static_cast<double>(result.load.requests);
    result.server_us = (server.cpu_seconds() - server_before) * 1e6 / sent;
    result.client_us = (cpu_seconds(0) - client_before) * 1e6 / sent;
    if (kind != Kind::no_ledger) {
      const std::string verdict = ask(socket_path, request_text("GET", "/api/v1/audit/verify", ""));
      if (verdict.find(R"("ok":true)") == std::string::npos) {
        std::fprintf(stderr, "the ledger does not verify: %s\n", verdict.c_str());
        std::exit(1);
      }
    }
  }
  std::filesystem::remove_all(folder);
  if (result.load.failures > 0) {
    std::fprintf(stderr, "%lld answers were not holds\n",
                 static_cast<long long>(result.load.failures));
    std::exit(1);
  }
  return result;
}

void print_row(int connections, int accounts, const std::string& folder,
               std::chrono::milliseconds duration) {
  const auto rates = [&](Kind kind) {
    return measure(kind, folder, connections, accounts, duration).load;
  };
  const LoadResult bare = rates(Kind::no_ledger);
  const LoadResult each = rates(Kind::one_commit_each);
  const LoadResult batched = rates(Kind::batched);
  std::printf("| %d | %d | %.0f | %.3f | %.3f | %.0f | %.0f | %.2f | %.1f |\n", connections,
              accounts, batched.rate(), batched.percentile_ms(50), batched.percentile_ms(99),
              each.rate(), bare.rate(), batched.rate() / bare.rate(), batched.rate() / each.rate());
  std::fflush(stdout);
}

void print_table(const std::string& folder, std::chrono::milliseconds duration) {
  std::printf("A 4 KiB page is written and synced in %.3f ms (median).\n\n", sync_ms(folder));
  std::printf(
      "| connections | accounts | holds/s | p50 ms | p99 ms | one commit per hold, holds/s | no "
      "ledger, "
      "answers/s | of no ledger | times one commit per hold "
      "|\n|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n");
  for (const int accounts : {1, 100}) {
    for (const int connections : {1, 16, 64, 256}) {
      print_row(connections, accounts, folder, duration);
    }
  }
}

void print_one(Kind kind, const std::string& folder, int connections, int accounts,
               std::chrono::milliseconds duration) {
  const Measured one = measure(kind, folder, connections, accounts, duration);
  std::printf("%.0f answers/s, p50 %.3f ms, p99 %.3f ms, server %.1f us, client %.1f us each\n",
              one.load.rate(), one.load.percentile_ms(50), one.load.percentile_ms(99),
              one.server_us, one.client_us);
}

}  // namespace
}  // namespace asbb::bench

int main(int argument_count, char** arguments) {
  using namespace asbb::bench;
  const std::string folder = argument_count > 1 ? arguments[1] : ".";
  const std::chrono::milliseconds duration(argument_count > 2 ? std::atoi(arguments[2]) : 3000);
  if (argument_count <= 4) {
    print_table(folder, duration);
    return 0;
  }
  const std::string word = argument_count > 5 ? arguments[5] : "batched";
  const Kind kind = word == "bare"   ? Kind::no_ledger
                    : word == "each" ? Kind::one_commit_each
                                     : Kind::batched;
  print_one(kind, folder, std::atoi(arguments[3]), std::max(1, std::atoi(arguments[4])), duration);
  return 0;
}
