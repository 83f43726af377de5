#include "http/load_client.h"

#include <algorithm>
#include <functional>

#include "api/json.h"
#include "base/token.h"
#include "service/clock.h"
#include "service/digest.h"

namespace asbb::http {

LoadClient::LoadClient(std::string socket, std::string accounting, int number, Told& told)
    : socket_(std::move(socket)),
      accounting_(std::move(accounting)),
      name_("c" + std::to_string(number)),
      random_(static_cast<unsigned>(number)),
      told_(told),
      client_(RawClient::connect_unix(socket_)) {}

void LoadClient::run_until(Steady::time_point end) {
  const std::vector<std::function<void()>> steps{
      [&] { hold(); },          [&] { hold(); },          [&] { hold(); },
      [&] { settle(); },        [&] { settle(); },        [&] { settle(); },
      [&] { hold_shared(); },   [&] { settle_shared(); }, [&] { submit(); },
      [&] { adjust(); },        [&] { refund(); },        [&] { transfer(); },
      [&] { transfer(); },      [&] { change_limits(); }, [&] { close_account(); },
      [&] { close_or_open(); }, [&] { finish_job(); },    [&] { read(); },
      [&] { read(); }};
  while (Steady::now() < end) steps[below(steps.size())]();
  while (!requeued_.empty()) finish_job();
}

const std::string& LoadClient::some_account() {
  const std::size_t kind = below(5);
  return one_of(kind == 0 ? unruly_accounts : kind == 1 ? brief_accounts : shared_accounts);
}

RawAnswer LoadClient::ask(const std::string& method, const std::string& target,
                          const std::string& body, const std::string& headers) {
  auto answer = client_.ask(method, target, body, json_header + headers);
  if (!answer) {
    told_.wrong(method + " " + target + ": no answer");
    client_ = RawClient::connect_unix(socket_);
    return {};
  }
  if (answer->header("Connection") == "close") client_ = RawClient::connect_unix(socket_);
  return std::move(*answer);
}

RawAnswer LoadClient::expect(const std::vector<int>& right, const std::string& method,
                             const std::string& target, const std::string& body,
                             const std::string& headers) {
  RawAnswer answer = ask(method, target, body, headers);
  if (std::find(right.begin(), right.end(), answer.status) == right.end()) {
    told_.wrong(method + " " + target + " " + body + ": " + std::to_string(answer.status) + " " +
                answer.body);
  }
  return answer;
}

RawAnswer LoadClient::expect_alike(const std::vector<int>& right, const std::string& method,
                                   const std::string& target, const std::string& body) {
  const std::string key = "Idempotency-Key: " + next_key() + "\r\n";
  RawAnswer answer = expect(right, method, target, body, key);
  if (below(3) == 0 && ask(method, target, body, key).status != answer.status) {
    told_.wrong(method + " " + target + " " + body + ": answered in two ways");
  }
  return answer;
}

std::string LoadClient::check(const std::string& key, const std::string& account,
                              std::int64_t cpus) {
  api::BudgetCheck request;
  request.account = account;
  request.partition = "cpu";
  request.cluster = "onprem";
  request.cpus = cpus;
  request.wall_time_s = 600;
  const bool may_be_closed =
      std::count(unruly_accounts.begin(), unruly_accounts.end(), account) > 0;
  const RawAnswer answer =
      expect(may_be_closed ? std::vector{200, 402} : std::vector{200}, "POST",
             "/api/v1/budget/check", api::to_json(request), "Idempotency-Key: " + key + "\r\n");
  if (answer.status != 200) return {};
  const auto told = api::from_json<api::BudgetCheckAnswer>(answer.body);
  if (!told || !told->available) return {};
  told_.held(told->transaction_id, {account, told->hold_amount, told->transaction_id});
  return told->transaction_id;
}

void LoadClient::hold() {
  const std::string key = next_key();
  const std::string& account = some_account();
  const auto cpus = static_cast<std::int64_t>(1 + below(4));
  const std::string transaction = check(key, account, cpus);
  if (!transaction.empty()) open_.push_back({account, Micros(), transaction});
  if (below(3) == 0 && check(key, account, cpus) != transaction) {
    told_.wrong(key + ": held again under another name");
  }
}

// A cost of nothing is a release.
void LoadClient::settle() {
  if (open_.empty()) return;
  std::swap(open_[below(open_.size())], open_.back());
  Held held = open_.back();
  const std::string& transaction = held.transaction;
  open_.pop_back();
  const Micros cost(static_cast<std::int64_t>(below(4) * 123'457));
  charge(transaction, cost, {200});
  if (below(3) == 0) charge(transaction, cost, {200});
  if (cost.is_zero()) return;
  held.amount = cost;
  charged_.push_back(held);
}

void LoadClient::charge(const std::string& transaction, Micros cost,
                        const std::vector<int>& right) {
  api::BudgetReconcile request;
  request.transaction_id = transaction;
  request.job_id = "cloud/" + transaction;
  request.actual_cost = cost;
  const auto answer = expect(right, "POST", "/api/v1/budget/reconcile", api::to_json(request));
  if (answer.status != 200) return;
  const auto told = api::from_json<api::BudgetReconcileAnswer>(answer.body);
  if (!told || told->actual_charge != cost) return told_.wrong("charged: " + answer.body);
  told_.charged(transaction, cost);
}

// All clients ask for the same holds, under the same keys, and settle them at different costs.
void LoadClient::hold_shared() {
  const std::size_t number = below(200);
  const auto& account = shared_accounts[number % shared_accounts.size()];
  const std::string transaction = check("all-" + std::to_string(number), account, 2);
  if (!transaction.empty()) shared_.push_back(transaction);
}

void LoadClient::settle_shared() {
  if (shared_.empty()) return;
  charge(shared_[below(shared_.size())], Micros(static_cast<std::int64_t>(1 + below(3))),
         {200, 409});
}

// Where no job comes of it, the reconciler gives it back.
void LoadClient::submit() {
  const std::string token = service::fresh_token(service::system_now());
  const std::string body =
      R"({"cluster":"onprem","slurm_version":"22.05.8","time_budget_ms":60000,)"
      R"("on_silence":"deny","submit_uid":0,"user_id":0,"account":"proj001",)"
      R"("partition":"cpu","min_cpus":1,"num_tasks":1,"cpus_per_task":1,"time_limit":10})";
  std::string first;
  for (int i = 0; i < 2; ++i) {
    const auto answer = expect({200}, "PUT", "/api/v1/slurm/submissions/" + token, body);
    const std::string decision = answer.header("Asbb-Decision");
    if (i == 1 && decision != first) told_.wrong(token + ": " + first + ", then " + decision);
    first = decision;
    if (decision == "allow") told_.allowed(token);
    if (answer.body.find("limit") == std::string::npos && decision == "deny") {
      told_.wrong("submission: " + answer.body);
    }
  }
  if (first == "allow" && below(2) == 0) run_job(token);
}

// Of a job that is requeued once.
void LoadClient::run_job(const std::string& token) {
  const std::int64_t job = told_.next_job();
  write_run(job, token, false);
  requeued_.emplace_back(job, token);
}

void LoadClient::finish_job() {
  if (requeued_.empty()) return;
  const auto [job, token] = requeued_.front();
  requeued_.erase(requeued_.begin());
  write_run(job, token, true);
}

// A core for 36 seconds at first, and for 72 after it was requeued.
void LoadClient::write_run(std::int64_t job, const std::string& token, bool is_last) {
  const std::int64_t submitted = token_time(token).unix_seconds();
  const std::int64_t start = is_last ? submitted + 40 : submitted;
  const std::int64_t elapsed = is_last ? 72 : 36;
  const auto number = [](std::int64_t value) { return std::to_string(value) + "|"; };
  const char* const tres = "billing=1,cpu=1,mem=1000M,node=1|";
  told_.ran(accounting_,
            number(10 * job + (is_last ? 1 : 0)) + "onprem|" + number(job) + number(job) +
                "root|0|proj001|cpu|normal|" + (is_last ? "COMPLETED|" : "REQUEUED|") +
                number(start) + number(start) + number(start) + number(start + elapsed) +
                number(elapsed) + "00:00:00|10|1|cpu-1|" + tres + tres + "0:0||asbb=" + token + "|",
            is_last ? Micros(20'000) : Micros(10'000));
}

void LoadClient::adjust() {
  const std::string& account = one_of(below(3) == 0 ? brief_accounts : shared_accounts);
  const bool up = below(2) == 0;
  const Micros amount(up ? 10'000 : -5'000);
  const auto answer =
      expect({200, 409}, "POST", "/api/v1/accounts/" + account + "/adjustments",
             std::string(R"({"amount":)") + to_decimal(amount) + R"(,"reason":"load"})",
             "Idempotency-Key: a" + name_ + "-" + std::to_string(++number_) + "\r\n");
  if (answer.status == 200) told_.adjusted(account, amount);
}

// At most what was charged, however many ask; less where a correction has taken it already.
void LoadClient::refund() {
  if (charged_.empty()) return;
  const Held& held = charged_[below(charged_.size())];
  const Micros amount(static_cast<std::int64_t>(1 + below(100'000)));
  const auto answer =
      expect_alike({200, 409}, "POST", "/api/v1/accounts/" + held.account + "/refunds",
                   R"({"transaction_id":")" + held.transaction + R"(","amount":)" +
                       to_decimal(amount) + R"(,"reason":"load"})");
  if (answer.status == 200) told_.refunded(held.account, held.transaction, amount);
}

// Back and forth between accounts of which one is closed now and then, and whose periods end.
void LoadClient::transfer() {
  std::vector<std::string> accounts = brief_accounts;
  accounts.insert(accounts.end(), unruly_accounts.begin(), unruly_accounts.end());
  const std::string& from = one_of(accounts);
  const std::string& to = one_of(accounts);
  const Micros amount(static_cast<std::int64_t>(1 + below(2'000'000)));
  const auto answer = expect_alike(
      {200, 402, 409}, "POST", "/api/v1/accounts/" + from + "/transfers",
      R"({"to":")" + to + R"(","amount":)" + to_decimal(amount) + R"(,"reason":"load"})");
  if (answer.status == 200) told_.moved(from, to, amount);
}

void LoadClient::change_limits() {
  const std::string& account = some_account();
  const std::string target = "/api/v1/accounts/" + account;
  const char* limit = below(4) == 0 ? "1" : "900000";
  const std::string body = std::string(R"({"limit":)") + limit + "}";
  // 402: another client has closed it.
  (void)expect({200, 402, 409}, "PUT", target + "/partition-limits/cpu", body);
  // What people granted those is counted at the end.
  if (std::count(shared_accounts.begin(), shared_accounts.end(), account) == 0) return;
  const std::string total = below(2) == 0 ? "900000" : "1000000";
  (void)expect({200, 409}, "PUT", target, R"({"budget_limit":)" + total + "}");
}

// An account of its own, closed while money is held: what was begun is still charged.
void LoadClient::close_account() {
  const std::string account = name_ + "x" + std::to_string(++number_);
  const std::string target = "/api/v1/accounts/" + account;
  (void)expect({201}, "POST", "/api/v1/accounts",
               R"({"slurm_account":")" + account + R"(","parent":"lab","budget_limit":100,)" +
                   R"("start_date":"2020-01-01","end_date":"2099-12-31"})");
  const std::string transaction = check(account, account, 1);
  if (transaction.empty()) return told_.wrong(account + ": nothing held");
  (void)expect({204}, "DELETE", target);
  api::BudgetCheck late;
  late.account = account;
  late.partition = "cpu";
  late.wall_time_s = 60;
  (void)expect({402}, "POST", "/api/v1/budget/check", api::to_json(late));
  charge(transaction, Micros(7), {200});
  (void)expect({204}, "DELETE", target);
  told_.closed();
}

void LoadClient::close_or_open() {
  const std::string target = "/api/v1/accounts/" + one_of(unruly_accounts);
  if (below(2) == 0) {
    (void)expect({204}, "DELETE", target);
  } else if (expect({200}, "PUT", target, R"({"status":"active"})").status == 200) {
    told_.reopened();
  }
}

void LoadClient::read() {
  const std::string& account = some_account();
  const std::vector<std::string> targets{"/api/v1/accounts",
                                         "/api/v1/accounts/" + account,
                                         "/api/v1/accounts/" + account + "/holds",
                                         "/api/v1/accounts/" + account + "/usage",
                                         "/api/v1/transactions?limit=20",
                                         "/api/v1/prices",
                                         "/api/v1/status",
                                         "/health",
                                         "/metrics"};
  (void)expect({200}, "GET", targets[below(targets.size())]);
  if (below(8) == 0) {
    (void)expect({200}, "POST", "/api/v1/slurm/notify", R"({"cluster":"onprem","job_id":7})");
  }
  if (below(40) == 0) (void)expect({200}, "POST", "/api/v1/jobs/7/reconcile", "{}");
  if (below(100) == 0) (void)expect({200}, "GET", "/api/v1/audit/verify");
}

}  // namespace asbb::http
