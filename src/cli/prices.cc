#include <fstream>
#include <iostream>
#include <iterator>
#include <ostream>

#include "cli/commands.h"
#include "cli/prices_review.h"

namespace asbb::cli {
namespace {

constexpr std::size_t text_size_max = 1'000'000;  // a request here has at most 1 MiB

Result<std::string> read_text(const std::string& path) {
  std::string text;
  if (path == "-") {
    text.assign(std::istreambuf_iterator<char>(std::cin), std::istreambuf_iterator<char>());
  } else {
    std::ifstream file(path, std::ios::binary);
    if (!file) return fail(ErrorKind::invalid, "the file '" + path + "' cannot be read");
    text.assign(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  }
  if (text.size() > text_size_max) {
    return fail(ErrorKind::invalid, "the file '" + path + "' has more than " +
                                        std::to_string(text_size_max) + " bytes");
  }
  return text;
}

struct ImportFlags {
  std::string file;
  std::optional<std::string> effective_from;
};

// Which book keeps another one that has started from being in force.
std::string later_book(Context& context) {
  const auto books = context.call<std::vector<api::PriceBook>>("GET", "/api/v1/prices");
  if (books) {
    for (const api::PriceBook& book : *books) {
      if (!book.in_force) continue;
      return "version " + std::to_string(book.version) + " is in force since " +
             to_rfc3339(book.effective_from);
    }
  }
  return "a version that started later is in force";
}

int import(Context& context, const ImportFlags& flags) {
  const auto text = read_text(flags.file);
  if (!text) return context.failed(text.error());
  api::PriceImport request{*text, std::nullopt};
  if (flags.effective_from) {
    const auto at = parse_rfc3339(*flags.effective_from);
    if (!at) return context.misused("--effective-from: " + at.error().message);
    request.effective_from = *at;
  }
  const auto book = context.call<api::PriceBook>("POST", "/api/v1/prices", api::to_json(request));
  if (!book) return context.failed(book.error());
  const std::string version = "Price book version " + std::to_string(book->version);
  const std::string start = to_rfc3339(book->effective_from);
  if (book->in_force) {
    return context.done(version + " is in force since " + start + ".", api::to_json(*book));
  }
  if (context.now() < book->effective_from) {
    return context.done(version + " will be in force from " + start + ".", api::to_json(*book));
  }
  return context.done(version + " is recorded and NOT in force: it starts at " + start + ", and " +
                          later_book(context) +
                          ". 'asbb prices import --effective-from' takes a later start.",
                      api::to_json(*book));
}

int list(Context& context) {
  const auto books = context.call<std::vector<api::PriceBook>>("GET", "/api/v1/prices");
  if (!books) return context.failed(books.error());
  Table table({{"VERSION", "version", Align::right},
               {"EFFECTIVE FROM (UTC)", "effective_from"},
               {"IMPORTED AT (UTC)", "imported_at"},
               {"IN FORCE", "in_force"}});
  for (const api::PriceBook& book : *books) {
    table.add({std::to_string(book.version), to_second_text(book.effective_from),
               to_second_text(book.imported_at), book.in_force ? "yes" : "no"});
  }
  return context.show(table, api::to_json(*books),
                      "No price book: every partition is free of charge. 'asbb prices import FILE' "
                      "imports one.");
}

int show(Context& context, std::int64_t version) {
  const auto book = context.call<api::PriceBook>(
      "GET", "/api/v1/prices/" + (version == 0 ? "current" : std::to_string(version)));
  if (!book) return context.failed(book.error());
  if (context.flags.output == "json") return context.done("", api::to_json(*book));
  context.out() << harmless_lines(book->text);
  if (!book->text.ends_with('\n')) context.out() << "\n";
  return exit_done;
}

}  // namespace

void add_prices(Command& root, Context& context) {
  Command prices = root.add("prices", "Price books: what nodes, cores, GPUs and memory cost.");
  auto flags = std::make_shared<ImportFlags>();
  prices.add("import", "Imports a price book as a new version.")
      .take({"FILE", "", "The price book in YAML; - is standard input.", Presence::required},
            flags->file)
      .take({"--effective-from", "TIME", "RFC 3339; else what the file says, else now."},
            flags->effective_from)
      .note(
          "A price is never changed in place: what was held at the old version is charged at "
          "it.")
      .example("asbb prices import prices.yaml")
      .action([&context, flags] { return import(context, *flags); });
  prices.add("list", "Lists the versions.").action([&context] { return list(context); });
  auto version = std::make_shared<std::int64_t>(0);
  prices.add("show", "Shows a version as it was imported.")
      .take({"VERSION", "", "Its number; the one in force when left out."}, *version, 1,
            1'000'000'000)
      .example("asbb prices show 3")
      .action([&context, version] { return show(context, *version); });
  add_prices_review(prices, context);
}

}  // namespace asbb::cli
