// What the readers and writers of the file's parts share. Used inside src/config only. Functions;
// any thread.
#pragma once

#include <functional>
#include <string>

namespace YAML {
class Node;
}

namespace asbb::config {

using SayProblem = std::function<void(int line, const std::string& message)>;
using VisitKey = std::function<void(const std::string& key, const YAML::Node& value, int line)>;

// Of the file, from 1; 0 when the node is of none.
[[nodiscard]] int line_of(const YAML::Node& node);

// "a map", "one value", for people.
[[nodiscard]] const char* kind_of(const YAML::Node& node);

// What becomes of a key that comes again, once that is said.
enum class Repeated { skipped, visited };

// Calls `visit` for each key of a map, in order. A key that is no word is said and left out, one
// that comes twice is said; `where` is what the file calls the map, "" for the document.
void each_key(const YAML::Node& map, const std::string& where, const SayProblem& problem,
              const VisitKey& visit, Repeated repeated = Repeated::skipped);

// Between quotes, as YAML reads it back.
[[nodiscard]] std::string yaml_string(const std::string& text);

}  // namespace asbb::config
