#include "plugins/user_message.h"

#include <cstdio>

#include "plugins/bounded_text.h"
#include "plugins/slurm_abi.h"
#include "plugins/utf8.h"
#include "plugins/wire.h"
#include "plugins/words.h"

namespace asbb::plugins {
namespace {

constexpr std::string_view kLineMark = "asbb: ";
constexpr std::size_t kMessageBytes = 4'096;
// An earlier plugin's message beyond this is left out.
constexpr std::size_t kEarlierBytesMax = 2'048;

// C0, DEL, and C1 in its UTF-8 form (C2 80 to C2 9F): what a terminal obeys instead of showing.
bool is_control(std::string_view character) {
  const auto first = static_cast<unsigned char>(character[0]);
  if (character.size() == 1) return first < 0x20 || first == 0x7F;
  return first == 0xC2 && static_cast<unsigned char>(character[1]) < 0xA0;
}

void append_line(std::string_view line, BoundedText* message) {
  bool is_first = true;
  while (!line.empty()) {
    const std::size_t bytes = utf8_character_bytes(line);
    const std::string_view character(line.data(), bytes);
    line.remove_prefix(bytes == 0 ? 1 : bytes);
    if (bytes == 0 || is_control(character)) continue;
    if (is_first) {
      if (!message->view().empty()) message->append('\n');
      message->append(kLineMark);
      is_first = false;
    }
    message->append(character);
  }
}

}  // namespace

void tell_user(std::string_view text, char** err_msg) {
  if (err_msg == nullptr) return;
  char storage[kMessageBytes];
  BoundedText message(storage, sizeof storage);
  if (*err_msg != nullptr) {
    const std::string_view earlier(*err_msg);
    if (earlier.size() <= kEarlierBytesMax) message.append(earlier);
  }
  const std::size_t before = message.view().size();
  if (text.size() > wire::kAnswerBodyBytesShown) {
    text.remove_suffix(text.size() - wire::kAnswerBodyBytesShown);
  }
  while (!text.empty()) {
    append_line(take_until("\n", &text), &message);
  }
  if (message.view().size() == before) return;
  slurm_xfree(reinterpret_cast<void**>(err_msg));
  *err_msg = slurm_xstrdup(message.c_str());
}

}  // namespace asbb::plugins
