#include "ledger/record.h"

#include "base/text.h"

namespace asbb::ledger {
namespace {

constexpr std::string_view format_line = "asbb1\n";

bool must_escape(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == '%' || c == 0x7f;
}

void append_escaped(std::string& out, std::string_view value) {
  constexpr std::string_view hex = "0123456789ABCDEF";
  for (const char c : value) {
    if (!must_escape(c)) {
      out += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out += '%';
    out += hex[byte / 16];
    out += hex[byte % 16];
  }
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

Result<std::string> unescape(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    const int high = i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
    const int low = i + 2 < text.size() ? hex_digit(text[i + 2]) : -1;
    if (high < 0 || low < 0) return fail(ErrorKind::broken, "a record has a broken escape");
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return out;
}

using Fields = std::map<std::string, std::string>;

// Reads fields of a record one by one and remembers the first that is missing or malformed.
class FieldReader {
 public:
  explicit FieldReader(const Fields& fields) : fields_(fields) {}

  std::string text(const std::string& key) {
    const auto found = fields_.find(key);
    if (found == fields_.end()) {
      fault(key);
      return {};
    }
    return found->second;
  }

  std::int64_t number(const std::string& key) {
    const auto value = parse_whole(text(key));
    if (!value) fault(key);
    return value.value_or(0);
  }

  [[nodiscard]] const std::string& first_fault() const { return first_fault_; }

 private:
  void fault(const std::string& key) {
    if (first_fault_.empty()) first_fault_ = key;
  }

  const Fields& fields_;
  std::string first_fault_;
};

}  // namespace

RecordWriter& RecordWriter::add(std::string_view key, std::string_view value) {
  text_ += key;
  text_ += '=';
  append_escaped(text_, value);
  text_ += '\n';
  return *this;
}

RecordWriter& RecordWriter::add(std::string_view key, std::int64_t value) {
  return add(key, std::string_view(std::to_string(value)));
}

Result<std::map<std::string, std::string>> read_record(std::string_view text) {
  Fields fields;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) return fail(ErrorKind::broken, "a record is cut short");
    const std::string_view line = text.substr(0, end);
    const std::size_t equals = line.find('=');
    if (equals == std::string_view::npos || equals == 0) {
      return fail(ErrorKind::broken, "a record has a line without a key");
    }
    auto value = unescape(line.substr(equals + 1));
    if (!value) return tl::unexpected(value.error());
    if (!fields.emplace(line.substr(0, equals), std::move(*value)).second) {
      return fail(ErrorKind::broken, "a record has the same key twice");
    }
    text.remove_prefix(end + 1);
  }
  return fields;
}

std::string canonical_record(const Entry& entry) {
  RecordWriter writer;
  writer.add("sequence", entry.sequence)
      .add("at_us", entry.at.microseconds)
      .add("type", to_string(entry.type))
      .add("actor", entry.actor)
      .add("reason", entry.reason)
      .add("request_id", entry.request_id)
      .add("account", entry.account.value)
      .add("account_name", entry.account_name)
      .add("budget", entry.budget.value)
      .add("unit", entry.unit)
      .add("amount_micros", entry.amount.count())
      .add("hold", entry.hold.value)
      .add("user", entry.user)
      .add("partition", entry.partition)
      .add("cluster", entry.job.cluster)
      .add("job_id", entry.job.job_id)
      .add("task", entry.job.task)
      .add("run", entry.job.run)
      .add("external_id", entry.job.external_id)
      .add("price_version", entry.price_version)
      .add("details", entry.details);
  return std::string(format_line) + writer.text();
}

Result<Entry> parse_canonical_record(std::string_view text) {
  if (!text.starts_with(format_line)) {
    return fail(ErrorKind::broken, "a record has an unknown format");
  }
  const auto fields = read_record(text.substr(format_line.size()));
  if (!fields) return tl::unexpected(fields.error());
  FieldReader reader(*fields);
  Entry entry;
  entry.sequence = reader.number("sequence");
  entry.at.microseconds = reader.number("at_us");
  const auto type = parse_entry_type(reader.text("type"));
  entry.actor = reader.text("actor");
  entry.reason = reader.text("reason");
  entry.request_id = reader.text("request_id");
  entry.account.value = reader.number("account");
  entry.account_name = reader.text("account_name");
  entry.budget.value = reader.number("budget");
  entry.unit = reader.text("unit");
  entry.amount = Micros(reader.number("amount_micros"));
  entry.hold.value = reader.number("hold");
  entry.user = reader.text("user");
  entry.partition = reader.text("partition");
  entry.job.cluster = reader.text("cluster");
  entry.job.job_id = reader.number("job_id");
  entry.job.task = reader.number("task");
  entry.job.run = reader.number("run");
  entry.job.external_id = reader.text("external_id");
  entry.price_version = reader.number("price_version");
  entry.details = reader.text("details");
  if (!type || !reader.first_fault().empty() || fields->size() != 21) {
    return fail(ErrorKind::broken, "a record lacks or garbles the field '" +
                                       (type ? reader.first_fault() : std::string("type")) + "'");
  }
  entry.type = *type;
  return entry;
}

}  // namespace asbb::ledger
