// The colours of the page by the rules of the Web Content Accessibility Guidelines 2.1: 1.4.3 for
// text, 1.4.11 for what a drawing cannot be read without.
#include "report/page_style.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <map>
#include <regex>
#include <string>
#include <vector>

namespace asbb::report {
namespace {

constexpr double text_min = 4.5;
constexpr double mark_min = 3.0;

using Colour = std::array<double, 3>;  // red, green, blue of 0 to 1
using Palette = std::map<std::string, Colour>;

Colour colour_of(std::string digits) {
  if (digits.size() == 3) {
    digits = {digits[0], digits[0], digits[1], digits[1], digits[2], digits[2]};
  }
  Colour colour{};
  for (std::size_t i = 0; i < 3; ++i) {
    colour[i] = std::stoi(digits.substr(2 * i, 2), nullptr, 16) / 255.0;
  }
  return colour;
}

// The colours that the text sets; those of `under` where it sets none.
Palette palette_of(const std::string& text, Palette under = {}) {
  const std::regex set("--([a-z]+):#([0-9a-f]{6}|[0-9a-f]{3})(?![0-9a-f])");
  for (std::sregex_iterator at(text.begin(), text.end(), set), end; at != end; ++at) {
    under[(*at)[1]] = colour_of((*at)[2]);
  }
  return under;
}

// What is between the first `{` after `start` and its `}`.
std::string block_after(const std::string& start) {
  const std::string style(page_style());
  const std::size_t at = style.find(start);
  EXPECT_NE(at, std::string::npos) << start;
  const std::size_t open = style.find(":root{", at);
  return style.substr(open, style.find('}', open) - open);
}

std::map<std::string, Palette> palettes() {
  const Palette light = palette_of(block_after(":root{"));
  return {{"light", light},
          {"dark", palette_of(block_after("@media (prefers-color-scheme:dark)"), light)},
          {"print", palette_of(block_after("@media print"), light)}};
}

double luminance(const Colour& colour) {
  const auto linear = [](double part) {
    return part <= 0.04045 ? part / 12.92 : std::pow((part + 0.055) / 1.055, 2.4);
  };
  return 0.2126 * linear(colour[0]) + 0.7152 * linear(colour[1]) + 0.0722 * linear(colour[2]);
}

double contrast(const Colour& one, const Colour& other) {
  const double a = luminance(one);
  const double b = luminance(other);
  return (std::max(a, b) + 0.05) / (std::min(a, b) + 0.05);
}

// `over` with that opacity on `under`.
Colour blended(const Colour& over, const Colour& under, double opacity) {
  Colour out{};
  for (std::size_t i = 0; i < 3; ++i) out[i] = over[i] * opacity + under[i] * (1 - opacity);
  return out;
}

void expect_contrast(const Palette& palette, const std::string& front, const std::string& back,
                     double least) {
  ASSERT_TRUE(palette.contains(front) && palette.contains(back)) << front << " on " << back;
  EXPECT_GE(contrast(palette.at(front), palette.at(back)), least) << front << " on " << back;
}

TEST(PageStyle, ContrastIsThatOfTheGuidelines) {
  EXPECT_NEAR(contrast(colour_of("000"), colour_of("ffffff")), 21, 1e-9);
  EXPECT_NEAR(contrast(colour_of("777777"), colour_of("fff")), 4.48, 0.005);
  EXPECT_NEAR(contrast(colour_of("ffff00"), colour_of("0000ff")), 8.0, 0.005);
}

TEST(PageStyle, TextIsReadOnEveryGround) {
  for (const auto& [name, palette] : palettes()) {
    SCOPED_TRACE(name);
    for (const char* ground : {"ground", "card"}) {
      for (const char* text : {"ink", "soft", "warn"}) {
        expect_contrast(palette, text, ground, text_min);
      }
    }
    expect_contrast(palette, "ink", "warnground", text_min);
  }
}

// A mark lies on a card; a meter's on the track, whose edge with the card need not be seen.
TEST(PageStyle, MarksAreSeen) {
  for (const auto& [name, palette] : palettes()) {
    SCOPED_TRACE(name);
    for (const char* mark : {"a", "b", "c", "d", "soft"}) {
      for (const char* ground : {"card", "ground", "grid"}) {
        expect_contrast(palette, mark, ground, mark_min);
      }
    }
  }
}

double opacity_of(const std::string& selector) {
  const std::string style(page_style());
  const std::string start = selector + "{fill-opacity:";
  const std::size_t at = style.find(start);
  EXPECT_NE(at, std::string::npos) << start;
  return std::stod(style.substr(at + start.size()));
}

// What is held is a paler part of the same bar: seen on its track, and told from what was used.
TEST(PageStyle, WhatIsHeldIsSeenAndToldFromWhatWasUsed) {
  const double opacity = opacity_of("svg .part.held");
  for (const auto& [name, palette] : palettes()) {
    for (const char* mark : {"a", "b", "c", "d"}) {
      SCOPED_TRACE(name + " " + mark);
      const Colour held = blended(palette.at(mark), palette.at("grid"), opacity);
      EXPECT_GE(contrast(held, palette.at("grid")), 1.5);
      EXPECT_GE(contrast(held, palette.at(mark)), 1.5);
    }
  }
}

// The curve lies on its own area.
TEST(PageStyle, ACurveIsSeenOnItsArea) {
  const double opacity = opacity_of("svg .area");
  for (const auto& [name, palette] : palettes()) {
    for (const char* mark : {"a", "b", "c", "d"}) {
      SCOPED_TRACE(name + " " + mark);
      const Colour area = blended(palette.at(mark), palette.at("card"), opacity);
      EXPECT_GE(contrast(palette.at(mark), area), mark_min);
      EXPECT_GE(contrast(palette.at("soft"), area), mark_min) << "an even pace";
    }
  }
}

}  // namespace
}  // namespace asbb::report
