// A transfer peer in a process of its own, for tests: started from the executable ucx_peer, which
// opens a transport and serves a TransferProbe. The process is this object's: killed at its end.
#pragma once

#include <sys/types.h>

#include <string>

#include "kvtransfer/transfer_probe.h"

namespace baton {

/// The shape that both sides of the process tests use.
inline constexpr ProbeShape kPeerShape{64, 72 * 1024, 36 * 1024, {}};

class PeerProcess {
 public:
  /// `wire`: "shm", "tcp" or "both". Waits until the peer has printed its address.
  explicit PeerProcess(const std::string& wire);
  ~PeerProcess();
  PeerProcess(const PeerProcess&) = delete;
  PeerProcess& operator=(const PeerProcess&) = delete;

  /// Empty when the peer did not start.
  const std::string& address() const { return address_; }

  void Kill();      // SIGKILL, and waits until it is gone
  void Stop();      // SIGSTOP
  void Continue();  // SIGCONT

 private:
  pid_t pid_ = -1;
  std::string address_;
};

}  // namespace baton
