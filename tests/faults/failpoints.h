// Named points at which a test lets a role stand still, to strike it there. The test listens on a
// Unix socket whose path stands in BATON_FAULTS; each role dials it at its start and does as it is
// told:
//
//   role -> test   hello PID         once
//                  at POINT          a point that was armed has been reached: a thread stands there
//   test -> role   arm POINT NTH     stand at the NTH pass from now, until `go`, 10 s at most
//                  go                releases what stands, and forgets what is armed
//                  eat               takes memory until the system ends the process, 256 MiB at
//                  most
//
// Without BATON_FAULTS nothing is ever armed.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <thread>

#include "absl/strings/string_view.h"

namespace baton {

class Failpoints {
 public:
  /// Dials `socket_path`; "" = nothing is armed. A test that does not answer ends the process.
  explicit Failpoints(const std::string& socket_path);
  ~Failpoints();
  Failpoints(const Failpoints&) = delete;
  Failpoints& operator=(const Failpoints&) = delete;

  /// Counts a pass of `point`, and stands there if the test wants it. Thread: any.
  void Pass(absl::string_view point);

 private:
  void Listen(const std::stop_token& stop);
  void Obey(absl::string_view line);
  void Tell(absl::string_view line) const;

  int socket_ = -1;
  std::mutex mutex_;
  std::condition_variable released_;
  std::map<std::string, std::uint64_t> passes_left_;  // of what is armed; under mutex_
  std::uint64_t releases_ = 0;                        // under mutex_
  std::jthread listener_;
};

}  // namespace baton
