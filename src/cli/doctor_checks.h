// The checks of asbb doctor that need no service: the database, and each cluster as this machine
// sees it. Each adds its lines. Inside src/cli only; they block for as long as Slurm takes.
#pragma once

#include <string>
#include <vector>

#include "api/doctor.h"
#include "cli/context.h"
#include "config/config.h"

namespace asbb::cli {

class DoctorReport {
 public:
  void ok(const std::string& name, const std::string& found);
  void warning(const std::string& name, const std::string& found, const std::string& cure = {});
  void failed(const std::string& name, const std::string& found, const std::string& cure);
  [[nodiscard]] api::DoctorAnswer& answer() { return answer_; }

 private:
  api::DoctorAnswer answer_;
};

// Whether the file is there, or may be, and this user may not read it. Never for root.
[[nodiscard]] bool is_hidden(const std::string& file);
// The cure of what an ordinary user cannot look at.
inline constexpr const char* as_root = "Run it as root or as the service's user.";

// Schema, key, the newest part of the chain, room on the disk. What is hidden is not checked.
void check_database_wiring(DoctorReport& report, const config::Database& database);

// Controller, plugin, its object, clock, slurmdbd, and the right of the user who owns the database.
void check_slurm_wiring(DoctorReport& report, const config::Config& settings, Instant now);

// A line for each check, its cure under it, and a count. The exit code: 1 when one failed.
[[nodiscard]] int show_checks(const Context& context, const api::DoctorAnswer& answer);

}  // namespace asbb::cli
