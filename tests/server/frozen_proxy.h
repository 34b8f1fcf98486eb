// A TCP relay on loopback that can fall silent: connections stay open, bytes stop. That is what a
// stopped process, or a cut that no packet reports, looks like to a peer.
//
// Thread: one of its own, from construction to destruction.
#pragma once

#include <atomic>
#include <thread>

namespace baton {

class FrozenProxy {
 public:
  /// Relays to 127.0.0.1:`port`, one connection at a time.
  explicit FrozenProxy(int port);
  ~FrozenProxy();
  FrozenProxy(const FrozenProxy&) = delete;
  FrozenProxy& operator=(const FrozenProxy&) = delete;

  int port() const { return port_; }
  void Freeze(bool frozen);

 private:
  void Run(const std::stop_token& stop, int to_port);

  int listener_ = -1;
  int port_ = 0;
  std::atomic<bool> frozen_{false};  // relaxed: the relay may see it a moment late
  std::jthread thread_;
};

}  // namespace baton
