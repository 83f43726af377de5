// A SlurmClient for tests that answers from a script: the first rule whose words all occur in the
// command decides. Remembers what was asked. One thread.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "slurm/slurm_client.h"

namespace asbb::slurm {

class ScriptedClient final : public SlurmClient {
 public:
  using Answer = std::function<Result<std::string>(const std::vector<std::string>& argv)>;

  // `words` are looked for in the arguments, each in one of them.
  void answer(std::vector<std::string> words, Answer with) {
    rules_.emplace_back(std::move(words), std::move(with));
  }
  void answer(std::vector<std::string> words, std::string text) {
    answer(std::move(words), [text](const auto&) -> Result<std::string> { return text; });
  }
  void refuse(std::vector<std::string> words, const std::string& why) {
    answer(std::move(words),
           [why](const auto&) -> Result<std::string> { return fail(ErrorKind::unavailable, why); });
  }

  Result<std::string> run(const SlurmCluster& cluster,
                          const std::vector<std::string>& argv) override {
    asked.push_back(argv);
    for (const auto& [words, with] : rules_) {
      if (matches(words, argv)) {
        return with(argv);
      }
    }
    return fail(ErrorKind::broken,
                "No answer is scripted for " + argv.front() + " on " + cluster.name + ".");
  }

  std::vector<std::vector<std::string>> asked;

 private:
  static bool matches(const std::vector<std::string>& words, const std::vector<std::string>& argv) {
    for (const std::string& word : words) {
      bool found = false;
      for (const std::string& argument : argv) {
        found = found || argument.find(word) != std::string::npos;
      }
      if (!found) {
        return false;
      }
    }
    return true;
  }

  std::vector<std::pair<std::vector<std::string>, Answer>> rules_;
};

}  // namespace asbb::slurm
