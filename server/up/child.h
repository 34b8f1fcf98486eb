// One role as a child process: `baton router ...`, visible in `ps`, ended with its parent.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace baton {

/// A process that we started. Movable; the destructor closes the handle and ends nothing.
class Child {
 public:
  /// Starts this program again with `arguments`. Standard output goes to /dev/null, standard error
  /// is ours. The child gets SIGTERM when its parent dies. Errors: Internal with the system's
  /// reason.
  static absl::StatusOr<Child> Start(const std::vector<std::string>& arguments);

  Child(Child&& other) noexcept;
  Child& operator=(Child&& other) noexcept;
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child();

  int pid() const { return pid_; }

  /// Readable once the process has ended: for poll().
  int ended_fd() const { return pidfd_; }

  /// True once it has ended; collects its status. Never waits.
  bool Ended();

  /// "exit 0", "signal 9": how it ended.
  const std::string& end() const { return end_; }

  void Signal(int number) const;

 private:
  Child(int pid, int pidfd) : pid_(pid), pidfd_(pidfd) {}

  int pid_ = -1;
  int pidfd_ = -1;
  std::string end_;
};

}  // namespace baton
