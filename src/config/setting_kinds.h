// How the usual kinds of a setting are read and written: paths, durations, sizes, numbers, words.
// Used by the tables of settings alone. Templates; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/money.h"
#include "base/text.h"
#include "config/duration.h"
#include "config/settings.h"
#include "config/size.h"

namespace asbb::config {

template <typename Part>
using Member = Part Config::*;

// A path; `may_be_empty` where that means "none".
template <typename Part>
Setting path(std::string section, std::string key, Member<Part> part, std::string Part::* member,
             bool may_be_empty, std::string help) {
  return Setting{std::move(section),
                 std::move(key),
                 std::move(help),
                 may_be_empty ? "an absolute path, or \"\" for none" : "an absolute path",
                 [=](Config& config, const std::string& text) {
                   if (!(may_be_empty && text.empty()) && !is_absolute_path(text)) return false;
                   config.*part.*member = text;
                   return true;
                 },
                 [=](const Config& config) { return config.*part.*member; }};
}

template <typename Part>
Setting duration(std::string section, std::string key, Member<Part> part, Span Part::* member,
                 Span min, Span max, std::string help) {
  return Setting{std::move(section),
                 std::move(key),
                 std::move(help),
                 "a duration from " + to_text(min) + " to " + to_text(max),
                 [=](Config& config, const std::string& text) {
                   const auto span = parse_span(text);
                   if (!span || *span < min || *span > max) return false;
                   config.*part.*member = *span;
                   return true;
                 },
                 [=](const Config& config) { return to_text(config.*part.*member); },
                 false};
}

// A number of bytes.
template <typename Part>
Setting size(std::string section, std::string key, Member<Part> part, std::int64_t Part::* member,
             std::int64_t min, std::int64_t max, std::string help) {
  return Setting{std::move(section),
                 std::move(key),
                 std::move(help),
                 "a size from " + size_text(min) + " to " + size_text(max),
                 [=](Config& config, const std::string& text) {
                   const auto bytes = parse_size(text);
                   if (!bytes || *bytes < min || *bytes > max) return false;
                   config.*part.*member = *bytes;
                   return true;
                 },
                 [=](const Config& config) { return size_text(config.*part.*member); },
                 false};
}

// A number of no unit, or of whichever the account has.
template <typename Part>
Setting amount(std::string section, std::string key, Member<Part> part, Micros Part::* member,
               std::string help) {
  return Setting{std::move(section),
                 std::move(key),
                 std::move(help),
                 "an amount from 0 to " + to_decimal(max_amount),
                 [=](Config& config, const std::string& text) {
                   const auto value = parse_micros(text);
                   if (!value || value->is_negative()) return false;
                   config.*part.*member = *value;
                   return true;
                 },
                 [=](const Config& config) { return to_decimal(config.*part.*member); },
                 false};
}

template <typename Part>
Setting whole(std::string section, std::string key, Member<Part> part, std::int64_t Part::* member,
              std::int64_t min, std::int64_t max, std::string help) {
  return Setting{std::move(section),
                 std::move(key),
                 std::move(help),
                 "a whole number from " + std::to_string(min) + " to " + std::to_string(max),
                 [=](Config& config, const std::string& text) {
                   const auto value = parse_whole(text, min, max);
                   if (!value) return false;
                   config.*part.*member = *value;
                   return true;
                 },
                 [=](const Config& config) { return std::to_string(config.*part.*member); },
                 false};
}

template <typename Value>
using Words = std::vector<std::pair<std::string, Value>>;

template <typename Part, typename Value>
Setting word(std::string section, std::string key, Member<Part> part, Value Part::* member,
             const Words<Value>& words, std::string help) {
  std::string allowed;
  for (const auto& [name, value] : words) allowed += (allowed.empty() ? "" : ", ") + name;
  return Setting{std::move(section),
                 std::move(key),
                 std::move(help),
                 allowed,
                 [=](Config& config, const std::string& text) {
                   for (const auto& [name, value] : words) {
                     if (name == text) {
                       config.*part.*member = value;
                       return true;
                     }
                   }
                   return false;
                 },
                 [=](const Config& config) {
                   for (const auto& [name, value] : words) {
                     if (value == config.*part.*member) return name;
                   }
                   return std::string();
                 },
                 false};
}

template <typename Part>
Setting yes_or_no(std::string section, std::string key, Member<Part> part, bool Part::* member,
                  std::string help) {
  return word(std::move(section), std::move(key), part, member,
              Words<bool>{{"true", true}, {"false", false}}, std::move(help));
}

// Any text that `is_allowed`.
template <typename Part, typename Check>
Setting text_of(std::string section, std::string key, Member<Part> part, std::string Part::* member,
                std::string allowed, Check is_allowed, std::string help) {
  return Setting{std::move(section),
                 std::move(key),
                 std::move(help),
                 std::move(allowed),
                 [=](Config& config, const std::string& text) {
                   if (!is_allowed(text)) return false;
                   config.*part.*member = text;
                   return true;
                 },
                 [=](const Config& config) { return config.*part.*member; }};
}

}  // namespace asbb::config
