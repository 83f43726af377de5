#include "advisor/advice.h"

#include <algorithm>

#include "api/field_reader.h"
#include "api/json_value.h"
#include "api/json_writer.h"
#include "base/text.h"

namespace asbb::advisor {
namespace {

std::string wall_time_text(std::int64_t seconds) {
  const auto two = [](std::int64_t number) {
    return (number < 10 ? "0" : "") + std::to_string(number);
  };
  return two(seconds / 3'600) + ":" + two(seconds / 60 % 60) + ":" + two(seconds % 60);
}

std::string write(const Question& question, const Instant* at) {
  api::JsonWriter out;
  out.begin_object();
  const auto text = [&](const char* key, const std::string& value) {
    out.key(key);
    out.text(value);
  };
  const auto number = [&](const char* key, std::int64_t value) {
    out.key(key);
    out.number(value);
  };
  text("account", question.account);
  text("partition", question.partition);
  number("nodes", question.nodes);
  number("cpus", question.cpus);
  if (question.gpus > 0) number("gpus", question.gpus);
  if (question.memory_mb > 0) text("memory", std::to_string(question.memory_mb) + "MB");
  text("wall_time", wall_time_text(question.wall_time_s));
  if (at != nullptr) number("timestamp", at->microseconds / 1'000'000);
  out.end_object();
  return out.take();
}

// A cost as JSON has it; digits behind a millionth go up.
std::optional<Micros> cost_of(const api::Json& object, const char* key, const std::string& path,
                              std::optional<Error>& error) {
  std::optional<Micros> cost;
  api::FieldReader reader(object, path, error);
  reader.money(key, cost, api::Need::may, {Micros(), max_amount, Rounding::up});
  return cost;
}

const api::Json* member(const api::Json* object, const char* key) {
  return object == nullptr ? nullptr : object->find(key);
}

std::string text_of(const api::Json& object, const char* key) {
  const api::Json* found = object.find(key);
  return found != nullptr && found->kind == api::Json::Kind::string ? found->text : std::string();
}

}  // namespace

std::string to_json(const Question& question) {
  return write(question, nullptr);
}

std::string to_json(const Question& question, Instant at) {
  return write(question, &at);
}

Result<Advice> read_advice(std::string_view body, const std::string& unit) {
  const auto json = api::parse_json(body);
  if (!json) return fail(ErrorKind::invalid, "its answer is not JSON: " + json.error().message);
  if (json->kind != api::Json::Kind::object) {
    return fail(ErrorKind::invalid, "its answer is not an object");
  }
  if (const std::string said = text_of(*json, "error"); !said.empty()) {
    return fail(ErrorKind::invalid, "it says " + in_quotes(said));
  }
  for (const char* key : {"unit", "currency"}) {
    const std::string counted = text_of(*json, key);
    if (counted.empty() || to_lower(counted) == to_lower(unit)) continue;
    return fail(ErrorKind::invalid,
                "its answer is counted in " + in_quotes(counted) + ", not in " + unit);
  }
  std::optional<Error> error;
  Advice advice;
  auto cost = cost_of(*json, "estimated_cost", "", error);
  if (!cost && !error) {
    const api::Json* limits = member(json->find("execution_plan"), "cost_constraints");
    if (limits == nullptr) limits = json->find("cost_constraints");
    if (limits != nullptr && limits->kind == api::Json::Kind::object) {
      cost = cost_of(*limits, "max_total_cost", "cost_constraints.", error);
      advice.has_buffer = true;
    }
  }
  if (error) return fail(ErrorKind::invalid, "its answer is wrong: " + error->message);
  if (!cost) return fail(ErrorKind::invalid, "its answer has no estimated_cost");
  const api::Json* buffered = json->find("includes_buffer");
  if (buffered != nullptr && buffered->kind == api::Json::Kind::boolean) {
    advice.has_buffer = buffered->flag;
  }
  advice.cost = *cost;
  return advice;
}

Result<Priced> weigh(const Advice& advice, std::int64_t tasks, Micros book, Micros book_hold,
                     Micros factor, config::AdvisorTrust trust) {
  const auto all = mul_div(advice.cost.count(), tasks, 1, Rounding::up);
  const auto most = mul_div(book.count(), times_book_max, 1, Rounding::up);
  const bool is_huge = !all || (most && *all > *most);
  if (is_huge || Micros(*all) > max_amount) {
    return fail(ErrorKind::invalid, "its " + to_display(advice.cost) + " are more than " +
                                        std::to_string(times_book_max) +
                                        " times what the price book says at most");
  }
  const Micros cost(*all);
  if (cost.is_zero() && !book.is_zero()) {
    return fail(ErrorKind::invalid, "it says that the job costs nothing, which has a price");
  }
  Micros hold = cost;
  if (!advice.has_buffer) {
    const auto held = mul_div(cost.count(), factor.count(), 1'000'000, Rounding::up);
    if (!held || Micros(*held) > max_amount) {
      return fail(ErrorKind::invalid, "what it says is more than can be held");
    }
    hold = Micros(*held);
  }
  if (trust == config::AdvisorTrust::replace) return Priced{cost, hold, true};
  return Priced{std::max(cost, book), std::max(hold, book_hold), cost > book};
}

}  // namespace asbb::advisor
