// A report as a table, CSV or JSON. One thread.
#pragma once

#include <iosfwd>
#include <memory>
#include <string>

#include "cli/context.h"
#include "report/adder.h"

namespace asbb::cli {

enum class ReportForm { table, csv, json };

// What a report can be taken apart by.
[[nodiscard]] const std::vector<std::string>& report_dimensions();

// Prints jobs as they come; a page of a table at a time. `out` outlives it.
class JobPrinter {
 public:
  // Of the report no more than units and rates are there yet.
  JobPrinter(std::ostream& out, ReportForm form, report::Dual report);
  JobPrinter(const JobPrinter&) = delete;
  JobPrinter& operator=(const JobPrinter&) = delete;
  ~JobPrinter();

  void print(const report::JobLine& job);
  // What remains of the last page.
  void finish();

 private:
  struct Page;
  void flush();

  std::ostream& out_;
  const ReportForm form_;
  const report::Dual report_;
  std::unique_ptr<Page> page_;
  std::string header_;
  bool is_first_ = true;
};

// `by` is one of report_dimensions(), or empty: what matters most. Of jobs only what stands beside
// them is printed.
[[nodiscard]] std::string report_text(const report::Dual& report, const std::string& by);
// The lines of one dimension but job.
[[nodiscard]] std::string report_csv(const report::Dual& report, const std::string& by);
// Everything but jobs; one object.
[[nodiscard]] std::string report_json(const report::Dual& report);

// What a reader has to know beside the figures, as sentences.
[[nodiscard]] std::vector<std::string> report_remarks(const report::Dual& report);

}  // namespace asbb::cli
