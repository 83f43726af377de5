#include "simulation/centre.h"

#include <algorithm>

#include "ledger/testing/test_ledger.h"
#include "service/hold_scope.h"

namespace asbb::simulation {
namespace {

constexpr int periods = 12;

ledger::Command by_root(ledger::Action action) {
  ledger::Command command;
  command.context.actor = "root";
  command.context.reason = "as the centre wants it";
  command.action = std::move(action);
  return command;
}

// Of each kind, with what may follow: other ones for an account and for a partition.
config::Enforcement some_ladders(Chance& chance) {
  config::Ladder mild{.warn = true, .stop_new = true};
  config::Ladder hard = mild;
  hard.signal = "USR1";
  hard.grace = seconds(600 * (1 + chance.below(6)));
  hard.cancel = true;
  config::Ladder moving = mild;
  moving.requeue_to = free_partition;
  moving.cancel = chance.one_in(2);
  const std::vector<config::Ladder> all{mild, hard, moving, moving};
  config::Enforcement made{
      .enabled = true, .ladder = chance.of(all), .accounts = {}, .partitions = {}};
  if (chance.one_in(2)) made.accounts["proj002"] = chance.of(all);
  if (chance.one_in(2)) made.accounts["proj001"] = chance.of(all);
  if (chance.one_in(2)) made.partitions["gpu"] = chance.of(all);
  made.ladder.credit = chance.one_in(2);
  for (auto& [account, ladder] : made.accounts) ladder.credit = chance.one_in(2);
  return made;
}

}  // namespace

Centre::Centre(std::uint64_t seed, std::unique_ptr<Database> database, Coverage& coverage)
    : chance_(seed),
      coverage_(coverage),
      database_(std::move(database)),
      begin_(ledger::testing::epoch),
      now_(begin_),
      slurm_(chance_, coverage, chance_.one_in(2),
             [this](const std::string& what) {
               log_.push_back(to_rfc3339(slurm_.now()) + " " + what);
             }),
      truth_(slurm_, tariff_, rules_, coverage),
      control_(
          slurm_, chance_, coverage,
          [this](const Deed& deed) {
            truth_.look(database_->reader());
            service_->committer().read([&](const ledger::Book& book) {
              truth_.ladder.check_deed(deed, book, service_now());
            });
            note("the service: " + deed.verb + " of " + deed.cluster + " job " +
                 std::to_string(deed.job->id));
          },
          [this] {
            is_power_cut_ = chance_.one_in(2);
            throw Killed{};
          }) {
  advance_to(begin_);
  for (const char* cluster : {"onprem", "cloud"}) {
    plugins_.try_emplace(cluster, folder_.path(""), cluster);
  }
  slurm_.service_now = [this] { return service_now(); };
  make_rules();
}

void Centre::make_rules() {
  rules_.run_costs.write_off_account = "overhead";
  rules_.run_costs.writes_off_node_fail = chance_.one_in(2);
  rules_.run_costs.writes_off_boot_fail = chance_.one_in(2);
  rules_.run_costs.writes_off_preempted = chance_.one_in(2);
  rules_.moves_waiting = !chance_.one_in(3);
  rules_.moves_running = chance_.one_in(3);
  static const std::vector<std::int64_t> carried{0, 1'000'000, 500'000, 333'333};
  for (const char* account : {"lab", "proj001", "proj002", "overhead"}) {
    rules_.carry_over_millionths[account] = chance_.of(carried);
  }
  rules_.policy_folder = folder_.path("");
  rules_.silence.allow_by_partition = {{"batch", true}, {"gpu", false}};
  if (!chance_.one_in(3)) rules_.enforcement = some_ladders(chance_);
  if (chance_.one_in(2)) return;
  rules_.silence.allow_by_partition["gpu"] = true;
  rules_.allowances.allow_without_allowance = chance_.one_in(2);
  for (const char* cluster : {"onprem", "cloud"}) {
    auto& there = rules_.allowances.by_cluster[cluster];
    there["proj001"] = {ledger::testing::usd(20 + chance_.below(120)), "USD"};
    if (chance_.one_in(2)) there["proj002"] = {ledger::testing::usd(20 + chance_.below(60)), "USD"};
  }
}

Centre::~Centre() {
  database_->heal();
}

Span Centre::simulated() const {
  return now_ - begin_;
}

std::int64_t Centre::jobs() const {
  return static_cast<std::int64_t>(slurm_.jobs().size());
}

void Centre::note(const std::string& what) {
  log_.push_back(to_rfc3339(now_) + " " + what);
}

void Centre::run(int steps) {
  slurm_.advance(now_);
  start_service();
  make_accounts();
  import_prices();
  for (int i = 0; i < steps; ++i) step();
  settle_down();
  truth_.check_end(*service_, database_->reader(), now_);
}

// A tree whose top may be poorer than its parts together, so that each limit decides sometimes.
void Centre::make_accounts() {
  const auto create = [&](const char* name, const char* parent, std::int64_t limit) {
    ledger::CreateAccount account;
    account.name = name;
    account.parent = parent;
    const std::int64_t credit = chance_.one_in(2) ? 0 : limit / 10;
    for (int i = 0; i < periods; ++i) {
      const Instant start = period_start(i);
      for (const char* unit : {"USD", "core-hours"}) {
        account.budgets.push_back({unit, start, period_start(i + 1), ledger::testing::usd(limit),
                                   ledger::testing::usd(credit),
                                   rules_.carry_over_millionths.at(name)});
      }
    }
    const auto made = service_->committer().run(by_root(account));
    require(made && made->accepted(), "an account cannot be made");
  };
  create("lab", "", 400 + chance_.below(400));
  create("proj001", "lab", 100 + chance_.below(500));
  create("proj002", "lab", 50 + chance_.below(300));
  create("overhead", "", 100'000);
  ledger::SetPartitionLimit limit;
  limit.account = "proj001";
  limit.partition = "gpu";
  limit.limit = ledger::testing::usd(40 + chance_.below(200));
  require(service_->committer().run(by_root(limit))->accepted(), "a limit cannot be set");
}

void Centre::import_prices() {
  // The first are in force already: a clock that steps back does not make everything free.
  const bool is_first = tariff_.version_at(service_now()) == 0;
  const Instant from = is_first ? service_now() - seconds(3'600) : service_now();
  const auto book = pricing::parse_price_book(tariff_.next_text(), "prices", {from, "UTC"});
  require(book.has_value(), book ? "" : book.error().message);
  const ledger::RecordPrices prices{book->effective_from, pricing::to_canonical_text(*book)};
  const auto recorded = service_->committer().run(by_root(prices));
  if (!recorded || !recorded->accepted()) return;
  tariff_.add_version(book->effective_from);
  service_->follow_prices();
  count("new prices");
  note("new prices");
}

void Centre::start_service() {
  const auto on_alarm = [this](const service::Alarm& alarm) {
    truth_.note_alarm(alarm);
    note("alarm " + alarm.key + ": " + alarm.message);
  };
  service_ = std::make_unique<Service>(
      database_->open(), slurm_, control_, [this] { return service_now(); }, rules_,
      [this] { wait_for_store(); }, on_alarm);
  require(service_->start(), "the service does not start");
  refresh();
  note("the service starts");
}

void Centre::kill_service(bool power_cut) {
  note(power_cut ? "the power goes" : "the service is killed");
  count(power_cut ? "a power cut" : "a kill");
  database_->stop_all([this] { service_.reset(); }, power_cut, chance_);
  truth_.look_again(database_->reader());
}

// A call of the database takes its time, or is the last one.
void Centre::wait_for_store() {
  if (dies_while_waiting_) throw Killed{};
  advance_to(now_ + milliseconds(10 + chance_.below(20'000)));
}

bool Centre::with_service(const std::function<void()>& call) {
  arm_store();
  try {
    call();
    service_->store().heal();
    return true;
  } catch (const Killed&) {
    kill_service(is_power_cut_);
    count("killed while it wrote");
    return false;
  }
}

void Centre::arm_store() {
  is_armed_ = chance_.one_in(8);
  if (!is_armed_) return;
  store::FaultStore& at = service_->store();
  const std::int64_t next = at.commits() + 1 + chance_.below(3);
  dies_while_waiting_ = chance_.one_in(2);
  is_power_cut_ = chance_.one_in(2);
  struct Armed {
    store::Fault fault;
    const char* what;
  };
  static const std::vector<Armed> faults{
      {store::Fault::before, "a commit fails"},
      {store::Fault::lost, "the connection is lost before COMMIT"},
      {store::Fault::after, "the connection is lost after COMMIT"},
      {store::Fault::slow, "a commit is late, or never begins"},
      {store::Fault::late, "the answer to COMMIT is late, or never comes"}};
  std::string what = "a search fails";
  if (chance_.one_in(6)) {
    at.fail_find(at.finds() + 1, store::Fault::before);
  } else {
    const Armed& armed = chance_.of(faults);
    at.fail_commit(next, armed.fault);
    what = armed.what;
  }
  count(what);
  note("soon " + what);
}

void Centre::pass_time() {
  Span span = milliseconds(1 + chance_.below(300'000));
  if (chance_.one_in(5)) span = seconds(chance_.below(4 * 3'600));
  if (chance_.one_in(16)) span = hours(chance_.below(72));
  advance_to(now_ + span);
}

void Centre::advance_to(Instant at) {
  now_ = at;
  Plugin::set_time(at);
  slurm_.advance(at);
}

// As the refresher does it: now and then, and when something else is to be published.
void Centre::refresh() {
  service_->refresh();
  const bool is_read = slurm_.controller("onprem").is_up && slurm_.controller("cloud").is_up &&
                       slurm_.controller("onprem").is_reachable &&
                       slurm_.controller("cloud").is_reachable && slurm_.accounting().is_up &&
                       slurm_.is_accounting_reachable;
  if (is_read) truth_.allowances.note_written(tariff_.version_at(service_now()));
}

bool Centre::is_well() const {
  const auto answers = [this](const char* cluster) {
    const Slurm::Controller& at = slurm_.controller(cluster);
    return at.is_up && at.is_reachable && at.shows_all && !at.is_garbled;
  };
  return answers("onprem") && answers("cloud") && slurm_.accounting().is_up &&
         slurm_.is_accounting_reachable && skew_ == Span{} && !is_armed_;
}

void Centre::step() {
  pass_time();
  mend_something();
  break_something();
  deliver_late();
  if (service_) refresh();
  for (std::int64_t count = chance_.below(3); count > 0; --count) submit_something();
  if (chance_.one_in(2)) do_something_to_a_job();
  if (service_ && chance_.one_in(rules_.enforcement.enabled ? 5 : 12)) do_something_with_money();
  if (service_ && chance_.one_in(40)) import_prices();
  if (!chance_.one_in(3)) pass();
  check();
}

void Centre::pass() {
  if (!service_) return;
  service::PassReport report;
  const Instant at = now_;
  if (!with_service([&] { report = service_->run_pass(); })) return;
  if (is_well()) truth_.note_good_pass(at);
  if (service_->wants_refresh() && chance_.one_in(2)) refresh();
  for (const std::string& action : report.actions) note("pass: " + action);
}

void Centre::check() {
  truth_.look(database_->reader());
  if (service_) truth_.check_step(*service_);
}

// Nothing breaks any more, jobs come to their ends, and passes see all of it.
void Centre::settle_down() {
  mend_all();
  control_.is_calm = true;
  is_armed_ = false;
  if (!service_) start_service();
  for (int day = 0; day < 16; ++day) {
    slurm_.hurry();
    advance_to(now_ + hours(24));
    calm_pass();
    truth_.note_good_pass(now_);
    check();
  }
  end_untold_by_hand();
  // What was set aside for the time without a service comes back a while after the next is: in the
  // next period, and when there is more money for it.
  if (period_of(now_) != period_of(now_ + hours(2))) advance_to(now_ + hours(2));
  for (int i = 0; i < 8; ++i) {
    advance_to(now_ + seconds(700));
    calm_pass();
    check();
  }
  // The service's thread does so each second.
  require(service_->committer().run(by_root(ledger::CarryOver{})).has_value(), "no carry-over");
  calm_pass();
  check();
}

void Centre::calm_pass() {
  refresh();
  const service::PassReport report = service_->run_pass();
  for (const std::string& action : report.actions) note("pass: " + action);
}

// What slurmdbd was never told is not known to the service either: it has said so, and a person
// ends the hold.
void Centre::end_untold_by_hand() {
  const auto holds = service_->committer().read([](const ledger::Book& book) {
    std::vector<ledger::Hold> open;
    for (const ledger::Hold* hold : book.open_holds()) open.push_back(*hold);
    return open;
  });
  for (const ledger::Hold& hold : holds) {
    if (!service::is_allowance(hold)) end_by_hand(hold);
  }
}

void Centre::end_by_hand(const ledger::Hold& hold) {
  const Job* job = hold.job ? truth_.job_of(*hold.job) : truth_.job_of_token(hold.request_id);
  const bool is_doubtful = truth_.was_alarmed("hold " + hold.request_id);
  api::BudgetReconcile request;
  request.transaction_id = hold.request_id;
  if (!hold.job) {
    // It may belong to a job that left no token; somebody has found out that it does not.
    if (!is_doubtful) return;
    request.job_id = "1";
    if (service_->settle_by_hand(request)) count("an administrator gives a hold back");
    return;
  }
  if (job == nullptr) return;
  for (const Task& task : job->tasks) {
    const std::string cluster = task.cluster.empty() ? job->cluster : task.cluster;
    const std::string alarm = "settle " + cluster + " job " + std::to_string(job->id);
    const bool is_left = truth_.was_alarmed(alarm);
    if (is_left) count("a run on another cluster is left to an administrator");
    const bool is_lost = task.is_untold || job->is_forgotten || is_left;
    const service::HoldScope scope = service::scope_of(hold.group);
    if (!is_lost || !service::pays_for(scope, task.index)) continue;
    require(is_doubtful, "nobody was told of hold " + hold.request_id + ", whose job is lost");
    request.cluster = cluster;
    request.job_id = std::to_string(job->id);
    if (task.index >= 0) request.job_id += "_" + std::to_string(task.index);
    if (service_->settle_by_hand(request)) count("an administrator ends a hold");
  }
}

}  // namespace asbb::simulation
