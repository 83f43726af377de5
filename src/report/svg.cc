#include "report/svg.h"

#include "report/text.h"

namespace asbb::report {
namespace {

std::string tenths(std::int64_t value) {
  const std::int64_t size = value < 0 ? -value : value;
  std::string out = (value < 0 ? "-" : "") + std::to_string(size / 10);
  if (size % 10 != 0) out += "." + std::to_string(size % 10);
  return out;
}

std::string attribute(const char* name, std::int64_t value) {
  return std::string(" ") + name + "=\"" + tenths(value) + "\"";
}

std::string class_of(std::string_view style) {
  return " class=\"" + std::string(style) + "\"";
}

}  // namespace

Svg::Svg(std::int64_t width, std::int64_t height, const std::string& id, const std::string& title,
         const std::string& description) {
  const std::string name = escaped(id);
  out_ = "<svg viewBox=\"0 0 " + tenths(width) + " " + tenths(height) +
         "\" role=\"img\" aria-labelledby=\"" + name + "-t " + name + "-d\"><title id=\"" + name +
         "-t\">" + escaped(title) + "</title><desc id=\"" + name + "-d\">" + escaped(description) +
         "</desc>";
}

void Svg::line(Point from, Point to, std::string_view style) {
  out_ += "<line" + attribute("x1", from.x) + attribute("y1", from.y) + attribute("x2", to.x) +
          attribute("y2", to.y) + class_of(style) + "/>";
}

void Svg::path(const std::vector<Point>& points, std::string_view style, bool closed) {
  std::string steps;
  for (const Point& point : points) {
    steps += (steps.empty() ? "M" : "L") + tenths(point.x) + " " + tenths(point.y);
  }
  out_ += "<path d=\"" + steps + (closed ? "Z" : "") + "\"" + class_of(style) + "/>";
}

void Svg::box(Point corner, std::int64_t width, std::int64_t height, std::string_view style,
              const std::string& tooltip) {
  out_ += "<rect" + attribute("x", corner.x) + attribute("y", corner.y) +
          attribute("width", width) + attribute("height", height) + " rx=\"1.5\"" + class_of(style);
  out_ += tooltip.empty() ? "/>" : "><title>" + escaped(tooltip) + "</title></rect>";
}

void Svg::dot(Point center, std::int64_t radius, std::string_view style) {
  out_ += "<circle" + attribute("cx", center.x) + attribute("cy", center.y) +
          attribute("r", radius) + class_of(style) + "/>";
}

void Svg::text(Point at, const std::string& what, std::string_view style, Anchor anchor) {
  out_ += "<text" + attribute("x", at.x) + attribute("y", at.y) + class_of(style);
  if (anchor == Anchor::middle) out_ += " text-anchor=\"middle\"";
  if (anchor == Anchor::end) out_ += " text-anchor=\"end\"";
  out_ += ">" + escaped(what) + "</text>";
}

std::int64_t Scale::place(Micros amount) const {
  const auto off =
      mul_div((amount - low_).count(), bottom_ - top_, (high_ - low_).count(), Rounding::half_even);
  return bottom_ - off.value_or(0);
}

std::vector<Micros> ticks(Micros low, Micros high) {
  constexpr std::int64_t steps_max = 5;
  const std::int64_t range = (high - low).count();
  std::int64_t step = 1;
  for (std::int64_t power = 1; range / step > steps_max; power *= 10) {
    for (const std::int64_t factor : {1, 2, 5}) {
      step = power * factor;
      if (range / step <= steps_max) break;
    }
  }
  std::vector<Micros> out;
  std::int64_t at = 0;
  while (at > low.count()) at -= step;
  for (;; at += step) {
    out.emplace_back(at);
    if (at >= high.count()) return out;
  }
}

std::string tick_text(Micros amount) {
  // Ticks are round: seven digits before the point do not fit, and say no more.
  constexpr std::int64_t million = 1'000'000;
  if (amount.count() % million == 0 &&
      (amount.count() <= -10 * million * million || amount.count() >= 10 * million * million)) {
    return tick_text(Micros(amount.count() / million)) + " M";
  }
  const std::string digits = to_decimal(amount);
  const std::size_t point = digits.find('.');
  const std::size_t sign = digits[0] == '-' ? 1 : 0;
  std::string whole = digits.substr(sign, point == std::string::npos ? point : point - sign);
  for (std::size_t at = whole.size(); at > 3;) {
    at -= 3;
    whole.insert(at, 1, ',');
  }
  return digits.substr(0, sign) + whole + (point == std::string::npos ? "" : digits.substr(point));
}

}  // namespace asbb::report
