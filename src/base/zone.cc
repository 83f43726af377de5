#include "base/zone.h"

#include <date/tz.h>

#include <exception>

#include "base/text.h"

namespace asbb {
namespace {

Result<const date::time_zone*> find_zone(const std::string& zone) {
  try {
    return date::locate_zone(zone.empty() ? "UTC" : zone);
  } catch (const std::exception&) {
    return fail(ErrorKind::invalid,
                in_quotes(zone) +
                    " is not a known time zone: an IANA name such as Europe/Paris or UTC "
                    "is expected");
  }
}

}  // namespace

Result<Instant> start_of_day(Day day, const std::string& zone) {
  const date::local_days local = date::local_days(
      date::year(day.year) / static_cast<int>(day.month) / static_cast<int>(day.day));
  if (zone == "UTC") {
    return Instant{
        std::chrono::duration_cast<std::chrono::microseconds>(local.time_since_epoch()).count()};
  }
  const auto found = find_zone(zone);
  if (!found) return tl::unexpected(found.error());
  const auto moment = (*found)->to_sys(local, date::choose::earliest);
  return Instant{
      std::chrono::duration_cast<std::chrono::microseconds>(moment.time_since_epoch()).count()};
}

Result<Day> day_of(Instant at, const std::string& zone) {
  const date::sys_time<std::chrono::microseconds> point{std::chrono::microseconds(at.microseconds)};
  date::local_days days = date::local_days(date::floor<date::days>(point).time_since_epoch());
  if (zone != "UTC") {
    const auto found = find_zone(zone);
    if (!found) return tl::unexpected(found.error());
    days = date::floor<date::days>((*found)->to_local(point));
  }
  const date::year_month_day ymd{days};
  return Day{static_cast<int>(ymd.year()), static_cast<unsigned>(ymd.month()),
             static_cast<unsigned>(ymd.day())};
}

}  // namespace asbb
