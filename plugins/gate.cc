#include "plugins/gate.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "plugins/het_group.h"
#include "plugins/log.h"
#include "plugins/user_message.h"
#include "plugins/wire.h"

namespace asbb::plugins {
namespace {

constexpr std::size_t kHeadBytes = 512;
// Nearly every request fits; a longer one takes memory of the heap.
constexpr std::size_t kBodyBytesOnStack = 16'384;
constexpr std::size_t kShownPartitionBytes = 128;
constexpr std::size_t kSpentBytes = 1'536;

int refuse(std::string_view why, char** err_msg) {
  tell_user(why, err_msg);
  return ESLURM_ACCOUNTING_POLICY;
}

int accept(const Token& token, std::string_view cluster_features, job_desc_msg_t* job,
           char** err_msg, const Allowed& allowed = {}) {
  FixedText<wire::kClusterFeaturesBytesMax + 1> features;
  static_cast<void>(features.assign(cluster_features));  // http_answer.cc has seen to its length
  char* restricted = features.empty() ? nullptr : slurm_xstrdup(features.c_str());
  char* comment = admin_comment_with(job->admin_comment, token, allowed);
  if (comment == nullptr || (!features.empty() && restricted == nullptr)) {
    slurm_xfree(reinterpret_cast<void**>(&comment));
    slurm_xfree(reinterpret_cast<void**>(&restricted));
    return refuse("Memory of the controller is short; try again later.", err_msg);
  }
  if (restricted != nullptr) {
    slurm_xfree(reinterpret_cast<void**>(&job->cluster_features));
    job->cluster_features = restricted;
  }
  slurm_xfree(reinterpret_cast<void**>(&job->admin_comment));
  job->admin_comment = comment;
  return SLURM_SUCCESS;
}

// A request that is bad is the user's matter; any other status but 200 is the service's.
constexpr bool is_bad_request(int status) {
  return status == 400 || status == 413 || status == 422;
}

Failure judge(const Answer& answer, const Token& token) {
  const bool is_ours = answer.token.empty() || answer.token == token.view();
  if (!is_ours) return Failure::malformed_answer;
  if (is_bad_request(answer.status)) return Failure::none;
  if (answer.status != 200) return Failure::error_status;
  const bool is_decided =
      answer.decision == DecisionHeader::allow || answer.decision == DecisionHeader::deny;
  return is_decided ? Failure::none : Failure::malformed_answer;
}

void write_silence_message(const char* partitions, std::string_view cluster, BoundedText* text) {
  text->append("The budget service does not answer, and jobs for ");
  const std::string_view names = partitions == nullptr ? std::string_view() : partitions;
  if (names.empty()) {
    text->append("the default partition");
  } else if (names.size() <= kShownPartitionBytes) {
    text->append("partition ");
    text->append(names);
  } else {
    text->append("these partitions");
  }
  text->append(" are not accepted without it.\nTry again in a few minutes; if it stays so, tell ");
  text->append("the administrator of cluster ");
  text->append(cluster);
  text->append('.');
}

}  // namespace

void Gate::configure(std::string_view plugin_line, std::string_view cluster,
                     std::string_view state_folder) {
  static_cast<void>(cluster_.assign(cluster));
  parse_arguments(plugin_line, cluster_.view(), state_folder, &arguments_);
  policy_.configure(arguments_.policy_path.c_str(), &arguments_.trusted, arguments_.on_unavailable,
                    arguments_.allowance_path.c_str());
}

int Gate::submit(job_desc_msg_t* job, std::uint32_t submit_uid, char** err_msg) {
  const std::int64_t entry_micros = monotonic_micros();
  const Options options = read_options(*job);
  if (!options.budget.empty() && !is_account_name(options.budget)) {
    return refuse("--budget: this is not the name of an account.", err_msg);
  }
  apply_options(options, job);
  if (is_sibling(*job, submit_uid)) return SLURM_SUCCESS;

  Question question{};
  if (!mint_token(&question.token)) {
    return refuse("The controller has no random numbers yet; try again in a minute.", err_msg);
  }
  const Stance on_silence = policy_.decide(job->partition, pause_millis());
  const Token het_group = het_group_of(*job, question.token);
  question.submission = {job, cluster_.view(), submit_uid, options, on_silence, het_group.view()};
  char spent_storage[kSpentBytes];
  BoundedText spent(spent_storage, sizeof spent_storage);
  policy_.write_spent(&spent);
  if (!spent.overflowed()) question.submission.allowances_spent = spent.view();
  question.deadline_micros = entry_micros + std::int64_t{arguments_.timeout_ms} * 1'000;

  Exchange conversation;
  const Failure failure = ask(question, &conversation);
  if (failure == Failure::request_too_long) {
    return refuse("This request is too long to be priced; shorten its lists.", err_msg);
  }
  if (failure != Failure::none) return fall_back(failure, question, job, err_msg);
  log_debug("%s answered after %lld us", question.token.c_str(),
            static_cast<long long>(monotonic_micros() - entry_micros));
  silence_log_.answered();
  return obey(conversation.answer, question.token, job, err_msg);
}

bool Gate::is_administrator(std::uint32_t user) const {
  return user == 0 || user == geteuid();
}

int Gate::modify(const job_desc_msg_t* asked, const job_record* job, std::uint32_t submit_uid,
                 char** err_msg) {
  if (!moves_price(*asked)) return SLURM_SUCCESS;
  const std::int64_t entry_micros = monotonic_micros();
  Change change{asked, cluster_.view(), submit_uid, {}, token_of(job), Stance::allow};
  char number[16];
  BoundedText job_number(number, sizeof number);
  if (is_set(asked->job_id_str)) {
    change.job = asked->job_id_str;
  } else if (job_id_of(*asked) != 0) {
    job_number.append_decimal(job_id_of(*asked));
    change.job = job_number.view();
  }
  // An administrator's own cluster must stay in his hands; the service follows what he did.
  if (!is_administrator(submit_uid)) {
    change.on_silence = policy_.decide_change(asked->partition, pause_millis());
  }
  char storage[kBodyBytesOnStack];
  BoundedText request(storage, sizeof storage);
  write_change(change, 1, &request);
  const std::string_view same = request.overflowed() ? std::string_view() : request.view();
  int code = SLURM_SUCCESS;
  FixedText<512> known;
  if (change_memo_.recall(same, pause_millis(), &code, &known)) {
    tell_user(known.view(), err_msg);
    return code;
  }
  Question question{};
  question.change = &change;
  question.submission.on_silence = change.on_silence;
  question.deadline_micros = entry_micros + std::int64_t{arguments_.timeout_ms} * 1'000;
  Exchange conversation;
  std::string_view why;
  code = decide_change(question, &conversation, &why);
  change_memo_.keep(same, pause_millis(), code, why);
  tell_user(why, err_msg);
  return code;
}

int Gate::decide_change(const Question& question, Exchange* conversation, std::string_view* why) {
  const Failure failure = ask(question, conversation);
  if (failure == Failure::request_too_long) {
    *why = "This change is too long to be priced; shorten its lists.";
    return ESLURM_ACCOUNTING_POLICY;
  }
  if (failure != Failure::none) {
    const Stance stance = question.change->on_silence;
    silence_log_.silence(failure, stance, pause_millis());
    if (stance == Stance::allow) return SLURM_SUCCESS;
    *why =
        "The budget service does not answer, and this change is not accepted without it.\n"
        "Try again in a few minutes; if it stays so, tell the administrator.";
    return ESLURM_ACCOUNTING_POLICY;
  }
  silence_log_.answered();
  const Answer& answer = conversation->answer;
  *why = answer.body;
  if (!is_bad_request(answer.status) && answer.decision == DecisionHeader::allow) {
    return SLURM_SUCCESS;
  }
  if (is_bad_request(answer.status)) *why = "The budget service cannot read this change.";
  if (why->empty()) *why = "The budget of this account does not allow the change.";
  const std::string_view job = question.change->job;
  log_info("a change of job %.*s is refused",
           static_cast<int>(std::min<std::size_t>(job.size(), 64)), job.data());
  return ESLURM_ACCOUNTING_POLICY;
}

Failure Gate::ask(const Question& question, Exchange* conversation) {
  if (arguments_.socket_path.empty()) return Failure::not_configured;
  const Breaker::Leave leave = breaker_.leave(pause_millis());
  if (leave == Breaker::Leave::silence) return Failure::breaker_open;
  Failure failure = Failure::none;
  if (leave == Breaker::Leave::probe_and_call) failure = probe(question.deadline_micros);
  if (failure == Failure::none) failure = send(question, conversation);
  Breaker::Outcome outcome = Breaker::Outcome::silent;
  if (failure == Failure::none) outcome = Breaker::Outcome::answered;
  if (failure == Failure::request_too_long) outcome = Breaker::Outcome::not_asked;
  breaker_.report(leave, outcome, pause_millis());
  return failure;
}

Failure Gate::send(const Question& question, Exchange* conversation) {
  const std::int64_t left_ms = (question.deadline_micros - monotonic_micros()) / 1'000;
  const auto time_budget_ms = static_cast<std::uint64_t>(std::max<std::int64_t>(left_ms, 1));
  char storage[kBodyBytesOnStack];
  BoundedText body(storage, sizeof storage);
  const auto write = [&](BoundedText* text) {
    if (question.change != nullptr) return write_change(*question.change, time_budget_ms, text);
    write_submission(question.submission, time_budget_ms, text);
  };
  write(&body);
  if (!body.overflowed()) return send_body(question, body.view(), conversation);

  const std::size_t wanted_bytes = body.wanted_bytes();
  if (wanted_bytes > wire::kRequestBodyBytesMax + 1) return Failure::request_too_long;
  auto* larger_storage = static_cast<char*>(std::malloc(wanted_bytes));
  if (larger_storage == nullptr) return Failure::no_memory;
  BoundedText larger_body(larger_storage, wanted_bytes);
  write(&larger_body);
  const Failure failure = send_body(question, larger_body.view(), conversation);
  std::free(larger_storage);
  return failure;
}

Failure Gate::send_body(const Question& question, std::string_view body, Exchange* conversation) {
  char storage[kHeadBytes];
  BoundedText head(storage, sizeof storage);
  // What is asked of changes is not marked by a token, and is rare: it has connections of its own.
  const bool is_change = question.change != nullptr;
  if (is_change) {
    head.append("POST ");
    head.append(wire::kChangesPath);
  } else {
    head.append("PUT ");
    head.append(wire::kSubmissionsPath);
    head.append(question.token.view());
  }
  head.append(
      " HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
      "Accept: text/plain\r\nContent-Length: ");
  head.append_decimal(body.size());
  head.append(is_change ? "\r\nConnection: close\r\n\r\n" : "\r\n\r\n");
  const Failure failure = exchange(endpoint(), {head.view(), body}, question.deadline_micros,
                                   conversation, is_change ? nullptr : &idle_connections_);
  if (failure != Failure::none) return failure;
  const Failure judged = judge(conversation->answer, question.token);
  if (judged != Failure::none) idle_connections_.close_all();
  return judged;
}

Failure Gate::probe(std::int64_t deadline_micros) const {
  char storage[kHeadBytes];
  BoundedText head(storage, sizeof storage);
  head.append("GET ");
  head.append(wire::kHealthPath);
  head.append(" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  const std::int64_t probe_until_micros =
      std::min(deadline_micros, monotonic_micros() + kProbeMs * 1'000);
  Exchange conversation;
  const Failure failure =
      exchange(endpoint(), {head.view(), {}}, probe_until_micros, &conversation, nullptr);
  if (failure != Failure::none) return failure;
  return conversation.answer.status == 200 ? Failure::none : Failure::error_status;
}

int Gate::obey(const Answer& answer, const Token& token, job_desc_msg_t* job, char** err_msg) {
  if (is_bad_request(answer.status)) {
    return refuse("The budget service cannot read this request.", err_msg);
  }
  if (answer.decision == DecisionHeader::allow) {
    tell_user(answer.body, err_msg);
    return accept(token, answer.cluster_features, job, err_msg);
  }
  const bool is_mute = answer.body.empty();
  return refuse(is_mute ? "The budget of this account does not allow the job." : answer.body,
                err_msg);
}

int Gate::fall_back(Failure failure, const Question& question, job_desc_msg_t* job,
                    char** err_msg) {
  Spending spending;
  Stance stance = question.submission.on_silence;
  if (stance == Stance::allow && !policy_.let_through(*job, pause_millis(), &spending)) {
    stance = Stance::deny;
  }
  silence_log_.silence(failure, stance, pause_millis());
  if (stance == Stance::allow) return accept(question.token, {}, job, err_msg, spending.allowed);
  if (!spending.why.empty()) return refuse(spending.why.view(), err_msg);
  char storage[kHeadBytes];
  BoundedText message(storage, sizeof storage);
  write_silence_message(job->partition, cluster_.view(), &message);
  return refuse(message.view(), err_msg);
}

Endpoint Gate::endpoint() const {
  return {arguments_.socket_path.c_str(), &arguments_.trusted};
}

}  // namespace asbb::plugins
