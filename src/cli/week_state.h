// Which weeks were reported where, in a file that is only ever added to: each line is on the disk
// before the next step is taken. A week that was written into a folder or mailed to somebody is not
// done again. While one object has the file nobody else has it. One thread.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "report/weeks.h"

namespace asbb::cli {

class WeekState {
 public:
  WeekState() = default;
  WeekState(const WeekState&) = delete;
  WeekState& operator=(const WeekState&) = delete;
  ~WeekState();

  // conflict: another run has it. broken: the file is not one of these.
  [[nodiscard]] Result<void> open(const std::string& path);

  // The weeks up to `last` that are not done for that destination, the oldest first: since the
  // first time it was asked for, at most `most` of them. Notes the first time.
  [[nodiscard]] Result<std::vector<report::Week>> missing(const std::string& destination,
                                                          report::Week last, int most);

  [[nodiscard]] bool is_done(const std::string& destination, report::Week week) const;
  [[nodiscard]] Result<void> note_done(const std::string& destination, report::Week week);

  // One mail: not_yet until it is begun; begun while nobody knows whether it arrived, which stays
  // when the program is killed; sent.
  enum class Mail { not_yet, begun, sent };
  [[nodiscard]] Mail mail(report::Week week, const std::string& account,
                          const std::string& address) const;
  [[nodiscard]] Result<void> note_begun(report::Week week, const std::string& account,
                                        const std::string& address);
  [[nodiscard]] Result<void> note_sent(report::Week week, const std::string& account,
                                       const std::string& address);
  // It certainly did not arrive: it may be begun again.
  [[nodiscard]] Result<void> note_failed(report::Week week, const std::string& account,
                                         const std::string& address);

 private:
  [[nodiscard]] Result<void> read(const std::string& path);
  [[nodiscard]] bool take(const std::string& line);
  [[nodiscard]] Result<void> add(const std::vector<std::string>& words);

  int descriptor_ = -1;
  std::string path_;
  std::map<std::string, report::Week> since_;            // by destination
  std::set<std::pair<std::string, report::Week>> done_;  // destination, week
  std::map<std::vector<std::string>, Mail> mails_;       // week, account, address
};

}  // namespace asbb::cli
