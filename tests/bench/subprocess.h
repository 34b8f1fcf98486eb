// A program started for a measurement: its standard output comes line by line, its standard error
// is ours, and it ends with us.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "base/time.h"

namespace baton::bench {

class Subprocess {
 public:
  /// `words[0]` is the program's path. The child gets SIGTERM when this process dies.
  static absl::StatusOr<std::unique_ptr<Subprocess>> Start(const std::vector<std::string>& words);

  /// SIGTERM, and SIGKILL where that does not end it within 20 s.
  ~Subprocess();
  Subprocess(const Subprocess&) = delete;
  Subprocess& operator=(const Subprocess&) = delete;

  /// The next line of its output, without its end; nothing once there is none, or at `deadline`.
  std::optional<std::string> ReadLine(Instant deadline);

 private:
  Subprocess(int pid, int pidfd, int out) : pid_(pid), pidfd_(pidfd), out_(out) {}

  const int pid_;
  const int pidfd_;
  const int out_;
  std::string buffer_;
};

/// The path of `name` beside this program.
std::string Beside(const std::string& name);

}  // namespace baton::bench
