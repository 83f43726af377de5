// Reads the service's answer out of the bytes received so far. Pure: no socket, no clock, no
// allocation. It understands as much of HTTP/1.1 (RFC 9112) as the protocol page allows the service
// to use, and takes everything else for malformed.
#pragma once

#include <string_view>

namespace asbb::plugins {

// What the service does with a submission, and what the plugin does without an answer.
enum class Stance { deny, allow };

enum class DecisionHeader {
  absent,
  unreadable,  // neither allow nor deny, or given twice
  allow,
  deny,
};

struct Answer {
  int status = 0;
  DecisionHeader decision = DecisionHeader::absent;
  // The token that the answer names; empty when it names none. Lives in the buffer, as the body
  // does.
  std::string_view token;
  // What the job's constraint of clusters becomes; empty when it stays. Lives in the buffer.
  std::string_view cluster_features;
  // As far as the plugin shows it; lives in the buffer that was parsed.
  std::string_view body;
  // The service keeps the connection, and what comes next on it cannot be a part of this answer or
  // be mistaken for it: a decision that names its token, received to its end and no further.
  bool keeps_connection = false;
};

enum class ParseState { incomplete, complete, malformed };

// `received` is everything since the connection began, `ended` that no more will come. The answer
// is filled in when the state is complete, which it is as soon as the shown part of the body is
// there.
ParseState parse_answer(std::string_view received, bool ended, Answer* answer);

}  // namespace asbb::plugins
