// The verbs of `asbb audit` that have a file of their own, and what the exported forms share.
// Inside src/cli only; one thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "cli/context.h"
#include "store/verify.h"

namespace asbb::cli {

struct ExportFlags {
  std::string format = "jsonl";
  std::string file;  // empty: standard output
  bool force = false;
};
[[nodiscard]] int export_entries(Context& context, const ExportFlags& flags);  // audit_export.cc

// What a check found, on the context's streams; the exit code.
[[nodiscard]] int show_verdict(Context& context, const api::AuditReport& report);  // audit.cc

// Verifies exported JSON lines with a key alone; `heads_file` may be empty. (audit_archive.cc)
[[nodiscard]] Result<api::AuditReport> verify_archive(const std::string& file,
                                                      const std::string& key_file,
                                                      const std::string& heads_file);

// Entries as a journal of double-entry plain-text accounting. Fed in order, from the first entry
// on, since the change of a limit is the difference to what it was; remembers the budgets alone.
class JournalWriter {
 public:
  [[nodiscard]] static std::string head();
  [[nodiscard]] std::string add(const api::AuditEntry& entry);

 private:
  struct Budget {
    std::string account;
    Micros limit;
  };
  [[nodiscard]] std::string postings(const api::AuditEntry& entry);
  [[nodiscard]] std::string limit_postings(const api::AuditEntry& entry, Budget& budget) const;

  std::map<std::int64_t, Budget> budgets_;
};

// The whole ledger of the settings' database, read without a service. Empty files are those of the
// settings.
[[nodiscard]] Result<store::Verdict> check_database(const config::Config& settings,
                                                    const std::string& key_file,
                                                    const std::string& heads_file);

}  // namespace asbb::cli
