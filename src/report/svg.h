// A drawing as SVG text inside a page, whose style sheet gives it its colours. Coordinates are
// whole tenths of a unit of the view box: no floating point is near the money. Not thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/money.h"

namespace asbb::report {

struct Point {
  std::int64_t x = 0;  // tenths
  std::int64_t y = 0;
};

enum class Anchor { start, middle, end };

class Svg {
 public:
  // `id` is unique in the page; title and description are what a reader without eyes is told.
  Svg(std::int64_t width, std::int64_t height, const std::string& id, const std::string& title,
      const std::string& description);

  void line(Point from, Point to, std::string_view style);
  void path(const std::vector<Point>& points, std::string_view style, bool closed = false);
  void box(Point corner, std::int64_t width, std::int64_t height, std::string_view style,
           const std::string& tooltip = {});
  void dot(Point center, std::int64_t radius, std::string_view style);
  void text(Point at, const std::string& what, std::string_view style,
            Anchor anchor = Anchor::start);

  [[nodiscard]] std::string take() { return std::move(out_) + "</svg>"; }

 private:
  std::string out_;
};

// From an amount to a place: `low` stands at `bottom`, `high` at `top`. high > low.
class Scale {
 public:
  Scale(Micros low, Micros high, std::int64_t bottom, std::int64_t top)
      : low_(low), high_(high), bottom_(bottom), top_(top) {}
  [[nodiscard]] std::int64_t place(Micros amount) const;

 private:
  Micros low_, high_;
  std::int64_t bottom_, top_;
};

// Round amounts (1, 2 or 5 times a power of ten apart) from at most `low` to at least `high`, three
// to seven of them. low <= 0 <= high, not both 0.
[[nodiscard]] std::vector<Micros> ticks(Micros low, Micros high);
// "1,500", "0.25": no more decimals than it has.
[[nodiscard]] std::string tick_text(Micros amount);

}  // namespace asbb::report
