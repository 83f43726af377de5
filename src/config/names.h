// What is said about a name that is no setting, and which variable names which setting. Used inside
// src/config only. Functions; any thread.
#pragma once

#include <string>
#include <string_view>

#include "config/settings.h"

namespace asbb::config {

// "there is no such setting; ...": of `name` ("section.key") in the section.
[[nodiscard]] std::string why_unknown(const std::string& name, const std::string& section);
// The same of a section; "" when there is one of that name, or had some settings once.
[[nodiscard]] std::string why_no_section(const std::string& section);
// The same of a variable that begins with ASBB_.
[[nodiscard]] std::string why_no_variable(const std::string& variable);

// ASBB_SECTION_KEY, with the name it has now or another that it had.
[[nodiscard]] bool names_setting(const std::string& variable, const Setting& setting);

// Passwords in addresses of databases and servers become "***".
[[nodiscard]] std::string without_secrets(std::string text);

}  // namespace asbb::config
