// How json_*.cc make from_json and to_json of a struct out of its one listing of fields:
//   template <typename F> void fields(F& f, As<F, Account>& v) { f.text("name", v.name, ...); ... }
// F is FieldReader or FieldWriter. The listings stand in asbb::api itself, where argument-dependent
// lookup finds them. Used by those files alone.
#pragma once

#include <string>
#include <type_traits>
#include <vector>

#include "api/field_reader.h"
#include "api/field_writer.h"
#include "api/json.h"

namespace asbb::api {

template <typename F, typename T>
using As = std::conditional_t<F::is_reading, T, const T>;

template <typename T>
struct JsonIo {
  static Result<T> read(const Json& json, const std::string& path) {
    if (json.kind != Json::Kind::object) {
      return fail(ErrorKind::invalid,
                  std::string("an object is expected, not ") + describe(json.kind), path);
    }
    T value{};
    std::optional<Error> error;
    FieldReader reader(json, path.empty() ? path : path + ".", error);
    fields(reader, value);
    if (error) return tl::unexpected(std::move(*error));
    return value;
  }
  static void write(JsonWriter& out, const T& value) {
    out.begin_object();
    FieldWriter writer(out);
    fields(writer, value);
    out.end_object();
  }
};

template <typename T>
struct JsonIo<std::vector<T>> {
  static Result<std::vector<T>> read(const Json& json, const std::string& path) {
    if (json.kind != Json::Kind::array) {
      return fail(ErrorKind::invalid, std::string("a list is expected, not ") + describe(json.kind),
                  path);
    }
    std::vector<T> out;
    for (std::size_t i = 0; i < json.items.size(); ++i) {
      auto item = JsonIo<T>::read(json.items[i], path + "[" + std::to_string(i) + "]");
      if (!item) return tl::unexpected(item.error());
      out.push_back(std::move(*item));
    }
    return out;
  }
  static void write(JsonWriter& out, const std::vector<T>& values) {
    out.begin_array();
    for (const T& value : values) JsonIo<T>::write(out, value);
    out.end_array();
  }
};

template <typename T>
Result<T> from_json(std::string_view text) {
  const auto json = parse_json(text);
  if (!json) return tl::unexpected(json.error());
  return JsonIo<T>::read(*json, "");
}

template <typename T>
std::string to_json(const T& value) {
  JsonWriter out;
  JsonIo<T>::write(out, value);
  return out.take();
}

}  // namespace asbb::api

#define ASBB_JSON_TYPE(Type)                                                  \
  template ::asbb::Result<Type> asbb::api::from_json<Type>(std::string_view); \
  template std::string asbb::api::to_json<Type>(const Type&);
