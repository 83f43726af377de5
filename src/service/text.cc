#include "service/text.h"

namespace asbb::service {
namespace {

constexpr std::size_t shown_bytes = 80;

}  // namespace

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return result;
}

std::string shortened(std::string_view text) {
  std::string result(text.substr(0, shown_bytes));
  for (char& c : result) {
    if (static_cast<unsigned char>(c) < ' ' || c == '\x7f') c = '?';
  }
  return text.size() > shown_bytes ? result + "..." : result;
}

}  // namespace asbb::service
