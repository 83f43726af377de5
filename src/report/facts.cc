#include "report/facts.h"

#include <array>
#include <limits>

#include "base/assert.h"
#include "base/text.h"

namespace asbb::report {
namespace {

enum class Kind : char { spending = '1', run = '2' };
constexpr std::int64_t none = std::numeric_limits<std::int64_t>::min();
constexpr std::size_t number_bytes = 8;

// The most significant byte first: they sort as the numbers do, for those that are not negative.
void add_number(std::string& out, std::int64_t number) {
  const auto bits = static_cast<std::uint64_t>(number);
  for (unsigned shift = 64; shift > 0; shift -= 8) {
    out += static_cast<char>((bits >> (shift - 8U)) & 0xFFU);
  }
}

// Names hold no NUL: the service and Slurm refuse it.
void add_text(std::string& out, std::string_view text) {
  out += text.substr(0, text.find('\0'));
  out += '\0';
}

class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  std::int64_t number() {
    ASBB_ASSERT(text_.size() >= number_bytes);
    std::uint64_t bits = 0;
    for (std::size_t i = 0; i < number_bytes; ++i) {
      bits = (bits << 8U) | static_cast<unsigned char>(text_[i]);
    }
    text_.remove_prefix(number_bytes);
    return static_cast<std::int64_t>(bits);
  }
  std::string text() {
    const std::size_t end = text_.find('\0');
    ASBB_ASSERT(end != std::string_view::npos);
    std::string out(text_.substr(0, end));
    text_.remove_prefix(end + 1);
    return out;
  }
  std::optional<std::int64_t> optional_number() {
    const std::int64_t value = number();
    return value == none ? std::nullopt : std::optional(value);
  }
  Kind kind() {
    ASBB_ASSERT(!text_.empty());
    const char letter = text_.front();
    text_.remove_prefix(1);
    return static_cast<Kind>(letter);
  }

 private:
  std::string_view text_;
};

// By cluster, then the number of the job and of the task, then the name of a program's job.
void add_job(std::string& out, const JobName& job) {
  add_text(out, job.cluster);
  const std::size_t mark = job.id.find('_');
  const auto number = job.cluster.empty() ? std::nullopt : parse_count(job.id.substr(0, mark));
  const auto task = mark == std::string::npos ? std::nullopt : parse_count(job.id.substr(mark + 1));
  add_number(out, number.value_or(0));
  add_number(out, number && task ? *task + 1 : 0);
  add_text(out, job.id);
}

JobName read_job(Reader& reader) {
  JobName job;
  job.cluster = reader.text();
  static_cast<void>(reader.number());
  static_cast<void>(reader.number());
  job.id = reader.text();
  return job;
}

}  // namespace

std::string to_record(const Spending& spending) {
  std::string out;
  add_job(out, spending.job);
  out += static_cast<char>(Kind::spending);
  add_number(out, spending.at.microseconds);
  for (const std::string* text :
       {&spending.account, &spending.user, &spending.partition, &spending.unit}) {
    add_text(out, *text);
  }
  add_number(out, spending.amount.count());
  return out;
}

std::string to_record(const Run& run) {
  std::string out;
  add_job(out, run.job);
  out += static_cast<char>(Kind::run);
  add_number(out, run.end.microseconds);
  add_number(out, run.start.microseconds);
  for (const std::string* text : {&run.account, &run.user, &run.partition}) add_text(out, *text);
  add_number(out, run.wait_seconds.value_or(none));
  add_number(out, run.used_seconds);
  add_number(out, run.asked_seconds.value_or(none));
  add_number(out, run.cores);
  return out;
}

Fact read_fact(std::string_view record) {
  Reader reader(record);
  JobName job = read_job(reader);
  Fact fact;
  if (reader.kind() == Kind::spending) {
    Spending& spending = fact.spending.emplace();
    spending.job = std::move(job);
    spending.at = Instant{reader.number()};
    for (std::string* text :
         {&spending.account, &spending.user, &spending.partition, &spending.unit}) {
      *text = reader.text();
    }
    spending.amount = Micros(reader.number());
    return fact;
  }
  Run& run = fact.run.emplace();
  run.job = std::move(job);
  run.end = Instant{reader.number()};
  run.start = Instant{reader.number()};
  for (std::string* text : {&run.account, &run.user, &run.partition}) *text = reader.text();
  run.wait_seconds = reader.optional_number();
  run.used_seconds = reader.number();
  run.asked_seconds = reader.optional_number();
  run.cores = reader.number();
  return fact;
}

}  // namespace asbb::report
