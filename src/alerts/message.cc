#include "alerts/message.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>
#include <ctime>

#include "api/json_writer.h"

namespace asbb::alerts {
namespace {

std::string one_line(std::string text) {
  std::replace_if(
      text.begin(), text.end(),
      [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7F'; }, ' ');
  return text;
}

bool is_ascii(const std::string& text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

std::string base64(const std::string& text) {
  std::string out(4 * ((text.size() + 2) / 3) + 1, '\0');
  const int length = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                                     reinterpret_cast<const unsigned char*>(text.data()),
                                     static_cast<int>(text.size()));
  out.resize(static_cast<std::size_t>(length));
  return out;
}

// RFC 2047, one encoded word for every 42 bytes: UTF-8 sequences stay whole.
std::string encoded_header(const std::string& text) {
  if (is_ascii(text)) return text;
  constexpr std::size_t bytes_max = 42;
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t end = std::min(at + bytes_max, text.size());
    while (end < text.size() && end > at + 1 &&
           (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) {
      --end;
    }
    out +=
        (out.empty() ? "=?UTF-8?B?" : "\r\n =?UTF-8?B?") + base64(text.substr(at, end - at)) + "?=";
    at = end;
  }
  return out;
}

// RFC 5322, in UTC and in English whatever the locale.
std::string mail_date(Instant at) {
  constexpr std::array days{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr std::array months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                              "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const std::time_t seconds_since_1970 = at.unix_seconds();
  std::tm parts{};
  ::gmtime_r(&seconds_since_1970, &parts);
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%s, %02d %s %04d %02d:%02d:%02d +0000",
                days.at(static_cast<std::size_t>(parts.tm_wday)), parts.tm_mday,
                months.at(static_cast<std::size_t>(parts.tm_mon)), parts.tm_year + 1900,
                parts.tm_hour, parts.tm_min, parts.tm_sec);
  return text.data();
}

// Base64 in lines of 76: no line is too long for a mail server, and no byte is touched on the way.
std::string mail_body(const std::string& text) {
  constexpr std::size_t line_length = 76;
  const std::string all = base64(text);
  std::string out;
  for (std::size_t at = 0; at < all.size(); at += line_length) {
    out += all.substr(at, line_length) + "\r\n";
  }
  return out;
}

// For a quoted parameter of a header: what is not plain becomes '_'.
std::string file_name(std::string name) {
  std::replace_if(
      name.begin(), name.end(),
      [](char c) {
        const bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                              (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
        return !is_plain;
      },
      '_');
  return name;
}

std::string message_id(const Message& message, const std::string& from) {
  std::string id = "<asbb-" + message.id + "-" + std::to_string(message.at.unix_seconds());
  std::replace(id.begin(), id.end(), ' ', '-');
  return id + from.substr(from.find('@')) + ">";
}

std::string line_of(const Alert& alert) {
  std::string line = "* " + alert.finding.title + " (alert " + std::to_string(alert.id) + ", " +
                     config::to_string(alert.finding.severity) + ", since " +
                     to_rfc3339(alert.raised_at) + ")";
  if (alert.acknowledged_at) line += ", acknowledged by " + alert.acknowledged_by;
  return line + "\n";
}

}  // namespace

Message message_of(const Alert& alert) {
  Message message;
  if (alert.is_digest()) {
    message.id = alert.finding.key;
    message.subject = alert.finding.title;
    message.text = alert.finding.message;
    message.at = alert.raised_at;
    return message;
  }
  message.id = "alert " + std::to_string(alert.id);
  message.subject = alert.finding.title;
  message.text = alert.finding.message + "\n\nAlert " + std::to_string(alert.id) + ", " +
                 config::to_string(alert.finding.severity) + ", since " +
                 to_rfc3339(alert.raised_at) + ". Say that you know with: asbb alerts ack " +
                 std::to_string(alert.id) + "\n";
  message.owners = alert.finding.owners;
  message.alert = alert;
  message.at = alert.raised_at;
  return message;
}

std::optional<Message> digest_of(const std::vector<Alert>& alerts, const std::string& day,
                                 Instant since, Instant at) {
  std::string lasting;
  std::string ended;
  std::size_t count = 0;
  for (const Alert& alert : alerts) {
    if (!alert.ended_at) {
      lasting += line_of(alert);
      ++count;
    } else if (*alert.ended_at >= since) {
      ended += line_of(alert);
    }
  }
  if (lasting.empty() && ended.empty()) return std::nullopt;
  Message message;
  message.id = "digest " + day;
  message.subject = "Budgets on " + day + ": " + std::to_string(count) +
                    (count == 1 ? " alert lasts" : " alerts last");
  if (!lasting.empty()) message.text += "These alerts last:\n" + lasting;
  if (!ended.empty()) message.text += "These ended since the last digest:\n" + ended;
  message.at = at;
  return message;
}

std::string to_json(const Message& message) {
  api::JsonWriter out;
  out.begin_object();
  out.key("kind"), out.text(message.alert ? "alert" : "digest");
  if (message.alert) {
    const Alert& alert = *message.alert;
    out.key("id"), out.number(alert.id);
    out.key("severity"), out.text(config::to_string(alert.finding.severity));
    out.key("account"), out.text(alert.finding.account);
    out.key("unit"), out.text(alert.finding.unit);
    out.key("raised_at"), out.text(to_rfc3339(alert.raised_at));
  }
  out.key("title"), out.text(message.subject);
  out.key("message"), out.text(message.alert ? message.alert->finding.message : message.text);
  out.end_object();
  return out.take();
}

std::string to_slack(const Message& message) {
  // What Slack's own marks would be: https://api.slack.com/reference/surfaces/formatting#escaping
  const auto escaped = [](const std::string& text) {
    std::string out;
    for (const char c : text) {
      if (c == '&') {
        out += "&amp;";
      } else if (c == '<') {
        out += "&lt;";
      } else if (c == '>') {
        out += "&gt;";
      } else {
        out += c;
      }
    }
    return out;
  };
  api::JsonWriter out;
  out.begin_object();
  out.key("text"), out.text("*" + escaped(message.subject) + "*\n" + escaped(message.text));
  out.end_object();
  return out.take();
}

std::string to_mail(const Message& message, const std::string& from,
                    const std::vector<std::string>& to) {
  std::string receivers;
  for (const std::string& address : to) receivers += (receivers.empty() ? "" : ",\r\n ") + address;
  const std::string text =
      "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n" +
      mail_body(message.text);
  const std::string head = "From: " + from + "\r\nTo: " + receivers +
                           "\r\nSubject: " + encoded_header("[asbb] " + one_line(message.subject)) +
                           "\r\nDate: " + mail_date(message.at) +
                           "\r\nMessage-ID: " + message_id(message, from) +
                           "\r\nAuto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n";
  if (message.attachments.empty()) return head + text;
  // Base64 has no '=' but at the end of a line, and never a line that begins with two dashes.
  const std::string boundary = "=_asbb_part_of_a_mail";
  std::string mail = head + "Content-Type: multipart/mixed; boundary=\"" + boundary +
                     "\"\r\n\r\n--" + boundary + "\r\n" + text;
  for (const Attachment& attachment : message.attachments) {
    mail += "--" + boundary + "\r\nContent-Type: " + attachment.type +
            "; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n"
            "Content-Disposition: attachment; filename=\"" +
            file_name(attachment.name) + "\"\r\n\r\n" + mail_body(attachment.content);
  }
  return mail + "--" + boundary + "--\r\n";
}

std::string signature(const std::string& secret, const std::string& body) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int length = 0;
  HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
       reinterpret_cast<const unsigned char*>(body.data()), body.size(), digest.data(), &length);
  constexpr const char* digits = "0123456789abcdef";
  std::string out = "sha256=";
  for (unsigned int i = 0; i < length; ++i) {
    out += digits[digest.at(i) >> 4U];
    out += digits[digest.at(i) & 15U];
  }
  return out;
}

}  // namespace asbb::alerts
