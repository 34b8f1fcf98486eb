// The receiving half of a measurement in a process of its own, forked before this process has
// opened anything, with one line each way to tell an address.
#pragma once

#include <sys/types.h>

#include <functional>
#include <string>

#include "absl/strings/string_view.h"

namespace baton {

/// Keeps this process on the first (0) or the last (1) of the processors that it may use, so that
/// both ends of a measurement never share one. No effect with one processor.
void StayOnProcessor(int end);

class ForkedPeer {
 public:
  /// Runs `body(tell)` in a child, which exits with the status that it returns. `tell` sends one
  /// text to the parent.
  using Tell = std::function<void(absl::string_view)>;
  explicit ForkedPeer(const std::function<int(const Tell&)>& body);
  ~ForkedPeer();  // ends the child
  ForkedPeer(const ForkedPeer&) = delete;
  ForkedPeer& operator=(const ForkedPeer&) = delete;

  /// What the child told; empty when it died or did not within 10 s.
  std::string Told();

 private:
  pid_t pid_ = -1;
  int pipe_ = -1;
};

}  // namespace baton
