// What a command line has become so far: the struct that is filled, lists that repeated flags grow,
// and every error found.
#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "server/cli/flags.h"

namespace baton {

class FlagParse {
 public:
  explicit FlagParse(Subcommand subcommand) { line_.subcommand = subcommand; }

  CommandLine& line() { return line_; }
  const std::vector<std::string>& errors() const { return errors_; }

  void Error(std::string message) { errors_.push_back(std::move(message)); }
  void Warn(std::string message);
  void Info(std::string message);

  /// Sets a knob to what was typed. `spelling` stands in messages. Text is quoted where the key
  /// takes text, so that `--revision 017` stays what it is.
  void SetKnob(absl::string_view path, absl::string_view typed, absl::string_view spelling);

  /// Sets a knob to a value that is YAML already.
  void SetYaml(absl::string_view path, absl::string_view yaml, absl::string_view spelling);

  /// Adds to a knob that is a list.
  void AppendKnob(absl::string_view path, const std::string& item, absl::string_view spelling);

 private:
  CommandLine line_;
  std::vector<std::string> errors_;
};

}  // namespace baton
