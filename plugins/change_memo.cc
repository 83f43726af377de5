#include "plugins/change_memo.h"

namespace asbb::plugins {

bool ChangeMemo::recall(std::string_view request, std::int64_t now_ms, int* code,
                        FixedText<512>* message) {
  const Locked locked(mutex_);
  if (request.empty() || request_.view() != request) return false;
  if (now_ms - heard_ms_ > kSameCommandMs || now_ms - made_ms_ > kMemoAgeMaxMs) return false;
  heard_ms_ = now_ms;
  *code = code_;
  return message->assign(message_.view());
}

void ChangeMemo::keep(std::string_view request, std::int64_t now_ms, int code,
                      std::string_view message) {
  const Locked locked(mutex_);
  if (!request_.assign(request) || !message_.assign(message)) {
    static_cast<void>(request_.assign({}));
    return;
  }
  made_ms_ = heard_ms_ = now_ms;
  code_ = code;
}

}  // namespace asbb::plugins
