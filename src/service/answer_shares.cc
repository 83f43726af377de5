#include "service/answer_shares.h"

#include <algorithm>
#include <string_view>

#include "ledger/ledger.h"
#include "ledger/record.h"

namespace asbb::service {
namespace {

// Parts of the memory.
constexpr std::size_t of_one_asker = 2;            // of what was accepted
constexpr std::size_t of_refusals = 4;             // together
constexpr std::size_t of_one_askers_refusals = 8;  // of one

constexpr std::string_view asker_key = "asked_by=";
constexpr std::string_view accepted_start = "refusal=none\n";

// The value as the answer's text has it; empty when it has none.
std::string asker_in(std::string_view text) {
  std::size_t at = text.find("\n" + std::string(asker_key));
  if (at == std::string_view::npos) return {};
  at += 1 + asker_key.size();
  return std::string(text.substr(at, text.find('\n', at) - at));
}

std::string written_asker(const ledger::Command& command) {
  return asker_in("\n" + ledger::RecordWriter().add("asked_by", asker_of(command)).text());
}

std::size_t share(std::size_t whole, std::size_t part) {
  return std::max<std::size_t>(1, whole / part);
}

}  // namespace

AnswerShares::AnswerShares(std::size_t answers_max) : answers_max_(answers_max) {}

void AnswerShares::add(const ledger::RememberedAnswer& answer) {
  const bool refused = !answer.outcome.starts_with(accepted_start);
  const auto asker = counts_.try_emplace(asker_in(answer.outcome)).first;
  ++(refused ? asker->second.refused : asker->second.accepted);
  refused_ += refused ? 1 : 0;
  kept_.push_back({answer.at, asker, refused});
}

void AnswerShares::take_out(const Kept& kept) {
  Count& count = kept.asker->second;
  --(kept.refused ? count.refused : count.accepted);
  refused_ -= kept.refused ? 1 : 0;
  if (count.accepted + count.refused == 0) counts_.erase(kept.asker);
}

void AnswerShares::keep_first(std::size_t count) {
  while (kept_.size() > count) {
    take_out(kept_.back());
    kept_.pop_back();
  }
}

void AnswerShares::forget(Instant before) {
  while (!kept_.empty() && kept_.front().at < before) {
    take_out(kept_.front());
    kept_.pop_front();
  }
}

AnswerShares::Room AnswerShares::room_for(const ledger::Command& command) const {
  if (kept_.size() >= answers_max_) return {};
  const auto found = counts_.find(written_asker(command));
  const Count asker = found == counts_.end() ? Count{} : found->second;
  return {asker.accepted < share(answers_max_, of_one_asker),
          refused_ < share(answers_max_, of_refusals) &&
              asker.refused < share(answers_max_, of_one_askers_refusals)};
}

}  // namespace asbb::service
