#include "plugins/http_answer.h"

#include <algorithm>
#include <cstddef>
#include <optional>

#include "plugins/wire.h"
#include "plugins/words.h"

namespace asbb::plugins {
namespace {

constexpr std::string_view kLineEnd = "\r\n";
constexpr std::string_view kHeadEnd = "\r\n\r\n";

constexpr bool is_digit(char character) {
  return character >= '0' && character <= '9';
}

std::optional<int> parse_status_line(std::string_view line) {
  if (!line.starts_with("HTTP/1.1 ") && !line.starts_with("HTTP/1.0 ")) return std::nullopt;
  line.remove_prefix(9);
  if (line.size() < 3 || !is_digit(line[0]) || !is_digit(line[1]) || !is_digit(line[2])) {
    return std::nullopt;
  }
  if (line.size() > 3 && line[3] != ' ') return std::nullopt;
  const int status = (line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0');
  if (status < 200) return std::nullopt;
  return status;
}

DecisionHeader parse_decision(std::string_view value, DecisionHeader before) {
  if (before != DecisionHeader::absent) return DecisionHeader::unreadable;
  if (value == wire::kAllow) return DecisionHeader::allow;
  if (value == wire::kDeny) return DecisionHeader::deny;
  return DecisionHeader::unreadable;
}

// "cloud,aws" or "!cloud": what Slurm takes for a list of features, and nothing else.
bool is_constraint(std::string_view text) {
  if (text.starts_with('!')) text.remove_prefix(1);
  return !text.empty() && text.size() < wire::kClusterFeaturesBytesMax &&
         std::all_of(
             text.begin(), text.end(),
             [](char character) {
               const char small = lower(character);
               return (small >= 'a' && small <= 'z') || is_digit(character) || character == ',' ||
                      character == '_' || character == '-' || character == '.';
             });
}

struct Head {
  int status = 0;
  DecisionHeader decision = DecisionHeader::absent;
  std::string_view token;
  std::string_view cluster_features;
  std::optional<std::size_t> content_length;
  bool keeps_connection = false;
};

std::optional<Head> parse_head(std::string_view text) {
  Head head;
  head.keeps_connection = text.starts_with("HTTP/1.1 ");
  const std::optional<int> status = parse_status_line(take_until(kLineEnd, &text));
  if (!status) return std::nullopt;
  head.status = *status;
  while (!text.empty()) {
    std::string_view value = take_until(kLineEnd, &text);
    if (value.find(':') == std::string_view::npos) return std::nullopt;
    const std::string_view name = take_until(":", &value);
    if (name.empty() || name != trimmed(name)) return std::nullopt;
    value = trimmed(value);
    if (equals_without_case(name, "Transfer-Encoding")) return std::nullopt;
    if (equals_without_case(name, "Content-Length")) {
      unsigned length = 0;
      if (!parse_whole_number(value, &length) || head.content_length) return std::nullopt;
      head.content_length = length;
    } else if (equals_without_case(name, wire::kDecisionHeader)) {
      head.decision = parse_decision(value, head.decision);
    } else if (equals_without_case(name, wire::kTokenHeader)) {
      if (value.empty() || !head.token.empty()) return std::nullopt;
      head.token = value;
    } else if (equals_without_case(name, wire::kClusterFeaturesHeader)) {
      if (!is_constraint(value) || !head.cluster_features.empty()) return std::nullopt;
      head.cluster_features = value;
    } else if (equals_without_case(name, "Connection")) {
      // Of its words only this one says that the connection stays.
      head.keeps_connection = head.keeps_connection && equals_without_case(value, "keep-alive");
    }
  }
  return head;
}

}  // namespace

ParseState parse_answer(std::string_view received, bool ended, Answer* answer) {
  const std::size_t head_bytes = received.find(kHeadEnd);
  if (head_bytes == std::string_view::npos || head_bytes > wire::kAnswerHeadBytesMax) {
    const bool can_grow = received.size() < wire::kAnswerHeadBytesMax + kHeadEnd.size();
    return can_grow && !ended ? ParseState::incomplete : ParseState::malformed;
  }
  const std::optional<Head> head = parse_head(std::string_view(received.data(), head_bytes));
  if (!head) return ParseState::malformed;

  std::string_view body = received;
  body.remove_prefix(head_bytes + kHeadEnd.size());
  const bool knows_length = head->content_length.has_value();
  const std::size_t wanted = std::min(head->content_length.value_or(wire::kAnswerBodyBytesShown),
                                      wire::kAnswerBodyBytesShown);
  if (body.size() < wanted && !ended) return ParseState::incomplete;
  if (body.size() < wanted && knows_length) return ParseState::malformed;

  answer->status = head->status;
  answer->decision = head->decision;
  answer->token = head->token;
  answer->cluster_features = head->cluster_features;
  answer->body = std::string_view(body.data(), std::min(body.size(), wanted));
  answer->keeps_connection = head->keeps_connection && head->status == 200 &&
                             !head->token.empty() && !ended && head->content_length == body.size();
  return ParseState::complete;
}

}  // namespace asbb::plugins
