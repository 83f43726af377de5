#include "cli/command.h"

namespace asbb::cli {

std::string Argument::long_name() const {
  const auto comma = names.rfind(',');
  return comma == std::string::npos ? names : names.substr(comma + 1);
}

std::string CommandNode::path() const {
  return parent == nullptr ? name : parent->path() + " " + name;
}

Command Command::add(const std::string& name, const std::string& help) {
  auto child = std::make_unique<CommandNode>();
  child->name = name;
  child->help = help;
  child->parent = node_;
  node_->children.push_back(std::move(child));
  return Command(node_->children.back().get());
}

Command& Command::note(const std::string& text) {
  node_->notes.push_back(text);
  return *this;
}

Command& Command::example(const std::string& line) {
  node_->examples.push_back(line);
  return *this;
}

Command& Command::hide() {
  node_->is_hidden = true;
  return *this;
}

Command& Command::take(Argument argument, std::string& target) {
  node_->takes.push_back({std::move(argument), &target});
  return *this;
}

Command& Command::take(Argument argument, std::optional<std::string>& target) {
  node_->takes.push_back({std::move(argument), &target});
  return *this;
}

Command& Command::take(Argument argument, std::int64_t& target, std::int64_t min,
                       std::int64_t max) {
  node_->takes.push_back({std::move(argument), Number{&target, min, max}});
  return *this;
}

Command& Command::take(Argument argument, bool& target) {
  node_->takes.push_back({std::move(argument), &target});
  return *this;
}

Command& Command::take(Argument argument, Repeated target) {
  argument.help += " Any number of times.";
  node_->takes.push_back({std::move(argument), target});
  return *this;
}

Command& Command::take_rest(Argument argument, std::vector<std::string>& target) {
  node_->takes.push_back({std::move(argument), &target});
  return *this;
}

Command& Command::take_words(Argument argument, HandedOn target) {
  node_->takes.push_back({std::move(argument), std::move(target)});
  return *this;
}

Command& Command::action(std::function<int()> run) {
  node_->action = std::move(run);
  return *this;
}

}  // namespace asbb::cli
