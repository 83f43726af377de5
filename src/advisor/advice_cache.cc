#include "advisor/advice_cache.h"

namespace asbb::advisor {

std::optional<Advice> AdviceCache::find(const std::string& question, Steady::time_point now) {
  const auto found = kept_.find(question);
  if (found == kept_.end() || found->second.until <= now) return std::nullopt;
  return found->second.advice;
}

void AdviceCache::put(const std::string& question, const Advice& advice, Steady::time_point now) {
  if (!kept_.contains(question)) {
    if (order_.size() == entries_max_) {
      kept_.erase(order_.front());
      order_.pop_front();
    }
    order_.push_back(question);
  }
  kept_[question] = {advice, now + life_};
}

}  // namespace asbb::advisor
