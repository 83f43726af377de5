#include "store/chain_check.h"

#include <algorithm>

#include "base/text.h"
#include "ledger/record.h"

namespace asbb::store {
namespace {

std::string entries_text(std::int64_t first, std::int64_t last) {
  if (first == last) return "entry " + std::to_string(first);
  return "entries " + std::to_string(first) + " to " + std::to_string(last);
}

std::string capital(std::string text) {
  if (!text.empty() && text[0] == 'e') text[0] = 'E';
  return text;
}

// "key=" and what follows, up to the end of its line; empty when there is no such line.
std::string_view line_of(std::string_view record, std::string_view key) {
  for (const std::string_view line : split(record, '\n')) {
    if (line.starts_with(key)) return line.substr(key.size());
  }
  return {};
}

std::int64_t number_in(std::string_view record) {
  return parse_whole(line_of(record, "sequence="), 1).value_or(0);
}

// The first line that differs, as "amount_micros is '1' and its record says '2'".
std::string difference(std::string_view columns, std::string_view record) {
  const auto left = split(columns, '\n');
  const auto right = split(record, '\n');
  for (std::size_t i = 0; i < left.size(); ++i) {
    const std::string_view there = i < right.size() ? right[i] : std::string_view();
    if (left[i] == there) continue;
    const std::size_t equals = left[i].find('=');
    const std::string_view key = left[i].substr(0, equals);
    const bool same_key = there.starts_with(std::string(key) + "=");
    if (equals == std::string_view::npos || !same_key) break;
    return std::string(key) + " is " + in_quotes(left[i].substr(equals + 1)) +
           " in its column and " + in_quotes(there.substr(equals + 1)) + " in its record";
  }
  return "its record is not one of this ledger";
}

}  // namespace

void ChainCheck::say(std::int64_t sequence, std::string text) {
  if (findings_.size() < chain_findings_max) findings_.push_back({sequence, std::move(text)});
}

void ChainCheck::note_number(std::int64_t number) {
  const std::int64_t expected = last_ + 1;
  if (number > expected) {
    const bool is_one = expected == number - 1;
    say(expected, capital(entries_text(expected, number - 1)) + (is_one ? " is" : " are") +
                      " missing: deleted.");
  } else if (number < expected) {
    say(number, "Entry " + std::to_string(number) + " stands behind entry " +
                    std::to_string(last_) + ": reordered.");
  }
}

void ChainCheck::note_record_number(std::int64_t number, std::int64_t own) {
  if (own == number) return;
  if (own == 0) {
    return say(number, "Entry " + std::to_string(number) +
                           " was edited: its record does not say its number.");
  }
  const std::int64_t shift = own - number;
  if (!moved_.empty() && moved_.back().last == number - 1 && moved_.back().shift == shift) {
    moved_.back().last = number;
  } else if (moved_.size() < chain_findings_max) {
    moved_.push_back({number, number, shift});
  }
}

// A stretch of entries that do not follow from what stands before them ends when one follows again:
// from the value stored last, which was then made with the key, so that what it was made of has
// been edited; or from the last one that held, so that those between came in from outside.
void ChainCheck::note_chain(std::int64_t number, std::string_view record, const ChainValue& chain,
                            bool is_excused) {
  const bool follows_intact =
      broken_ != 0 && (previous_ == intact_ || chain_next(key_, previous_, record) != chain) &&
      chain_next(key_, intact_, record) == chain;
  if (!follows_intact && chain_next(key_, previous_, record) == chain) {
    if (broken_ != 0) {
      end_broken(broken_ == last_ ? " was edited: the chain holds before and after it."
                                  : " were edited: the chain holds before and after them.");
    }
    intact_ = chain;
  } else if (follows_intact) {
    end_broken(broken_ == last_ ? " was inserted: the chain holds without it."
                                : " were inserted: the chain holds without them.");
    intact_ = chain;
  } else if (is_excused) {
    if (broken_ != 0) end_broken(": edited, inserted or reordered by somebody without the key.");
  } else if (broken_ == 0) {
    broken_ = number;
  }
}

void ChainCheck::end_broken(const char* what) {
  say(broken_, capital(entries_text(broken_, last_)) + what);
  broken_ = 0;
}

void ChainCheck::add(std::int64_t number, std::string_view record, const ChainValue& chain) {
  const std::int64_t own = number_in(record);
  const bool is_moved = own != 0 && own != number;
  const bool is_excused = number != last_ + 1 || is_moved || was_moved_;
  note_number(number);
  note_record_number(number, own);
  note_chain(number, record, chain, is_excused);
  previous_ = chain;
  last_ = number;
  was_moved_ = is_moved;
}

void ChainCheck::add(const ChainedEntry& chained) {
  const std::int64_t number = chained.entry.sequence;
  add(number, chained.record, chained.chain);
  ledger::Entry columns = chained.entry;
  const std::int64_t own = number_in(chained.record);
  if (own != 0) columns.sequence = own;
  const std::string text = ledger::canonical_record(columns);
  if (text != chained.record) {
    say(number, "Entry " + std::to_string(number) +
                    " was edited: " + difference(text, chained.record) + ".");
  }
}

void ChainCheck::say_moved() {
  const auto goes_up = [](const Moved& moved) { return moved.shift > 0; };
  const bool all_up = std::all_of(moved_.begin(), moved_.end(), goes_up);
  const bool all_down = std::none_of(moved_.begin(), moved_.end(), goes_up);
  std::int64_t shift_before = 0;
  for (const Moved& moved : moved_) {
    std::string text = capital(entries_text(moved.first, moved.last));
    text += moved.first == moved.last ? " has the record of " : " have the records of ";
    text += entries_text(moved.first + moved.shift, moved.last + moved.shift);
    if (all_up && moved.shift > shift_before) {
      text += ": " + entries_text(moved.first + shift_before, moved.first + moved.shift - 1) +
              " deleted, the rest numbered anew.";
    } else if (all_down && moved.shift < shift_before) {
      const std::int64_t count = shift_before - moved.shift;
      text += ": " + entries_text(moved.first - count, moved.first - 1) +
              " inserted, the rest numbered anew.";
    } else {
      text += ": reordered.";
    }
    shift_before = moved.shift;
    say(moved.first, std::move(text));
  }
}

std::vector<ChainFinding> ChainCheck::finish() {
  if (broken_ != 0) {
    const bool is_all = broken_ == 1 && last_ > 1;
    end_broken(is_all ? ": no value of the chain was made with this key."
                      : ", up to the last, do not follow from what stands before: edited, inserted,"
                        " deleted or reordered there by somebody without the key.");
  }
  say_moved();
  std::stable_sort(findings_.begin(), findings_.end(),
                   [](const auto& a, const auto& b) { return a.sequence < b.sequence; });
  return findings_;
}

}  // namespace asbb::store
