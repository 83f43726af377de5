// What is sent: an alert or a digest, in the forms that channels need. Pure functions.
#pragma once

#include <string>
#include <vector>

#include "alerts/alert.h"

namespace asbb::alerts {

// A file that goes with a mail.
struct Attachment {
  std::string name;  // "proj001.html"
  std::string type;  // "text/html"
  std::string content;
};

// One thing to tell: `alert` is set for an alert, not for a digest.
struct Message {
  std::string id;  // "alert 12", "digest 2026-01-31": the same when it is sent again
  std::string subject;
  std::string text;                 // sentences; lines end in \n
  std::vector<std::string> owners;  // users whom it concerns
  std::optional<Alert> alert;
  Instant at;
  std::vector<Attachment> attachments{};  // mails alone have them
};

[[nodiscard]] Message message_of(const Alert& alert);

// What lasts, and what began or ended since `since`; nothing when there is nothing to say.
[[nodiscard]] std::optional<Message> digest_of(const std::vector<Alert>& alerts,
                                               const std::string& day, Instant since, Instant at);

// The body of a webhook, and of a command's standard input.
[[nodiscard]] std::string to_json(const Message& message);
// {"text": ...}
[[nodiscard]] std::string to_slack(const Message& message);
// RFC 5322, with CRLF. Line breaks in what goes into headers become blanks.
[[nodiscard]] std::string to_mail(const Message& message, const std::string& from,
                                  const std::vector<std::string>& to);

// "sha256=..." of the body, as a webhook's receiver checks it.
[[nodiscard]] std::string signature(const std::string& secret, const std::string& body);

}  // namespace asbb::alerts
